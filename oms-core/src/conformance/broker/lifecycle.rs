//! Lifecycle: closing loses nothing, dropping is safe anywhere, declaring again changes nothing.

use super::{
    super::report::{Finding, ensure},
    check::{BrokerCheck, check},
    harness::Harness,
    scene::{ONE, Scene, WIDE, bytes, only, same, texts},
};
use crate::broker::{BrokerError, Settlement, Topology};
use futures::{future::join, poll};

pub(super) fn checks() -> Vec<BrokerCheck> {
    vec![
        check!("L1", "a shutdown loses no confirmed pack, and further calls say closed", [], shutdown),
        check!("L2", "a close settles what was settled, and counts what it releases", [], close),
        check!("L3", "what a close released is delivered again, none of it settled", [], released),
        check!("L4", "two shutdowns at once both end", [], two_shutdowns),
        check!(
            "L5",
            "a wait for a batch may be dropped anywhere: nothing is lost or doubled",
            [],
            dropped_waits
        ),
        check!("L6", "a hundred readers come and go, and leave nothing behind", [], come_and_go),
        check!("L7", "the same topology declared again changes nothing", [], declared_again),
        check!("L7d", "a different topology is refused, and nothing is changed", [], declared_differently),
        check!("L7p", "a part of the topology declared takes nothing away", [], declared_in_part),
    ]
}

fn closed<T>(answer: Result<T, BrokerError>) -> bool {
    matches!(answer, Err(BrokerError::Closed { .. }))
}

async fn shutdown(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let other = harness.connect().await?;
    scene.send_numbered(0..10).await?;
    scene.broker.shutdown(harness.patience()).await?;
    let lane = scene.lane("payment", 0);
    let all_closed = closed(scene.broker.publish(scene.numbered([10])).await)
        && closed(scene.broker.declare(&scene.topology).await)
        && closed(scene.broker.subscribe(&lane, WIDE).await)
        && closed(scene.broker.lag(&lane).await)
        && closed(scene.broker.probe().await);
    ensure(all_closed, || "a call after the shutdown did not say closed")?;
    let scene = scene.over(other);
    same(&scene.reader().await?.read().await?, &texts(0..10))
}

async fn close(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..10).await?;
    let mut reader = scene.reader().await?;
    let mut held = reader.gather(7).await?;
    let acked = held.drain(..4).collect();
    reader.settle(acked, Settlement::Ack)?;
    let released = reader.consumer.close().await?;
    ensure(released == 3, || format!("3 were unsettled, and it says {released}"))
}

async fn released(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..4).await?;
    let mut reader = scene.reader().await?;
    let held = reader.gather(4).await?;
    reader.consumer.close().await?;
    drop(held);
    let mut next = scene.reader().await?;
    let mut read = next.read_some(4).await?;
    read.sort();
    same(&read, &texts(0..4))?;
    same(&next.read().await?, &[])
}

async fn two_shutdowns(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let drain = harness.patience();
    let (one, two) = join(scene.broker.shutdown(drain), scene.broker.shutdown(drain)).await;
    let fine = |answer: &Result<(), BrokerError>| matches!(answer, Ok(()) | Err(BrokerError::Closed { .. }));
    ensure(fine(&one) && fine(&two) && (one.is_ok() || two.is_ok()), || format!("{one:?} and {two:?}"))
}

async fn dropped_waits(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let mut reader = scene.reader().await?;
    let mut read = Vec::new();
    for number in 0..20 {
        let taken = match poll!(reader.consumer.next_batch(only(2))) {
            std::task::Poll::Ready(batch) => batch?.deliveries,
            std::task::Poll::Pending => Vec::new(),
        };
        read.extend(bytes(&taken));
        reader.settle(taken, Settlement::Ack)?;
        scene.send_numbered([number]).await?;
    }
    let rest = reader.read_some(20_usize.saturating_sub(read.len())).await?;
    read.extend(rest);
    same(&read, &texts(0..20))?;
    same(&reader.read().await?, &[])
}

async fn come_and_go(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..3).await?;
    for round in 0..100 {
        let broker = harness.connect().await?;
        let scene = scene.over(broker);
        let mut reader = scene.reader().await?;
        let held = reader.gather(1 + round % 3).await?;
        drop(held);
        // Half of them leave a connection that stays open.
        if round % 2 == 0 {
            drop(reader);
        } else {
            reader.consumer.close().await?;
            scene.broker.shutdown(harness.patience()).await?;
        }
    }
    let mut read = scene.reader().await?.read_some(3).await?;
    read.sort();
    same(&read, &texts(0..3))
}

async fn declared_again(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 2, ONE).await?;
    scene.send_numbered([1]).await?;
    let mut reader = scene.reader().await?;
    for _ in 0..3 {
        scene.broker.declare(&scene.topology).await?;
        harness.connect().await?.declare(&scene.topology).await?;
    }
    scene.send_numbered([2]).await?;
    same(&reader.read_some(2).await?, &texts([1, 2]))
}

async fn declared_differently(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 2, ONE).await?;
    let mut different = Topology { lanes: 3, ..scene.topology.clone() };
    different.hears.insert(scene.name("shipping"), [scene.name("order")].into());
    let why = match scene.broker.declare(&different).await {
        Err(BrokerError::Refused { why, .. }) => why,
        other => return ensure(false, || format!("three lanes instead of two: {other:?}")),
    };
    let listed = why.contains(&*scene.name("order")) || why.contains(&*scene.name("payment"));
    ensure(listed, || format!("the refusal does not say what differs: {why}"))?;
    let added = scene.broker.subscribe(&scene.lane("shipping", 0), WIDE).await.is_ok();
    ensure(!added, || "a refused topology was declared by half")?;
    scene.send_numbered([1]).await?;
    same(&scene.reader().await?.read().await?, &texts([1]))
}

async fn declared_in_part(harness: &dyn Harness) -> Finding {
    let hears: &[(&str, &[&str])] = &[("payment", &["order", "stock"]), ("shipping", &["order"])];
    let scene = Scene::open(harness, 1, hears).await?;
    let mut part = scene.topology.clone();
    part.hears.remove(&scene.name("shipping"));
    part.hears.insert(scene.name("payment"), [scene.name("stock")].into());
    scene.broker.declare(&part).await?;
    scene.send_numbered([1]).await?;
    same(&scene.reader().await?.read().await?, &texts([1]))?;
    same(&scene.join("shipping", 0, WIDE).await?.read().await?, &texts([1]))
}
