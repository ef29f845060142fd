//! Settlement: acked is gone, everything else comes again, and nobody settles what is not theirs.

use super::{
    super::report::{Finding, ensure},
    check::{BrokerCheck, check},
    harness::Harness,
    scene::{ONE, Scene, bytes, same, texts},
};
use crate::broker::{Settlement, Stale, Token};

pub(super) fn checks() -> Vec<BrokerCheck> {
    vec![
        check!("S1", "a release is delivered again", [], release),
        check!("S2", "settled in any order, never past one in flight", [], out_of_order),
        check!("S3", "a long turn keeps its deliveries", [], long_turn),
        check!("S4", "a settlement after the subscription was lost is stale", [Wipe], lost),
        check!("S5", "a second settlement is stale", [], twice),
        check!("S6", "after a flush a kill brings back none of what was settled", [], flushed),
        check!("S7", "dropped unsettled is released", [], dropped),
    ]
}

async fn release(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..3).await?;
    let mut reader = scene.reader().await?;
    for _ in 0..5 {
        let held = reader.gather(3).await?;
        reader.settle(held, Settlement::Release)?;
        reader.consumer.flush().await?;
    }
    let mut read = reader.read_some(3).await?;
    read.sort();
    same(&read, &texts(0..3))
}

async fn out_of_order(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..6).await?;
    let mut reader = scene.reader().await?;
    let mut held = reader.gather(6).await?;
    held.reverse();
    let first = held.pop();
    reader.settle(held, Settlement::Ack)?;
    reader.consumer.flush().await?;
    drop(first);
    harness.kill(reader.consumer).await;
    let read = scene.reader().await?.read_some(1).await?;
    same(&read, &texts([0]))
}

async fn long_turn(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..3).await?;
    let mut reader = scene.reader().await?;
    let held = reader.hold().await?;
    same(&bytes(&held), &texts(0..3))?;
    harness.clock().sleep(harness.long_turn()).await;
    reader.quiet().await?;
    reader.settle(held, Settlement::Ack)?;
    reader.consumer.flush().await?;
    reader.consumer.close().await?;
    same(&scene.reader().await?.read().await?, &[])
}

async fn lost(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered([1]).await?;
    let mut reader = scene.reader().await?;
    let held = reader.gather(1).await?;
    harness.wipe().await?;
    scene.broker.declare(&scene.topology).await?;
    scene.send_numbered([2]).await?;
    for delivery in held {
        // Stale where the broker can know it; harmless elsewhere, which the reader below sees.
        match reader.consumer.settle(delivery.token, Settlement::Ack) {
            Ok(()) | Err(Stale) => {}
        }
    }
    let flushed = reader.consumer.flush().await;
    ensure(flushed.is_err(), || "a lost subscription was flushed as if nothing had happened")?;
    drop(reader);
    same(&scene.reader().await?.read().await?, &texts([2]))
}

async fn twice(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..2).await?;
    let mut reader = scene.reader().await?;
    for (delivery, first) in reader.gather(2).await?.into_iter().zip([Settlement::Ack, Settlement::Release]) {
        let again = Token::new(delivery.token.number());
        reader.consumer.settle(delivery.token, first)?;
        let second = reader.consumer.settle(again, Settlement::Ack);
        ensure(second == Err(Stale), || format!("a second settlement after {first:?} was taken"))?;
    }
    same(&reader.read_some(1).await?, &texts([1]))
}

async fn flushed(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..10).await?;
    let mut reader = scene.reader().await?;
    let held = reader.gather(10).await?;
    reader.settle(held, Settlement::Ack)?;
    reader.consumer.flush().await?;
    harness.kill(reader.consumer).await;
    let mut next = scene.reader().await?;
    same(&next.read().await?, &[])?;
    next.quiet().await
}

async fn dropped(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..5).await?;
    let mut reader = scene.reader().await?;
    let mut held = reader.gather(4).await?;
    let acked = held.drain(1..2).collect();
    reader.settle(acked, Settlement::Ack)?;
    reader.consumer.flush().await?;
    drop(held);
    drop(reader);
    let mut read = scene.reader().await?.read_some(4).await?;
    read.sort();
    same(&read, &texts([0, 2, 3, 4]))
}
