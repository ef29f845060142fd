//! Runs the broker suite against the in-process broker, and against the same broker with planted faults.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod planted;
mod wire;

use async_trait::async_trait;
use oms_core::{
    broker::{Broker, BrokerError, Consumer, MemoryBroker, MemoryLimits},
    clock::Clock,
    conformance::{
        Failure, Report, Stage, Verdict, VirtualClock,
        broker::{End, Harness, Need, Weather, run},
    },
};
use planted::Fault;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use wire::Sky;

const LIMITS: MemoryLimits = MemoryLimits { pack: 64 << 10, lane: 256 << 10, total: 1 << 20 };

/// The broker under test, sound or with a planted fault.
struct InProcess {
    broker: MemoryBroker,
    clock: VirtualClock,
    fault: Option<Fault>,
    names: AtomicU64,
    sky: Arc<Sky>,
    forgot: Arc<AtomicBool>,
}

impl InProcess {
    fn new(stage: &Stage, fault: Option<Fault>) -> Self {
        let broker = MemoryBroker::new(LIMITS);
        let sky = Sky::new(fault, Arc::new(stage.clock()));
        Self { broker, clock: stage.clock(), fault, names: AtomicU64::new(0), sky, forgot: Arc::default() }
    }
}

#[async_trait]
impl Harness for InProcess {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock.clone())
    }

    fn unique(&self) -> String {
        // The check before has ended, and what it left would fill this small broker.
        self.broker.wipe();
        format!("t{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    async fn connect(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        let broker = Arc::new(self.broker.another());
        Ok(match self.fault {
            Some(fault) => Arc::new(planted::Faulty::new(broker, fault, Arc::clone(&self.forgot))),
            None => broker,
        })
    }

    fn absent(&self) -> Vec<Need> {
        Vec::new()
    }

    async fn kill(&self, consumer: Box<dyn Consumer>) {
        drop(consumer);
    }

    async fn wipe(&self) -> Result<(), Failure> {
        self.broker.wipe();
        self.forgot.store(true, Ordering::SeqCst);
        Ok(())
    }

    async fn restart(&self, _: End) -> Result<(), Failure> {
        // It holds nothing but memory.
        self.broker.wipe();
        Ok(())
    }

    async fn pause(&self, stopped: bool) -> Result<(), Failure> {
        self.sky.set(if stopped { Weather::Stall } else { Weather::Clear });
        Ok(())
    }

    async fn afar(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        Ok(self.sky.connect(self.connect().await?))
    }

    async fn weather(&self, weather: Weather) {
        self.sky.set(weather);
    }

    fn wires(&self) -> usize {
        self.sky.live()
    }

    fn lane_bytes(&self) -> usize {
        LIMITS.lane
    }

    fn long_turn(&self) -> Duration {
        Duration::from_secs(3_600)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(7_200)
    }
}

fn report(fault: Option<Fault>) -> Report {
    let stage = Stage::default();
    let harness = InProcess::new(&stage, fault);
    stage.run(run(&harness)).unwrap().unwrap()
}

#[test]
fn the_in_process_broker_passes_every_check() {
    let report = report(None);
    assert!(report.lines.len() >= 52, "{} checks", report.lines.len());
    assert!(report.lines.iter().all(|line| line.verdict == Verdict::Passed), "\n{report}");
}

#[test]
fn every_check_has_an_id_of_its_own() {
    let mut ids: Vec<_> = report(None).lines.iter().map(|line| line.id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn each_planted_fault_is_found_where_it_belongs() {
    for (fault, expected) in planted::FAULTS {
        let report = report(Some(*fault));
        let failed: Vec<_> = report.failed().map(|line| line.id).collect();
        let missed: Vec<_> = expected.iter().filter(|id| !failed.contains(id)).collect();
        if !missed.is_empty() {
            println!("MISSED {missed:?}");
        }
        assert!(missed.is_empty(), "{fault:?} was not seen by {missed:?}, only by {failed:?}");
    }
}

/// A check that no planted fault can fail proves little.
#[test]
fn every_check_is_failed_by_some_planted_fault() {
    let mut never: Vec<_> = report(None).lines.iter().map(|line| line.id).collect();
    for (fault, _) in planted::FAULTS {
        let report = report(Some(*fault));
        never.retain(|id| !report.failed().any(|line| line.id == *id));
    }
    assert_eq!(never, [""; 0], "no planted fault fails these");
}
