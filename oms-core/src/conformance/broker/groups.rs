//! Groups and lanes: each group gets all it hears, each lane only its own, and one reader serves it.

use super::{
    super::report::{Failure, Finding, ensure},
    check::{BrokerCheck, check},
    harness::Harness,
    scene::{ONE, Scene, WIDE, bytes, only, same, texts},
};
use crate::broker::{BrokerError, Publish, Settlement};

pub(super) fn checks() -> Vec<BrokerCheck> {
    vec![
        check!("G1", "two groups each get everything", [], each_group_gets_all),
        check!("G2", "lanes do not leak into each other", [], lanes_apart),
        check!(
            "G3",
            "a second subscriber of a lane waits for the first to leave",
            [ExclusiveReader],
            second_waits
        ),
        check!("G3n", "with two subscribers of a lane nothing is lost", [], two_subscribers),
        check!("G4", "what a killed subscriber held comes to the next", [], killed),
        check!("G5", "a new group gets what is published after it was declared", [], new_group),
        check!("G6", "a group that is declared but never connected misses nothing", [], never_connected),
        check!("G7", "after a wipe everything is declared again, and works", [Wipe], wiped),
        check!("G8", "caught up is said when nothing waits, and never while something does", [], caught_up),
        check!("G8o", "caught up is said once, and again only after a delivery", [], caught_up_once),
        check!("G9", "a lane that was never declared is refused", [], undeclared),
    ]
}

async fn each_group_gets_all(harness: &dyn Harness) -> Finding {
    let hears: &[(&str, &[&str])] = &[("payment", &["order"]), ("shipping", &["order"])];
    let scene = Scene::open(harness, 1, hears).await?;
    scene.send_numbered(0..20).await?;
    same(&scene.reader().await?.read().await?, &texts(0..20))?;
    same(&scene.join("shipping", 0, WIDE).await?.read().await?, &texts(0..20))
}

async fn lanes_apart(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 4, ONE).await?;
    let packs = (0..40).map(|number| scene.pack("order", number % 4, number.into(), format!("{number}")));
    scene.send(packs.collect()).await?;
    for lane in 0..4 {
        let expected: Vec<_> = (0..10).map(|round| format!("{}", round * 4 + lane).into()).collect();
        same(&scene.join("payment", lane, WIDE).await?.read().await?, &expected)?;
    }
    Ok(())
}

async fn second_waits(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let mut first = scene.reader().await?;
    let mut second = scene.reader().await?;
    scene.send_numbered(0..3).await?;
    second.quiet().await?;
    let held = first.gather(3).await?;
    second.quiet().await?;
    first.settle(held, Settlement::Ack)?;
    scene.send_numbered([3]).await?;
    second.quiet().await?;
    first.consumer.close().await?;
    same(&second.read_some(1).await?, &texts([3]))
}

async fn two_subscribers(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let first = scene.reader().await?;
    let mut second = scene.reader().await?;
    scene.send_numbered(0..10).await?;
    drop(first);
    let mut read = second.read_some(10).await?;
    read.sort();
    same(&read, &texts(0..10))
}

async fn killed(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..10).await?;
    let mut reader = scene.reader().await?;
    let held = reader.gather(10).await?;
    drop(held);
    harness.kill(reader.consumer).await;
    let mut next = scene.reader().await?;
    let mut read = next.read_some(10).await?;
    read.sort();
    same(&read, &texts(0..10))?;
    same(&next.read().await?, &[])
}

async fn new_group(harness: &dyn Harness) -> Finding {
    let mut scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..5).await?;
    let topics = [scene.name("order")].into();
    scene.topology.hears.insert(scene.name("shipping"), topics);
    scene.broker.declare(&scene.topology).await?;
    scene.send_numbered(5..10).await?;
    same(&scene.join("shipping", 0, WIDE).await?.read().await?, &texts(5..10))?;
    same(&scene.reader().await?.read().await?, &texts(0..10))
}

async fn never_connected(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let other = harness.connect().await?;
    for number in 0..10 {
        let answers = other.publish(scene.numbered([number])).await?;
        ensure(answers == [Publish::Confirmed], || format!("answered with {answers:?}"))?;
    }
    other.shutdown(harness.patience()).await?;
    same(&scene.reader().await?.read().await?, &texts(0..10))
}

async fn wiped(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let mut reader = scene.reader().await?;
    scene.send_numbered([1]).await?;
    harness.wipe().await?;
    let lost = loop {
        match reader.consumer.next_batch(WIDE).await {
            Ok(batch) if batch.deliveries.is_empty() => {}
            Ok(_) => return Err(Failure::new("a pack came from a server that was wiped")),
            Err(error) => break error,
        }
    };
    ensure(matches!(lost, BrokerError::Unavailable { .. }), || format!("the reader was told: {lost}"))?;
    drop(reader);
    scene.broker.declare(&scene.topology).await?;
    scene.send_numbered([2]).await?;
    same(&scene.reader().await?.read().await?, &texts([2]))
}

async fn caught_up(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let mut reader = scene.reader().await?;
    let batch = reader.consumer.next_batch(WIDE).await?;
    ensure(batch.deliveries.is_empty() && batch.caught_up, || "an empty lane did not say that it is")?;
    scene.send_numbered(0..3).await?;
    for left in (0..3).rev() {
        let batch = reader.consumer.next_batch(only(1)).await?;
        same(&bytes(&batch.deliveries), &texts([2 - left]))?;
        ensure(left == 0 || !batch.caught_up, || format!("caught up was said with {left} packs waiting"))?;
        reader.settle(batch.deliveries, Settlement::Ack)?;
    }
    same(&reader.read().await?, &[])
}

async fn caught_up_once(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let mut reader = scene.reader().await?;
    same(&reader.read().await?, &[])?;
    reader.quiet().await?;
    scene.send_numbered([1]).await?;
    same(&reader.read().await?, &texts([1]))?;
    reader.quiet().await
}

async fn undeclared(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 2, ONE).await?;
    for lane in [scene.lane("nobody", 0), scene.lane("payment", 2)] {
        let joined = scene.broker.subscribe(&lane, WIDE).await.err();
        let asked = scene.broker.lag(&lane).await.err();
        let refused = |error: &Option<BrokerError>| matches!(error, Some(BrokerError::Refused { .. }));
        ensure(refused(&joined) && refused(&asked), || format!("{lane}: {joined:?} and {asked:?}"))?;
    }
    Ok(())
}
