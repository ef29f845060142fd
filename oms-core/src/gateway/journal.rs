//! A provider's own memory: what it was told, and what it did, line by line.
//!
//! ```
//! use oms_core::gateway::journal::{Journal, Ledger, MemoryJournal};
//! let journal = MemoryJournal::default();
//! let ledger = Ledger::of(&journal.load().unwrap_or_default());
//! assert_eq!(ledger.charged_twice(), 0);
//! ```

use super::EffectKey;
use crate::{clock::Timestamp, id::Name, money::Money};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Mutex, PoisonError},
};

/// What a provider did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// It was told a wish for the first time; its windows count from here.
    Told,
    /// It was told a wish again, and did nothing.
    Repeated,
    /// It reserved money.
    Authorised,
    /// It said no.
    Declined,
    /// It took money.
    Captured,
    /// It let go what it had reserved.
    Voided,
    /// It gave money back.
    Refunded,
    /// It refused a capture, void, refund or parcel.
    Refused,
    /// It booked a parcel.
    Booked,
    /// A parcel left.
    Dispatched,
    /// A parcel arrived.
    Delivered,
    /// A parcel will not be sent.
    Cancelled,
    /// A parcel could not be stopped.
    TooLate,
    /// A notice went out.
    Mailed,
    /// A notice never will.
    Unmailed,
}

/// One line of a provider's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Under which key.
    pub key: EffectKey,
    /// What.
    #[serde(flatten)]
    pub fact: Fact,
    /// How much money, where it is about money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// When, by the provider's clock.
    pub at: Timestamp,
}

/// The journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the provider's journal is out of reach; free its disk, or give it another file")]
pub struct JournalError(#[source] pub Box<dyn Error + Send + Sync>);

/// A look into a journal that others may write as well.
#[derive(Default)]
pub struct Hold<'a> {
    /// Lines that the caller has not seen, oldest first; some that it wrote itself may be among them.
    pub news: Vec<LedgerEntry>,
    /// What to name as seen with the next look; never 0.
    pub seen: u64,
    /// Keeps others waiting until it is dropped, where there are any.
    pub guard: Option<Box<dyn Held + 'a>>,
}

/// Whatever keeps others waiting while it is there.
pub trait Held {}

/// Where a simulated provider keeps its ledger.
///
/// What `append` accepted is there again after `kill -9`, in the same order: no answer is given before.
pub trait Journal: Send + Sync {
    /// Appends lines, all or none, durably.
    ///
    /// # Errors
    /// [`JournalError`]; then none of the lines counts.
    fn append(&self, lines: &[LedgerEntry]) -> Result<(), JournalError>;

    /// All lines, oldest first.
    ///
    /// # Errors
    /// [`JournalError`] when they cannot be read.
    fn load(&self) -> Result<Vec<LedgerEntry>, JournalError>;

    /// Gives the lines after `seen`, all of them for 0, and keeps others from writing until the hold is dropped: two who do
    /// the same wish at once then do it once. A journal of one process has no others, and nothing new after the first look.
    ///
    /// # Errors
    /// [`JournalError`] when they cannot be read.
    fn hold(&self, seen: u64) -> Result<Hold<'_>, JournalError> {
        let news = if seen == 0 { self.load()? } else { Vec::new() };
        Ok(Hold { news, seen: 1, guard: None })
    }
}

/// A journal that lasts as long as the process.
#[derive(Debug, Default)]
pub struct MemoryJournal(Mutex<Vec<LedgerEntry>>);

impl Journal for MemoryJournal {
    fn append(&self, lines: &[LedgerEntry]) -> Result<(), JournalError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(lines);
        Ok(())
    }

    fn load(&self) -> Result<Vec<LedgerEntry>, JournalError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// What was done for one order, in minor units and counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Money reserved.
    pub authorised: i64,
    /// Money taken.
    pub captured: i64,
    /// How often money was taken.
    pub captures: u32,
    /// Reserved money let go.
    pub voided: i64,
    /// Money given back.
    pub refunded: i64,
    /// Parcels that left.
    pub dispatches: u32,
    /// Notices that went out.
    pub mails: u32,
    /// Wishes told again under a known key.
    pub repeated: u32,
}

/// The world as seen from outside: what providers did, by order, whatever our own books say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// By order.
    pub orders: BTreeMap<Name, Sums>,
    /// How often each key was done; more than once is a doubled effect.
    pub done: BTreeMap<EffectKey, u32>,
}

impl Ledger {
    /// Sums lines up.
    #[must_use]
    pub fn of(lines: &[LedgerEntry]) -> Self {
        let mut ledger = Self::default();
        lines.iter().for_each(|line| ledger.add(line));
        ledger
    }

    /// How many orders had money taken more than once.
    #[must_use]
    pub fn charged_twice(&self) -> usize {
        self.orders.values().filter(|sums| sums.captures > 1).count()
    }

    /// The sums of all orders.
    #[must_use]
    pub fn total(&self) -> Sums {
        self.orders.values().fold(Sums::default(), |all, one| Sums {
            authorised: all.authorised.saturating_add(one.authorised),
            captured: all.captured.saturating_add(one.captured),
            captures: all.captures.saturating_add(one.captures),
            voided: all.voided.saturating_add(one.voided),
            refunded: all.refunded.saturating_add(one.refunded),
            dispatches: all.dispatches.saturating_add(one.dispatches),
            mails: all.mails.saturating_add(one.mails),
            repeated: all.repeated.saturating_add(one.repeated),
        })
    }

    fn add(&mut self, line: &LedgerEntry) {
        let sums = self.orders.entry(line.key.order.clone()).or_default();
        let minor = line.amount.map_or(0, |amount| amount.minor);
        let sum = |of: &mut i64| *of = of.saturating_add(minor);
        match line.fact {
            Fact::Authorised => sum(&mut sums.authorised),
            Fact::Captured => {
                sum(&mut sums.captured);
                sums.captures += 1;
            }
            Fact::Voided => sum(&mut sums.voided),
            Fact::Refunded => sum(&mut sums.refunded),
            Fact::Dispatched => sums.dispatches += 1,
            Fact::Mailed => sums.mails += 1,
            Fact::Repeated => {
                sums.repeated += 1;
                return;
            }
            Fact::Told
            | Fact::Declined
            | Fact::Refused
            | Fact::Booked
            | Fact::Delivered
            | Fact::Cancelled
            | Fact::TooLate
            | Fact::Unmailed => return,
        }
        *self.done.entry(line.key.clone()).or_default() += 1;
    }
}
