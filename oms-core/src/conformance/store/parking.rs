//! Checks of what is put aside: parked messages and dead letters (rule 9).

use super::{
    check::Check,
    kit::{
        Checked, Failure, Kit, LONG, SECOND, asked, conflict, consume, ensure, lane, local, message,
        neighbour, same, taking,
    },
};
use crate::{
    id::Name,
    message::{GroupLane, PackId},
    store::{
        Buried, Consumed, DeadLetter, DeadLetterState, End, Local, LocalMessage, Parked, Pick, Seek, Verdict,
        Writes,
    },
};

pub(super) const CHECKS: &[Check] = &[
    Check::new("park-1", "a parked place is not given out again, and its key is named", |kit| {
        Box::pin(put_aside(kit))
    }),
    Check::new(
        "park-2",
        "a parked message is released when its time has come, with its bytes and attempts",
        |kit| Box::pin(released(kit)),
    ),
    Check::new("park-3", "a key is released head first, in its own order; other keys go on", |kit| {
        Box::pin(in_order(kit))
    }),
    Check::new("park-4", "a release that is parked again keeps its place, counts and waits anew", |kit| {
        Box::pin(again(kit))
    }),
    Check::new("park-5", "a handled release takes its parked and its owed row away, once", |kit| {
        Box::pin(handled(kit))
    }),
    Check::new("park-6", "a dead letter keeps the original message, and its key goes on", |kit| {
        Box::pin(buried(kit))
    }),
    Check::new("park-7", "a dead letter is redriven once, however often one asks", |kit| {
        Box::pin(redriven(kit))
    }),
    Check::new("park-9", "a redriven dead letter that is handled is closed for good", |kit| {
        Box::pin(closed(kit))
    }),
    Check::new("park-10", "a redriven dead letter that fails again is open again under its number", |kit| {
        Box::pin(reopened(kit))
    }),
    Check::new("park-11", "a release that is buried becomes a dead letter of its own owed place", |kit| {
        Box::pin(buried_release(kit))
    }),
    Check::new("park-12", "a redriven dead letter that is parked is closed by its release", |kit| {
        Box::pin(parked_redrive(kit))
    }),
];

async fn put_aside(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let pack = kit.send(&lane("place", "k"), "gossip", &["k", "k"]).await?;
    kit.park(&alpha, (&pack, 0, "k"), Some(LONG)).await?;
    let found = kit.find(&alpha, asked(&[&pack])).await?;
    same("left", found.owed.first().map(|owed| owed.left.clone()), Some(vec![1]))?;
    same("parked", found.parked.iter().map(|key| &**key.text()).collect(), vec!["k"])?;
    kit.end(&alpha, &pack, &[1], End::Handled).await?;
    let found = kit.find(&alpha, asked(&[&pack])).await?;
    same("a pack with nothing left", found.duplicates, vec![pack])?;
    same("owed rows", kit.store.count().await?.owed, 1)
}

/// Releases what is due, which must be one message: its seq and its place.
async fn one_due(kit: &Kit<'_>, lane: &GroupLane) -> Result<(u64, LocalMessage), Failure> {
    let due = kit.due(lane).await?;
    let [Local::Released(seq)] = due.as_slice() else {
        ensure(false, &format!("due is {due:?}, not one release"))?;
        return Ok((0, LocalMessage::Released { seq: 0, message: blank(), attempts: 0 }));
    };
    let mut found = kit.find(lane, local(Local::Released(*seq))).await?.local;
    same("released behind the lock", found.len(), 1)?;
    Ok((*seq, found.remove(0)))
}

fn blank() -> crate::message::Message {
    message(&PackId { sender: GroupLane::new("", 0), position: 0 }, 0, "", "")
}

async fn released(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let pack = kit.send(&lane("place", "k"), "gossip", &["k"]).await?;
    kit.park(&alpha, (&pack, 0, "k"), Some(LONG)).await?;
    kit.clock.advance(LONG - SECOND);
    let (due, next) = kit.store.due(std::slice::from_ref(&alpha), 9).await?;
    same("due too early", due, Vec::new())?;
    same("the next", next, Some(SECOND))?;
    kit.clock.advance(SECOND);
    let (seq, found) = one_due(kit, &alpha).await?;
    same(
        "released",
        found,
        LocalMessage::Released { seq, message: message(&pack, 0, "news", "k"), attempts: 1 },
    )
}

async fn in_order(kit: &Kit<'_>) -> Checked {
    let (alpha, other) = (lane("alpha", "k"), neighbour("k"));
    let pack = kit.send(&lane("place", "k"), "gossip", &["k", "k", &other]).await?;
    kit.park(&alpha, (&pack, 0, "k"), Some(LONG)).await?;
    kit.park(&alpha, (&pack, 1, "k"), None).await?;
    same("a follower passed its head", kit.due(&alpha).await?, Vec::new())?;
    kit.park(&alpha, (&pack, 2, &other), Some(SECOND)).await?;
    kit.clock.advance(SECOND);
    let (seq, _) = one_due(kit, &alpha).await?;
    kit.commit(&alpha, taking(Consumed::Released { seq, end: End::Handled })).await?;
    kit.clock.advance(LONG);
    let (head, _) = one_due(kit, &alpha).await?;
    let follower = kit.find(&alpha, local(Local::Released(head + 1))).await?.local;
    ensure(follower.is_empty(), "a follower was released before its head")?;
    kit.commit(&alpha, taking(Consumed::Released { seq: head, end: End::Handled })).await?;
    let (next, _) = one_due(kit, &alpha).await?;
    kit.commit(&alpha, taking(Consumed::Released { seq: next, end: End::Handled })).await?;
    kit.nothing_left().await
}

async fn again(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let pack = kit.send(&lane("place", "k"), "gossip", &["k", "k"]).await?;
    kit.park(&alpha, (&pack, 0, "k"), Some(SECOND)).await?;
    kit.park(&alpha, (&pack, 1, "k"), None).await?;
    kit.clock.advance(SECOND);
    let (seq, _) = one_due(kit, &alpha).await?;
    let parked = Parked {
        again: Some(seq),
        message: message(&pack, 0, "news", "k"),
        origin: None,
        error: Name::from("still"),
        attempts: 2,
        next: Some(LONG),
    };
    let writes = Writes { parked: vec![parked], ..taking(Consumed::Released { seq, end: End::Parked }) };
    kit.commit(&alpha, writes).await?;
    same("due at once", kit.due(&alpha).await?, Vec::new())?;
    kit.clock.advance(LONG);
    let (head, found) = one_due(kit, &alpha).await?;
    same("the head", head, seq)?;
    ensure(matches!(found, LocalMessage::Released { attempts: 2, .. }), "the attempts were not counted")?;
    same("parked", kit.store.count().await?.parked, 2)
}

async fn handled(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let pack = kit.send(&lane("place", "k"), "gossip", &["k"]).await?;
    kit.park(&alpha, (&pack, 0, "k"), Some(SECOND)).await?;
    kit.clock.advance(SECOND);
    let (seq, _) = one_due(kit, &alpha).await?;
    let writes = || taking(Consumed::Released { seq, end: End::Handled });
    conflict("released in another lane", kit.commit(&lane("beta", "k"), writes()).await)?;
    kit.commit(&alpha, writes()).await?;
    kit.nothing_left().await?;
    conflict("released twice", kit.commit(&alpha, writes()).await)
}

pub(super) async fn bury(kit: &Kit<'_>, key: &str) -> Result<(PackId, DeadLetter), Failure> {
    let alpha = lane("alpha", key);
    let pack = kit.send(&lane("place", key), "gossip", &[key]).await?;
    let buried = Buried {
        message: message(&pack, 0, "gossip", key),
        origin: Some((pack.clone(), 0)),
        error: Name::from("never"),
        attempts: 1,
        again: None,
    };
    let writes = Writes { buried: vec![buried], ..consume(&pack, &[0], End::Buried) };
    kit.commit(&alpha, writes).await?;
    let mut letters = kit.store.dead_letters(&Pick::default(), Seek::NEWEST, 1).await?;
    letters.retain(|letter| letter.origin == Some((pack.clone(), 0)));
    same("dead letters", letters.len(), 1)?;
    Ok((pack, letters.remove(0)))
}

async fn buried(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let (pack, letter) = bury(kit, "k").await?;
    same("the message", letter.message, message(&pack, 0, "gossip", "k"))?;
    same(
        "the state",
        (letter.state, letter.attempts, letter.lane),
        (DeadLetterState::Buried, 1, alpha.clone()),
    )?;
    let found = kit.find(&alpha, asked(&[&pack])).await?;
    same("given out again", found.duplicates, vec![pack])?;
    same("keys that wait", found.parked.len(), 0)?;
    same("due", kit.due(&alpha).await?, Vec::new())
}

async fn redriven(kit: &Kit<'_>) -> Checked {
    let (_, letter) = bury(kit, "k").await?;
    let alpha = lane("alpha", "k");
    conflict(
        "redriven in another lane",
        kit.judge(&lane("beta", "k"), letter.number, Verdict::Redrive).await,
    )?;
    kit.judge(&alpha, letter.number, Verdict::Redrive).await?;
    conflict("redriven twice", kit.judge(&alpha, letter.number, Verdict::Redrive).await)?;
    same("buried", kit.store.count().await?.buried, 0)?;
    same("due", kit.due(&alpha).await?, vec![Local::Redriven(letter.number)])?;
    let found = kit.find(&alpha, local(Local::Redriven(letter.number))).await?.local;
    let should = LocalMessage::Redriven { number: letter.number, message: letter.message, attempts: 1 };
    same("found", found, vec![should])
}

async fn closed(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let (_, letter) = bury(kit, "k").await?;
    let ended = || taking(Consumed::Redriven { number: letter.number, end: End::Handled });
    conflict("handled without being asked", kit.commit(&alpha, ended()).await)?;
    kit.judge(&alpha, letter.number, Verdict::Redrive).await?;
    kit.commit(&alpha, ended()).await?;
    conflict("handled twice", kit.commit(&alpha, ended()).await)?;
    conflict("redriven again", kit.judge(&alpha, letter.number, Verdict::Redrive).await)?;
    let states: Vec<_> = kit.store.dead_letters(&Pick::default(), Seek::OLDEST, 9).await?;
    same("state", states.iter().map(|letter| letter.state).collect(), vec![DeadLetterState::Handled])?;
    kit.nothing_left().await
}

async fn reopened(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let (_, letter) = bury(kit, "k").await?;
    kit.judge(&alpha, letter.number, Verdict::Redrive).await?;
    let number = letter.number;
    let buried = Buried {
        message: letter.message,
        origin: None,
        error: Name::from("again"),
        attempts: 2,
        again: Some(number),
    };
    let writes = Writes { buried: vec![buried], ..taking(Consumed::Redriven { number, end: End::Buried }) };
    kit.commit(&alpha, writes).await?;
    let letters = kit.store.dead_letters(&Pick::default(), Seek::OLDEST, 9).await?;
    let seen: Vec<_> = letters.iter().map(|one| (one.number, one.attempts, one.state, &*one.error)).collect();
    same("letters", seen, vec![(number, 2, DeadLetterState::Buried, "again")])?;
    same("buried", kit.store.count().await?.buried, 1)?;
    Ok(kit.judge(&alpha, number, Verdict::Redrive).await?)
}

async fn buried_release(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let pack = kit.send(&lane("place", "k"), "gossip", &["k"]).await?;
    kit.park(&alpha, (&pack, 0, "k"), Some(SECOND)).await?;
    kit.clock.advance(SECOND);
    let (seq, _) = one_due(kit, &alpha).await?;
    let message = message(&pack, 0, "news", "k");
    let buried = Buried { message, origin: None, error: Name::from("spent"), attempts: 2, again: None };
    let writes = Writes { buried: vec![buried], ..taking(Consumed::Released { seq, end: End::Buried }) };
    kit.commit(&alpha, writes).await?;
    let letters = kit.store.dead_letters(&Pick::default(), Seek::OLDEST, 9).await?;
    same("origins", letters.into_iter().map(|letter| letter.origin).collect(), vec![Some((pack, 0))])?;
    same("parked", kit.store.count().await?.parked, 0)
}

async fn parked_redrive(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let (_, letter) = bury(kit, "k").await?;
    kit.judge(&alpha, letter.number, Verdict::Redrive).await?;
    let parked = Parked {
        again: None,
        message: letter.message,
        origin: None,
        error: Name::from("later"),
        attempts: 2,
        next: Some(SECOND),
    };
    let ended = Consumed::Redriven { number: letter.number, end: End::Parked };
    kit.commit(&alpha, Writes { parked: vec![parked], ..taking(ended) }).await?;
    same("due while it is parked", kit.due(&alpha).await?, Vec::new())?;
    let redriven = Pick { state: Some(DeadLetterState::Redriven), ..Pick::default() };
    same("still redriven", kit.store.dead_letters(&redriven, Seek::OLDEST, 9).await?.len(), 1)?;
    kit.clock.advance(SECOND);
    let (seq, _) = one_due(kit, &alpha).await?;
    kit.commit(&alpha, taking(Consumed::Released { seq, end: End::Handled })).await?;
    let letters = kit.store.dead_letters(&Pick::default(), Seek::OLDEST, 9).await?;
    same("state", letters.iter().map(|one| one.state).collect(), vec![DeadLetterState::Handled])?;
    kit.nothing_left().await
}
