//! One turn: what it asks, what it finds behind the lane's lock, and what it writes in one commit.

use super::{Event, Lease, StoreError, Stream, StreamId, Streams, Then, Verdict};
use crate::{
    clock::Timestamp,
    gateway::{Effect, EffectKey},
    id::{MessageId, Name},
    message::{GroupLane, Key, Limit, Message, Pack, PackId},
};
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// By what right a turn enters a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// As its owner: refused once the lane has changed hands.
    Fenced(Lease),
    /// With a gateway's answer in hand, which is never dropped, or with a request from outside: takes the lock, and is
    /// guarded by versions and by what it consumes.
    Unfenced(GroupLane),
}

impl Right {
    /// The lane it is for.
    #[must_use]
    pub fn lane(&self) -> &GroupLane {
        match self {
            Right::Fenced(lease) => &lease.lane,
            Right::Unfenced(lane) => lane,
        }
    }
}

/// Work of a lane that never travels over a broker. It is read again behind the lock: a hint that has gone is dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Local {
    /// A stream's deadline is due.
    Due(StreamId),
    /// The head of a parked key may be tried again; the number is its place among the parked.
    Released(u64),
    /// A dead letter was redriven; the number is its own.
    Redriven(u64),
}

/// What a turn wants to know.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Packs that a broker delivered, whose bytes the worker has.
    pub packs: Vec<PackId>,
    /// The bytes of each of them, in their order, as they were delivered. A pack is not what is owed, whatever its name says,
    /// when the bytes stored under it differ: it was left at the broker by another database, or by this one before it was
    /// restored from an older copy. A pack with no bytes here is not compared.
    pub bodies: Vec<Bytes>,
    /// Also whatever has been owed to this lane for longer than this (rule 2).
    pub owed_longer: Option<Duration>,
    /// Hints of local work.
    pub local: Vec<Local>,
    /// Wishes whose answers the worker has in hand.
    pub answered: Vec<EffectKey>,
    /// Keyed streams that will be needed, as far as is known.
    pub streams: BTreeSet<StreamId>,
    /// At most this much is given out in `owed`.
    pub limit: Limit,
}

/// A pack that this group still owes itself, or the rest of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Which pack.
    pub pack: PackId,
    /// Its topic.
    pub topic: Name,
    /// The places in the pack that are not handled, parked or buried, in order.
    pub left: Vec<u16>,
    /// True when [`Ask::limit`] cut further places off the end of `left`: the pack is not finished with these.
    pub cut: bool,
    /// How many messages the pack has.
    pub count: u16,
    /// The pack's bytes, unless they were delivered (they are in the worker's hands).
    pub bytes: Option<Bytes>,
    /// True when it is here because of [`Ask::owed_longer`]: a broker forgot it, or is slow.
    pub overdue: bool,
}

/// Local work that is still there, behind the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalMessage {
    /// The deadline has run out: its `firing`-th message is to be handled, with the id H(deadline, firing).
    Due {
        /// The stream.
        stream: StreamId,
        /// The deadline's key.
        key: Name,
        /// The version that set it.
        set_at: u64,
        /// Which firing, from 1.
        firing: u64,
    },
    /// A parked message at the head of its key.
    Released {
        /// Its place among the parked.
        seq: u64,
        /// The message.
        message: Message,
        /// How often it was tried.
        attempts: u32,
    },
    /// A dead letter to be handled again.
    Redriven {
        /// The dead letter's number.
        number: u64,
        /// The message.
        message: Message,
        /// How often it was tried.
        attempts: u32,
    },
}

/// What a turn finds, read after its lane was locked (rule 8).
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Owed packs in the order in which they are to be handled: per sender's lane and topic by position, and for each
    /// pack of `Ask::packs` also everything owed earlier by that sender for that topic (rule 10). Cut at `Ask::limit`
    /// from the back, message by message (a pack's bytes count as a whole), but for the first message. A pack of `Ask::packs` that would not be here even without the limit is in `duplicates`.
    pub owed: Vec<Owed>,
    /// The asked packs that are not owed: ack and forget them. One cut off by the limit is in neither.
    pub duplicates: Vec<PackId>,
    /// The local work that is still there.
    pub local: Vec<LocalMessage>,
    /// Those of `Ask::answered` that still stand: an answer to another is a repeated one, and dropped.
    pub standing: BTreeSet<EffectKey>,
    /// Keys of this lane with parked messages (rule 9).
    pub parked: BTreeSet<Key>,
    /// The asked streams.
    pub streams: Streams,
    /// Who hears what, for the messages this turn sends: each group with its topics, and [`super::PUBLIC`] with the public
    /// ones.
    pub hears: Arc<BTreeMap<Name, BTreeSet<Name>>>,
    /// The revision of `hears`; checked again at commit (rule 4).
    pub revision: u64,
    /// The position of the first pack this turn sends; the next has one more.
    pub position: u64,
    /// The store's clock.
    pub now: Timestamp,
}

/// A new row of a stream: the events of one turn, and the state after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The stream.
    pub stream: StreamId,
    /// The version it must have now.
    pub expected: u64,
    /// What happened; at least one event.
    pub events: Vec<Event>,
    /// The stream after them; `next.version` is `expected` plus the number of events. `fixed` is stored with this row
    /// only when `fixed_is_new`.
    pub next: Stream,
    /// Whether `next.fixed` was given by this write.
    pub fixed_is_new: bool,
    /// The message that caused each event, one for each of `events`.
    pub causes: Vec<MessageId>,
}

/// How a message ended in this turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its effects are in this commit.
    Handled,
    /// It waits for another try, or behind its key.
    Parked,
    /// It is a dead letter.
    Buried,
}

/// What a turn takes away. Every one of these must still be there at commit, else it is a conflict (rule 8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consumed {
    /// Places of an owed pack. `Handled` ones leave the row, and the row goes with its last; others are marked.
    Owed {
        /// The pack.
        pack: PackId,
        /// Its places.
        indexes: Vec<u16>,
        /// How they ended.
        end: End,
    },
    /// A firing of a deadline. Its alarm goes, unless the stream's newest deadline says otherwise.
    Due {
        /// The stream.
        stream: StreamId,
        /// The version that set it.
        set_at: u64,
        /// Which firing.
        firing: u64,
    },
    /// A parked message. `Handled` and `Buried` remove it, `Parked` replaces its error, attempts and next try by the
    /// [`Parked`] with the same `again` of this commit.
    Released {
        /// Its place among the parked.
        seq: u64,
        /// How it ended.
        end: End,
    },
    /// A dead letter that was redriven. `Handled` closes it for good; `Buried` opens it again with one more attempt.
    Redriven {
        /// Its number.
        number: u64,
        /// How it ended.
        end: End,
    },
    /// A gateway's answer. The effect must still stand, whatever comes then.
    Answered {
        /// The effect.
        effect: EffectKey,
        /// What becomes of it.
        then: Then,
    },
}

/// A message put aside (rule 9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The place of the parked row this replaces; `None` parks anew, at the end of its key.
    pub again: Option<u64>,
    /// The message.
    pub message: Message,
    /// The owed pack and place it came from; `None` for local messages.
    pub origin: Option<(PackId, u16)>,
    /// What went wrong.
    pub error: Name,
    /// How often it was tried.
    pub attempts: u32,
    /// When to try again; `None` waits behind its key, and becomes due when it is the head.
    pub next: Option<Duration>,
}

/// A message given up (rule 9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buried {
    /// The message; one that could not be decoded has the kind `undecodable` and the raw bytes as its body.
    pub message: Message,
    /// The owed pack and place it came from; `None` for local messages. That of a released message stays its own.
    pub origin: Option<(PackId, u16)>,
    /// What went wrong.
    pub error: Name,
    /// How often it was tried.
    pub attempts: u32,
    /// The dead letter that this is again; `None` for a new one.
    pub again: Option<u64>,
}

/// Everything one turn writes: one commit, all or nothing.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// Rows of streams, at most one for each stream.
    pub streams: Vec<Write>,
    /// What it sends; positions count up from [`Found::position`]. One owed row for each hearer is added by the store.
    pub packs: Vec<Pack>,
    /// What it takes away.
    pub consumed: Vec<Consumed>,
    /// Streams whose deadline changed: the alarm follows `next.deadline` of their `Write`.
    pub alarms: Vec<StreamId>,
    /// New wishes. One whose key is there already is left as it is.
    pub effects: Vec<Effect>,
    /// Wishes that an undo withdraws; each must still be unclaimed, else it is a conflict (rule 18).
    pub withdrawn: Vec<EffectKey>,
    /// Messages put aside.
    pub parked: Vec<Parked>,
    /// Messages given up.
    pub buried: Vec<Buried>,
    /// What a person decided about dead letters of this lane: each must still be buried, and none may be of
    /// [`super::PUBLIC`], else it is a conflict (rule 9).
    pub judged: Vec<(u64, Verdict)>,
}

/// An open turn: it holds its lane. Dropping it writes nothing and lets go (rule 19).
#[async_trait]
pub trait Turn: Send {
    /// Takes what was found; a second call gives an empty answer.
    fn found(&mut self) -> Found;

    /// Loads more streams: keyed ones at any time, shared ones once and last, for they are locked here, in one sorted
    /// go, until the turn ends (rule 14).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; [`StoreError::Misused`] when shared streams are loaded a second time.
    async fn load(&mut self, streams: &BTreeSet<StreamId>) -> Result<Streams, StoreError>;

    /// Writes everything in one durable commit, then lets go. Checked again where no database lock is held: the lease's
    /// epoch, the revision of the hearers, every version and every consumed row (rules 4, 8, 19).
    ///
    /// Dropped half-way, the outcome is unknown: the next turn finds out by what is still owed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] or [`StoreError::LostLease`] when nothing was written and the turn must start again;
    /// [`StoreError::Unavailable`] when the outcome may be unknown; [`StoreError::Refused`] when these rows never fit.
    async fn commit(self: Box<Self>, writes: Writes) -> Result<(), StoreError>;
}
