//! Packs through the port beside the bare client.

use super::super::{Figure, Scale};
use super::{name::WORKLOAD, server::Served};
use crate::{
    fault::Fault,
    house::Keep,
    load::{Contender, Sample, Series, interleave},
    meter::pressure,
    report::{Bound, Report, Row, Target},
    wire::{Act, Contest, Port, Road, Shape, Wire, measure as travel},
};
use oms_servers::Kind;
use std::{sync::Arc, time::Duration};
use tokio::runtime::Runtime;

const SMALL: usize = 256;
const SHAPES: [Shape; 4] = [
    Shape { bytes: SMALL, lanes: 1 },
    Shape { bytes: SMALL, lanes: 8 },
    Shape { bytes: 1_024, lanes: 1 },
    Shape { bytes: 1_024, lanes: 8 },
];
const ACTS: [(Act, &str); 3] =
    [(Act::Publish, "publish and confirm"), (Act::Consume, "consume and settle"), (Act::Both, "end to end")];
const SINGLES: [(Act, &str); 2] =
    [(Act::OneConfirm, "one pack, to its confirm"), (Act::OneAway, "one pack, until it is read")];
/// What the port should reach of its client's throughput, and add to its time at most, in microseconds.
const OF_THE_CLIENT: f64 = 0.95;
const ADDED: f64 = 5.0;
/// The longest a journey may take.
const LIMIT: Duration = Duration::from_secs(600);

/// Bytes that may wait in a lane of the broker in this process, with room to spare.
const IN_A_LANE: usize = 8 << 20;

/// How many packs a journey has: about a second's worth, or what the broker holds while nobody reads.
fn packs(kind: Option<Kind>, scale: &Scale, shape: Shape) -> usize {
    let held = usize::from(shape.lanes) * IN_A_LANE / shape.bytes;
    match kind {
        None => (scale.orders * 25).min(held),
        Some(Kind::Kafka) => scale.orders * 10,
        Some(Kind::Nats) => scale.orders * 5,
        Some(_) => scale.orders * 5 / 2,
    }
}

/// One broker under measurement.
struct Bench<'a> {
    runtime: Runtime,
    contest: Contest,
    served: &'a Served,
    rounds: usize,
}

pub(super) fn measure(scale: &Scale, served: &Served, report: &mut Report) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(Fault::measured)?;
    let contest = runtime.block_on(Contest::open(&served.url))?;
    let bench = Bench { runtime, contest, served, rounds: scale.rounds };
    for shape in SHAPES {
        let count = packs(served.kind, scale, shape);
        for (act, name) in ACTS {
            let series = bench.run(shape, act, count)?;
            let variant = format!("{name}, {} B, lanes: {}", shape.bytes, shape.lanes);
            report.add(bench.row(&variant, "packs/s", Figure::OrdersPerSecond, &series));
        }
    }
    for (act, name) in SINGLES {
        // One at a time takes a round trip each, and on Kafka a millisecond of lingering.
        let count = (scale.orders / 20).max(5);
        let series = bench.run(SHAPES[0], act, count)?;
        report.add(bench.row(name, "µs p50", Figure::Within(50.0), &series));
    }
    Ok(())
}

impl Bench<'_> {
    /// The port, and the bare client where there is one, in turns.
    fn run(&self, shape: Shape, act: Act, count: usize) -> Result<Vec<Series>, Fault> {
        let port: Arc<dyn Wire> = Arc::new(Port(Arc::clone(&self.contest.ours)));
        let wires = std::iter::once(("the port", port));
        let bare = self.contest.bare.iter().map(|bare| ("the bare client", Arc::clone(bare)));
        let mut contenders = Vec::new();
        for (at, (name, wire)) in wires.chain(bare).enumerate() {
            let road = Road::new(&format!("road-{act:?}-{}-{}-{at}", shape.bytes, shape.lanes), shape);
            let topology = road.topology();
            self.runtime.block_on(self.contest.ours.declare(&topology)).map_err(Fault::measured)?;
            self.journey(&wire, &road, act, (count / 10).max(1))?;
            contenders.push(Contender::new(name, move || self.journey(&wire, &road, act, count)));
        }
        interleave(self.contest.broker, self.rounds, contenders)
    }

    fn journey(&self, wire: &Arc<dyn Wire>, road: &Road, act: Act, count: usize) -> Result<Sample, Fault> {
        let before = self.served.used();
        let journey = self.runtime.block_on(async {
            let stuck =
                |_| Fault::Stuck { what: format!("{act:?} over {}", self.contest.broker), limit: LIMIT };
            tokio::time::timeout(LIMIT, travel(wire, road, act, count)).await.map_err(stuck)?
        })?;
        let server = self.served.used().zip(before).map(|(after, before)| after.saturating_sub(before));
        let (times, seconds) = (journey.times, journey.seconds);
        Ok(Sample { orders: count as u64, times, seconds, server, pressure: pressure(), ..Sample::default() })
    }

    fn row(&self, variant: &str, unit: &'static str, figure: Figure, series: &[Series]) -> Row {
        let Some((ours, bare)) = series.split_first() else { return Row::default() };
        let keep = Keep::Memory;
        let row = match bare.first() {
            Some(bare) => figure.beside(WORKLOAD, variant, &keep, ours, bare),
            None => figure.row(WORKLOAD, variant, &keep, ours),
        };
        let target = bare.first().zip(row.ratio).map(|(bare, ratio)| match figure {
            Figure::Within(_) => {
                let added = row.value - bare.median(|sample| figure.of(sample));
                Target::new(added, Bound::AtMost(ADDED), "µs more than the bare client")
            }
            _ => Target::new(ratio, Bound::AtLeast(OF_THE_CLIENT), "of the bare client"),
        });
        let (broker, durability) = (self.contest.broker, self.contest.confirm);
        Row { broker, store: "none", durability, unit, ..row }.held_against(target)
    }
}
