//! Checks of streams, positions and the log (rules 7, 11, 13).

use super::{
    check::{Check, Need},
    kit::{Checked, Kit, conflict, ensure, lane, neighbour, pack, same, streams, write, writing},
};
use crate::{
    id::StreamId,
    store::{Ask, StoreError, Writes},
};
use bytes::Bytes;

pub(super) const CHECKS: &[Check] = &[
    Check::new("stream-1", "a stream is loaded as it was written last", |kit| Box::pin(loaded(kit))),
    Check::new("stream-2", "what is fixed is kept, and given with every load", |kit| Box::pin(fixed(kit))),
    Check::new(
        "stream-3",
        "a write onto another version is a conflict, and nothing of it is written",
        |kit| Box::pin(stale(kit)),
    ),
    Check::new("stream-4", "a stream is begun once", |kit| Box::pin(begun_once(kit))),
    Check::new(
        "stream-5",
        "the history gives every event in order, after a version, at most so many",
        |kit| Box::pin(history(kit)),
    ),
    Check::new(
        "stream-6",
        "the log of a lane is read in order by a plain cursor, a turn never parted",
        |kit| Box::pin(log(kit)),
    ),
    Check::new("stream-11", "the log of each lane ends at its newest event", |kit| Box::pin(heads(kit))),
    Check::new("stream-7", "positions grow with every turn that writes", |kit| Box::pin(positions(kit))),
    Check::new("stream-8", "the streams of a kind are listed in order, page by page", |kit| {
        Box::pin(listed(kit))
    }),
    Check::new(
        "stream-9",
        "what the worker must never write is refused as misuse, and nothing is written",
        |kit| Box::pin(misuse(kit)),
    ),
    Check::new("stream-10", "what was committed is there after the store was opened again", |kit| {
        Box::pin(reopened(kit))
    })
    .needing(Need::SurvivesKill),
];

fn thing() -> StreamId {
    StreamId::keyed("thing", "k")
}

async fn loaded(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let ask = || Ask { streams: streams(&[&thing()]), ..Ask::default() };
    let unborn = kit.find(&alpha, ask()).await?.streams;
    same(
        "unborn",
        unborn.get(&thing()).map(|stream| (stream.version, stream.state.clone())),
        Some((0, None)),
    )?;
    kit.commit(&alpha, writing(write(&thing(), 0, 2))).await?;
    kit.commit(&alpha, writing(write(&thing(), 2, 1))).await?;
    let should = write(&thing(), 2, 1).next;
    same("asked", kit.find(&alpha, ask()).await?.streams.remove(&thing()), Some(should.clone()))?;
    let mut turn = kit.turn(&alpha, Ask::default()).await?;
    same("loaded", turn.load(&streams(&[&thing()])).await?.remove(&thing()), Some(should))
}

async fn fixed(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let mut first = write(&thing(), 0, 1);
    first.next.fixed = Some(Bytes::from_static(b"[1]"));
    first.fixed_is_new = true;
    let mut second = write(&thing(), 1, 1);
    second.next.fixed = first.next.fixed.clone();
    kit.commit(&alpha, writing(first)).await?;
    kit.commit(&alpha, writing(second)).await?;
    let mut turn = kit.turn(&alpha, Ask::default()).await?;
    let loaded = turn.load(&streams(&[&thing()])).await?.remove(&thing());
    same("fixed", loaded.and_then(|stream| stream.fixed), Some(Bytes::from_static(b"[1]")))
}

async fn stale(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let other = StreamId::keyed("thing", "l");
    kit.commit(&alpha, writing(write(&thing(), 0, 2))).await?;
    let before = kit.store.count().await?;
    for expected in [1, 3] {
        let mut turn = kit.turn(&alpha, Ask::default()).await?;
        let packs = vec![pack(&alpha, turn.found().position, "news", &["k"])?];
        let rows = vec![write(&other, 0, 1), write(&thing(), expected, 1)];
        let writes = Writes { streams: rows, packs, ..Writes::default() };
        conflict("a write onto another version", turn.commit(writes).await)?;
    }
    same("counts", kit.store.count().await?, before)?;
    same("the other stream", kit.store.history(&other, 0, 9).await?, Vec::new())
}

async fn begun_once(kit: &Kit<'_>) -> Checked {
    let place = lane("place", "k");
    kit.commit(&place, writing(write(&thing(), 0, 1))).await?;
    conflict("a second beginning", kit.commit(&place, writing(write(&thing(), 0, 1))).await)?;
    conflict("one from another lane", kit.commit(&lane("alpha", "k"), writing(write(&thing(), 0, 1))).await)?;
    same("events", kit.store.history(&thing(), 0, 9).await?.len(), 1)
}

async fn history(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let now = kit.find(&alpha, Ask::default()).await?.now;
    kit.commit(&alpha, writing(write(&thing(), 0, 2))).await?;
    kit.commit(&alpha, writing(write(&thing(), 2, 2))).await?;
    let all = kit.store.history(&thing(), 0, 9).await?;
    same("versions", all.iter().map(|event| event.version).collect(), vec![1, 2, 3, 4])?;
    let should: Vec<_> =
        [write(&thing(), 0, 2), write(&thing(), 2, 2)].into_iter().flat_map(|w| w.events).collect();
    same("events", all.iter().map(|event| event.event.clone()).collect(), should)?;
    same("causes", all.iter().map(|event| event.cause.0).collect(), vec![1, 2, 3, 4])?;
    ensure(all.iter().all(|event| event.time == now && event.lane == alpha), "another time or lane")?;
    let page = kit.store.history(&thing(), 1, 2).await?;
    same("a page", page.iter().map(|event| event.version).collect(), vec![2, 3])
}

async fn heads(kit: &Kit<'_>) -> Checked {
    let (alpha, beta, nobody) = (lane("alpha", "k"), lane("beta", "k"), lane("nobody", "k"));
    let asked = [nobody, alpha.clone(), beta];
    same("at first", kit.store.heads(&asked).await?, vec![0, 0, 0])?;
    for version in 0..2 {
        kit.commit(&alpha, writing(write(&thing(), version, 1))).await?;
        let newest = kit.store.log(&alpha, 0, 9).await?.last().map_or(0, |newest| newest.position);
        same("after a turn", kit.store.heads(&asked).await?, vec![0, newest, 0])?;
    }
    Ok(())
}

async fn log(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let other = StreamId::keyed("thing", "l");
    let both = vec![write(&thing(), 0, 2), write(&other, 0, 1)];
    kit.commit(&alpha, Writes { streams: both, ..Writes::default() }).await?;
    kit.commit(&alpha, writing(write(&thing(), 2, 1))).await?;
    kit.commit(&lane("beta", "k"), writing(write(&StreamId::keyed("else", "k"), 0, 1))).await?;
    let first = kit.store.log(&alpha, 0, 1).await?;
    same("a turn is not parted", first.len(), 3)?;
    let cursor = first.first().map_or(0, |event| event.position);
    ensure(first.iter().all(|event| event.position == cursor), "a turn's events share a position")?;
    let second = kit.store.log(&alpha, cursor, 9).await?;
    same("the next turn", second.iter().map(|event| event.version).collect(), vec![3])?;
    let cursor = second.first().map_or(0, |event| event.position);
    same("the end", kit.store.log(&alpha, cursor, 9).await?, Vec::new())
}

async fn positions(kit: &Kit<'_>) -> Checked {
    let place = lane("place", "k");
    let mut last = 0;
    for expected in 0..3 {
        let position = kit.find(&place, Ask::default()).await?.position;
        ensure(position > last, "a position did not grow after events")?;
        kit.commit(&place, writing(write(&thing(), expected, 1))).await?;
        let sent = kit.send(&place, "news", &["k"]).await?.position;
        ensure(sent > position, "a position did not grow after a pack")?;
        last = sent;
    }
    Ok(())
}

async fn listed(kit: &Kit<'_>) -> Checked {
    for id in ["c", "a", "b"] {
        kit.commit(&lane("alpha", id), writing(write(&StreamId::keyed("thing", id), 0, 1))).await?;
    }
    kit.commit(&lane("alpha", "d"), writing(write(&StreamId::keyed("thingy", "d"), 0, 1))).await?;
    let first = kit.store.streams("thing", None, 2).await?;
    let ids: Vec<_> = first.iter().map(|(stream, now)| (&*stream.id, now.version)).collect();
    same("the first page", ids, vec![("a", 1), ("b", 1)])?;
    let rest = kit.store.streams("thing", Some("b"), 9).await?;
    same("the rest", rest.iter().map(|(stream, _)| &*stream.id).collect(), vec!["c"])
}

async fn misuse(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let before = kit.store.count().await?;
    let twice = Writes { streams: vec![write(&thing(), 0, 1), write(&thing(), 0, 1)], ..Writes::default() };
    let mut short = write(&thing(), 0, 2);
    short.causes.pop();
    let alarm = Writes { alarms: vec![thing()], ..Writes::default() };
    for writes in [twice, writing(short), writing(write(&thing(), 0, 0)), alarm] {
        let refused = kit.commit(&alpha, writes).await;
        ensure(matches!(refused, Err(StoreError::Misused(_))), "misuse went through")?;
    }
    same("counts", kit.store.count().await?, before)
}

async fn reopened(kit: &Kit<'_>) -> Checked {
    let (alpha, key) = (lane("alpha", "k"), neighbour("k"));
    let pack = kit.send(&lane("place", "k"), "gossip", &["k", &key]).await?;
    kit.commit(&alpha, writing(write(&thing(), 0, 2))).await?;
    kit.park(&alpha, (&pack, 0, "k"), Some(super::kit::LONG)).await?;
    let waiting = kit.store.waiting(None, 99).await?;
    let history = kit.store.history(&thing(), 0, 9).await?;
    let store = kit.harness.reopen(std::sync::Arc::clone(&kit.store)).await?;
    same("what waits", store.waiting(None, 99).await?, waiting)?;
    same("history", store.history(&thing(), 0, 9).await?, history)
}
