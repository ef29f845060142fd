//! The books of one simulated provider, in memory as in its journal.

use super::Draws;
use crate::{
    clock::{Clock, Timestamp},
    gateway::{
        EffectKey, NoAnswer,
        journal::{Fact, Held, Hold, Journal, JournalError, Ledger, LedgerEntry},
    },
    id::{Name, Table},
    money::Money,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is known under one key.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    told: Option<Timestamp>,
    facts: Vec<Fact>,
    unanswered: u32,
}

impl Page {
    pub(super) fn has(&self, fact: &Fact) -> bool {
        self.facts.contains(fact)
    }

    pub(super) fn told(&self) -> Option<Timestamp> {
        self.told
    }
}

#[derive(Default)]
pub(super) struct Pages {
    by_key: Table<EffectKey, Page>,
    /// How much of the journal is in them.
    seen: u64,
}

pub(super) struct Book {
    name: Name,
    pub(super) draws: Draws,
    clock: Arc<dyn Clock>,
    journal: Arc<dyn Journal>,
    pages: Mutex<Pages>,
}

/// The open book: one wish at a time is looked at and written, so that two calls cannot do one thing twice.
pub(super) struct Open<'a> {
    book: &'a Book,
    pages: MutexGuard<'a, Pages>,
    /// Other processes that keep the same journal wait until this is dropped.
    _held: Option<Box<dyn Held + 'a>>,
}

impl Book {
    pub(super) fn open(
        name: &str,
        draws: Draws,
        clock: Arc<dyn Clock>,
        journal: Arc<dyn Journal>,
    ) -> Result<Self, JournalError> {
        let mut pages = Pages::default();
        pages.read(journal.hold(0)?);
        Ok(Self { name: Name::from(name), draws, clock, journal, pages: Mutex::new(pages) })
    }

    pub(super) fn ledger(&self) -> Result<Ledger, JournalError> {
        Ok(Ledger::of(&self.journal.load()?))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn lock(&self) -> Result<Open<'_>, NoAnswer> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let hold = self.journal.hold(pages.seen).map_err(|error| self.no_answer(error))?;
        let held = pages.read(hold);
        Ok(Open { book: self, pages, _held: held })
    }

    fn no_answer(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> NoAnswer {
        NoAnswer { gateway: self.name.clone(), source: source.into() }
    }
}

impl Pages {
    /// Notes what others have written, and gives what keeps them waiting.
    fn read<'a>(&mut self, hold: Hold<'a>) -> Option<Box<dyn Held + 'a>> {
        hold.news.iter().for_each(|line| self.note(line));
        self.seen = hold.seen;
        hold.guard
    }

    /// A line may be noted again: what it says is known then.
    fn note(&mut self, line: &LedgerEntry) {
        let page = self.by_key.entry(line.key.clone()).or_default();
        match line.fact {
            Fact::Told => page.told = page.told.or(Some(line.at)),
            Fact::Repeated => {}
            Fact::Authorised
            | Fact::Declined
            | Fact::Captured
            | Fact::Voided
            | Fact::Refunded
            | Fact::Refused
            | Fact::Booked
            | Fact::Dispatched
            | Fact::Delivered
            | Fact::Cancelled
            | Fact::TooLate
            | Fact::Mailed
            | Fact::Unmailed => page.facts.extend(Some(line.fact.clone()).filter(|fact| !page.has(fact))),
        }
    }
}

impl Open<'_> {
    pub(super) fn page(&self, key: &EffectKey) -> Page {
        self.pages.by_key.get(key).cloned().unwrap_or_default()
    }

    /// The page of another wish for the same order.
    pub(super) fn other(&self, key: &EffectKey, step: &str) -> Page {
        self.page(&EffectKey::new(&key.order, step, key.attempt))
    }

    /// Writes facts down, durably, before anybody is told of them.
    pub(super) fn write(
        &mut self,
        facts: &[(&EffectKey, Fact)],
        amount: Option<Money>,
    ) -> Result<(), NoAnswer> {
        let at = self.book.now();
        let line = |(key, fact): &(&EffectKey, Fact)| LedgerEntry {
            key: (*key).clone(),
            fact: fact.clone(),
            amount,
            at,
        };
        let lines: Vec<LedgerEntry> = facts.iter().map(line).collect();
        self.book.journal.append(&lines).map_err(|error| self.book.no_answer(error))?;
        lines.iter().for_each(|line| self.pages.note(line));
        Ok(())
    }

    /// Notes that a wish was told, for the first time or again.
    pub(super) fn tell(&mut self, key: &EffectKey) -> Result<(), NoAnswer> {
        let fact = if self.page(key).told.is_some() { Fact::Repeated } else { Fact::Told };
        self.write(&[(key, fact)], None)
    }

    /// Gives no answer as often as was drawn for this wish.
    pub(super) fn hang(&mut self, key: &EffectKey) -> Result<(), NoAnswer> {
        let page = self.pages.by_key.entry(key.clone()).or_default();
        if page.unanswered >= self.book.draws.hangs(&key.order, &key.step) {
            return Ok(());
        }
        page.unanswered += 1;
        Err(self.book.no_answer("the simulated line hangs"))
    }
}
