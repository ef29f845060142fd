//! What can go wrong, each kind with a name and a rate of its own.

use crate::dice::Dice;

macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident = $name:literal, $rates:expr;)+) => {
        /// A kind of trouble.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[$doc])* $fault,)+ }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Fault] = &[$(Fault::$fault,)+];

            /// Its name, for people and the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Fault::$fault => $name,)+ }
            }

            /// The rates that a seed chooses among: for most, chances in a thousand; for what happens at moments, weights.
            fn rates(self) -> &'static [u32] {
                match self { $(Fault::$fault => &$rates,)+ }
            }
        }
    };
}

faults! {
    /// A loop is dropped at an await, and begun anew.
    CrashLoop = "crash-loop", [2, 6];
    /// A process is dropped at an await, with all its memory, and begun anew later.
    CrashProcess = "crash-process", [1, 4];
    /// A process drains, ends and is begun anew.
    Restart = "restart", [1, 3];
    /// A process stands still past its leases, and goes on as a zombie.
    Zombie = "zombie", [1, 4];
    /// The clock of a process jumps.
    ClockJump = "clock-jump", [1, 2];
    /// The broker carries a pack twice.
    Duplicate = "duplicate", [20, 100, 300];
    /// The broker keeps a pack back for a while.
    Delay = "delay", [20, 100];
    /// The broker changes the order of what it is told at once.
    Shuffle = "shuffle", [50, 300];
    /// The broker confirms a pack and loses it.
    Lose = "lose", [10, 50, 200];
    /// The broker stores a pack and its confirm is lost.
    UnknownStored = "unknown-stored", [20, 100];
    /// The broker does not store a pack, and nobody knows.
    UnknownLost = "unknown-lost", [20, 100];
    /// The broker has no room for a while.
    Refuse = "refuse-publish", [20, 100];
    /// The broker carries everything again, from the beginning.
    Replay = "replay", [1];
    /// The broker forgets everything.
    Wipe = "wipe", [1, 2];
    /// The broker is replaced by another, empty one.
    Swap = "swap", [1];
    /// The broker is away, for a while or for good.
    Dead = "dead", [1];
    /// After a wipe somebody declares all but one group.
    QueueMissing = "queue-missing", [1, 2];
    /// Another program writes onto the lanes.
    Junk = "junk", [1, 2];
    /// A group begins to hear in mid-run.
    GroupAdded = "group-added", [1];
    /// A group is removed in mid-run.
    GroupRemoved = "group-removed", [1];
    /// Somebody else wrote first.
    Conflict = "conflict", [5, 30, 100];
    /// A commit happened, and nobody was told.
    CommitUnknown = "commit-unknown", [5, 30];
    /// A call of the store timed out, and nothing happened.
    StoreTimeout = "store-timeout", [5, 30];
    /// The store is away for a while.
    StoreAway = "store-away", [1];
    /// The store's disk is full for a while: it reads, and writes nothing.
    DiskFull = "disk-full", [1];
    /// The store never takes what one hearer writes of a message.
    StoreRefuses = "store-refuses", [10, 50];
    /// A provider does not answer at first, before it has done anything.
    Unheard = "unheard", [30, 150];
    /// A provider does it, and its answer is lost.
    AnswerLost = "answer-lost", [30, 150];
    /// A provider answers late.
    AnswerLate = "answer-late", [30, 150];
    /// A provider answers twice.
    AnswerTwice = "answer-twice", [50, 200];
    /// A provider does again what it is told again, though it can be asked.
    Forgetful = "forgetful", [1_000];
    /// A payment is declined.
    Decline = "decline", [50, 200];
    /// A payment is declined for now, and perhaps succeeds later.
    Waver = "waver", [200, 500];
    /// A provider refuses to undo, for good.
    RefuseUndo = "refuse-undo", [100];
    /// A carrier takes no parcel.
    RefuseParcel = "refuse-parcel", [50, 200];
    /// A notice cannot be sent.
    LoseMail = "lose-mail", [50];
    /// A user's own hearer fails now, and succeeds later.
    HearerFails = "hearer-fails", [50, 200];
    /// A user's own hearer can never handle a message.
    Poison = "poison", [20, 60];
    /// A user's own hearer meets a message of a newer binary.
    Newer = "newer", [50];
    /// A user's own hearer asks for more streams.
    Missing = "missing", [100];
}

/// How often each kind happens in one run; 0 for those that do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates(Vec<u32>);

impl Rates {
    /// Nothing goes wrong.
    #[must_use]
    pub fn calm() -> Self {
        Self(vec![0; Fault::ALL.len()])
    }

    /// Each kind is left out of some seeds, so that rare combinations of few kinds are met as well as all at once.
    #[must_use]
    pub fn draw(dice: &mut Dice) -> Self {
        let busy = dice.between(100, 700) as u32;
        let draw = |fault: &Fault| {
            let rates = fault.rates();
            let rate = rates.get(dice.index(rates.len())).copied().unwrap_or(0);
            if dice.happens(busy) { rate } else { 0 }
        };
        Self(Fault::ALL.iter().map(draw).collect())
    }

    /// How often a kind happens.
    #[must_use]
    pub fn of(&self, fault: Fault) -> u32 {
        self.0.get(fault as usize).copied().unwrap_or(0)
    }

    /// Leaves a kind out.
    pub fn without(&mut self, fault: Fault) {
        if let Some(rate) = self.0.get_mut(fault as usize) {
            *rate = 0;
        }
    }

    /// Those that may happen.
    pub fn present(&self) -> impl Iterator<Item = Fault> {
        Fault::ALL.iter().copied().filter(|fault| self.of(*fault) > 0)
    }
}
