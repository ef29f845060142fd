//! Checks of what is owed (rules 1, 2, 10, 21).

use super::{
    check::Check,
    kit::{Checked, Kit, LONG, SECOND, asked, conflict, ensure, lane, neighbour, same},
};
use crate::{
    message::{Limit, PackId},
    store::{Ask, End},
};
use bytes::Bytes;
use std::time::Duration;

pub(super) const CHECKS: &[Check] = &[
    Check::new("owed-1", "one row is owed to each hearing group", |kit| Box::pin(each_group(kit))),
    Check::new("owed-2", "a pack that nobody hears is not stored", |kit| Box::pin(nobody(kit))),
    Check::new("owed-3", "the body goes with the last owed row", |kit| Box::pin(last_row(kit))),
    Check::new("owed-4", "a turn that handles part of a pack leaves the rest", |kit| Box::pin(part(kit))),
    Check::new("owed-5", "a delivery that is not owed is a duplicate, however old", |kit| {
        Box::pin(duplicate(kit))
    }),
    Check::new("owed-6", "what was owed earlier by the same sender for the same topic comes first", |kit| {
        Box::pin(earlier(kit))
    }),
    Check::new("owed-7", "bytes are given for what was not delivered, and only for that", |kit| {
        Box::pin(bytes(kit))
    }),
    Check::new("owed-8", "the limit cuts from the back, and leaves at least one message", |kit| {
        Box::pin(limit(kit))
    }),
    Check::new("owed-9", "a place is consumed once", |kit| Box::pin(once(kit))),
    Check::new("owed-10", "what is owed longer is found, taken and called overdue", |kit| {
        Box::pin(overdue(kit))
    }),
    Check::new("owed-11", "a group's rows are its own: another's turn finds none of them", |kit| {
        Box::pin(own(kit))
    }),
    Check::new("owed-12", "a turn consumes only what is owed to its own lane", |kit| Box::pin(foreign(kit))),
    Check::new("owed-13", "a pack of that name with other bytes is not what is owed", |kit| {
        Box::pin(strange(kit))
    }),
];

async fn each_group(kit: &Kit<'_>) -> Checked {
    let pack = kit.send(&lane("place", "k"), "news", &["k"]).await?;
    same("owed rows", kit.store.count().await?.owed, 2)?;
    for group in ["alpha", "beta"] {
        let found = kit.find(&lane(group, "k"), asked(&[&pack])).await?;
        let owed: Vec<_> = found.owed.iter().map(|owed| (&owed.pack, &*owed.left, owed.count)).collect();
        same(group, owed, vec![(&pack, &[0][..], 1)])?;
    }
    Ok(())
}

async fn nobody(kit: &Kit<'_>) -> Checked {
    let pack = kit.send(&lane("place", "k"), "silence", &["k"]).await?;
    same("owed rows", kit.store.count().await?.owed, 0)?;
    let unsent = kit.store.unsent(&[(pack.sender, 0)], Limit::default()).await?;
    ensure(unsent.is_empty(), "a pack without hearers is to be sent")
}

async fn last_row(kit: &Kit<'_>) -> Checked {
    let pack = kit.send(&lane("place", "k"), "news", &["k"]).await?;
    let after = [(pack.sender.clone(), 0)];
    kit.end(&lane("alpha", "k"), &pack, &[0], End::Handled).await?;
    same("packs after one of two", kit.store.unsent(&after, Limit::default()).await?.len(), 1)?;
    kit.end(&lane("beta", "k"), &pack, &[0], End::Handled).await?;
    same("packs after both", kit.store.unsent(&after, Limit::default()).await?.len(), 0)?;
    kit.nothing_left().await
}

async fn part(kit: &Kit<'_>) -> Checked {
    let pack = kit.send(&lane("place", "k"), "gossip", &["k", "k", "k"]).await?;
    let alpha = lane("alpha", "k");
    kit.end(&alpha, &pack, &[1], End::Handled).await?;
    let found = kit.find(&alpha, asked(&[&pack])).await?;
    let left: Vec<_> = found.owed.iter().map(|owed| (owed.left.clone(), owed.count)).collect();
    same("the rest", left, vec![(vec![0, 2], 3)])?;
    kit.end(&alpha, &pack, &[0, 2], End::Handled).await?;
    kit.nothing_left().await
}

async fn duplicate(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let pack = kit.send(&lane("place", "k"), "gossip", &["k"]).await?;
    kit.end(&alpha, &pack, &[0], End::Handled).await?;
    let never = PackId { position: 999, ..pack.clone() };
    kit.clock.advance(LONG * 100_000);
    let found = kit.find(&alpha, asked(&[&pack, &never])).await?;
    same("owed", found.owed, Vec::new())?;
    same("duplicates", found.duplicates, vec![pack, never])
}

async fn earlier(kit: &Kit<'_>) -> Checked {
    let (place, alpha) = (lane("place", "k"), lane("alpha", "k"));
    let first = kit.send(&place, "news", &["k"]).await?;
    let other = kit.send(&place, "gossip", &["k"]).await?;
    let second = kit.send(&place, "news", &["k"]).await?;
    let third = kit.send(&place, "news", &["k"]).await?;
    let stranger = kit.send(&lane("beta", "k"), "news", &["k"]).await?;
    let found = kit.find(&alpha, asked(&[&second])).await?;
    let order: Vec<_> = found.owed.iter().map(|owed| owed.pack.clone()).collect();
    same("with the second", order, vec![first.clone(), second.clone()])?;
    let found = kit.find(&alpha, asked(&[&third, &stranger, &other])).await?;
    let news = found.owed.iter().filter(|owed| &*owed.topic == "news" && owed.pack.sender == place);
    let news: Vec<_> = news.map(|owed| owed.pack.clone()).collect();
    same("the sender's order", news, vec![first, second, third])?;
    same("everything", found.owed.len(), 5)
}

async fn bytes(kit: &Kit<'_>) -> Checked {
    let (place, alpha) = (lane("place", "k"), lane("alpha", "k"));
    let first = kit.send(&place, "news", &["k"]).await?;
    let second = kit.send(&place, "news", &["k"]).await?;
    let sent = kit.store.unsent(&[(place, 0)], Limit::default()).await?;
    let found = kit.find(&alpha, asked(&[&second])).await?;
    let bytes: Vec<_> = found.owed.into_iter().map(|owed| (owed.pack, owed.bytes)).collect();
    let body = sent.into_iter().find(|pack| pack.id == first).map(|pack| pack.bytes);
    ensure(body.is_some(), "the first pack is not to be sent")?;
    same("bytes", bytes, vec![(first, body), (second, None)])
}

async fn strange(kit: &Kit<'_>) -> Checked {
    let (place, alpha) = (lane("place", "k"), lane("alpha", "k"));
    let pack = kit.send(&place, "news", &["k"]).await?;
    let sent = kit.store.unsent(&[(place, 0)], Limit::default()).await?;
    let body = sent.into_iter().find(|one| one.id == pack).map(|one| one.bytes);
    ensure(body.is_some(), "the pack is not to be sent")?;
    let body = body.unwrap_or_default();
    let other: Vec<u8> = body.iter().rev().copied().collect();
    for (bytes, longer) in [(Bytes::from(other), None), (Bytes::new(), Some(Duration::ZERO))] {
        let ask = Ask { bodies: vec![bytes], owed_longer: longer, ..asked(&[&pack]) };
        let found = kit.find(&alpha, ask).await?;
        same("what was brought is not what is owed", found.duplicates, vec![pack.clone()])?;
        // Where it is taken from the store all the same, it is so with its own bytes.
        ensure(found.owed.iter().all(|owed| owed.bytes.as_ref() == Some(&body)), "another body is owed")?;
    }
    let found = kit.find(&alpha, Ask { bodies: vec![body], ..asked(&[&pack]) }).await?;
    same("duplicates", found.duplicates, Vec::new())?;
    same("owed", found.owed.len(), 1)
}

async fn limit(kit: &Kit<'_>) -> Checked {
    let (place, alpha) = (lane("place", "k"), lane("alpha", "k"));
    let first = kit.send(&place, "news", &["k", "k", "k"]).await?;
    let second = kit.send(&place, "news", &["k"]).await?;
    for (limit, left) in [
        (Limit { messages: 1, bytes: 0 }, vec![(vec![0], true)]),
        (Limit { messages: 2, bytes: 1 << 20 }, vec![(vec![0, 1], true)]),
        (Limit { messages: 3, bytes: 1 << 20 }, vec![(vec![0, 1, 2], false)]),
        (Limit { messages: 9, bytes: 1 }, vec![(vec![0, 1, 2], false)]),
        (Limit { messages: 4, bytes: 1 << 20 }, vec![(vec![0, 1, 2], false), (vec![0], false)]),
    ] {
        let found = kit.find(&alpha, Ask { limit, ..asked(&[&first, &second]) }).await?;
        same("duplicates", found.duplicates, Vec::new())?;
        let cut: Vec<_> = found.owed.into_iter().map(|owed| (owed.left, owed.cut)).collect();
        same(&format!("under {limit:?}"), cut, left)?;
    }
    Ok(())
}

async fn once(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let pack = kit.send(&lane("place", "k"), "gossip", &["k", "k"]).await?;
    kit.end(&alpha, &pack, &[0], End::Handled).await?;
    let again = super::kit::consume(&pack, &[0, 1], End::Handled);
    conflict("handling a place twice", kit.commit(&alpha, again).await)?;
    let found = kit.find(&alpha, asked(&[&pack])).await?;
    same("the rest after a conflict", found.owed.first().map(|owed| owed.left.clone()), Some(vec![1]))
}

async fn overdue(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let asks = [(alpha.clone(), LONG)];
    let pack = kit.send(&lane("place", "k"), "gossip", &["k"]).await?;
    kit.clock.advance(LONG - SECOND);
    same("too early", kit.store.overdue(&asks).await?, Vec::new())?;
    let longer = || Ask { owed_longer: Some(LONG), ..Ask::default() };
    same("found too early", kit.find(&alpha, longer()).await?.owed, Vec::new())?;
    kit.clock.advance(SECOND * 2);
    same("the lanes", kit.store.overdue(&asks).await?, vec![alpha.clone()])?;
    let owed = kit.find(&alpha, longer()).await?.owed;
    let seen: Vec<_> = owed.iter().map(|owed| (&owed.pack, owed.overdue, owed.bytes.is_some())).collect();
    same("found", seen, vec![(&pack, true, true)])?;
    kit.end(&alpha, &pack, &[0], End::Handled).await?;
    same("after it was handled", kit.store.overdue(&asks).await?, Vec::new())
}

async fn own(kit: &Kit<'_>) -> Checked {
    let pack = kit.send(&lane("place", "k"), "gossip", &["k"]).await?;
    let found = kit.find(&lane("beta", "k"), asked(&[&pack])).await?;
    same("found by another group", found.owed, Vec::new())?;
    let found = kit.find(&lane("alpha", &neighbour("k")), asked(&[&pack])).await?;
    same("found in its own lane", found.owed.len(), 1)
}

async fn foreign(kit: &Kit<'_>) -> Checked {
    let pack = kit.send(&lane("place", "k"), "gossip", &["k"]).await?;
    let taken = super::kit::consume(&pack, &[0], End::Handled);
    conflict("another group's row", kit.commit(&lane("beta", "k"), taken).await)?;
    same("owed rows", kit.store.count().await?.owed, 1)
}
