//! Marks: what was exercised at least sometimes, so that a run which never met a rule does not pass for a proof of it.

use crate::fault::Fault;

macro_rules! marks {
    ($($(#[$doc:meta])* $mark:ident = $name:literal,)+) => {
        /// A rare state, or a rule at work.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mark { $($(#[$doc])* $mark,)+ }

        impl Mark {
            /// All of them.
            pub const ALL: &'static [Mark] = &[$(Mark::$mark,)+];

            /// Its name; the rules it belongs to come first.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Mark::$mark => $name,)+ }
            }
        }
    };
}

marks! {
    /// A delivery that nobody owed was dropped.
    DuplicateDropped = "rule 1: a duplicate was dropped",
    /// A turn took a part of a pack.
    PackCut = "rule 1, 21: a pack was cut by the limit of a turn",
    /// What hearers outside are owed was confirmed.
    PublicSettled = "rule 1: a public pack was settled",
    /// Something was taken from the store.
    TakenFromStore = "rule 2: owed for long, and taken from the store",
    /// A deadline fired.
    DeadlineFired = "rule 3: a deadline fired",
    /// A deadline was put off, because something was still owed.
    DeadlinePutOff = "rule 3: a deadline was put off",
    /// A commit came after a change of hearers.
    HearersChanged = "rule 4: who hears changed in mid-run",
    /// A group was removed.
    GroupRemoved = "rule 4: a group was removed",
    /// A turn that was repeated sent the same ids.
    SameIds = "rule 5: a repeated turn sent the same ids",
    /// A wish was told again under its key.
    ToldAgain = "rule 6: a wish was told again under its key",
    /// An order was placed again under its key.
    PlacedAgain = "rule 7: an order was placed again",
    /// A key was used for another order.
    KeyReused = "rule 7: a key was used for another order",
    /// A zombie was refused.
    LostLease = "rule 8: a turn was refused, for its lane had changed hands",
    /// An answer was committed by who no longer held the lane.
    AnswerUnfenced = "rule 8: an answer in hand was committed without the lease",
    /// A message was parked.
    Parked = "rule 9: a message was parked",
    /// A message waited behind its key.
    ParkedBehind = "rule 9: a message waited behind its key",
    /// A parked message was released.
    Released = "rule 9: a parked message was released",
    /// A message was buried.
    Buried = "rule 9: a message was buried",
    /// A dead letter was handled.
    Redriven = "rule 9: a dead letter was redriven",
    /// A turn took what was owed earlier.
    EarlierFirst = "rule 10: what was owed earlier came first",
    /// The relay told again what it did not know about.
    RelayedAgain = "rule 10, 11: a pack was published again",
    /// A cursor was read by the next owner.
    CursorRead = "rule 11: a cursor was read again",
    /// A turn waited for a lock.
    SharedStreams = "rule 12, 14: streams by SKU were locked",
    /// A message of a newer binary waited.
    NewerWaited = "rule 13: a message of a newer binary was parked",
    /// A hearer got the streams it had asked for.
    MissingGiven = "rule 15: a hearer got the streams it had missed",
    /// A hearer failed and was tried again.
    TriedAgain = "rule 16: a hearer failed, and succeeded later",
    /// A message that was handled twice changed nothing.
    HandledTwice = "rule 17: handled twice, it changed nothing",
    /// A wish was withdrawn before anybody claimed it.
    Withdrawn = "rule 18: a wish was withdrawn",
    /// A provider was asked before it was told again.
    AskedFirst = "rule 18: a provider was asked",
    /// A turn was dropped while it was open.
    TurnDropped = "rule 19: an open turn was dropped",
    /// A turn began again after a conflict.
    BeganAgain = "rule 20: a turn began again after a conflict",
    /// A batch that was refused was halved until the bad message stood alone.
    Condemned = "rule 20: a refused message was buried alone",
    /// A house with another count of lanes was refused.
    LanesRefused = "rule 22: another count of lanes was refused",
    /// A process drained and gave back what it held.
    Drained = "rule 23: a process drained",
    /// A story was told.
    StoryTold = "rule 24: a story was told whole",
    /// Several orders shared a commit.
    PlacedTogether = "rule 25: several orders were placed in one commit",
    /// An order was completed.
    Completed = "an order was completed",
    /// An order failed.
    Failed = "an order failed",
    /// An order was cancelled.
    Cancelled = "an order was cancelled",
    /// An order needs a person.
    NeedsAttention = "an order needs attention",
    /// A cancel was refused.
    CancelRefused = "a cancel was refused",
    /// An order of hundreds of lines.
    LongOrder = "an order of 500 lines",
    /// Two processes or more.
    ManyProcesses = "two processes or more",
    /// The broker was the process's own and died with it.
    BrokerEmptied = "the broker died with its process",
}

/// How often each fault and each mark was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks {
    faults: Vec<u64>,
    marks: Vec<u64>,
}

impl Default for Marks {
    fn default() -> Self {
        Self { faults: vec![0; Fault::ALL.len()], marks: vec![0; Mark::ALL.len()] }
    }
}

impl Marks {
    /// Notes a fault.
    pub fn fault(&mut self, fault: Fault) {
        if let Some(count) = self.faults.get_mut(fault as usize) {
            *count += 1;
        }
    }

    /// Notes a mark.
    pub fn mark(&mut self, mark: Mark) {
        if let Some(count) = self.marks.get_mut(mark as usize) {
            *count += 1;
        }
    }

    /// How often a fault happened.
    #[must_use]
    pub fn of(&self, fault: Fault) -> u64 {
        self.faults.get(fault as usize).copied().unwrap_or(0)
    }

    /// How often a mark was met.
    #[must_use]
    pub fn met(&self, mark: Mark) -> u64 {
        self.marks.get(mark as usize).copied().unwrap_or(0)
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Marks) {
        let sum =
            |all: &mut Vec<u64>, one: &[u64]| all.iter_mut().zip(one).for_each(|(all, one)| *all += one);
        sum(&mut self.faults, &other.faults);
        sum(&mut self.marks, &other.marks);
    }

    /// Every name with its count, faults first.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let faults = Fault::ALL.iter().map(|fault| fault.name()).zip(self.faults.iter().copied());
        faults.chain(Mark::ALL.iter().map(|mark| mark.name()).zip(self.marks.iter().copied()))
    }

    /// The names of what was never met.
    #[must_use]
    pub fn never(&self) -> Vec<&'static str> {
        self.counts().filter(|(_, count)| *count == 0).map(|(name, _)| name).collect()
    }
}
