//! Checks of who hears what, of the relay's view, and of what a person sees (rules 1, 4, 22).

use super::{
    check::Check,
    kit::{Checked, Kit, LONG, asked, conflict, effect, ensure, lane, pack, same, topology},
};
use crate::{
    broker::Topology,
    id::Name,
    message::Limit,
    store::{
        Ask, DeadLetterState, End, PUBLIC, Pick, PublicPack, Seek, StoreError, Verdict, Waiting, Writes,
    },
};
use futures::future::{Either, select};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "hears-1",
        "groups of other processes stay as they are; one that is named gets these topics",
        |kit| Box::pin(merged(kit)),
    ),
    Check::new("hears-2", "another number of lanes is unfit, and changes nothing", |kit| {
        Box::pin(lanes(kit))
    }),
    Check::new("hears-3", "a turn that read who hears what before a registration does not commit", |kit| {
        Box::pin(revised(kit))
    }),
    Check::new("hears-4", "a removed group is owed nothing, leased nothing, and removed once", |kit| {
        Box::pin(removed(kit))
    }),
    Check::new("hears-5", "a group with wishes that may have been told is not removed", |kit| {
        Box::pin(busy(kit))
    }),
    Check::new(
        "relay-1",
        "what is unsent is given in order, after the cursor, while somebody is owed it",
        |kit| Box::pin(unsent(kit)),
    ),
    Check::new("relay-2", "cursors are kept", |kit| Box::pin(cursors(kit))),
    Check::new(
        "relay-3",
        "hearers outside the store are owed public packs until they are confirmed",
        |kit| Box::pin(public(kit)),
    ),
    Check::new("relay-4", "a public pack that the broker rejects for good is buried with its bytes", |kit| {
        Box::pin(rejected(kit))
    }),
    Check::new("watch-1", "what waits is seen by its key", |kit| Box::pin(waiting(kit))),
];

async fn merged(kit: &Kit<'_>) -> Checked {
    let first = kit.store.register(&topology(&[("beta", &["gossip"]), ("gamma", &["news"])])).await?;
    let should = topology(&[("alpha", &["news", "gossip"]), ("beta", &["gossip"]), ("gamma", &["news"])]);
    same("the whole", first.topology.clone(), should)?;
    let again = kit.store.register(&topology(&[("gamma", &["news"])])).await?;
    same("the same once more", again, first.clone())?;
    let found = kit.find(&lane("alpha", "k"), Ask::default()).await?;
    same("the revision a turn reads", found.revision, first.revision)?;
    let mut hears = first.topology.hears;
    hears.insert(Name::from(PUBLIC), first.topology.public);
    same("what a turn reads", (*found.hears).clone(), hears)
}

async fn lanes(kit: &Kit<'_>) -> Checked {
    let before = kit.store.register(&topology(&[])).await?;
    let other = Topology { lanes: 5, ..topology(&[("gamma", &["news"])]) };
    let refused = kit.store.register(&other).await;
    ensure(matches!(refused, Err(StoreError::Unfit(_))), "another number of lanes was taken")?;
    same("the topology", kit.store.register(&topology(&[])).await?, before)
}

async fn revised(kit: &Kit<'_>) -> Checked {
    let place = lane("place", "k");
    let before = kit.send(&place, "news", &["k"]).await?;
    let mut turn = kit.turn(&place, Ask::default()).await?;
    let late = pack(&place, turn.found().position, "news", &["k"])?;
    let writes = Writes { packs: vec![late], ..Writes::default() };
    let wanted = topology(&[("gamma", &["news"])]);
    match select(kit.store.register(&wanted), kit.harness.pause()).await {
        Either::Left((registered, _)) => {
            registered?;
            conflict("a commit after the registration", turn.commit(writes).await)?;
        }
        // A store that takes the lanes' locks to register lets this turn commit first.
        Either::Right(((), register)) => {
            turn.commit(writes).await?;
            register.await?;
        }
    }
    let after = kit.send(&place, "news", &["k"]).await?;
    let found = kit.find(&lane("gamma", "k"), asked(&[&before, &after])).await?;
    same("heard", found.owed.into_iter().map(|owed| owed.pack).collect(), vec![after])
}

async fn removed(kit: &Kit<'_>) -> Checked {
    let (beta, place) = (lane("beta", "k"), lane("place", "k"));
    let pack = kit.send(&place, "news", &["k", "k"]).await?;
    kit.park(&beta, (&pack, 0, "k"), Some(LONG)).await?;
    let lease = kit.lease(1, &beta).await?;
    ensure(kit.store.remove("beta").await? >= 2, "too few rows were removed")?;
    same("removed again", kit.store.remove("beta").await?, 0)?;
    same("leases", kit.store.lease(1, &[beta], LONG).await?, Vec::new())?;
    super::kit::lost("its turn", kit.store.turn(&crate::store::Right::Fenced(lease), Ask::default()).await)?;
    let count = kit.store.count().await?;
    same("owed to others, parked", (count.owed, count.parked), (1, 0))?;
    kit.send(&place, "news", &["k"]).await?;
    same("owed afterwards", kit.store.count().await?.owed, 2)
}

async fn busy(kit: &Kit<'_>) -> Checked {
    let beta = lane("beta", "k");
    let effects = vec![effect("k", "pay", "bank")];
    kit.commit(&beta, Writes { effects, ..Writes::default() }).await?;
    let lease = kit.lease(1, &beta).await?;
    kit.store.claim(std::slice::from_ref(&lease), "bank", 9).await?;
    conflict("removed", kit.store.remove("beta").await)?;
    same("wishes", kit.store.count().await?.effects, 1)?;
    kit.lease(1, &beta).await?;
    Ok(())
}

async fn unsent(kit: &Kit<'_>) -> Checked {
    let place = lane("place", "k");
    let mut sent = Vec::new();
    for _ in 0..4 {
        sent.push(kit.send(&place, "gossip", &["k"]).await?);
    }
    kit.end(&lane("alpha", "k"), &sent[2], &[0], End::Handled).await?;
    let after = [(place, sent[0].position)];
    let packs = kit.store.unsent(&after, Limit::default()).await?;
    let ids: Vec<_> = packs.iter().map(|pack| &pack.id).collect();
    same("unsent", ids, vec![&sent[1], &sent[3]])?;
    let one = kit.store.unsent(&after, Limit { messages: 1, bytes: 0 }).await?;
    same("at most one", one.iter().map(|pack| &pack.id).collect(), vec![&sent[1]])
}

async fn cursors(kit: &Kit<'_>) -> Checked {
    let lanes = [lane("place", "k"), lane("alpha", "k")];
    same("at first", kit.store.cursors(&lanes).await?, vec![0, 0])?;
    kit.store.sent(&[(lanes[1].clone(), 7)], &[]).await?;
    same("then", kit.store.cursors(&lanes).await?, vec![0, 7])
}

async fn public(kit: &Kit<'_>) -> Checked {
    let place = lane("place", "k");
    let pack = kit.send(&place, "open", &["k", "k"]).await?;
    same("owed", kit.store.count().await?.owed, 1)?;
    same("unsent", kit.store.unsent(&[(place, 0)], Limit::default()).await?.len(), 1)?;
    for _ in 0..2 {
        kit.store.sent(&[], &[PublicPack { pack: pack.clone(), rejected: None }]).await?;
    }
    kit.nothing_left().await
}

async fn rejected(kit: &Kit<'_>) -> Checked {
    let place = lane("place", "k");
    let pack = kit.send(&place, "open", &["k", "k"]).await?;
    let sent = kit.store.unsent(&[(place.clone(), 0)], Limit::default()).await?;
    for _ in 0..2 {
        let rejected = Some(Name::from("too large"));
        kit.store.sent(&[], &[PublicPack { pack: pack.clone(), rejected }]).await?;
    }
    let public = Pick { group: Some(Name::from(PUBLIC)), ..Pick::default() };
    let letters = kit.store.dead_letters(&public, Seek::OLDEST, 9).await?;
    let seen: Vec<_> =
        letters.iter().map(|letter| (&*letter.error, letter.state, &letter.message.body)).collect();
    let bytes: Vec<_> = sent.iter().map(|pack| ("too large", DeadLetterState::Buried, &pack.bytes)).collect();
    same("buried", seen, bytes)?;
    same("unsent", kit.store.unsent(&[(place, 0)], Limit::default()).await?, Vec::new())?;
    for letter in &letters {
        conflict("redriven", kit.judge(&letter.lane, letter.number, Verdict::Redrive).await)?;
    }
    Ok(())
}

async fn waiting(kit: &Kit<'_>) -> Checked {
    let pack = kit.send(&lane("place", "k"), "gossip", &["k", "k"]).await?;
    kit.send(&lane("place", "l"), "gossip", &["l"]).await?;
    kit.park(&lane("alpha", "k"), (&pack, 0, "k"), Some(LONG)).await?;
    let effects = vec![effect("k", "pay", "bank")];
    kit.commit(&lane("alpha", "k"), Writes { effects, ..Writes::default() }).await?;
    let waiting = kit.store.waiting(Some("k"), 99).await?;
    let owed = waiting.iter().any(|one| matches!(one, Waiting::Owed { left: 1, marked: 1, .. }));
    let parked = waiting.iter().any(|one| matches!(one, Waiting::Parked { attempts: 1, .. }));
    let wish = waiting.iter().any(|one| matches!(one, Waiting::Effect { claimed: false, .. }));
    ensure(owed && parked && wish, &format!("something of the key is not seen: {waiting:?}"))?;
    same("of the key", waiting.len(), 3)?;
    same("of all", kit.store.waiting(None, 99).await?.len(), 4)?;
    same("at most", kit.store.waiting(None, 2).await?.len(), 2)
}
