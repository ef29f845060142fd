//! Checks of lanes, leases and locks (rules 8, 14, 19).

use super::{
    check::Check,
    kit::{
        Checked, Kit, LONG, SECOND, asked, conflict, consume, ensure, lane, lost, same, streams, write,
        writing,
    },
};
use crate::{
    id::StreamId,
    message::GroupLane,
    store::{Ask, End, Right, StoreError, Writes},
};
use futures::{FutureExt, future::Either, future::select, join};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new("lane-1", "a turn waits while another holds its lane, and reads what that one wrote", |kit| {
        Box::pin(waits(kit))
    }),
    Check::new("lane-2", "turns of other lanes do not wait", |kit| Box::pin(others(kit))),
    Check::new("lane-3", "a dropped turn writes nothing and lets go", |kit| Box::pin(dropped(kit))),
    Check::new("lane-4", "a turn that stops waiting holds nobody up", |kit| Box::pin(impatient(kit))),
    Check::new("lane-5", "a lease is given to one owner until it expires by the store's clock", |kit| {
        Box::pin(exclusive(kit))
    }),
    Check::new("lane-6", "keeping a lease keeps its epoch", |kit| Box::pin(kept(kit))),
    Check::new("lane-7", "a lease that is given back is free at once", |kit| Box::pin(given_back(kit))),
    Check::new("lane-8", "an owner that lost its lane enters no turn", |kit| Box::pin(zombie_enters(kit))),
    Check::new("lane-9", "an owner that lost its lane in a turn changes nothing", |kit| {
        Box::pin(zombie_commits(kit))
    }),
    Check::new("lane-10", "an answer in hand is committed whoever owns the lane", |kit| {
        Box::pin(in_hand(kit))
    }),
    Check::new("lane-11", "turns on overlapping shared streams in opposite order do not deadlock", |kit| {
        Box::pin(overlapping(kit))
    }),
    Check::new("lane-12", "a shared stream is held until the turn ends", |kit| Box::pin(held(kit))),
    Check::new("lane-13", "shared streams are loaded once in a turn", |kit| Box::pin(loaded_once(kit))),
    Check::new(
        "lane-14",
        "a commit that is dropped half-way happened whole or not at all, and lets go",
        |kit| Box::pin(dropped_commit(kit)),
    ),
    Check::new("lane-15", "a turn's findings are taken once", |kit| Box::pin(found_once(kit))),
];

fn thing() -> StreamId {
    StreamId::keyed("thing", "k")
}

async fn waits(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let first = kit.turn(&alpha, Ask::default()).await?;
    let released = AtomicBool::new(false);
    let second = async {
        let ask = Ask { streams: streams(&[&thing()]), ..Ask::default() };
        let found = kit.find(&alpha, ask).await?;
        Ok::<_, StoreError>((found, released.load(Ordering::SeqCst)))
    };
    let first = async {
        kit.harness.pause().await;
        kit.harness.pause().await;
        released.store(true, Ordering::SeqCst);
        first.commit(writing(write(&thing(), 0, 1))).await
    };
    let (found, committed) = join!(second, first);
    committed?;
    let (found, waited) = found?;
    let version = found.streams.get(&thing()).map(|stream| stream.version);
    ensure(waited, "two turns were in one lane")?;
    same("what the second read", version, Some(1))
}

async fn others(kit: &Kit<'_>) -> Checked {
    let _first = kit.turn(&GroupLane::new("alpha", 0), Ask::default()).await?;
    let _second = kit.turn(&GroupLane::new("alpha", 1), Ask::default()).await?;
    let _third = kit.turn(&GroupLane::new("beta", 0), Ask::default()).await?;
    Ok(())
}

async fn dropped(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let pack = kit.send(&lane("place", "k"), "gossip", &["k"]).await?;
    let before = kit.store.count().await?;
    let mut turn = kit.turn(&alpha, asked(&[&pack])).await?;
    turn.load(&streams(&[&StreamId::shared("stock", "a")])).await?;
    drop(turn);
    same("counts", kit.store.count().await?, before)?;
    let mut turn = kit.turn(&alpha, asked(&[&pack])).await?;
    same("owed", turn.found().owed.len(), 1)?;
    turn.load(&streams(&[&StreamId::shared("stock", "a")])).await?;
    Ok(())
}

async fn impatient(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let first = kit.turn(&alpha, Ask::default()).await?;
    {
        let second = kit.turn(&alpha, Ask::default()).boxed();
        let gave_up = matches!(select(second, kit.harness.pause()).await, Either::Right(_));
        ensure(gave_up, "the second turn did not wait")?;
    }
    drop(first);
    kit.turn(&alpha, Ask::default()).await?;
    Ok(())
}

async fn exclusive(kit: &Kit<'_>) -> Checked {
    let lanes = [lane("alpha", "k")];
    let first = kit.lease(1, &lanes[0]).await?;
    kit.clock.advance(LONG - SECOND);
    same("given twice", kit.store.lease(2, &lanes, LONG).await?, Vec::new())?;
    kit.clock.advance(SECOND * 2);
    let second = kit.lease(2, &lanes[0]).await?;
    ensure(second.epoch > first.epoch, "the epoch did not grow when the lane changed hands")?;
    same("given to the old owner", kit.store.lease(1, &lanes, LONG).await?, Vec::new())
}

async fn kept(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let first = kit.lease(1, &alpha).await?;
    kit.clock.advance(LONG / 2);
    let second = kit.lease(1, &alpha).await?;
    same("the epoch", second.epoch, first.epoch)?;
    kit.clock.advance(LONG - SECOND);
    let other = kit.store.lease(2, std::slice::from_ref(&alpha), LONG).await?;
    same("given away although it was kept", other, Vec::new())
}

async fn given_back(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let first = kit.lease(1, &alpha).await?;
    let none = kit.store.lease(1, std::slice::from_ref(&alpha), Duration::ZERO).await?;
    same("held after giving back", none, Vec::new())?;
    let second = kit.lease(2, &alpha).await?;
    ensure(second.epoch > first.epoch, "the epoch did not grow")
}

async fn zombie_enters(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let old = kit.lease(1, &alpha).await?;
    kit.store.turn(&Right::Fenced(old.clone()), Ask::default()).await?;
    kit.clock.advance(LONG * 2);
    let new = kit.lease(2, &alpha).await?;
    lost("the old owner's turn", kit.store.turn(&Right::Fenced(old), Ask::default()).await)?;
    kit.store.turn(&Right::Fenced(new), Ask::default()).await?;
    Ok(())
}

async fn zombie_commits(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let pack = kit.send(&lane("place", "k"), "gossip", &["k"]).await?;
    let old = kit.lease(1, &alpha).await?;
    let turn = kit.store.turn(&Right::Fenced(old), asked(&[&pack])).await?;
    kit.clock.advance(LONG * 2);
    kit.lease(2, &alpha).await?;
    let before = kit.store.count().await?;
    let writes = Writes { streams: vec![write(&thing(), 0, 1)], ..consume(&pack, &[0], End::Handled) };
    lost("the old owner's commit", turn.commit(writes).await)?;
    same("counts", kit.store.count().await?, before)?;
    same("history", kit.store.history(&thing(), 0, 9).await?, Vec::new())
}

async fn in_hand(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    kit.lease(1, &alpha).await?;
    let turn = kit.turn(&alpha, Ask::default()).await?;
    kit.clock.advance(LONG * 2);
    kit.lease(2, &alpha).await?;
    turn.commit(writing(write(&thing(), 0, 1))).await?;
    same("events", kit.store.history(&thing(), 0, 9).await?.len(), 1)
}

/// Takes shared streams, then writes one more event to each.
async fn bump(kit: &Kit<'_>, lane: GroupLane, names: [&str; 2]) -> Checked {
    let wanted: Vec<StreamId> = names.iter().map(|name| StreamId::shared("stock", name)).collect();
    let mut turn = kit.turn(&lane, Ask::default()).await?;
    let loaded = turn.load(&streams(&wanted.iter().collect::<Vec<_>>())).await?;
    kit.harness.pause().await;
    let writes = loaded.iter().map(|(stream, now)| write(stream, now.version, 1)).collect();
    Ok(turn.commit(Writes { streams: writes, ..Writes::default() }).await?)
}

async fn overlapping(kit: &Kit<'_>) -> Checked {
    for _ in 0..10 {
        let (first, second, third) = join!(
            bump(kit, GroupLane::new("alpha", 0), ["a", "b"]),
            bump(kit, GroupLane::new("alpha", 1), ["b", "a"]),
            bump(kit, GroupLane::new("alpha", 2), ["c", "b"]),
        );
        first.and(second).and(third)?;
    }
    let events = kit.store.history(&StreamId::shared("stock", "b"), 0, 100).await?;
    same("events of the one all want", events.len(), 30)
}

async fn held(kit: &Kit<'_>) -> Checked {
    let stock = StreamId::shared("stock", "a");
    let mut first = kit.turn(&GroupLane::new("alpha", 0), Ask::default()).await?;
    first.load(&streams(&[&stock])).await?;
    let mut second = kit.turn(&GroupLane::new("alpha", 1), Ask::default()).await?;
    let wanted = streams(&[&stock]);
    {
        let load = second.load(&wanted);
        let waited = matches!(select(load, kit.harness.pause()).await, Either::Right(_));
        ensure(waited, "a shared stream was loaded by two turns at once")?;
    }
    drop(second);
    first.commit(writing(write(&stock, 0, 1))).await?;
    let mut third = kit.turn(&GroupLane::new("alpha", 2), Ask::default()).await?;
    let loaded = third.load(&wanted).await?;
    same("what the next reads", loaded.get(&stock).map(|stream| stream.version), Some(1))
}

async fn loaded_once(kit: &Kit<'_>) -> Checked {
    let mut turn = kit.turn(&lane("alpha", "k"), Ask::default()).await?;
    turn.load(&streams(&[&thing()])).await?;
    turn.load(&streams(&[&StreamId::shared("stock", "b")])).await?;
    turn.load(&streams(&[&StreamId::keyed("thing", "l")])).await?;
    let second = turn.load(&streams(&[&StreamId::shared("stock", "a")])).await;
    ensure(matches!(second, Err(StoreError::Misused(_))), "shared streams were loaded a second time")
}

async fn dropped_commit(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let pack = kit.send(&lane("place", "k"), "gossip", &["k"]).await?;
    let turn = kit.turn(&alpha, asked(&[&pack])).await?;
    let writes = Writes { streams: vec![write(&thing(), 0, 1)], ..consume(&pack, &[0], End::Handled) };
    // Polled once at most: it may have come through, or stopped anywhere.
    drop(turn.commit(writes.clone()).now_or_never());
    kit.harness.pause().await;
    let owed = kit.find(&alpha, asked(&[&pack])).await?.owed.len();
    let events = kit.store.history(&thing(), 0, 9).await?.len();
    ensure((owed, events) == (1, 0) || (owed, events) == (0, 1), "half of the commit is there")?;
    if owed == 0 {
        return conflict("the same commit again", kit.commit(&alpha, writes).await);
    }
    Ok(kit.commit(&alpha, writes).await?)
}

async fn found_once(kit: &Kit<'_>) -> Checked {
    let pack = kit.send(&lane("place", "k"), "gossip", &["k"]).await?;
    let mut turn = kit.turn(&lane("alpha", "k"), asked(&[&pack])).await?;
    same("the first", turn.found().owed.len(), 1)?;
    same("the second", turn.found().owed.len(), 0)
}
