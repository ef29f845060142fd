//! The one client that publishes: everything of a call at once, in order, in one window.

use crate::{
    batch::{Batch, Report, Reports, Room, Ticket},
    ends::Topic,
    errors::{outcome, sort},
    notices::Notices,
    retire::Retiring,
    settings::Settings,
};
use oms_core::{
    broker::{BrokerError, Publish},
    id::Name,
    message::Pack,
};
use rdkafka::{
    config::FromClientConfigAndContext,
    error::{KafkaError, RDKafkaErrorCode as Code},
    producer::{BaseRecord, Producer, ThreadedProducer},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// The client itself; closed elsewhere.
pub(crate) type Live = Retiring<ThreadedProducer<Reports>>;

/// How much longer than the client's own time-out a report is waited for.
const GRACE: Duration = Duration::from_millis(500);

pub(crate) struct Publisher {
    settings: Settings,
    notices: Arc<Notices>,
    room: Arc<Room>,
    live: Mutex<Arc<Live>>,
}

/// Where a pack goes, or why it goes nowhere.
pub(crate) type Route = Result<Arc<Topic>, Name>;

fn start(settings: &Settings, notices: &Arc<Notices>, room: &Arc<Room>) -> Result<Arc<Live>, BrokerError> {
    let reports = Reports { notices: Arc::clone(notices), room: Arc::clone(room) };
    let started = ThreadedProducer::from_config_and_context(&settings.producer(), reports);
    started.map(|producer| Arc::new(Retiring::new(producer))).map_err(|error| sort(&error, "connecting"))
}

impl Publisher {
    pub(crate) fn open(settings: &Settings, notices: &Arc<Notices>) -> Result<Self, BrokerError> {
        let room = Arc::default();
        let live = Mutex::new(start(settings, notices, &room)?);
        Ok(Self { settings: settings.clone(), notices: Arc::clone(notices), room, live })
    }

    pub(crate) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Publishes each pack along its route, and waits for all answers.
    pub(crate) async fn publish(&self, packs: &[Pack], routes: &[Route]) -> Vec<Publish> {
        let live = self.live();
        let batch = Batch::new(packs.len());
        let mut refusals: Vec<Option<Code>> = vec![None; packs.len()];
        let until = Instant::now() + self.settings.timeout + GRACE;
        for (place, (pack, route)) in packs.iter().zip(routes).enumerate() {
            if let Ok(topic) = route {
                refusals[place] = self.send(&live, pack, topic, &batch, place, until).await.err();
            }
            if route.is_err() || refusals[place].is_some() {
                batch.report(place, None);
            }
        }
        let _ = timeout_at(Instant::now() + self.settings.timeout + GRACE, batch.done()).await;
        let reports = batch.reports();
        self.look_after(&live, &reports);
        let answers = packs.iter().zip(routes).zip(reports).zip(refusals);
        answers.map(|(((pack, route), report), refusal)| answer(pack, route, report, refusal)).collect()
    }

    /// Hands one pack to the client; waits while its window is full.
    async fn send(
        &self,
        live: &Live,
        pack: &Pack,
        topic: &Topic,
        batch: &Arc<Batch>,
        place: usize,
        until: Instant,
    ) -> Result<(), Code> {
        let producer = live.get().ok_or(Code::PurgeQueue)?;
        let mut ticket = Box::new(Ticket { batch: Arc::clone(batch), place });
        loop {
            let record = BaseRecord::<(), [u8], _>::with_opaque_to(&topic.wire, ticket)
                .partition(i32::from(pack.lane))
                .payload(&pack.bytes);
            let (error, record) = match producer.send(record) {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            match error.rdkafka_error_code() {
                Some(Code::QueueFull) if Instant::now() < until => ticket = record.delivery_opaque,
                code => return Err(code.unwrap_or(Code::InvalidTopic)),
            }
            self.room.wait().await;
        }
    }

    /// A producer that has failed for good is replaced; one that met an unknown topic doubts what it knows.
    fn look_after(&self, live: &Arc<Live>, reports: &[Option<Report>]) {
        let failed = |wanted: &[Code]| {
            reports.iter().flatten().any(|report| report.is_err_and(|code| wanted.contains(&code)))
        };
        if failed(&[Code::UnknownTopic, Code::UnknownPartition, Code::UnknownTopicOrPartition]) {
            self.notices.doubt();
        }
        let errors = reports.iter().flatten().any(Result::is_err);
        let fatal = errors && live.get().is_some_and(|producer| producer.client().fatal_error().is_some());
        if !fatal {
            return;
        }
        tracing::warn!("the kafka producer has failed for good; another takes its place");
        match start(&self.settings, &self.notices, &self.room) {
            Ok(fresh) => {
                let mut current = self.live.lock().unwrap_or_else(PoisonError::into_inner);
                if Arc::ptr_eq(&current, live) {
                    *current = fresh;
                }
            }
            Err(error) => tracing::warn!(%error, "no other producer can be made; it is tried again"),
        }
    }

    /// Waits, at most `drain`, until the client has a report for every pack. Blocks.
    pub(crate) fn flush(&self, drain: Duration) -> Result<(), KafkaError> {
        let live = self.live();
        live.get().map_or(Ok(()), |producer| producer.flush(drain))
    }
}

fn answer(pack: &Pack, route: &Route, report: Option<Report>, refusal: Option<Code>) -> Publish {
    match (route, report, refusal) {
        (Err(why), _, _) => Publish::Rejected { for_good: true, why: Name::clone(why) },
        (Ok(_), _, Some(code)) | (Ok(_), Some(Err(code)), None) => outcome(code),
        (Ok(topic), Some(Ok(offset)), None) => {
            topic.confirmed(pack.lane, offset);
            Publish::Confirmed
        }
        (Ok(_), None, None) => Publish::Unknown,
    }
}
