//! What librdkafka's threads say beside their answers: broken connections, refused logins, its own log.

use crate::errors::advice;
use rdkafka::{
    config::RDKafkaLogLevel as Level,
    error::{KafkaError, RDKafkaErrorCode as Code},
};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Notify;

/// What all clients of one connection have said.
#[derive(Default)]
pub(crate) struct Notices {
    refusal: Mutex<Option<String>>,
    last: Mutex<Option<String>>,
    breaks: AtomicU64,
    news: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Notices {
    /// How often anything broke so far; what was learned before a break may be wrong after it.
    pub(crate) fn breaks(&self) -> u64 {
        self.breaks.load(Ordering::Acquire)
    }

    /// Makes everybody doubt what they know of the brokers.
    pub(crate) fn doubt(&self) {
        self.breaks.fetch_add(1, Ordering::AcqRel);
    }

    /// Why the brokers will never let us in, if they said so since [`Notices::forget`].
    pub(crate) fn refusal(&self) -> Option<String> {
        lock(&self.refusal).clone()
    }

    /// What broke last, for people.
    pub(crate) fn last(&self) -> Option<String> {
        lock(&self.last).clone()
    }

    /// A broker has answered: what was said before is over.
    pub(crate) fn forget(&self) {
        *lock(&self.refusal) = None;
    }

    /// Waits until the brokers refuse us.
    pub(crate) async fn refused(&self) -> String {
        loop {
            let news = self.news.notified();
            if let Some(why) = self.refusal() {
                return why;
            }
            news.await;
        }
    }

    fn hear(&self, code: Code, reason: &str) {
        tracing::warn!(%code, reason, "a connection to kafka broke");
        // That all are down says less than why the last of them is.
        if code != Code::AllBrokersDown {
            *lock(&self.last) = Some(reason.to_owned());
        }
        let refusal = match code {
            // A handshake that was cut off is an outage; anything else about certificates is for good.
            Code::SSL if !reason.contains("Disconnected") && !reason.contains("reset") => {
                Some("check the certificate authority, and that the port speaks TLS")
            }
            // The broker's own word in a handshake of ours.
            Code::BrokerTransportFailure if reason.contains("SSL alert") => {
                Some("show a certificate that the broker believes")
            }
            other => advice(other),
        };
        if let Some(advice) = refusal {
            *lock(&self.refusal) = Some(format!("{reason}; {advice}"));
            self.news.notify_waiters();
        }
        self.doubt();
    }
}

impl Notices {
    /// Passes librdkafka's log on; true when it says that a connection broke, which is not always reported as an error.
    pub(crate) fn log(&self, level: Level, facility: &str, text: &str) -> bool {
        let broke = facility == "FAIL";
        if broke {
            *lock(&self.last) = Some(text.to_owned());
            self.doubt();
        }
        match level {
            Level::Emerg | Level::Alert | Level::Critical | Level::Error | Level::Warning => {
                tracing::debug!(facility, "{text}");
            }
            Level::Notice | Level::Info | Level::Debug => tracing::trace!(facility, "{text}"),
        }
        broke
    }

    /// Takes an error as clients report it; the end of a partition is none.
    pub(crate) fn take(&self, error: &KafkaError, reason: &str) -> bool {
        match error.rdkafka_error_code() {
            Some(Code::PartitionEOF) | None => false,
            Some(code) => {
                self.hear(code, reason);
                true
            }
        }
    }
}
