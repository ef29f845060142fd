//! The contract of a store.

use super::{
    Ask, Claimed, DeadLetter, Event, Lease, Local, Pick, Postponed, Right, Seek, StoreError, Stream,
    StreamId, Turn,
};
use crate::{
    broker::Topology,
    clock::Timestamp,
    gateway::EffectKey,
    id::{MessageId, Name},
    message::{GroupLane, Limit, Message, Pack, PackId},
};
use async_trait::async_trait;
use std::time::Duration;

/// What a store can do; decides which conformance checks apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreCapabilities {
    /// The store's name, for people.
    pub name: &'static str,
    /// Whether several processes may share it.
    pub many_processes: bool,
    /// Whether what was committed survives `kill -9`.
    pub survives_kill: bool,
}

/// What registering a topology gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The whole topology of the installation, other processes' groups included: what is declared at the broker.
    pub topology: Topology,
    /// Its revision.
    pub revision: u64,
}

/// One event as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The stream.
    pub stream: StreamId,
    /// Its version after this event: 1 for the first.
    pub version: u64,
    /// What happened.
    pub event: Event,
    /// The message that caused it.
    pub cause: MessageId,
    /// When the turn read the store's clock.
    pub time: Timestamp,
    /// The sender lane whose turn wrote it, and its place there (rule 11).
    pub lane: GroupLane,
    /// Grows within the lane.
    pub position: u64,
}

/// What became of a pack that hearers outside the store are owed: they are the group named [`PUBLIC`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicPack {
    /// The pack.
    pub pack: PackId,
    /// Why the broker will never take it; `None` when it was confirmed.
    pub rejected: Option<Name>,
}

/// The group to which the store owes the packs of public topics; the relay is its only hearer (rule 1).
pub const PUBLIC: &str = "public";

/// Something that is still in flight: what the story and a person see of work that is not yet recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A pack, or its rest, that a group has not handled.
    Owed {
        /// Who owes it to itself.
        lane: GroupLane,
        /// The pack.
        pack: PackId,
        /// Its topic.
        topic: Name,
        /// Since when.
        since: Timestamp,
        /// Places not handled.
        left: usize,
        /// Places parked or buried.
        marked: usize,
    },
    /// A message put aside.
    Parked {
        /// Its place among the parked.
        seq: u64,
        /// Whose.
        lane: GroupLane,
        /// The message.
        message: Message,
        /// What went wrong.
        error: Name,
        /// How often it was tried.
        attempts: u32,
        /// When it is tried next; `None` waits behind its key.
        next: Option<Timestamp>,
    },
    /// A wish whose last answer has not come.
    Effect {
        /// Whose.
        lane: GroupLane,
        /// The wish.
        key: EffectKey,
        /// The gateway.
        gateway: Name,
        /// Whether a process has claimed it, now or before: its gateway may have been told.
        claimed: bool,
    },
    /// A deadline that runs.
    Deadline {
        /// Whose.
        lane: GroupLane,
        /// The stream.
        stream: StreamId,
        /// When it is looked at next.
        look: Timestamp,
    },
}

/// How much is waiting, for limits and metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Owed rows.
    pub owed: u64,
    /// Parked messages.
    pub parked: u64,
    /// Dead letters that are buried.
    pub buried: u64,
    /// Wishes without their last answer.
    pub effects: u64,
    /// Rows inserted, updated or deleted by commits since the store was opened: what an order costs.
    pub rows_written: u64,
    /// Commits since the store was opened.
    pub commits: u64,
}

/// Keeps streams and what is owed; lets one turn at a time into a lane.
///
/// Everything that `Turn::commit` confirmed is durable as far as [`StoreCapabilities::survives_kill`] says, and visible
/// to every later call. A call that is dropped half-way has happened or not; none leaves a lock behind.
#[async_trait]
pub trait Store: Send + Sync {
    /// What this store can do; never changes.
    fn capabilities(&self) -> StoreCapabilities;

    /// Adds who hears what. A group hears what commits after this call, which takes every lane's lock once (rule 4).
    /// Groups that are not in `topology` stay as they are; a group that is, gets exactly these topics.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] when the store was made with another number of lanes (rule 22).
    async fn register(&self, topology: &Topology) -> Result<Registered, StoreError>;

    /// Ends a group's hearing for good: raises the epochs of its lanes, gives out no further leases on them, and removes what
    /// is owed to it, parked, buried, wished and due there. Gives the number of rows removed; may be repeated after a crash
    /// (rule 4). The hearing ends at once, even when this is a conflict; leases are given until it succeeds.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: repeat it. [`StoreError::Conflict`] while effects of the group that may have been told
    /// still have no answer, or its packs are not relayed: run the group's loops until they are.
    async fn remove(&self, group: &str) -> Result<u64, StoreError>;

    /// Claims lanes, or keeps them: gives the leases that `owner` holds among `wanted` after this call. What another owner
    /// holds is not given until it expires by the store's clock (rule 8). A `time` of zero gives them back, which
    /// counts as changing hands: the next claim has another epoch, even by the same owner.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn lease(
        &self,
        owner: u128,
        wanted: &[GroupLane],
        time: Duration,
    ) -> Result<Vec<Lease>, StoreError>;

    /// Locks a lane, then reads what `ask` names (rule 8). Waits while another turn holds the lane.
    ///
    /// # Errors
    /// [`StoreError::LostLease`], [`StoreError::Unavailable`].
    async fn turn(&self, right: &Right, ask: Ask) -> Result<Box<dyn Turn>, StoreError>;

    /// Those of `lanes` to which something has been owed for longer than the time beside them: one query for all
    /// (rules 2, 23).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn overdue(&self, lanes: &[(GroupLane, Duration)]) -> Result<Vec<GroupLane>, StoreError>;

    /// Local work of `lanes` that may be done now, each beside its lane, at most `limit`; and when the next comes, if any
    /// is known. Deadlines that only need to be put off are put off here (rule 3).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn due(
        &self,
        lanes: &[GroupLane],
        limit: usize,
    ) -> Result<(Vec<(GroupLane, Local)>, Option<Duration>), StoreError>;

    /// The positions up to which each sender's lane was relayed, as last saved; 0 where none was (rule 11).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn cursors(&self, senders: &[GroupLane]) -> Result<Vec<u64>, StoreError>;

    /// Packs of each sender's lane after the position beside it that have places left for someone (neither handled, parked
    /// nor buried), in order per lane.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn unsent(&self, after: &[(GroupLane, u64)], limit: Limit) -> Result<Vec<Pack>, StoreError>;

    /// Saves cursors; a hint, never past what the broker has not confirmed or rejected for good (rule 10). Settles what
    /// was owed to hearers outside the store: a confirmed pack's row goes, a rejected one is buried (rule 1), as one dead letter
    /// with the pack's bytes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn sent(&self, cursors: &[(GroupLane, u64)], public: &[PublicPack]) -> Result<(), StoreError>;

    /// Removes up to `cap` packs that no one is owed any more, and says how many (rule 1).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn collect(&self, cap: usize) -> Result<usize, StoreError>;

    /// Claims up to `limit` wishes to one gateway on the leased lanes that are due, those that were due first before the
    /// others: a new wish is due at once, one that was let go of when its time has passed. What was claimed or let go of
    /// before is `maybe_told` (rule 18). A claim ends with the effect, when it is let go of, and with the lease.
    ///
    /// What it costs does not grow with the wishes that are not due.
    ///
    /// # Errors
    /// [`StoreError::LostLease`], [`StoreError::Unavailable`].
    async fn claim(&self, leases: &[Lease], gateway: &str, limit: usize) -> Result<Claimed, StoreError>;

    /// Lets go of claimed wishes: each may be claimed again after its time, by whoever holds its lane then. One that has
    /// gone, or that is not claimed under its lease any more, is left as it is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: repeat it.
    async fn postpone(&self, wishes: &[Postponed]) -> Result<(), StoreError>;

    /// Dead letters that `pick` means, at most `limit`, from where `seek` says, in its order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn dead_letters(
        &self,
        pick: &Pick,
        seek: Seek,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError>;

    /// The streams of a kind with an id greater than `after`, in order of id, as they are now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn streams(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(StreamId, Stream)>, StoreError>;

    /// The events of a stream after version `after`, in order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn history(&self, stream: &StreamId, after: u64, limit: usize)
    -> Result<Vec<Recorded>, StoreError>;

    /// The event log of one sender's lane after `position`, in order; a plain cursor is safe (rule 11). A turn's events
    /// share a position and are never parted; `limit` may be exceeded by that.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn log(&self, lane: &GroupLane, after: u64, limit: usize) -> Result<Vec<Recorded>, StoreError>;

    /// Where the event log of each sender's lane ends: the position of its newest event, 0 where there is none. One query for
    /// all, so that readers of idle lanes cost none each (rules 11, 23).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn heads(&self, lanes: &[GroupLane]) -> Result<Vec<u64>, StoreError>;

    /// What is in flight, of one key (an order's id), or of everything, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn waiting(&self, key: Option<&str>, limit: usize) -> Result<Vec<Waiting>, StoreError>;

    /// How much is waiting, and what commits have cost so far.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn count(&self) -> Result<Counts, StoreError>;
}
