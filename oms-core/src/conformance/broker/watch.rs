//! Observability: lag, probe and capabilities say what is.

use super::{
    super::report::{Finding, ensure},
    check::{BrokerCheck, check},
    harness::Harness,
    scene::{ONE, Scene, only},
};
use crate::{
    broker::Settlement,
    clock::Timestamp,
    id::{MessageId, Name},
    message::{Codec, Envelope, Json, Key, Message},
};
use bytes::Bytes;

pub(super) fn checks() -> Vec<BrokerCheck> {
    vec![
        check!("M1", "what a message says of its trace and its cause comes with it", [], trace),
        check!("M2", "the lag goes down by what is acked, and by nothing else", [ExactLag], lag_follows),
        check!("M3", "the lag is the truth, for each lane", [ExactLag], lag_exact),
        check!("M3i", "the lag of a quiet lane is zero, and of a waiting one is not", [], lag_at_all),
        check!("M4", "a probe of a broker that works is well", [], probe),
        check!("M5", "capabilities never change, and are the same for each connection", [], capabilities),
    ]
}

async fn trace(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let envelope = Envelope {
        id: MessageId(7),
        cause: MessageId(6),
        correlation: Name::from("order-1"),
        topic: scene.name("order"),
        key: Key::new(Name::from("order-1")),
        kind: Name::from("OrderPlaced"),
        schema: 1,
        time: Timestamp(5),
        trace: Some(Name::from("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")),
    };
    let sent = Message { envelope, body: Bytes::from_static(b"{}") };
    let mut pack = scene.pack("order", 0, 1, "");
    pack.bytes = Json.encode(&pack.id, std::slice::from_ref(&sent))?;
    scene.send(vec![pack]).await?;
    let read = scene.reader().await?.read_some(1).await?;
    let whole = read.first().cloned().unwrap_or_default();
    let (_, came) = Json.decode(&whole)?;
    ensure(came == [sent], || format!("it came as {came:?}"))
}

async fn lag_is(scene: &Scene<'_>, expected: u64) -> Finding {
    let lag = scene.lag().await?;
    ensure(lag == expected, || format!("the lag is {expected}, and it says {lag}"))
}

async fn lag_follows(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..10).await?;
    let mut reader = scene.reader().await?;
    let mut held = reader.gather(6).await?;
    lag_is(&scene, 10).await?;
    let acked = held.drain(..4).collect();
    reader.settle(acked, Settlement::Ack)?;
    reader.consumer.flush().await?;
    lag_is(&scene, 6).await?;
    reader.settle(held, Settlement::Release)?;
    reader.consumer.flush().await?;
    lag_is(&scene, 6).await?;
    reader.consumer.close().await?;
    lag_is(&scene, 6).await
}

async fn lag_exact(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 3, ONE).await?;
    let lanes = [0, 1, 1, 2, 2, 2];
    let packs = lanes.iter().zip(0..).map(|(lane, at)| scene.pack("order", *lane, at, "x"));
    scene.send(packs.collect()).await?;
    for lane in 0..3 {
        let lag = scene.broker.lag(&scene.lane("payment", lane)).await?;
        ensure(lag == u64::from(lane) + 1, || format!("lane {lane} has {} packs, and says {lag}", lane + 1))?;
    }
    Ok(())
}

async fn lag_at_all(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    lag_is(&scene, 0).await?;
    scene.send_numbered(0..5).await?;
    ensure(scene.lag().await? > 0, || "five packs wait, and the lag says none")?;
    scene.reader().await?.read().await?;
    lag_is(&scene, 0).await
}

async fn probe(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.broker.probe().await?;
    scene.send_numbered([1]).await?;
    Ok(scene.broker.probe().await?)
}

async fn capabilities(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let first = scene.broker.capabilities();
    let other = harness.connect().await?;
    let same = first == scene.broker.capabilities() && first == other.capabilities();
    ensure(same, || "two answers differ")?;
    ensure(first.max_bytes > 0 && !first.name.is_empty(), || format!("they say nothing: {first:?}"))?;
    let joined = other.subscribe(&scene.lane("payment", 0), only(1)).await.is_ok();
    ensure(joined, || "another connection does not see what was declared")
}
