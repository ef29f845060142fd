//! A simulated carrier: books, sends, delivers, and stops what has not left.

use super::{
    Draws, Windows,
    book::{Book, Open},
};
use crate::{
    clock::Clock,
    gateway::{
        EffectKey, NoAnswer, Port, Repeats, Reported,
        carrier::{CarrierReport, CarrierRequest},
        journal::{Fact, Journal, JournalError, Ledger},
    },
    money::Money,
};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// Answers a booking step by step: booked, dispatched, delivered with what was collected.
pub struct SimulatedCarrier {
    book: Book,
    windows: Windows,
}

impl SimulatedCarrier {
    /// Opens the carrier over its journal.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub fn open(
        draws: Draws,
        windows: Windows,
        clock: Arc<dyn Clock>,
        journal: Arc<dyn Journal>,
    ) -> Result<Self, JournalError> {
        Ok(Self { book: Book::open("carrier", draws, clock, journal)?, windows })
    }

    /// What it did so far.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub fn ledger(&self) -> Result<Ledger, JournalError> {
        self.book.ledger()
    }

    fn waited(&self, open: &Open<'_>, key: &EffectKey) -> Duration {
        open.page(key).told().map_or(Duration::ZERO, |told| self.book.now().since(told))
    }

    /// One step further than it said before, if the time has come.
    fn booking(
        &self,
        open: &mut Open<'_>,
        key: &EffectKey,
        collect: Option<Money>,
    ) -> Result<Reported<CarrierReport>, NoAnswer> {
        let (page, tracking) = (open.page(key), format!("SIM{}", key.order));
        let (leaves, waited) = (self.windows.dispatch, self.waited(open, key));
        let arrives = leaves.saturating_add(self.windows.delivery);
        let delivered = || CarrierReport::Delivered { tracking: tracking.clone(), collected: collect };
        if page.has(&Fact::Cancelled) {
            return Ok(Reported::settled(CarrierReport::Cancelled));
        }
        if page.has(&Fact::Delivered) {
            return Ok(Reported::settled(delivered()));
        }
        if page.has(&Fact::Dispatched) {
            if waited < arrives {
                return Ok(Reported::open(CarrierReport::Dispatched { tracking }, arrives - waited));
            }
            open.write(&[(key, Fact::Delivered)], collect)?;
            return Ok(Reported::settled(delivered()));
        }
        if page.has(&Fact::Booked) && waited >= leaves {
            open.write(&[(key, Fact::Dispatched)], None)?;
            let rest = arrives.saturating_sub(waited);
            return Ok(Reported::open(CarrierReport::Dispatched { tracking }, rest));
        }
        if self.book.draws.refuses(&key.order) {
            if !page.has(&Fact::Refused) {
                open.write(&[(key, Fact::Refused)], None)?;
            }
            let reason = "the carrier does not take this parcel".to_owned();
            return Ok(Reported::settled(CarrierReport::Refused { reason }));
        }
        if !page.has(&Fact::Booked) {
            open.write(&[(key, Fact::Booked)], None)?;
        }
        Ok(Reported::open(CarrierReport::Booked { tracking }, leaves.saturating_sub(waited)))
    }

    /// Stops the booking of the same order, unless its parcel has left by now. Either is written on both pages at once.
    fn cancellation(
        &self,
        open: &mut Open<'_>,
        key: &EffectKey,
    ) -> Result<Reported<CarrierReport>, NoAnswer> {
        let (page, booking) = (open.page(key), EffectKey::new(&key.order, "book", key.attempt));
        if page.has(&Fact::Cancelled) {
            return Ok(Reported::settled(CarrierReport::Cancelled));
        }
        if page.has(&Fact::TooLate) {
            return Ok(Reported::settled(CarrierReport::TooLate));
        }
        let booked = open.page(&booking);
        let due = booked.has(&Fact::Booked) && self.waited(open, &booking) >= self.windows.dispatch;
        if booked.has(&Fact::Dispatched) {
            open.write(&[(key, Fact::TooLate)], None)?;
            return Ok(Reported::settled(CarrierReport::TooLate));
        }
        if due {
            open.write(&[(&booking, Fact::Dispatched), (key, Fact::TooLate)], None)?;
            return Ok(Reported::settled(CarrierReport::TooLate));
        }
        open.write(&[(&booking, Fact::Cancelled), (key, Fact::Cancelled)], None)?;
        Ok(Reported::settled(CarrierReport::Cancelled))
    }

    fn answer(
        &self,
        open: &mut Open<'_>,
        key: &EffectKey,
        request: &CarrierRequest,
    ) -> Result<Reported<CarrierReport>, NoAnswer> {
        match request {
            CarrierRequest::Book { collect, .. } => self.booking(open, key, *collect),
            CarrierRequest::Cancel => self.cancellation(open, key),
        }
    }
}

#[async_trait]
impl Port for SimulatedCarrier {
    type Request = CarrierRequest;
    type Report = CarrierReport;

    fn repeats(&self) -> Repeats {
        Repeats::Deduplicated
    }

    fn at_once(&self) -> usize {
        64
    }

    async fn tell(
        &self,
        key: &EffectKey,
        request: &CarrierRequest,
    ) -> Result<Reported<CarrierReport>, NoAnswer> {
        let mut open = self.book.lock()?;
        open.tell(key)?;
        open.hang(key)?;
        self.answer(&mut open, key, request)
    }

    async fn ask(
        &self,
        key: &EffectKey,
        request: &CarrierRequest,
    ) -> Result<Option<Reported<CarrierReport>>, NoAnswer> {
        let mut open = self.book.lock()?;
        if open.page(key).told().is_none() {
            return Ok(None);
        }
        open.hang(key)?;
        self.answer(&mut open, key, request).map(Some)
    }
}
