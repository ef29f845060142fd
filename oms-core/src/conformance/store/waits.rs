//! Checks of wishes that were let go of until there may be news (rule 18).

use super::{
    check::{Check, Need},
    kit::{
        Checked, Failure, Kit, LONG, SECOND, claim, conflict, ensure, lane, same, streams, taking, wish,
        wished,
    },
};
use crate::{
    id::{MessageId, StreamId},
    store::{Ask, Claimed, Consumed, Doing, Lease, Postponed, Then, Waiting, Writes},
};
use futures::future::{Either, select};
use std::{sync::Arc, time::Duration};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "wait-1",
        "a wish that an answer lets go of is claimed again when its time has passed, with what was heard",
        |kit| Box::pin(answered(kit)),
    ),
    Check::new("wait-2", "a wish that is postponed comes back with its calls, and what was heard", |kit| {
        Box::pin(postponed(kit))
    }),
    Check::new("wait-3", "what is due is claimed in the order in which it was due, old and new", |kit| {
        Box::pin(in_order(kit))
    }),
    Check::new("wait-4", "a claim says when the next wish of its lanes and gateway is due", |kit| {
        Box::pin(next(kit))
    }),
    Check::new("wait-5", "a wish that was let go of is neither withdrawn nor shown as unclaimed", |kit| {
        Box::pin(not_withdrawn(kit))
    }),
    Check::new("wait-6", "only who holds the claim postpones it", |kit| Box::pin(not_mine(kit))),
    Check::new("wait-7", "a wish that waits is claimed by whoever holds its lane when it is due", |kit| {
        Box::pin(other_hands(kit))
    }),
    Check::new("wait-8", "a wish that waits ends with its last answer, and never comes back", |kit| {
        Box::pin(gone(kit))
    }),
    Check::new("wait-9", "a wish that waits goes on waiting after the store was opened again", |kit| {
        Box::pin(reopened(kit))
    })
    .needing(Need::SurvivesKill),
    Check::new("wait-10", "an answer in hand lets go of a wish that another owner has claimed", |kit| {
        Box::pin(in_hand(kit))
    }),
    Check::new(
        "wait-11",
        "a claim that waits for a turn gives nothing that the turn ends or puts off",
        |kit| Box::pin(behind_a_turn(kit)),
    ),
    Check::new("wait-12", "a claim that is dropped half-way loses nothing that waits", |kit| {
        Box::pin(dropped(kit))
    }),
];

const HEARD: MessageId = MessageId(77);

fn let_go(step: &str, again: Duration) -> Writes {
    taking(Consumed::Answered { effect: wished(step), then: Then::LetGo { again, heard: HEARD } })
}

fn postpone(lease: &Lease, step: &str, again: Duration) -> Postponed {
    Postponed { lease: lease.clone(), effect: wished(step), again, heard: None, calls: 3 }
}

/// The steps that a claim gives, and when the next is due.
fn steps(claimed: &Claimed) -> (Vec<&str>, Option<Duration>) {
    (claimed.doings.iter().map(|doing| &*doing.effect.key.step).collect(), claimed.next)
}

async fn leased(kit: &Kit<'_>) -> Result<[Lease; 1], Failure> {
    Ok([kit.lease(1, &lane("alpha", "k")).await?])
}

/// Claims the one wish that is due.
async fn the_one(kit: &Kit<'_>, leases: &[Lease]) -> Result<Doing, Failure> {
    let mut doings = claim(kit, leases, "bank", 9).await?;
    same("claimed", doings.len(), 1)?;
    Ok(doings.remove(0))
}

async fn answered(kit: &Kit<'_>) -> Checked {
    let leases = leased(kit).await?;
    wish(kit, &["pay"]).await?;
    the_one(kit, &leases).await?;
    kit.commit(&lane("alpha", "k"), let_go("pay", SECOND)).await?;
    same("effects", kit.store.count().await?.effects, 1)?;
    same("claimed too early", claim(kit, &leases, "bank", 9).await?, Vec::new())?;
    kit.clock.advance(SECOND);
    let doing = the_one(kit, &leases).await?;
    same("as it comes", (doing.maybe_told, doing.heard, doing.calls), (true, Some(HEARD), 0))?;
    same("claimed twice", claim(kit, &leases, "bank", 9).await?, Vec::new())
}

async fn postponed(kit: &Kit<'_>) -> Checked {
    let leases = leased(kit).await?;
    wish(kit, &["pay"]).await?;
    the_one(kit, &leases).await?;
    kit.store.postpone(&[postpone(&leases[0], "pay", SECOND)]).await?;
    same("claimed too early", claim(kit, &leases, "bank", 9).await?, Vec::new())?;
    kit.clock.advance(SECOND);
    let doing = the_one(kit, &leases).await?;
    same("as it comes", (doing.maybe_told, doing.heard, doing.calls), (true, None, 3))?;
    let heard = Postponed { heard: Some(HEARD), ..postpone(&leases[0], "pay", SECOND) };
    kit.store.postpone(&[heard]).await?;
    kit.clock.advance(SECOND);
    same("heard", the_one(kit, &leases).await?.heard, Some(HEARD))?;
    kit.store.postpone(&[postpone(&leases[0], "pay", SECOND)]).await?;
    kit.clock.advance(SECOND);
    same("heard, and nothing since", the_one(kit, &leases).await?.heard, Some(HEARD))
}

async fn in_order(kit: &Kit<'_>) -> Checked {
    let leases = leased(kit).await?;
    wish(kit, &["late", "soon"]).await?;
    same("claimed", claim(kit, &leases, "bank", 9).await?.len(), 2)?;
    let waits = [postpone(&leases[0], "late", SECOND * 3), postpone(&leases[0], "soon", SECOND)];
    kit.store.postpone(&waits).await?;
    kit.clock.advance(SECOND * 2);
    wish(kit, &["new"]).await?;
    kit.clock.advance(SECOND * 2);
    let first = kit.store.claim(&leases, "bank", 2).await?;
    same("first", steps(&first), (vec!["soon", "new"], Some(Duration::ZERO)))?;
    same("then", steps(&kit.store.claim(&leases, "bank", 2).await?), (vec!["late"], None))
}

async fn next(kit: &Kit<'_>) -> Checked {
    let leases = leased(kit).await?;
    same("of nothing", kit.store.claim(&leases, "bank", 9).await?, Claimed::default())?;
    wish(kit, &["a", "b"]).await?;
    same("while all are claimed", kit.store.claim(&leases, "bank", 9).await?.next, None)?;
    let waits = [postpone(&leases[0], "a", SECOND * 3), postpone(&leases[0], "b", SECOND * 2)];
    kit.store.postpone(&waits).await?;
    let next = kit.store.claim(&leases, "bank", 9).await?;
    same("the next", steps(&next), (vec![], Some(SECOND * 2)))?;
    same("of another gateway", kit.store.claim(&leases, "post", 9).await?, Claimed::default())?;
    kit.clock.advance(SECOND * 2);
    same("the one after", steps(&kit.store.claim(&leases, "bank", 9).await?), (vec!["b"], Some(SECOND)))
}

async fn not_withdrawn(kit: &Kit<'_>) -> Checked {
    let (leases, alpha) = (leased(kit).await?, lane("alpha", "k"));
    wish(kit, &["pay"]).await?;
    the_one(kit, &leases).await?;
    kit.store.postpone(&[postpone(&leases[0], "pay", SECOND)]).await?;
    let thing = StreamId::keyed("thing", "k");
    let loaded = kit.turn(&alpha, Ask::default()).await?.load(&streams(&[&thing])).await?;
    let unclaimed = loaded.into_values().flat_map(|stream| stream.unclaimed).collect();
    same("unclaimed", unclaimed, Vec::new())?;
    let withdrawing = Writes { withdrawn: vec![wished("pay")], ..Writes::default() };
    conflict("withdrawn", kit.commit(&alpha, withdrawing).await)?;
    let waiting = kit.store.waiting(Some("k"), 9).await?;
    let shown = waiting.iter().any(|one| matches!(one, Waiting::Effect { claimed: true, .. }));
    ensure(shown, "a wish that was let go of is not shown as one that may have been told")?;
    conflict("the end of a group whose wish waits", kit.store.remove("alpha").await)
}

async fn not_mine(kit: &Kit<'_>) -> Checked {
    let (leases, alpha) = (leased(kit).await?, lane("alpha", "k"));
    wish(kit, &["pay"]).await?;
    kit.store.postpone(&[postpone(&leases[0], "pay", LONG)]).await?;
    same("a wish that nobody claimed", the_one(kit, &leases).await?.maybe_told, false)?;
    kit.clock.advance(LONG * 2);
    let new = [kit.lease(2, &alpha).await?];
    kit.store.postpone(&[postpone(&leases[0], "pay", LONG)]).await?;
    same("by the owner before", the_one(kit, &new).await?.calls, 0)?;
    kit.store.postpone(&[postpone(&leases[0], "pay", Duration::ZERO)]).await?;
    same("the claim after it", claim(kit, &new, "bank", 9).await?, Vec::new())?;
    kit.store.postpone(&[postpone(&new[0], "else", Duration::ZERO)]).await?;
    same("effects", kit.store.count().await?.effects, 1)
}

async fn other_hands(kit: &Kit<'_>) -> Checked {
    let (leases, alpha) = (leased(kit).await?, lane("alpha", "k"));
    wish(kit, &["pay"]).await?;
    the_one(kit, &leases).await?;
    kit.store.postpone(&[postpone(&leases[0], "pay", LONG * 3)]).await?;
    kit.clock.advance(LONG * 2);
    let new = [kit.lease(2, &alpha).await?];
    same("before its time", kit.store.claim(&new, "bank", 9).await?.next, Some(LONG))?;
    kit.clock.advance(LONG - SECOND);
    let new = [kit.lease(2, &new[0].lane).await?];
    kit.clock.advance(SECOND);
    same("in its time", the_one(kit, &new).await?.maybe_told, true)
}

async fn gone(kit: &Kit<'_>) -> Checked {
    let (leases, alpha) = (leased(kit).await?, lane("alpha", "k"));
    wish(kit, &["pay"]).await?;
    the_one(kit, &leases).await?;
    kit.store.postpone(&[postpone(&leases[0], "pay", SECOND)]).await?;
    let standing = kit.find(&alpha, Ask { answered: vec![wished("pay")], ..Ask::default() }).await?.standing;
    ensure(standing.contains(&wished("pay")), "a wish that waits does not stand")?;
    kit.commit(&alpha, taking(Consumed::Answered { effect: wished("pay"), then: Then::Gone })).await?;
    kit.clock.advance(SECOND);
    same("after it", kit.store.claim(&leases, "bank", 9).await?, Claimed::default())?;
    conflict("an answer that comes too late", kit.commit(&alpha, let_go("pay", SECOND)).await)?;
    kit.nothing_left().await
}

async fn reopened(kit: &Kit<'_>) -> Checked {
    let leases = leased(kit).await?;
    wish(kit, &["pay", "mail"]).await?;
    same("claimed", claim(kit, &leases, "bank", 9).await?.len(), 2)?;
    kit.commit(&lane("alpha", "k"), let_go("pay", LONG * 2)).await?;
    let store = kit.harness.reopen(Arc::clone(&kit.store)).await?;
    same("effects", store.count().await?.effects, 2)?;
    kit.clock.advance(LONG);
    let alpha = [lane("alpha", "k")];
    let leases = store.lease(2, &alpha, LONG * 9).await?;
    let first = store.claim(&leases, "bank", 9).await?;
    same("what was claimed", steps(&first), (vec!["mail"], Some(LONG)))?;
    kit.clock.advance(LONG);
    let doings = store.claim(&leases, "bank", 9).await?.doings;
    let seen = doings.iter().map(|doing| (doing.maybe_told, doing.heard)).collect();
    same("what waited", seen, vec![(true, Some(HEARD))])
}

/// Lets wishes wait, until they are due.
async fn due(kit: &Kit<'_>, leases: &[Lease; 1], steps: &[&str]) -> Checked {
    wish(kit, steps).await?;
    same("claimed", claim(kit, leases, "bank", 9).await?.len(), steps.len())?;
    let waits: Vec<_> = steps.iter().map(|step| postpone(&leases[0], step, SECOND)).collect();
    kit.store.postpone(&waits).await?;
    kit.clock.advance(SECOND);
    Ok(())
}

async fn behind_a_turn(kit: &Kit<'_>) -> Checked {
    let (leases, alpha) = (leased(kit).await?, lane("alpha", "k"));
    due(kit, &leases, &["pay", "mail"]).await?;
    let turn = kit.turn(&alpha, Ask::default()).await?;
    let claims = kit.store.claim(&leases, "bank", 9);
    let Either::Right((_, claims)) = select(claims, kit.harness.pause()).await else {
        return ensure(false, "a wish was claimed under an open turn");
    };
    let mut writes = let_go("mail", SECOND);
    writes.consumed.push(Consumed::Answered { effect: wished("pay"), then: Then::Gone });
    turn.commit(writes).await?;
    same("claimed behind it", claims.await?.doings, Vec::new())?;
    kit.clock.advance(SECOND);
    same("what was put off", the_one(kit, &leases).await?.effect.key, wished("mail"))
}

async fn dropped(kit: &Kit<'_>) -> Checked {
    let (leases, alpha) = (leased(kit).await?, lane("alpha", "k"));
    due(kit, &leases, &["pay"]).await?;
    let turn = kit.turn(&alpha, Ask::default()).await?;
    let waited = select(kit.store.claim(&leases, "bank", 9), kit.harness.pause()).await;
    ensure(matches!(waited, Either::Right(_)), "a wish was claimed under an open turn")?;
    drop((waited, turn));
    same("claimed after it", the_one(kit, &leases).await?.maybe_told, true)
}

async fn in_hand(kit: &Kit<'_>) -> Checked {
    let (leases, alpha) = (leased(kit).await?, lane("alpha", "k"));
    wish(kit, &["pay"]).await?;
    the_one(kit, &leases).await?;
    kit.clock.advance(LONG * 2);
    let new = [kit.lease(2, &alpha).await?];
    the_one(kit, &new).await?;
    kit.commit(&alpha, let_go("pay", SECOND)).await?;
    same("at once", claim(kit, &new, "bank", 9).await?, Vec::new())?;
    kit.clock.advance(SECOND);
    same("in its time", the_one(kit, &new).await?.heard, Some(HEARD))
}
