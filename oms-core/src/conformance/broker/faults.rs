//! Faults: servers that end, stand still or forget, and wires that do not carry.

use super::{
    super::report::{Failure, Finding, ensure},
    check::{BrokerCheck, check},
    harness::{End, Harness, Weather},
    persist::{hear, insist},
    scene::{ONE, Scene, WIDE, same, texts},
};
use crate::broker::{Broker, BrokerError, Confirm, Publish, Settlement};
use futures::future::{Either, join, select};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub(super) fn checks() -> Vec<BrokerCheck> {
    vec![
        check!(
            "D9",
            "what was confirmed outlives a kill as far as a confirm says",
            [Restart],
            outlives_a_kill
        ),
        check!("D10u", "a lost confirm is unknown, and the repeat is the same pack", [Wire], lost_confirm),
        check!("F1", "after a restart of the server everything goes on", [Restart], restarted),
        check!(
            "F2",
            "a server that is killed in the midst of a publish loses nothing confirmed",
            [Restart],
            killed
        ),
        check!("F3", "a wire that is cut confirms nothing, and everything goes on after it", [Wire], cut),
        check!("F3s", "a wire that stalls holds nobody for ever, and confirms nothing", [Wire], stalled),
        check!("F3d", "a wire that is slow loses, doubles and reorders nothing", [Wire], slow),
        check!("F5", "a wire that flaps leaves no connection behind", [Wire], flapping),
        check!(
            "F6",
            "a server that stands still holds nobody for ever, and confirms nothing",
            [Pause, Wire],
            paused
        ),
        check!("F7", "a reader that was taken for dead changes nothing when it wakes", [Wire], zombie),
        check!(
            "F8",
            "publishers and readers find back by themselves to a server that forgot",
            [Wipe],
            forgotten
        ),
        check!("L6c", "a hundred connections come and go, and leave none open", [Wire], connections),
    ]
}

async fn outlives_a_kill(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..50).await?;
    harness.restart(End::Killed).await?;
    let survives = scene.broker.capabilities().confirm != Confirm::Memory;
    // A pack that is sent afterwards says that all before it have come.
    insist(&scene, scene.numbered([50])).await?;
    let from = if survives { 0 } else { 50 };
    hear(&scene, &texts(from..51)).await
}

async fn lost_confirm(harness: &dyn Harness) -> Finding {
    let scene = far(harness).await?;
    insist(&scene, scene.numbered([0])).await?;
    harness.weather(Weather::Deaf).await;
    let answers = scene.broker.publish(scene.numbered([1])).await?;
    harness.weather(Weather::Clear).await;
    ensure(answers == [Publish::Unknown], || format!("a confirm that never came is {answers:?}"))?;
    insist(&scene, scene.numbered([1])).await?;
    hear(&scene, &texts(0..2)).await
}

async fn restarted(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let reader = scene.reader().await?;
    scene.send_numbered(0..5).await?;
    harness.restart(End::Orderly).await?;
    insist(&scene, scene.numbered(5..10)).await?;
    let survives = scene.broker.capabilities().confirm != Confirm::Memory;
    let from = if survives { 0 } else { 5 };
    drop(reader);
    hear(&scene, &texts(from..10)).await
}

async fn killed(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let (clock, is_back) = (harness.clock(), AtomicBool::new(false));
    let kill = async {
        clock.sleep(Duration::from_millis(20)).await;
        let done = harness.restart(End::Killed).await;
        is_back.store(true, Ordering::Release);
        done
    };
    let publish = async {
        // Before, in the midst of and after the kill.
        let (mut count, mut left) = (0, 100);
        while left > 0 {
            insist(&scene, scene.numbered([count])).await?;
            count += 1;
            clock.sleep(Duration::from_millis(1)).await;
            left -= u64::from(is_back.load(Ordering::Acquire));
        }
        Ok::<_, Failure>(count)
    };
    let (killed, published) = join(kill, publish).await;
    killed?;
    let count = published?;
    if scene.broker.capabilities().confirm == Confirm::Memory {
        insist(&scene, scene.numbered(0..count)).await?;
    }
    hear(&scene, &texts(0..count)).await
}

async fn cut(harness: &dyn Harness) -> Finding {
    let scene = far(harness).await?;
    let mut reader = scene.reader().await?;
    harness.weather(Weather::Cut).await;
    let answer = scene.broker.publish(scene.numbered([1])).await;
    // It may be told, or wait for the wire to come back.
    let told =
        match select(reader.consumer.next_batch(WIDE), harness.clock().sleep(Duration::from_secs(1))).await {
            Either::Left((told, _)) => Some(told),
            Either::Right(_) => None,
        };
    harness.weather(Weather::Clear).await;
    none_confirmed(&answer)?;
    let honest = match &told {
        Some(Ok(batch)) => batch.deliveries.is_empty(),
        Some(Err(error)) => matches!(error, BrokerError::Unavailable { .. }),
        None => true,
    };
    ensure(honest, || format!("a reader whose wire was cut was told {told:?}"))?;
    drop(reader);
    insist(&scene, scene.numbered(1..20)).await?;
    hear(&scene, &texts(1..20)).await
}

async fn stalled(harness: &dyn Harness) -> Finding {
    let scene = far(harness).await?;
    harness.weather(Weather::Stall).await;
    let answer = scene.broker.publish(scene.numbered([1])).await;
    harness.weather(Weather::Clear).await;
    none_confirmed(&answer)?;
    insist(&scene, scene.numbered(1..20)).await?;
    hear(&scene, &texts(1..20)).await
}

async fn slow(harness: &dyn Harness) -> Finding {
    let scene = far(harness).await?;
    let mut reader = scene.reader().await?;
    harness.weather(Weather::Late(Duration::from_millis(50))).await;
    scene.send_numbered(0..50).await?;
    let read = reader.read_some(50).await?;
    harness.weather(Weather::Clear).await;
    same(&read, &texts(0..50))?;
    same(&reader.read().await?, &[])
}

async fn flapping(harness: &dyn Harness) -> Finding {
    let scene = far(harness).await?;
    let clock = harness.clock();
    for number in 0..10 {
        let flap = async {
            clock.sleep(Duration::from_millis(5 * number)).await;
            harness.weather(Weather::Cut).await;
            clock.sleep(Duration::from_millis(50)).await;
            harness.weather(Weather::Clear).await;
        };
        let (published, ()) = join(insist(&scene, scene.numbered([number])), flap).await;
        published?;
    }
    hear(&scene, &texts(0..10)).await?;
    let open = harness.wires();
    ensure(open <= 16, || format!("{open} connections are open for one broker"))?;
    leave(harness, scene.broker).await
}

async fn paused(harness: &dyn Harness) -> Finding {
    let scene = far(harness).await?;
    harness.pause(true).await?;
    let answer = scene.broker.publish(scene.numbered([1])).await;
    harness.pause(false).await?;
    none_confirmed(&answer)?;
    insist(&scene, scene.numbered(1..20)).await?;
    hear(&scene, &texts(1..20)).await
}

async fn zombie(harness: &dyn Harness) -> Finding {
    let near = Scene::open(harness, 1, ONE).await?;
    let far = near.over(harness.afar().await?);
    far.broker.declare(&far.topology).await?;
    near.send_numbered(0..5).await?;
    let mut first = far.reader().await?;
    let held = first.gather(5).await?;
    harness.weather(Weather::Stall).await;
    let mut second = near.reader().await?;
    let mut read = second.read_some(5).await?;
    read.sort();
    harness.weather(Weather::Clear).await;
    same(&read, &texts(0..5))?;
    near.send_numbered([5]).await?;
    for delivery in held {
        // Stale where it can be known.
        let _ = first.consumer.settle(delivery.token, Settlement::Ack);
    }
    let _ = first.consumer.flush().await;
    drop(first);
    same(&second.read_some(1).await?, &texts([5]))?;
    second.consumer.close().await?;
    same(&near.reader().await?.read().await?, &[])
}

async fn forgotten(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let reader = scene.reader().await?;
    scene.send_numbered([0]).await?;
    harness.wipe().await?;
    drop(reader);
    insist(&scene, scene.numbered(1..10)).await?;
    hear(&scene, &texts(1..10)).await
}

async fn connections(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..3).await?;
    for round in 0..100 {
        let far = scene.over(harness.afar().await?);
        let mut reader = far.reader().await?;
        drop(reader.gather(1 + round % 3).await?);
        if round % 2 == 0 {
            drop(reader);
        } else {
            reader.consumer.close().await?;
            far.broker.shutdown(harness.patience()).await?;
        }
    }
    none_open(harness).await
}

/// A scene over a wire.
async fn far(harness: &dyn Harness) -> Result<Scene<'_>, Failure> {
    let far = Scene::open(harness, 1, ONE).await?.over(harness.afar().await?);
    far.broker.declare(&far.topology).await?;
    Ok(far)
}

/// Fails when anything was confirmed over a wire that carried nothing, or refused for good.
fn none_confirmed(answer: &Result<Vec<Publish>, BrokerError>) -> Finding {
    let honest = match answer {
        Ok(answers) => answers
            .iter()
            .all(|one| matches!(one, Publish::Unknown | Publish::Rejected { for_good: false, .. })),
        Err(error) => matches!(error, BrokerError::Unavailable { .. }),
    };
    ensure(honest, || format!("nothing came through, and the answer was {answer:?}"))
}

async fn leave(harness: &dyn Harness, broker: Arc<dyn Broker>) -> Finding {
    broker.shutdown(harness.patience()).await?;
    drop(broker);
    none_open(harness).await
}

/// Waits until every connection from afar is closed; the check fails by its time when that never comes.
async fn none_open(harness: &dyn Harness) -> Finding {
    while harness.wires() > 0 {
        harness.clock().sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
