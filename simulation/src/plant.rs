//! The list of bugs that can be planted: what each is, which rule it breaks, and where it was first found.

/// How a bug is planted, and what is expected of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Something stands around a port or a handler; it must be found.
    Around,
    /// A guard of the store is left out, which takes a build with `--cfg oms_mutants`; it must be found.
    Mutant,
    /// A guard of the store is left out, and the other guards make up for it.
    Spare,
}

macro_rules! plants {
    ($($(#[doc = $doc:literal])+ $plant:ident = $name:literal, $rule:literal, $kind:ident, $first:literal;)+) => {
        /// A bug that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Plant { $($(#[doc = $doc])+ $plant,)+ }

        impl Plant {
            /// All of them.
            pub const ALL: &'static [Plant] = &[$(Plant::$plant,)+];

            /// Its name, for people and the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Plant::$plant => $name,)+ }
            }

            /// What the bug is, in a sentence.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Plant::$plant => concat!($($doc),+).trim_ascii_start(),)+ }
            }

            /// The rule of the protocol, or of the domain, that it breaks.
            #[must_use]
            pub fn rule(self) -> &'static str {
                match self { $(Plant::$plant => $rule,)+ }
            }

            /// The first seed that finds it, when it was last looked for from 0 on; 0 for one that must not be found.
            #[must_use]
            pub fn first(self) -> u64 {
                match self { $(Plant::$plant => $first,)+ }
            }

            fn kind(self) -> Kind {
                match self { $(Plant::$plant => Kind::$kind,)+ }
            }
        }
    };
}

plants! {
    /// A delivery is acked when it is handed out, before its turn has committed.
    AckBeforeCommit = "ack-before-commit", "1", Around, 0;
    /// The owed row is deleted before the handler has succeeded.
    OwedDeletedEarly = "owed-deleted-early", "1", Around, 0;
    /// The owed row is deleted in another transaction than the one that writes what the message causes.
    OwedDeletedApart = "owed-deleted-apart", "1", Around, 0;
    /// A pack's bytes are deleted when it was confirmed, though somebody still has to handle it.
    BodiesDeletedEarly = "bodies-deleted-early", "1", Around, 1;
    /// A deadline runs while the message that it waits for is still owed.
    DeadlineRunsWhileOwed = "deadline-runs-while-owed", "3", Around, 39;
    /// A process declares only the groups that it serves itself.
    OwnTopologyOnly = "own-topology-only", "4", Around, 2;
    /// Message ids are minted without the group, so that two groups that hear one message mint the same.
    IdsWithoutGroup = "ids-without-group", "5", Around, 0;
    /// A technical retry takes another idempotency key, and takes the money again.
    ChargeNotIdempotent = "charge-not-idempotent", "6", Around, 1;
    /// A technical retry takes another idempotency key, and gives the money back again.
    RefundNotIdempotent = "refund-not-idempotent", "6", Around, 174;
    /// A lane's row is not locked, so that two turns are in it at once.
    LaneNotLocked = "lane-not-locked", "8", Mutant, 6;
    /// Leases expire by the clock of the process that asks.
    LeaseByWorkerClock = "lease-by-worker-clock", "8", Around, 2;
    /// The lock is gone before the commit, which looks neither at the epoch nor at what it consumes, nor at the position.
    NothingChecked = "nothing-checked", "8", Mutant, 6;
    /// The lock is gone before the commit, which does not look at the epoch.
    EpochNotChecked = "epoch-not-checked", "8", Spare, 0;
    /// The lock is gone before the commit, which does not look at what it consumes.
    ConsumedNotChecked = "consumed-not-checked", "8", Spare, 0;
    /// A parked message is handled as it was when the hint was given, and is not read again behind the lock.
    ReleaseNotReadAgain = "release-not-read-again", "8", Around, 20;
    /// Later messages of a parked key are handled.
    ParkedKeyNotChecked = "parked-key-not-checked", "9", Around, 2;
    /// When a parked message is handled, those that waited behind it are forgotten.
    ReleaseLosesFollowers = "release-loses-followers", "9", Around, 1;
    /// What is owed earlier by the same sender is not taken first.
    EarlierOwedNotFirst = "earlier-owed-not-first", "10", Around, 2;
    /// The relay saves its cursor before the broker has confirmed.
    CursorBeforeConfirm = "cursor-before-confirm", "10, 11", Around, 59;
    /// A turn reads its position before it has locked the lane.
    PositionOutsideLock = "position-outside-lock", "11", Mutant, 6;
    /// An order is told to be undone before its stock was asked for, and nobody remembers when it is.
    NoTombstoneStock = "no-tombstone-stock", "12, 16", Around, 0;
    /// An order is told to be undone before its payment was asked for, and nobody remembers when it is.
    NoTombstonePayment = "no-tombstone-payment", "12, 16", Around, 0;
    /// An order is told to be undone before its shipment was asked for, and nobody remembers when it is.
    NoTombstoneShipment = "no-tombstone-shipment", "12, 16", Around, 2;
    /// Stock is held again when the same order asks twice.
    ReserveNotIdempotent = "reserve-not-idempotent", "17", Around, 0;
    /// A provider is told to undo a payment while nobody knows whether it was made.
    UndoOvertakes = "undo-overtakes", "18", Around, 23;
    /// A provider that does not answer in time is taken to have declined.
    TimeoutIsFailure = "timeout-is-failure", "18", Around, 2;
    /// A charge of which nobody knows whether it was made is taken for one that was not.
    UnknownChargeIsNone = "unknown-charge-is-none", "18", Around, 8;
    /// A conflict is treated as if the message were poison.
    ConflictIsPoison = "conflict-is-poison", "20", Around, 9;
    /// The money is given back when somebody asks to cancel, though only shipping knows whether the parcel can be stopped.
    RefundOnCancelRequest = "refund-on-cancel-request", "domain 12, 13", Around, 9;
    /// A decline that the bank may still take back is treated as its last word.
    ProvisionalIsFinal = "provisional-is-final", "domain 8", Around, 8;
    /// A late reply is taken, whatever the order's phase is by now.
    LateReplyNotGuarded = "late-reply-not-guarded", "domain 11", Around, 0;
}

impl Plant {
    /// The bug of this name.
    ///
    /// ```
    /// use oms_simulation::Plant;
    /// assert_eq!(Plant::named("ack-before-commit"), Some(Plant::AckBeforeCommit));
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|plant| plant.name() == name)
    }

    /// Whether something else makes up for it, so that it must not be found.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        self.kind() == Kind::Spare
    }

    /// Whether this build can plant it: some take one with `--cfg oms_mutants`.
    #[must_use]
    pub fn is_here(self) -> bool {
        self.kind() == Kind::Around || cfg!(oms_mutants)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_bug_has_a_name_of_its_own_and_a_sentence() {
        let names: BTreeSet<&str> = Plant::ALL.iter().map(|plant| plant.name()).collect();
        assert_eq!(names.len(), Plant::ALL.len());
        assert!(
            Plant::ALL.iter().all(|plant| plant.about().ends_with('.') && !plant.about().starts_with(' '))
        );
    }
}
