//! Dead letters handled again on request: each request a turn of the lane that failed, recorded with who asked.

use super::{incident, parts::Parts};
use crate::{
    event::incident::{IncidentEvent, RedriveRequested},
    id::{Digest, MessageId, Name, StreamId},
    message::GroupLane,
    store::{Ask, DeadLetter, DeadLetterState, PUBLIC, Pick, Right, Seek, StoreError, Verdict, Writes},
};
use std::collections::{BTreeMap, BTreeSet};

/// How many letters are decided about in one turn.
const AT_ONCE: usize = 200;

/// Asks for buried dead letters to be handled again, once however often it is asked; gives how many were newly asked.
///
/// # Errors
/// [`StoreError::Unavailable`]; those before it were asked for, and it may be repeated.
pub async fn redrive(parts: &Parts, pick: &Pick, by: &str) -> Result<usize, StoreError> {
    if pick.state.is_some_and(|state| state != DeadLetterState::Buried) {
        return Ok(0);
    }
    let pick = Pick { state: Some(DeadLetterState::Buried), ..pick.clone() };
    let (mut asked, mut after) = (0, 0);
    loop {
        let page = parts.store.dead_letters(&pick, Seek::After(after), AT_ONCE).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        let mut lanes: BTreeMap<GroupLane, BTreeSet<u64>> = BTreeMap::new();
        for letter in page.into_iter().filter(|letter| &*letter.lane.group != PUBLIC) {
            lanes.entry(letter.lane).or_default().insert(letter.number);
        }
        for (lane, numbers) in lanes {
            asked += redrive_lane(parts, &lane, &Pick { numbers: Some(numbers), ..pick.clone() }, by).await?;
        }
    }
    parts.look();
    Ok(asked)
}

/// One turn; whatever of the letters is buried still when the lane is locked.
async fn redrive_lane(parts: &Parts, lane: &GroupLane, pick: &Pick, by: &str) -> Result<usize, StoreError> {
    let mut conflicts = 0;
    loop {
        let mut open = parts.store.turn(&Right::Unfenced(lane.clone()), Ask::default()).await?;
        let letters = parts.store.dead_letters(pick, Seek::OLDEST, AT_ONCE).await?;
        if letters.is_empty() {
            return Ok(0);
        }
        let streams: BTreeSet<StreamId> = letters.iter().map(incident::of).collect();
        let mut loaded = open.load(&streams).await?;
        let mut decided: BTreeMap<StreamId, Vec<(MessageId, IncidentEvent)>> = BTreeMap::new();
        for letter in &letters {
            decided.entry(incident::of(letter)).or_default().push(requested(letter, by));
        }
        let rows = decided.into_iter().map(|(stream, decided)| {
            let now = loaded.remove(&stream).unwrap_or_default();
            incident::row(stream, now, decided)
        });
        let writes = Writes {
            streams: rows.collect::<Result<_, _>>()?,
            judged: letters.iter().map(|letter| (letter.number, Verdict::Redrive)).collect(),
            ..Writes::default()
        };
        match open.commit(writes).await {
            Err(StoreError::Conflict) => conflicts = parts.yield_to_others(conflicts).await,
            ended => return ended.map(|()| letters.len()),
        }
    }
}

fn requested(letter: &DeadLetter, by: &str) -> (MessageId, IncidentEvent) {
    let envelope = &letter.message.envelope;
    let digest = Digest::new("redrive").number(letter.number.into()).number(letter.attempts.into());
    let event = RedriveRequested {
        group: Name::clone(&letter.lane.group),
        kind: Name::clone(&envelope.kind),
        message: envelope.id,
        letter: letter.number,
        by: by.to_owned(),
    };
    (MessageId(digest.finish()), IncidentEvent::RedriveRequested(event))
}
