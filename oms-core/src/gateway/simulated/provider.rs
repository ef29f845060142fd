//! A simulated payment provider: cards, and charges that a customer approves later.

use super::{
    Draws, Windows,
    book::{Book, Open},
};
use crate::{
    clock::Clock,
    gateway::{
        EffectKey, NoAnswer, Port, Repeats, Reported,
        journal::{Fact, Journal, JournalError, Ledger},
        payment::{PaymentReport, PaymentRequest, PaymentStep},
    },
};
use async_trait::async_trait;
use std::sync::Arc;

/// Authorises at once, charges after an approval, and undoes only what it did; each once for its key.
pub struct SimulatedProvider {
    book: Book,
    windows: Windows,
}

impl SimulatedProvider {
    /// Opens the provider over its journal.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub fn open(
        draws: Draws,
        windows: Windows,
        clock: Arc<dyn Clock>,
        journal: Arc<dyn Journal>,
    ) -> Result<Self, JournalError> {
        Ok(Self { book: Book::open("payment", draws, clock, journal)?, windows })
    }

    /// What it did so far.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub fn ledger(&self) -> Result<Ledger, JournalError> {
        self.book.ledger()
    }

    fn answer(
        &self,
        open: &mut Open<'_>,
        key: &EffectKey,
        request: &PaymentRequest,
    ) -> Result<Reported<PaymentReport>, NoAnswer> {
        let page = open.page(key);
        if let Some(fact) = last_word(&page) {
            return Ok(Reported::settled(report(key, &fact)));
        }
        let fact = match request.wish {
            PaymentStep::Authorise if self.book.draws.declines(&key.order) => Fact::Declined,
            PaymentStep::Authorise => Fact::Authorised,
            PaymentStep::Charge => match self.charged(open, key) {
                Ok(fact) => fact,
                Err(pending) => return Ok(pending),
            },
            PaymentStep::Capture => {
                done_if(reserved(open, key) && !open.other(key, "void").has(&Fact::Voided), Fact::Captured)
            }
            PaymentStep::Void => {
                done_if(reserved(open, key) && !open.other(key, "capture").has(&Fact::Captured), Fact::Voided)
            }
            PaymentStep::Refund => done_if(taken(open, key), Fact::Refunded),
        };
        open.write(&[(key, fact.clone())], Some(request.amount))?;
        Ok(Reported::settled(report(key, &fact)))
    }

    /// How a charge stands by now: its last word, or what to say until then.
    fn charged(&self, open: &Open<'_>, key: &EffectKey) -> Result<Fact, Reported<PaymentReport>> {
        let now = self.book.now();
        let waited = open.page(key).told().map_or_else(Default::default, |told| now.since(told));
        if waited < self.windows.approval {
            return Err(Reported::open(PaymentReport::ActionRequired, self.windows.approval - waited));
        }
        if self.book.draws.declines(&key.order) {
            return Ok(Fact::Declined);
        }
        if !self.book.draws.wavers(&key.order) {
            return Ok(Fact::Captured);
        }
        let end = self.windows.approval.saturating_add(self.windows.late);
        if waited < end {
            let reason = "the bank has not confirmed yet".to_owned();
            return Err(Reported::open(PaymentReport::Declined { last_word: false, reason }, end - waited));
        }
        Ok(if self.book.draws.succeeds_late(&key.order) { Fact::Captured } else { Fact::Declined })
    }
}

fn reserved(open: &Open<'_>, key: &EffectKey) -> bool {
    open.other(key, "authorise").has(&Fact::Authorised)
}

fn taken(open: &Open<'_>, key: &EffectKey) -> bool {
    ["capture", "charge"].iter().any(|step| open.other(key, step).has(&Fact::Captured))
}

fn done_if(possible: bool, fact: Fact) -> Fact {
    if possible { fact } else { Fact::Refused }
}

fn last_word(page: &super::book::Page) -> Option<Fact> {
    let words =
        [Fact::Authorised, Fact::Declined, Fact::Captured, Fact::Voided, Fact::Refunded, Fact::Refused];
    words.into_iter().find(|fact| page.has(fact))
}

fn report(key: &EffectKey, fact: &Fact) -> PaymentReport {
    let reference = format!("sim-{key}");
    match fact {
        Fact::Authorised => PaymentReport::Authorised { reference },
        Fact::Captured => PaymentReport::Captured { reference },
        Fact::Voided => PaymentReport::Voided { reference },
        Fact::Refunded => PaymentReport::Refunded { reference },
        Fact::Declined => PaymentReport::Declined { last_word: true, reason: "the bank declined".to_owned() },
        Fact::Refused
        | Fact::Told
        | Fact::Repeated
        | Fact::Booked
        | Fact::Dispatched
        | Fact::Delivered
        | Fact::Cancelled
        | Fact::TooLate
        | Fact::Mailed
        | Fact::Unmailed => PaymentReport::Refused { reason: "there is nothing to do this to".to_owned() },
    }
}

#[async_trait]
impl Port for SimulatedProvider {
    type Request = PaymentRequest;
    type Report = PaymentReport;

    fn repeats(&self) -> Repeats {
        Repeats::Deduplicated
    }

    fn at_once(&self) -> usize {
        64
    }

    async fn tell(
        &self,
        key: &EffectKey,
        request: &PaymentRequest,
    ) -> Result<Reported<PaymentReport>, NoAnswer> {
        let mut open = self.book.lock()?;
        open.tell(key)?;
        // It did the work, and the answer is lost on the way: that is what a time-out is.
        let answer = self.answer(&mut open, key, request)?;
        open.hang(key)?;
        Ok(answer)
    }

    async fn ask(
        &self,
        key: &EffectKey,
        request: &PaymentRequest,
    ) -> Result<Option<Reported<PaymentReport>>, NoAnswer> {
        let mut open = self.book.lock()?;
        if open.page(key).told().is_none() {
            return Ok(None);
        }
        open.hang(key)?;
        self.answer(&mut open, key, request).map(Some)
    }
}
