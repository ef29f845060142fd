//! Each broker that was built in: a batch published and confirmed, and read and acked, through the port and by its bare client.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use oms_benches::{
    Fault,
    wire::{Act, BATCH, Contest, Port, Road, Shape, Wire, measure},
};
use oms_servers::{Kind, Server};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::runtime::Runtime;

const SHAPES: [Shape; 2] = [Shape { bytes: 256, lanes: 1 }, Shape { bytes: 1_024, lanes: 8 }];

/// Measures one wire; a road is empty again after each journey.
fn wire(
    bench: &mut Criterion,
    runtime: &Runtime,
    contest: &Contest,
    name: &str,
    wire: &Arc<dyn Wire>,
) -> Result<(), Fault> {
    for shape in SHAPES {
        let road = Road::new(&format!("criterion-{}-{}", name.replace(' ', "-"), shape.bytes), shape);
        runtime.block_on(contest.ours.declare(&road.topology())).map_err(Fault::measured)?;
        let mut group =
            bench.benchmark_group(format!("{}, {} B, lanes: {}", contest.broker, shape.bytes, shape.lanes));
        group.throughput(Throughput::Elements(BATCH as u64));
        for (act, what) in [(Act::Publish, "publish"), (Act::Consume, "consume"), (Act::Both, "end to end")] {
            group.bench_function(format!("{what}, {name}"), |run| {
                run.iter_custom(|times| {
                    let journey = |_| runtime.block_on(measure(wire, &road, act, BATCH));
                    let all: Result<Duration, Fault> =
                        (0..times).map(journey).map(|journey| journey.map(|one| one.times.wall)).sum();
                    all.unwrap_or_else(|fault| stop(&fault))
                });
            });
        }
        group.finish();
    }
    Ok(())
}

fn stop(fault: &Fault) -> ! {
    eprintln!("error: {fault}");
    std::process::exit(1)
}

fn broker(bench: &mut Criterion, url: &str) -> Result<(), Fault> {
    let runtime = Runtime::new().map_err(Fault::measured)?;
    let contest = runtime.block_on(Contest::open(url))?;
    let port: Arc<dyn Wire> = Arc::new(Port(Arc::clone(&contest.ours)));
    wire(bench, &runtime, &contest, "the port", &port)?;
    contest.bare.iter().try_for_each(|bare| wire(bench, &runtime, &contest, "the bare client", bare))
}

fn brokers(bench: &mut Criterion) -> Result<(), Fault> {
    broker(bench, "memory://")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
    let kinds = [
        (Kind::Kafka, cfg!(feature = "kafka")),
        (Kind::Nats, cfg!(feature = "nats")),
        (Kind::RabbitMq, cfg!(feature = "rabbitmq")),
    ];
    for (kind, built_in) in kinds {
        if !built_in {
            let name = kind.name();
            eprintln!(
                "{kind} is left out; `cargo bench --package oms-benches --features {name}` installs, starts and measures it"
            );
            continue;
        }
        let server = Server::start(kind, &root, &mut |line| eprintln!("{line}")).map_err(Fault::measured)?;
        broker(bench, &server.url())?;
    }
    Ok(())
}

fn all(bench: &mut Criterion) {
    brokers(bench).unwrap_or_else(|fault| stop(&fault));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = all
}
criterion_main!(benches);
