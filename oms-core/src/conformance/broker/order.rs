//! Order: a quiet lane keeps it, and no more is in flight than the reader asked for.

use super::{
    super::report::{Finding, ensure},
    check::{BrokerCheck, check},
    harness::Harness,
    scene::{ONE, Scene, WIDE, bytes, only, same, text, texts},
};
use crate::{broker::Settlement, message::Limit};

pub(super) fn checks() -> Vec<BrokerCheck> {
    vec![
        check!("O1", "a quiet lane is delivered exactly as published", [], as_published),
        check!("O2", "after a takeover with unsettled packs nothing is missing", [], takeover),
        check!("O3", "at most the window is unsettled", [], window),
        check!("O3b", "the window counts bytes too, and lets one pack of any size through", [], byte_window),
        check!("O4", "256 lanes keep their packs and their order", [], many_lanes),
    ]
}

async fn as_published(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 2, ONE).await?;
    let mut packs = scene.numbered(0..100);
    packs.extend((0..100).map(|number| scene.pack("order", 1, number, text(number))));
    packs.sort_by_key(|pack| pack.id.position);
    scene.send(packs).await?;
    for number in 100..150 {
        scene.send_numbered([number]).await?;
    }
    same(&scene.reader().await?.read().await?, &texts(0..150))?;
    same(&scene.join("payment", 1, WIDE).await?.read().await?, &texts(0..100))
}

async fn takeover(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..20).await?;
    let mut first = scene.reader().await?;
    let mut held = first.gather(12).await?;
    let acked = held.drain(..4).collect();
    first.settle(acked, Settlement::Ack)?;
    first.consumer.flush().await?;
    harness.kill(first.consumer).await;
    let mut read = scene.reader().await?.read_some(16).await?;
    read.sort();
    let mut expected = texts(4..20);
    expected.sort();
    same(&read, &expected)
}

async fn window(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..10).await?;
    let mut reader = scene.join("payment", 0, only(3)).await?;
    let mut held = reader.gather(3).await?;
    reader.quiet().await?;
    let acked = held.drain(..2).collect();
    reader.settle(acked, Settlement::Ack)?;
    held.extend(reader.gather(2).await?);
    same(&bytes(&held), &texts(2..5))?;
    reader.quiet().await
}

async fn byte_window(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let packs = (0..4).map(|number| scene.pack("order", 0, number, vec![7; 1_000]));
    scene.send(packs.collect()).await?;
    for (room, count) in [(2_500, 2), (10, 1)] {
        let mut reader = scene.join("payment", 0, Limit { bytes: room, ..WIDE }).await?;
        let held = reader.gather(count).await?;
        ensure(held.len() == count, || format!("{} packs in {room} bytes", held.len()))?;
        reader.quiet().await?;
        reader.consumer.close().await?;
    }
    Ok(())
}

async fn many_lanes(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 256, ONE).await?;
    let numbers = (0..4).flat_map(|round| (0..256).map(move |lane| (round, lane)));
    scene.send(numbers.map(|(round, lane)| scene.pack("order", lane, round, text(round))).collect()).await?;
    for lane in 0..256 {
        same(&scene.join("payment", lane, WIDE).await?.read().await?, &texts(0..4))?;
    }
    Ok(())
}
