//! What was put aside: parked messages, key by key, and dead letters (rule 9).

use super::owing::Owing;
use crate::{
    clock::Timestamp,
    id::{MessageId, Name},
    message::{GroupLane, Key, Message, PackId},
    store::{
        Buried, Consumed, DeadLetter, DeadLetterState, End, LocalMessage, Parked, Pick, Seek, Verdict,
        Waiting,
    },
};
use std::collections::{BTreeMap, BTreeSet};

struct Row {
    lane: GroupLane,
    message: Message,
    origin: Option<(PackId, u16)>,
    error: Name,
    attempts: u32,
    next: Option<Timestamp>,
    /// The redriven dead letter that it is.
    letter: Option<u64>,
}

struct Letter {
    letter: DeadLetter,
    /// Redriven, and parked since: its release stands for it.
    parked: bool,
}

/// The owed place a message stays tied to, and the dead letter that it is.
type Source = (Option<(PackId, u16)>, Option<u64>);

/// Where a message that a commit parks or buries comes from, by its id.
#[derive(Default)]
pub(super) struct Sources(BTreeMap<MessageId, Source>);

/// Parked messages and dead letters.
#[derive(Default)]
pub(super) struct Parking {
    parked: BTreeMap<u64, Row>,
    keys: BTreeMap<GroupLane, BTreeMap<Key, BTreeSet<u64>>>,
    letters: BTreeMap<u64, Letter>,
    seq: u64,
    number: u64,
    pub(super) rows: u64,
}

impl Parking {
    /// The keys of a lane that are parked.
    pub(super) fn keys(&self, lane: &GroupLane) -> BTreeSet<Key> {
        self.keys.get(lane).map(|keys| keys.keys().cloned().collect()).unwrap_or_default()
    }

    /// Whether a parked message is there.
    pub(super) fn is_parked(&self, lane: &GroupLane, seq: u64) -> bool {
        self.parked.get(&seq).is_some_and(|row| row.lane == *lane)
    }

    /// Whether a dead letter is to be handled again, and not parked since.
    pub(super) fn is_redriven(&self, lane: &GroupLane, number: u64) -> bool {
        self.letters.get(&number).is_some_and(|letter| is_open(letter, lane))
    }

    /// The heads of a lane's keys, each with the time from which it may be tried.
    pub(super) fn heads(&self, lane: &GroupLane) -> impl Iterator<Item = (u64, Timestamp)> {
        let keys = self.keys.get(lane).into_iter().flat_map(BTreeMap::values);
        keys.filter_map(|seqs| {
            let head = *seqs.first()?;
            Some((head, self.parked.get(&head)?.next.unwrap_or(Timestamp(i64::MIN))))
        })
    }

    /// The dead letters of a lane that are to be handled again.
    pub(super) fn redriven(&self, lane: &GroupLane) -> impl Iterator<Item = u64> {
        self.letters.iter().filter(|(_, letter)| is_open(letter, lane)).map(|(number, _)| *number)
    }

    /// A head whose time has come.
    pub(super) fn release(&self, lane: &GroupLane, seq: u64, now: Timestamp) -> Option<LocalMessage> {
        let row = self.parked.get(&seq).filter(|row| row.lane == *lane)?;
        let head = self.keys.get(lane)?.get(&row.message.envelope.key)?.first() == Some(&seq);
        (head && row.next.is_none_or(|next| next <= now)).then(|| LocalMessage::Released {
            seq,
            message: row.message.clone(),
            attempts: row.attempts,
        })
    }

    /// A dead letter to be handled again.
    pub(super) fn redrive_one(&self, lane: &GroupLane, number: u64) -> Option<LocalMessage> {
        let letter = &self.letters.get(&number).filter(|letter| is_open(letter, lane))?.letter;
        Some(LocalMessage::Redriven { number, message: letter.message.clone(), attempts: letter.attempts })
    }

    /// Takes away what a commit consumes here, moving the marks of owed places along; says where each message came from.
    pub(super) fn consume(&mut self, lane: &GroupLane, consumed: &[Consumed], owing: &mut Owing) -> Sources {
        let mut sources = Sources::default();
        for one in consumed {
            match one {
                Consumed::Released { seq, end } => self.released(lane, *seq, *end, owing, &mut sources),
                Consumed::Redriven { number, end } => {
                    self.redriven_ended(lane, *number, *end, owing, &mut sources);
                }
                Consumed::Owed { .. } | Consumed::Due { .. } | Consumed::Answered { .. } => {}
            }
        }
        sources
    }

    fn released(&mut self, lane: &GroupLane, seq: u64, end: End, owing: &mut Owing, sources: &mut Sources) {
        if end == End::Parked {
            return;
        }
        let Some(row) = self.parked.remove(&seq) else { return };
        self.rows += 1;
        self.unlist(lane, &row.message.envelope.key, seq);
        if let Some((pack, index)) = &row.origin {
            owing.end(lane, pack, &[*index], end);
        }
        if let Some(letter) = row.letter.and_then(|number| self.letters.get_mut(&number)) {
            letter.parked = false;
            if end == End::Handled {
                letter.letter.state = DeadLetterState::Handled;
                self.rows += 1;
            }
        }
        sources.0.insert(row.message.envelope.id, (row.origin, row.letter));
    }

    fn redriven_ended(
        &mut self,
        lane: &GroupLane,
        number: u64,
        end: End,
        owing: &mut Owing,
        sources: &mut Sources,
    ) {
        let Some(letter) = self.letters.get_mut(&number) else { return };
        if let Some((pack, index)) = &letter.letter.origin
            && end != End::Buried
        {
            owing.end(lane, pack, &[*index], end);
        }
        if end == End::Handled {
            letter.letter.state = DeadLetterState::Handled;
        }
        letter.parked = end == End::Parked;
        self.rows += 1;
        let source = (letter.letter.origin.clone(), Some(number));
        sources.0.insert(letter.letter.message.envelope.id, source);
    }

    /// Parks a message at the end of its key, or renews one that was parked.
    pub(super) fn park(&mut self, lane: &GroupLane, parked: Parked, sources: &Sources, now: Timestamp) {
        let next = parked.next.map(|wait| now.after(wait));
        self.rows += 1;
        if let Some(seq) = parked.again {
            if let Some(row) = self.parked.get_mut(&seq) {
                (row.error, row.attempts, row.next) = (parked.error, parked.attempts, next);
            }
            return;
        }
        self.seq += 1;
        let Parked { message, error, attempts, .. } = parked;
        let (known, letter) = sources.0.get(&message.envelope.id).cloned().unwrap_or_default();
        let origin = parked.origin.or(known);
        let keys = self.keys.entry(lane.clone()).or_default();
        keys.entry(message.envelope.key.clone()).or_default().insert(self.seq);
        let row = Row { lane: lane.clone(), message, origin, error, attempts, next, letter };
        self.parked.insert(self.seq, row);
    }

    /// Writes a dead letter, or opens one again.
    pub(super) fn bury(&mut self, lane: &GroupLane, buried: Buried, sources: &Sources, now: Timestamp) {
        let Buried { message, origin, error, attempts, again } = buried;
        let (known, letter) = sources.0.get(&message.envelope.id).cloned().unwrap_or_default();
        self.rows += 1;
        if let Some(old) = again.or(letter).and_then(|number| self.letters.get_mut(&number)) {
            let old = &mut old.letter;
            (old.error, old.attempts, old.time) = (error, attempts, now);
            old.state = DeadLetterState::Buried;
            return;
        }
        self.number += 1;
        let letter = DeadLetter {
            number: self.number,
            lane: lane.clone(),
            message,
            origin: origin.or(known),
            error,
            attempts,
            time: now,
            state: DeadLetterState::Buried,
        };
        self.letters.insert(self.number, Letter { letter, parked: false });
    }

    /// Whether a person may decide about a dead letter.
    pub(super) fn is_judgeable(&self, lane: &GroupLane, number: u64) -> bool {
        let letter = self.letters.get(&number).map(|letter| &letter.letter);
        letter.is_some_and(|letter| letter.lane == *lane && letter.state == DeadLetterState::Buried)
    }

    /// Notes what a person decided; the owed place of what is replaced waits for the copy.
    pub(super) fn judge(&mut self, lane: &GroupLane, number: u64, verdict: Verdict, owing: &mut Owing) {
        let Some(letter) = self.letters.get_mut(&number) else { return };
        letter.letter.state = match verdict {
            Verdict::Redrive => DeadLetterState::Redriven,
            Verdict::Replace => DeadLetterState::Replaced,
        };
        if let (Verdict::Replace, Some((pack, index))) = (verdict, &letter.letter.origin) {
            owing.end(lane, pack, &[*index], End::Parked);
        }
        self.rows += 1;
    }

    /// A page of dead letters.
    pub(super) fn letters(&self, pick: &Pick, seek: Seek, limit: usize) -> Vec<DeadLetter> {
        let span = pick.span();
        let (from, to) = (*span.start(), *span.end());
        let (from, to) = match seek {
            Seek::After(after) => (from.max(after.saturating_add(1)), to),
            Seek::Before(before) => (from, to.min(before.saturating_sub(1))),
        };
        if from > to {
            return Vec::new();
        }
        let all = self.letters.range(from..=to).map(|(_, letter)| &letter.letter);
        let all = all.filter(|letter| pick.fits(letter));
        match seek {
            Seek::After(_) => all.take(limit).cloned().collect(),
            Seek::Before(_) => all.rev().take(limit).cloned().collect(),
        }
    }

    /// Removes what a group has parked and buried, and gives how many.
    pub(super) fn remove_group(&mut self, group: &str) -> u64 {
        let before = self.parked.len() + self.letters.len();
        self.parked.retain(|_, row| &*row.lane.group != group);
        self.letters.retain(|_, letter| &*letter.letter.lane.group != group);
        self.keys.retain(|lane, _| &*lane.group != group);
        let removed = (before - self.parked.len() - self.letters.len()) as u64;
        self.rows += removed;
        removed
    }

    /// How many messages are parked.
    pub(super) fn parked(&self) -> u64 {
        self.parked.len() as u64
    }

    /// How many dead letters are buried.
    pub(super) fn buried(&self) -> u64 {
        let states = self.letters.values().map(|letter| letter.letter.state);
        states.filter(|state| *state == DeadLetterState::Buried).count() as u64
    }

    /// The parked messages, of one key or all.
    pub(super) fn waiting(&self, key: Option<&str>) -> impl Iterator<Item = Waiting> {
        let own = self
            .parked
            .iter()
            .filter(move |(_, row)| key.is_none_or(|key| &**row.message.envelope.key.text() == key));
        own.map(|(seq, row)| Waiting::Parked {
            seq: *seq,
            lane: row.lane.clone(),
            message: row.message.clone(),
            error: Name::clone(&row.error),
            attempts: row.attempts,
            next: row.next,
        })
    }

    fn unlist(&mut self, lane: &GroupLane, key: &Key, seq: u64) {
        let Some(keys) = self.keys.get_mut(lane) else { return };
        if let Some(seqs) = keys.get_mut(key) {
            seqs.remove(&seq);
            if seqs.is_empty() {
                keys.remove(key);
            }
        }
        if keys.is_empty() {
            self.keys.remove(lane);
        }
    }
}

fn is_open(letter: &Letter, lane: &GroupLane) -> bool {
    let open = letter.letter.state == DeadLetterState::Redriven && !letter.parked;
    open && letter.letter.lane == *lane
}
