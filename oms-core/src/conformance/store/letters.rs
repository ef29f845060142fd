//! Checks of dead letters as people meet them: browsed, picked, and decided about.

use super::{
    check::Check,
    kit::{Checked, Kit, SECOND, asked, conflict, lane, local, message, same, taking},
    parking::bury,
};
use crate::{
    id::Name,
    message::{Message, PackId},
    store::{
        Buried, Consumed, DeadLetter, DeadLetterState, End, Local, LocalMessage, Parked, Pick, Seek, Verdict,
        Writes,
    },
};

pub(super) const CHECKS: &[Check] = &[
    Check::new("letter-1", "dead letters are picked by number, group, kind, key, error and state", |kit| {
        Box::pin(picked(kit))
    }),
    Check::new("letter-2", "what is picked must fit all that is said", |kit| Box::pin(combined(kit))),
    Check::new("letter-3", "pages begin anywhere, go either way, and miss nothing", |kit| {
        Box::pin(pages(kit))
    }),
    Check::new(
        "letter-4",
        "a replaced letter keeps its bytes and its number, and is never redriven",
        |kit| Box::pin(replaced(kit)),
    ),
    Check::new("letter-5", "a handled copy takes away what its letter was owed", |kit| Box::pin(copied(kit))),
    Check::new("letter-6", "a copy that is buried is a letter of its own, in the same owed place", |kit| {
        Box::pin(failed(kit))
    }),
    Check::new(
        "letter-7",
        "a decision about a letter that is not buried, or of another lane, writes nothing",
        |kit| Box::pin(refused(kit)),
    ),
    Check::new("letter-8", "a crowd of dead letters is browsed and decided about whole", |kit| {
        Box::pin(crowd(kit))
    }),
];

/// The id of every copy.
const COPY: u128 = 77;

fn numbers(letters: &[DeadLetter]) -> Vec<u64> {
    letters.iter().map(|letter| letter.number).collect()
}

async fn found(kit: &Kit<'_>, pick: &Pick) -> Result<Vec<u64>, super::Failure> {
    Ok(numbers(&kit.store.dead_letters(pick, Seek::OLDEST, 99).await?))
}

async fn picked(kit: &Kit<'_>) -> Checked {
    let (_, first) = bury(kit, "k").await?;
    let (_, second) = bury(kit, "l").await?;
    kit.judge(&first.lane, first.number, Verdict::Redrive).await?;
    let both = vec![first.number, second.number];
    let name = |text: &str| Some(Name::from(text));
    let said = |text: &str| Some(text.to_owned());
    for (pick, should) in [
        (Pick::default(), both.clone()),
        (Pick { group: name("alpha"), ..Pick::default() }, both.clone()),
        (Pick { group: name("beta"), ..Pick::default() }, Vec::new()),
        (Pick { kind: name("Told"), ..Pick::default() }, both.clone()),
        (Pick { kind: name("Other"), ..Pick::default() }, Vec::new()),
        (Pick::numbers([second.number]), vec![second.number]),
        (Pick::numbers([second.number, 99]), vec![second.number]),
        (Pick::numbers([]), Vec::new()),
        (Pick { key: name("k"), ..Pick::default() }, vec![first.number]),
        (Pick { key: name("m"), ..Pick::default() }, Vec::new()),
        (Pick { error: said("eve"), ..Pick::default() }, both),
        (Pick { error: said("ever!"), ..Pick::default() }, Vec::new()),
        (Pick { state: Some(DeadLetterState::Buried), ..Pick::default() }, vec![second.number]),
        (Pick { state: Some(DeadLetterState::Redriven), ..Pick::default() }, vec![first.number]),
        (Pick { state: Some(DeadLetterState::Handled), ..Pick::default() }, Vec::new()),
    ] {
        same(&format!("{pick:?}"), found(kit, &pick).await?, should)?;
    }
    Ok(())
}

async fn combined(kit: &Kit<'_>) -> Checked {
    let (_, first) = bury(kit, "k").await?;
    let (_, second) = bury(kit, "l").await?;
    let pick = Pick {
        group: Some(Name::from("alpha")),
        kind: Some(Name::from("Told")),
        error: Some("never".to_owned()),
        key: Some(Name::from("l")),
        ..Pick::numbers([first.number, second.number])
    };
    same("both in one", found(kit, &pick).await?, vec![second.number])?;
    let other = Pick { kind: Some(Name::from("Other")), ..pick };
    same("with another kind", found(kit, &other).await?, Vec::new())
}

async fn pages(kit: &Kit<'_>) -> Checked {
    let mut all = Vec::new();
    for key in ["a", "b", "c", "d", "e"] {
        all.push(bury(kit, key).await?.1.number);
    }
    let back: Vec<u64> = all.iter().rev().copied().collect();
    for (mut seek, should) in [(Seek::OLDEST, all.clone()), (Seek::NEWEST, back)] {
        let mut seen = Vec::new();
        loop {
            let page = numbers(&kit.store.dead_letters(&Pick::default(), seek, 2).await?);
            let Some(last) = page.last().copied() else { break };
            seek = match seek {
                Seek::After(_) => Seek::After(last),
                Seek::Before(_) => Seek::Before(last),
            };
            seen.extend(page);
        }
        same("page by page", seen, should)?;
    }
    let after = kit.store.dead_letters(&Pick::default(), Seek::After(all[3]), 9).await?;
    same("after the fourth", numbers(&after), vec![all[4]])?;
    let before = kit.store.dead_letters(&Pick::default(), Seek::Before(all[1]), 9).await?;
    same("before the second", numbers(&before), vec![all[0]])
}

async fn replaced(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let (pack, letter) = bury(kit, "k").await?;
    kit.judge(&alpha, letter.number, Verdict::Replace).await?;
    let after = kit.store.dead_letters(&Pick::default(), Seek::OLDEST, 9).await?;
    let should = DeadLetter { state: DeadLetterState::Replaced, ..letter.clone() };
    same("the original", after, vec![should])?;
    same("buried", kit.store.count().await?.buried, 0)?;
    same("due", kit.due(&alpha).await?, Vec::new())?;
    same("given out again", kit.find(&alpha, asked(&[&pack])).await?.duplicates, vec![pack])?;
    conflict("redriven", kit.judge(&alpha, letter.number, Verdict::Redrive).await)?;
    conflict("replaced again", kit.judge(&alpha, letter.number, Verdict::Replace).await)
}

/// A copy as the worker sends it, in its letter's owed place.
fn copy(pack: &PackId) -> (Message, Parked) {
    let mut message = message(pack, 0, "gossip", "k");
    message.envelope.id = crate::id::MessageId(COPY);
    message.body = bytes::Bytes::from_static(b"{\"place\":\"edited\"}");
    let error = Name::from("a copy");
    let parked = Parked {
        again: None,
        message: message.clone(),
        origin: Some((pack.clone(), 0)),
        error,
        attempts: 0,
        next: Some(SECOND),
    };
    (message, parked)
}

/// Replaces a dead letter by a copy, and gives the copy's place among the parked when its time has come.
async fn replace(kit: &Kit<'_>) -> Result<(Message, u64), super::Failure> {
    let alpha = lane("alpha", "k");
    let (pack, letter) = bury(kit, "k").await?;
    let (copy, parked) = copy(&pack);
    let judged = vec![(letter.number, Verdict::Replace)];
    kit.commit(&alpha, Writes { judged, parked: vec![parked], ..Writes::default() }).await?;
    same("due too early", kit.due(&alpha).await?, Vec::new())?;
    kit.clock.advance(SECOND);
    let due = kit.due(&alpha).await?;
    let seq = due.iter().find_map(|local| match local {
        Local::Released(seq) => Some(*seq),
        Local::Due(_) | Local::Redriven(_) => None,
    });
    let seq = seq.unwrap_or_default();
    let found = kit.find(&alpha, local(Local::Released(seq))).await?.local;
    same("released", found, vec![LocalMessage::Released { seq, message: copy.clone(), attempts: 0 }])?;
    Ok((copy, seq))
}

async fn copied(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let (_, seq) = replace(kit).await?;
    same("owed until it is handled", kit.store.count().await?.owed, 1)?;
    kit.commit(&alpha, taking(Consumed::Released { seq, end: End::Handled })).await?;
    let letters = kit.store.dead_letters(&Pick::default(), Seek::OLDEST, 9).await?;
    same("letters", letters.iter().map(|one| one.state).collect(), vec![DeadLetterState::Replaced])?;
    kit.nothing_left().await
}

async fn failed(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let (copy, seq) = replace(kit).await?;
    let buried = Buried { message: copy, origin: None, error: Name::from("no"), attempts: 1, again: None };
    let writes = Writes { buried: vec![buried], ..taking(Consumed::Released { seq, end: End::Buried }) };
    kit.commit(&alpha, writes).await?;
    let letters = kit.store.dead_letters(&Pick::default(), Seek::OLDEST, 9).await?;
    let seen: Vec<_> = letters.iter().map(|one| (one.message.envelope.id.0 == COPY, one.state)).collect();
    same("two letters", seen, vec![(false, DeadLetterState::Replaced), (true, DeadLetterState::Buried)])?;
    for number in letters.iter().skip(1).map(|letter| letter.number) {
        kit.judge(&alpha, number, Verdict::Redrive).await?;
        kit.commit(&alpha, taking(Consumed::Redriven { number, end: End::Handled })).await?;
    }
    kit.nothing_left().await
}

async fn refused(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    let (pack, letter) = bury(kit, "k").await?;
    let (_, parked) = copy(&pack);
    for (what, lane, number) in [
        ("another lane", lane("beta", "k"), letter.number),
        ("nobody's letter", alpha.clone(), letter.number + 9),
    ] {
        let judged = vec![(number, Verdict::Replace)];
        let writes = Writes { judged, parked: vec![parked.clone()], ..Writes::default() };
        conflict(what, kit.commit(&lane, writes).await)?;
    }
    let twice = vec![(letter.number, Verdict::Redrive), (letter.number, Verdict::Replace)];
    conflict("two decisions", kit.commit(&alpha, Writes { judged: twice, ..Writes::default() }).await)?;
    let count = kit.store.count().await?;
    same("parked and buried", (count.parked, count.buried), (0, 1))
}

async fn crowd(kit: &Kit<'_>) -> Checked {
    const CROWD: usize = 150;
    let alpha = lane("alpha", "k");
    let mut all = Vec::new();
    for _ in 0..CROWD {
        all.push(bury(kit, "k").await?.1.number);
    }
    same("rising", found_all(kit, Seek::OLDEST).await?, all.clone())?;
    let back: Vec<u64> = all.iter().rev().copied().collect();
    same("falling", found_all(kit, Seek::NEWEST).await?, back)?;
    let judged = all.iter().map(|number| (*number, Verdict::Redrive)).collect();
    kit.commit(&alpha, Writes { judged, ..Writes::default() }).await?;
    let buried = Pick { state: Some(DeadLetterState::Buried), ..Pick::default() };
    same("buried", found(kit, &buried).await?, Vec::new())?;
    same("counted", kit.store.count().await?.buried, 0)
}

async fn found_all(kit: &Kit<'_>, seek: Seek) -> Result<Vec<u64>, super::Failure> {
    Ok(numbers(&kit.store.dead_letters(&Pick::default(), seek, usize::MAX).await?))
}
