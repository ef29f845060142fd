//! Delivery: what was published comes, whole and once, to those who hear it.

use super::{
    super::report::{Failure, Finding, ensure},
    check::{BrokerCheck, check},
    harness::Harness,
    scene::{ONE, Scene, bytes, only, same, text, texts},
};
use crate::broker::{Publish, Settlement};
use bytes::Bytes;
use futures::poll;

pub(super) fn checks() -> Vec<BrokerCheck> {
    vec![
        check!("D1", "what was published before one subscribes is delivered", [], published_first),
        check!("D2", "what is published after one subscribes is delivered", [], subscribed_first),
        check!("D3", "no byte changes, in empty, binary and largest packs", [], byte_exact),
        check!("D4", "a group gets nothing of a topic it does not hear", [], topics_isolated),
        check!("D5", "a group hears many topics at once", [], many_topics),
        check!("D5n", "a reader that holds one pack at a time hears every topic", [], narrow),
        check!("D6", "in a clean run nothing is delivered twice", [], no_duplicates),
        check!("D6r", "after a release exactly the released comes again", [], only_the_released),
        check!("D7", "a batch publish gives one answer for each pack, in their order", [], one_answer_each),
        check!("D8", "what has no way to go is rejected for good", [], unroutable),
        check!(
            "D10",
            "a publish dropped half-way may be repeated, and the repeat is recognised",
            [],
            repeated
        ),
        check!("D11", "a pack over the limit is rejected for good, and its lane goes on", [], too_large),
        check!("D12", "packs arrive whole and in order, however a batch is cut", [], cut_batches),
        check!(
            "D13",
            "once a pack is confirmed, a reader cannot catch up without it",
            [],
            confirmed_is_there
        ),
    ]
}

async fn published_first(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..50).await?;
    same(&scene.reader().await?.read().await?, &texts(0..50))
}

async fn subscribed_first(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let mut reader = scene.reader().await?;
    same(&reader.read().await?, &[])?;
    let sent = scene.send_numbered(0..50);
    let (read, sent) = futures::future::join(reader.read_some(50), sent).await;
    sent?;
    same(&read?, &texts(0..50))
}

async fn byte_exact(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let largest = scene.broker.capabilities().max_bytes;
    let binary: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
    let contents = [
        Bytes::new(),
        Bytes::from_static(&[0]),
        Bytes::from_static("Größe: 加一\r\n\u{0}".as_bytes()),
        Bytes::from(binary.clone()),
        Bytes::from_iter(binary.iter().copied().cycle().take(largest)),
    ];
    let packs = contents.iter().zip(0..).map(|(content, at)| scene.pack("order", 0, at, content.clone()));
    scene.send(packs.collect()).await?;
    same(&scene.reader().await?.read().await?, &contents)
}

async fn topics_isolated(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, &[("payment", &["order"]), ("shipping", &["stock"])]).await?;
    scene.send(vec![scene.pack("order", 0, 1, "one"), scene.pack("stock", 0, 2, "two")]).await?;
    same(&scene.reader().await?.read().await?, &["one".into()])?;
    same(&scene.join("shipping", 0, only(10)).await?.read().await?, &["two".into()])
}

async fn many_topics(harness: &dyn Harness) -> Finding {
    let topics: Vec<String> = (0..10).map(|number| format!("topic{number}")).collect();
    let names: Vec<&str> = topics.iter().map(String::as_str).collect();
    let scene = Scene::open(harness, 1, &[("payment", &names)]).await?;
    let packs = (0..100).zip(names.iter().cycle()).map(|(at, topic)| scene.pack(topic, 0, at, text(at)));
    scene.send(packs.collect()).await?;
    let mut read = scene.reader().await?.read().await?;
    let mut expected = texts(0..100);
    // Two topics have no order between them.
    read.sort();
    expected.sort();
    same(&read, &expected)
}

async fn narrow(harness: &dyn Harness) -> Finding {
    let topics: Vec<String> = (0..8).map(|number| format!("topic{number}")).collect();
    let names: Vec<&str> = topics.iter().map(String::as_str).collect();
    let scene = Scene::open(harness, 1, &[("payment", &names)]).await?;
    let mut reader = scene.join("payment", 0, only(1)).await?;
    same(&reader.read().await?, &[])?;
    // Each comes to a reader that waits for all of them.
    for (at, topic) in (0..).zip(names.iter().rev()) {
        scene.send(vec![scene.pack(topic, 0, at, text(at))]).await?;
        same(&reader.read().await?, &texts([at]))?;
    }
    Ok(())
}

async fn no_duplicates(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let mut reader = scene.reader().await?;
    for round in 0..5 {
        let numbers = round * 40..(round + 1) * 40;
        scene.send_numbered(numbers.clone()).await?;
        same(&reader.read_some(40).await?, &texts(numbers))?;
    }
    same(&reader.read().await?, &[])?;
    reader.consumer.close().await?;
    same(&scene.reader().await?.read().await?, &[])
}

async fn only_the_released(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    scene.send_numbered(0..10).await?;
    let mut reader = scene.reader().await?;
    for (number, delivery) in reader.gather(10).await?.into_iter().enumerate() {
        let settlement = if number % 3 == 0 { Settlement::Release } else { Settlement::Ack };
        reader.consumer.settle(delivery.token, settlement)?;
    }
    let mut again = reader.read_some(4).await?;
    again.sort();
    same(&again, &texts([0, 3, 6, 9]))?;
    same(&reader.read().await?, &[])
}

async fn one_answer_each(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let over = vec![7; scene.broker.capabilities().max_bytes + 1];
    let nowhere = scene.pack("nowhere", 0, 2, "lost");
    let packs = vec![
        scene.pack("order", 0, 1, "one"),
        nowhere,
        scene.pack("order", 0, 3, "three"),
        scene.pack("order", 0, 4, over),
        scene.pack("order", 0, 5, "five"),
    ];
    let answers = scene.broker.publish(packs).await?;
    let confirmed: Vec<bool> = answers.iter().map(|answer| *answer == Publish::Confirmed).collect();
    ensure(confirmed == [true, false, true, false, true], || format!("the answers are {answers:?}"))?;
    same(&scene.reader().await?.read().await?, &["one".into(), "three".into(), "five".into()])?;
    let none = scene.broker.publish(Vec::new()).await?;
    ensure(none.is_empty(), || "an empty publish was answered")
}

fn rejected_for_good(answers: &[Publish]) -> Finding {
    let all = answers.iter().all(|answer| matches!(answer, Publish::Rejected { for_good: true, .. }));
    ensure(all && !answers.is_empty(), || format!("not rejected for good: {answers:?}"))
}

async fn unroutable(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 2, ONE).await?;
    let nowhere = scene.pack("nowhere", 0, 1, "lost");
    rejected_for_good(&scene.broker.publish(vec![nowhere]).await?)?;
    rejected_for_good(&scene.broker.publish(vec![scene.pack("order", 2, 1, "no such lane")]).await?)?;
    same(&scene.reader().await?.read().await?, &[])
}

async fn repeated(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    for number in 0..5 {
        let half = scene.broker.publish(scene.numbered([number]));
        let _ = poll!(Box::pin(half));
        scene.send_numbered([number]).await?;
    }
    let mut read = scene.reader().await?.read().await?;
    let most_twice = read.len() <= 10;
    read.dedup();
    ensure(most_twice, || "a pack that was published twice came more than twice")?;
    read.sort();
    read.dedup();
    same(&read, &texts(0..5))
}

async fn too_large(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let over = vec![7; scene.broker.capabilities().max_bytes + 1];
    scene.send_numbered([1]).await?;
    rejected_for_good(&scene.broker.publish(vec![scene.pack("order", 0, 2, over)]).await?)?;
    scene.send_numbered([3]).await?;
    same(&scene.reader().await?.read().await?, &texts([1, 3]))
}

async fn cut_batches(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    let content = |number: u64| Bytes::from(vec![number.to_le_bytes()[0]; 100 + number as usize]);
    let contents: Vec<Bytes> = (0..40).map(content).collect();
    let mut packs = Vec::new();
    for (at, content) in (0..).zip(&contents) {
        let mut pack = scene.pack("order", 0, at, content.clone());
        pack.keys = vec![7; 3];
        packs.push(pack);
    }
    scene.send(packs).await?;
    let mut reader = scene.reader().await?;
    let mut read = Vec::new();
    for limit in [(1, 1), (3, 1 << 20), (100, 1), (100, 350), (7, 500)].into_iter().cycle() {
        let limit = crate::message::Limit { messages: limit.0, bytes: limit.1 };
        let batch = reader.consumer.next_batch(limit).await?;
        let size: usize = batch.deliveries.iter().map(|delivery| delivery.bytes.len()).sum();
        let count = batch.deliveries.len();
        let fits = count <= 1 || (count <= limit.messages && size <= limit.bytes);
        ensure(fits, || format!("{count} deliveries of {size} bytes came for {limit:?}"))?;
        read.extend(bytes(&batch.deliveries));
        if count == 0 && batch.caught_up {
            break;
        }
        reader.settle(batch.deliveries, Settlement::Ack)?;
    }
    same(&read, &contents)
}

async fn confirmed_is_there(harness: &dyn Harness) -> Finding {
    let scene = Scene::open(harness, 1, ONE).await?;
    for number in 0..20 {
        scene.send_numbered([number]).await?;
        let mut reader = scene.reader().await?;
        same(&reader.read().await?, &texts([number]))
            .map_err(|failure| Failure::new(format!("after a confirm: {}", failure.why())))?;
        reader.consumer.close().await?;
    }
    Ok(())
}
