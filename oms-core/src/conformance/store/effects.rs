//! Checks of wishes to the outside world (rule 18).

use super::{
    check::{Check, Need},
    kit::{
        Checked, Failure, Kit, LONG, claim, conflict, ensure, lane, lost, same, streams, taking, wish,
        wished as key,
    },
};
use crate::{
    gateway::EffectKey,
    id::StreamId,
    store::{Ask, Consumed, Then, Writes},
};
use futures::future::{Either, select};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "effect-1",
        "a wish that nobody claimed is shown with its stream, and may be withdrawn",
        |kit| Box::pin(withdrawn(kit)),
    ),
    Check::new("effect-2", "a claimed wish is not withdrawn", |kit| Box::pin(claimed(kit))),
    Check::new("effect-3", "a wish is claimed once, oldest first, for its gateway, at most so many", |kit| {
        Box::pin(oldest(kit))
    }),
    Check::new("effect-4", "what an owner before had claimed may have been told", |kit| Box::pin(maybe(kit))),
    Check::new("effect-5", "a wish ends with its settled answer, and only with that", |kit| {
        Box::pin(settled(kit))
    }),
    Check::new("effect-6", "a wish whose key is there is left as it is", |kit| Box::pin(wished_twice(kit))),
    Check::new("effect-7", "a claim waits for the turn that holds the lane", |kit| Box::pin(frozen(kit))),
    Check::new("effect-8", "an owner that lost its lane claims nothing", |kit| Box::pin(zombie(kit))),
    Check::new("effect-9", "after the store was opened again a claimed wish may have been told", |kit| {
        Box::pin(reopened(kit))
    })
    .needing(Need::SurvivesKill),
];

async fn unclaimed(kit: &Kit<'_>) -> Result<Vec<EffectKey>, Failure> {
    let thing = StreamId::keyed("thing", "k");
    let mut turn = kit.turn(&lane("alpha", "k"), Ask::default()).await?;
    let mut loaded = turn.load(&streams(&[&thing])).await?;
    Ok(loaded.remove(&thing).map(|stream| stream.unclaimed).unwrap_or_default())
}

fn withdrawing(step: &str) -> Writes {
    Writes { withdrawn: vec![key(step)], ..Writes::default() }
}

async fn withdrawn(kit: &Kit<'_>) -> Checked {
    wish(kit, &["pay"]).await?;
    same("unclaimed", unclaimed(kit).await?, vec![key("pay")])?;
    kit.commit(&lane("alpha", "k"), withdrawing("pay")).await?;
    same("unclaimed after it", unclaimed(kit).await?, Vec::new())?;
    conflict("withdrawn twice", kit.commit(&lane("alpha", "k"), withdrawing("pay")).await)?;
    kit.nothing_left().await
}

async fn claimed(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    wish(kit, &["pay"]).await?;
    let lease = kit.lease(1, &alpha).await?;
    same("claimed", kit.store.claim(&[lease], "bank", 9).await?.doings.len(), 1)?;
    same("unclaimed", unclaimed(kit).await?, Vec::new())?;
    conflict("withdrawn", kit.commit(&alpha, withdrawing("pay")).await)?;
    same("effects", kit.store.count().await?.effects, 1)
}

async fn oldest(kit: &Kit<'_>) -> Checked {
    let leases = [kit.lease(1, &lane("alpha", "k")).await?];
    wish(kit, &["z"]).await?;
    wish(kit, &["y"]).await?;
    wish(kit, &["x"]).await?;
    same("for another gateway", claim(kit, &leases, "post", 9).await?, Vec::new())?;
    let first = claim(kit, &leases, "bank", 2).await?;
    let seen: Vec<_> = first.iter().map(|doing| (&*doing.effect.key.step, doing.maybe_told)).collect();
    same("first", seen, vec![("z", false), ("y", false)])?;
    let second = claim(kit, &leases, "bank", 2).await?;
    same("then", second.iter().map(|doing| &*doing.effect.key.step).collect(), vec!["x"])?;
    same("at last", claim(kit, &leases, "bank", 2).await?, Vec::new())
}

async fn maybe(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    wish(kit, &["pay"]).await?;
    let old = kit.lease(1, &alpha).await?;
    kit.store.claim(&[old], "bank", 9).await?;
    wish(kit, &["refund"]).await?;
    kit.clock.advance(LONG * 2);
    let new = kit.lease(2, &alpha).await?;
    let doings = claim(kit, &[new], "bank", 9).await?;
    let seen: Vec<_> = doings.iter().map(|doing| (&*doing.effect.key.step, doing.maybe_told)).collect();
    same("claimed by the next owner", seen, vec![("pay", true), ("refund", false)])
}

async fn settled(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    wish(kit, &["pay"]).await?;
    let answer = |then| Consumed::Answered { effect: key("pay"), then };
    let ask = || Ask { answered: vec![key("pay"), key("else")], ..Ask::default() };
    kit.commit(&alpha, taking(answer(Then::Kept))).await?;
    let standing = kit.find(&alpha, ask()).await?.standing;
    same("standing", standing.into_iter().collect(), vec![key("pay")])?;
    let after = vec![answer(Then::Gone), answer(Then::Kept)];
    let writes = Writes { consumed: after, ..Writes::default() };
    conflict("an answer behind the last one", kit.commit(&alpha, writes).await)?;
    kit.commit(&alpha, taking(answer(Then::Gone))).await?;
    ensure(kit.find(&alpha, ask()).await?.standing.is_empty(), "a settled wish still stands")?;
    conflict(
        "a settled answer to a wish that has gone",
        kit.commit(&alpha, taking(answer(Then::Gone))).await,
    )?;
    conflict("another answer to it", kit.commit(&alpha, taking(answer(Then::Kept))).await)?;
    kit.nothing_left().await
}

async fn wished_twice(kit: &Kit<'_>) -> Checked {
    let leases = [kit.lease(1, &lane("alpha", "k")).await?];
    wish(kit, &["pay"]).await?;
    kit.store.claim(&leases, "bank", 9).await?;
    wish(kit, &["pay"]).await?;
    same("effects", kit.store.count().await?.effects, 1)?;
    same("claimed again", claim(kit, &leases, "bank", 9).await?, Vec::new())
}

async fn frozen(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    wish(kit, &["pay"]).await?;
    let leases = [kit.lease(1, &alpha).await?];
    let turn = kit.turn(&alpha, Ask::default()).await?;
    {
        let claim = kit.store.claim(&leases, "bank", 9);
        let waited = matches!(select(claim, kit.harness.pause()).await, Either::Right(_));
        ensure(waited, "a wish was claimed under an open turn")?;
    }
    turn.commit(withdrawing("pay")).await?;
    same("claimed after it was withdrawn", claim(kit, &leases, "bank", 9).await?, Vec::new())
}

async fn zombie(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    wish(kit, &["pay"]).await?;
    let old = kit.lease(1, &alpha).await?;
    kit.clock.advance(LONG * 2);
    let new = kit.lease(2, &alpha).await?;
    lost("the old owner's claim", kit.store.claim(&[old], "bank", 9).await)?;
    let doings = claim(kit, &[new], "bank", 9).await?;
    same("told before", doings.iter().map(|doing| doing.maybe_told).collect(), vec![false])
}

async fn reopened(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    wish(kit, &["pay"]).await?;
    let lease = kit.lease(1, &alpha).await?;
    kit.store.claim(&[lease], "bank", 9).await?;
    let store = kit.harness.reopen(std::sync::Arc::clone(&kit.store)).await?;
    // Where several processes share a store, the lease of one that was killed has to run out.
    kit.clock.advance(LONG * 2);
    let leases = store.lease(2, &[alpha], LONG).await?;
    same("leases after it", leases.len(), 1)?;
    let doings = store.claim(&leases, "bank", 9).await?.doings;
    same("told before", doings.iter().map(|doing| doing.maybe_told).collect(), vec![true])
}
