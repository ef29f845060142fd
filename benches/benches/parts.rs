//! The small parts: a pack through the codec, one turn, one order alone in the house.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use oms_benches::{
    Fault,
    house::{Basket, House, Keep, Plan},
    load::place,
};
use oms_core::{
    event::{Wire as _, inventory::AdjustStock, order::OrderEvent},
    id::{MessageId, Name, Sku},
    message::{Codec, Envelope, GroupLane, Json, Key, Message, PackId},
};
use std::{hint::black_box, sync::Arc, time::Duration};
use tokio::runtime::Runtime;

/// A full pack, as the relay sends it.
const MESSAGES: usize = 100;

fn pack() -> Result<(PackId, Vec<Message>), Fault> {
    let message = |number: usize| {
        let placed =
            Basket::Plain.order(number)?.accept("bench", &number.to_string()).map_err(Fault::measured)?;
        let key = Key::new(placed.order.name());
        let event = OrderEvent::OrderPlaced(Arc::new(placed));
        let envelope = Envelope {
            id: MessageId(number as u128),
            cause: MessageId(0),
            correlation: Name::clone(key.text()),
            topic: Name::from("order.placed"),
            key,
            kind: Name::from(event.kind()),
            schema: OrderEvent::SCHEMA,
            time: Default::default(),
            trace: None,
        };
        Ok(Message { envelope, body: event.encode().map_err(Fault::measured)? })
    };
    let id = PackId { sender: GroupLane::new("order", 0), position: 1 };
    Ok((id, (0..MESSAGES).map(message).collect::<Result<_, Fault>>()?))
}

fn codec(bench: &mut Criterion) -> Result<(), Fault> {
    let (id, messages) = pack()?;
    let bytes = Json.encode(&id, &messages).map_err(Fault::measured)?;
    let mut group = bench.benchmark_group("codec");
    group.throughput(Throughput::Elements(MESSAGES as u64));
    group.bench_function("encode a pack of 100", |run| run.iter(|| Json.encode(black_box(&id), &messages)));
    group.bench_function("decode a pack of 100", |run| run.iter(|| Json.decode(black_box(&bytes))));
    group.finish();
    Ok(())
}

fn turn(bench: &mut Criterion, runtime: &Runtime, house: &House) -> Result<(), Fault> {
    let sku = Sku::new("TURN").map_err(Fault::measured)?;
    let mut number = 0_u64;
    let mut change = || {
        number += 1;
        let reference = Name::from(number.to_string());
        AdjustStock { sku: sku.clone(), delta: 1, reference, reason: "received".to_owned() }
    };
    bench.bench_function("one turn on memory", |run| {
        let turn = |change| runtime.block_on(house.oms.adjust_stock(change));
        run.iter_batched(&mut change, turn, BatchSize::SmallInput);
    });
    Ok(())
}

fn order(bench: &mut Criterion, runtime: &Runtime, house: &House) {
    let mut number = 0;
    bench.bench_function("placed to completed, one in flight, on memory", |run| {
        let next = || {
            number += 1;
            number
        };
        let order = |number| runtime.block_on(place(house, Basket::Plain, number..number + 1, 1));
        run.iter_batched(next, order, BatchSize::SmallInput);
    });
}

fn parts(bench: &mut Criterion) -> Result<(), Fault> {
    codec(bench)?;
    let runtime = Runtime::new().map_err(Fault::measured)?;
    let house = runtime.block_on(async {
        let house = House::open(&Plan { times: false, ..Plan::over(Keep::Memory) }).await?;
        house.stock().await?;
        Ok::<_, Fault>(house)
    })?;
    turn(bench, &runtime, &house)?;
    order(bench, &runtime, &house);
    runtime.block_on(house.close());
    Ok(())
}

fn all(bench: &mut Criterion) {
    if let Err(fault) = parts(bench) {
        eprintln!("error: {fault}");
        std::process::exit(1);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = all
}
criterion_main!(benches);
