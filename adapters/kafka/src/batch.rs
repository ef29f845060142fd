//! What becomes of the packs of one publish: one answer each, whoever still waits for them.

use rdkafka::{
    ClientContext, Message,
    config::RDKafkaLogLevel as Level,
    error::{KafkaError, RDKafkaErrorCode as Code},
    producer::{DeliveryResult, ProducerContext},
};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::Notify;

use crate::notices::Notices;

/// What the client reports of one pack: its offset, or why it has none.
pub(crate) type Report = Result<i64, Code>;

/// The packs of one publish.
pub(crate) struct Batch {
    reports: Mutex<Vec<Option<Report>>>,
    left: AtomicUsize,
    done: Notify,
}

impl Batch {
    pub(crate) fn new(count: usize) -> Arc<Self> {
        let reports = Mutex::new(vec![None; count]);
        Arc::new(Self { reports, left: AtomicUsize::new(count), done: Notify::new() })
    }

    /// Notes one pack's fate; the last one wakes whoever waits.
    pub(crate) fn report(&self, place: usize, report: Option<Report>) {
        if let Some(slot) = self.reports.lock().unwrap_or_else(PoisonError::into_inner).get_mut(place) {
            *slot = report;
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.done.notify_one();
        }
    }

    /// Waits until every pack has its report.
    pub(crate) async fn done(&self) {
        while self.left.load(Ordering::Acquire) > 0 {
            self.done.notified().await;
        }
    }

    /// What was reported so far.
    pub(crate) fn reports(&self) -> Vec<Option<Report>> {
        std::mem::take(&mut *self.reports.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Travels with a pack through the client, and comes back with its report.
pub(crate) struct Ticket {
    pub(crate) batch: Arc<Batch>,
    pub(crate) place: usize,
}

/// Takes the client's reports, on its polling thread.
pub(crate) struct Reports {
    pub(crate) notices: Arc<Notices>,
    /// Whoever found the window full waits here.
    pub(crate) room: Arc<Room>,
}

/// Says when a full window has room again.
#[derive(Default)]
pub(crate) struct Room {
    waiting: AtomicUsize,
    news: Notify,
}

impl Room {
    /// Waits for a report, or a little while.
    pub(crate) async fn wait(&self) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(20), self.news.notified()).await;
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    fn made(&self) {
        if self.waiting.load(Ordering::Acquire) > 0 {
            self.news.notify_waiters();
        }
    }
}

impl ClientContext for Reports {
    fn log(&self, level: Level, facility: &str, text: &str) {
        self.notices.log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.notices.take(&error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        let report = match result {
            Ok(message) => Some(Ok(message.offset())),
            Err((error, _)) => error.rdkafka_error_code().map(Err),
        };
        ticket.batch.report(ticket.place, report);
        self.room.made();
    }
}
