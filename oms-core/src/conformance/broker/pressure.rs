//! Back-pressure: what waits is bounded, and one stalled lane holds up no other.

use super::{
    super::report::{Failure, Finding, ensure},
    check::{BrokerCheck, check},
    harness::Harness,
    scene::{ONE, Scene, WIDE, bytes},
};
use crate::broker::{Publish, Settlement};
use bytes::Bytes;

pub(super) fn checks() -> Vec<BrokerCheck> {
    vec![
        check!("B1", "a stalled lane is bounded, and the others go on", [PushBack], stalled),
        check!("B2", "where a publish is held off settlements still go, and make room", [PushBack], settled),
        check!(
            "B3",
            "published faster than read, exactly what was confirmed is delivered, in order",
            [PushBack],
            fast
        ),
    ]
}

const SIZE: usize = 4_096;

/// Publishes to one lane until it pushes back; gives back how many packs were confirmed.
async fn fill(scene: &Scene<'_>, lane: u16) -> Result<usize, Failure> {
    let content = Bytes::from(vec![7; SIZE]);
    let most = scene.harness.lane_bytes() / SIZE + 1;
    for count in 0..=most {
        let pack = scene.pack("order", lane, count as u64, content.clone());
        match scene.broker.publish(vec![pack]).await?.as_slice() {
            [Publish::Confirmed] => {}
            [Publish::Rejected { for_good: false, .. } | Publish::Unknown] => return Ok(count),
            other => return Err(Failure::new(format!("a full lane answered {other:?}"))),
        }
    }
    Err(Failure::new(format!("{most} packs of {SIZE} bytes were taken, and no end")))
}

async fn stalled(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 2, ONE).await?;
    let _stalled = scene.reader().await?;
    fill(&scene, 0).await?;
    scene.send(vec![scene.pack("order", 1, 1, "goes on")]).await?;
    let read = scene.join("payment", 1, WIDE).await?.read().await?;
    ensure(read == ["goes on"], || "the lane beside a stalled one does not go on")
}

async fn settled(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let count = fill(&scene, 0).await?;
    let mut reader = scene.reader().await?;
    let held = reader.gather(count.min(10)).await?;
    reader.settle(held, Settlement::Ack)?;
    reader.consumer.flush().await?;
    scene.send_numbered([1]).await
}

async fn fast(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let sizes = [SIZE, 1, SIZE / 2, 8];
    let contents = |number: usize| {
        let mut content = number.to_be_bytes().to_vec();
        content.resize(8 + sizes[number % 4], 7);
        Bytes::from(content)
    };
    let count = harness.lane_bytes() / SIZE * 4;
    let packs = (0..count).map(|number| scene.pack("order", 0, number as u64, contents(number)));
    let answers = scene.broker.publish(packs.collect()).await?;
    let confirmed = |(_, answer): &(usize, Publish)| *answer == Publish::Confirmed;
    let kept: Vec<Bytes> = (0..).zip(answers).filter(confirmed).map(|(number, _)| contents(number)).collect();
    ensure(kept.len() < count, || format!("{count} packs of {SIZE} bytes were taken, and no end"))?;
    let mut reader = scene.reader().await?;
    let held = reader.gather(kept.len()).await?;
    super::scene::same(&bytes(&held), &kept)
}
