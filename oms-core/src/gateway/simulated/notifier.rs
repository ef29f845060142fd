//! A simulated notifier: writes each notice into its journal, once.

use super::{
    Draws,
    book::{Book, Open},
};
use crate::{
    clock::Clock,
    gateway::{
        EffectKey, NoAnswer, Port, Repeats, Reported,
        journal::{Fact, Journal, JournalError, Ledger},
        notifier::{NotifierReport, NotifierRequest},
    },
};
use async_trait::async_trait;
use std::sync::Arc;

/// Sends each notice once for its key, or never.
pub struct SimulatedNotifier {
    book: Book,
}

impl SimulatedNotifier {
    /// Opens the notifier over its journal.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub fn open(
        draws: Draws,
        clock: Arc<dyn Clock>,
        journal: Arc<dyn Journal>,
    ) -> Result<Self, JournalError> {
        Ok(Self { book: Book::open("notifier", draws, clock, journal)? })
    }

    /// What it did so far.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub fn ledger(&self) -> Result<Ledger, JournalError> {
        self.book.ledger()
    }

    fn answer(&self, open: &mut Open<'_>, key: &EffectKey) -> Result<Reported<NotifierReport>, NoAnswer> {
        let page = open.page(key);
        let lost = self.book.draws.loses_mail(&key.order, &key.step);
        if !page.has(&Fact::Mailed) && !page.has(&Fact::Unmailed) {
            open.write(&[(key, if lost { Fact::Unmailed } else { Fact::Mailed })], None)?;
        }
        if open.page(key).has(&Fact::Mailed) {
            return Ok(Reported::settled(NotifierReport::Sent));
        }
        Ok(Reported::settled(NotifierReport::Failed { reason: "the mailbox does not exist".to_owned() }))
    }
}

#[async_trait]
impl Port for SimulatedNotifier {
    type Request = NotifierRequest;
    type Report = NotifierReport;

    fn repeats(&self) -> Repeats {
        Repeats::Deduplicated
    }

    fn at_once(&self) -> usize {
        64
    }

    async fn tell(&self, key: &EffectKey, _: &NotifierRequest) -> Result<Reported<NotifierReport>, NoAnswer> {
        let mut open = self.book.lock()?;
        open.tell(key)?;
        let answer = self.answer(&mut open, key)?;
        open.hang(key)?;
        Ok(answer)
    }

    async fn ask(
        &self,
        key: &EffectKey,
        _: &NotifierRequest,
    ) -> Result<Option<Reported<NotifierReport>>, NoAnswer> {
        let mut open = self.book.lock()?;
        if open.page(key).told().is_none() {
            return Ok(None);
        }
        open.hang(key)?;
        self.answer(&mut open, key).map(Some)
    }
}
