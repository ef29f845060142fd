//! What is peculiar to the in-process broker; the contract itself is tested by the suite.

use super::*;
use crate::{
    broker::{Batch, Broker, BrokerError, Consumer, Publish, Settlement, Topology},
    message::{GroupLane, Limit, Pack, PackId},
};
use futures::FutureExt;
use proptest::prelude::*;
use std::time::Duration;

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

fn declared(limits: MemoryLimits, groups: &[&str]) -> MemoryBroker {
    let broker = MemoryBroker::new(limits);
    let hears = groups.iter().map(|group| ((*group).into(), ["order".into()].into())).collect();
    now(broker.declare(&Topology { hears, lanes: 2, ..Topology::default() })).unwrap();
    broker
}

fn pack(lane: u16, bytes: &[u8]) -> Pack {
    let id = PackId { sender: GroupLane::new("order", lane), position: 1 };
    Pack { id, topic: "order".into(), lane, keys: vec![0], bytes: bytes.to_vec().into() }
}

fn publish(broker: &MemoryBroker, pack: Pack) -> Publish {
    now(broker.publish(vec![pack])).unwrap().remove(0)
}

fn join(broker: &MemoryBroker, group: &str) -> Box<dyn Consumer> {
    now(broker.subscribe(&GroupLane::new(group, 0), Limit::default())).unwrap()
}

fn take(consumer: &mut Box<dyn Consumer>) -> Batch {
    now(consumer.next_batch(Limit::default())).unwrap()
}

#[test]
fn a_pack_that_one_hearer_has_no_room_for_is_stored_for_none() {
    let broker = declared(MemoryLimits { pack: 100, lane: 200, total: 10_000 }, &["payment", "shipping"]);
    assert_eq!(publish(&broker, pack(0, &[1; 100])), Publish::Confirmed);
    let mut shipping = join(&broker, "shipping");
    for delivery in take(&mut shipping).deliveries {
        shipping.settle(delivery.token, Settlement::Ack).unwrap();
    }
    let held = broker.held();
    assert!(matches!(publish(&broker, pack(0, &[2; 100])), Publish::Rejected { for_good: false, .. }));
    assert_eq!((broker.held(), take(&mut shipping).deliveries.len()), (held, 0));
    assert_eq!(publish(&broker, pack(1, &[3; 100])), Publish::Confirmed);
}

#[test]
fn what_is_held_off_is_not_overtaken_within_one_call() {
    let broker = declared(MemoryLimits { pack: 100, lane: 250, total: 10_000 }, &["payment"]);
    let packs = vec![pack(0, &[1; 100]), pack(0, &[2; 100]), pack(0, &[3; 1]), pack(1, &[4; 1])];
    let answers = now(broker.publish(packs)).unwrap();
    let confirmed: Vec<bool> = answers.iter().map(|answer| *answer == Publish::Confirmed).collect();
    // There is room for the third, but it stands behind the second.
    assert_eq!(confirmed, [true, false, false, true]);
}

#[test]
fn a_full_broker_says_so_to_a_probe_and_a_pack_that_never_fits_is_rejected_for_good() {
    let broker = declared(MemoryLimits { pack: 100, lane: 164, total: 164 }, &["payment"]);
    assert_eq!(publish(&broker, pack(0, &[1; 100])), Publish::Confirmed);
    assert!(matches!(now(broker.probe()), Err(BrokerError::Unavailable { .. })));
    let two = declared(MemoryLimits { pack: 100, lane: 164, total: 164 }, &["payment", "shipping"]);
    assert!(matches!(publish(&two, pack(0, &[1; 100])), Publish::Rejected { for_good: true, .. }));
}

#[test]
fn a_shutdown_of_one_connection_leaves_the_other_and_releases_its_deliveries() {
    let broker = declared(MemoryLimits::default(), &["payment"]);
    let other = broker.another();
    publish(&broker, pack(0, b"one"));
    let mut first = join(&broker, "payment");
    assert_eq!(take(&mut first).deliveries.len(), 1);
    let mut second = join(&other, "payment");
    assert!(second.next_batch(Limit::default()).now_or_never().is_none());
    now(broker.shutdown(Duration::ZERO)).unwrap();
    assert!(matches!(now(first.next_batch(Limit::default())), Err(BrokerError::Closed { .. })));
    assert_eq!(take(&mut second).deliveries.len(), 1);
}

proptest! {
    /// Whatever is acked, released and dropped: each pack is acked once, and returns to its place until then.
    #[test]
    fn each_round_brings_what_is_left_in_its_order(rounds in prop::collection::vec(any::<[u8; 6]>(), 1..8)) {
        let broker = declared(MemoryLimits::default(), &["payment"]);
        (0..6).for_each(|number| drop(publish(&broker, pack(0, &[number]))));
        let mut left: Vec<u8> = (0..6).collect();
        for choices in rounds {
            let mut consumer = join(&broker, "payment");
            let deliveries = take(&mut consumer).deliveries;
            prop_assert_eq!(deliveries.iter().map(|one| one.bytes[0]).collect::<Vec<_>>(), left.clone());
            for (delivery, choice) in deliveries.into_iter().zip(choices) {
                let number = delivery.bytes[0];
                match choice % 3 {
                    0 => { consumer.settle(delivery.token, Settlement::Ack).unwrap(); left.retain(|n| *n != number) }
                    1 => consumer.settle(delivery.token, Settlement::Release).unwrap(),
                    _ => drop(delivery),
                }
            }
            drop(consumer);
            prop_assert_eq!(broker.held(), left.len() * (1 + lane::OVERHEAD));
        }
    }
}
