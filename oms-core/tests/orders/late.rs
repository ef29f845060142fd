//! Late words: the services themselves, asked again about everything they ever heard.

use crate::{
    house::World,
    market::Market,
    storm::{Storm, Weather},
};
use oms_core::{
    gateway::simulated::Draws,
    id::{Rank, StreamId},
    message::{Codec, Json, Message},
    payment::Methods,
    saga::SagaTimes,
    service::{
        Entry, Handler, Loaded, Outcome, inventory::InventoryService, notification::NotificationService,
        order::OrderService, payment::PaymentService, shipping::ShippingService,
    },
    store::Store,
    worker::Options,
};
use std::{collections::BTreeSet, sync::Arc};

fn services() -> [Box<dyn Handler>; 5] {
    [
        Box::new(OrderService::new(SagaTimes::default())),
        Box::new(InventoryService),
        Box::new(PaymentService::new(Methods::default())),
        Box::new(ShippingService),
        Box::new(NotificationService),
    ]
}

/// The streams that `handler` names for `message`, as they are now.
async fn load(store: &dyn Store, handler: &dyn Handler, message: &Message) -> Loaded {
    let mut loaded = Loaded::default();
    for rank in [Rank::Keyed, Rank::Shared] {
        let named: BTreeSet<StreamId> = handler.streams(message, &loaded).into_iter().collect();
        for stream in named.into_iter().filter(|stream| stream.rank == rank) {
            let page = store.streams(&stream.kind, None, 10_000).await.expect("reads");
            let now = page.into_iter().find(|(id, _)| *id == stream).map(|(_, now)| now);
            loaded.0.insert(stream, Entry::new(now.unwrap_or_default()));
        }
    }
    loaded
}

#[test]
fn rule_17_whatever_a_service_heard_changes_nothing_when_it_hears_it_again_without_an_owed_row() {
    let mut world = World::new(Draws::new(9).declining(100_000).wavering(200_000, 500_000).refusing(100_000));
    let storm = Arc::new(Storm::new(Weather { seed: 1, drop: 0, double: 0, delay: 0 }));
    world.broker = storm.clone();
    world.play(async |oms| {
        let orders = Market { orders: 30, hot: 10 }.open(&oms).await;
        Market::decide(&world, &oms, &orders).await;
        world.rest(&oms).await;
        let mut asked = 0;
        for pack in storm.seen() {
            let (_, messages) = Json.decode(&pack.bytes).expect("ours");
            for handler in services().iter().filter(|handler| handler.hears().contains(&pack.topic)) {
                for message in &messages {
                    let loaded = load(world.store.as_ref(), handler.as_ref(), message).await;
                    let Outcome::Reaction(reaction) = handler.handle(message, &loaded) else {
                        panic!("{} faults at a late {}", handler.group(), message.envelope.kind);
                    };
                    let what = format!("{} at a late {}", handler.group(), message.envelope.kind);
                    let changed: Vec<&StreamId> =
                        reaction.appends.iter().map(|append| &append.stream).collect();
                    assert!(changed.is_empty(), "{what} changes {changed:?}");
                    assert!(reaction.effects.is_empty() && reaction.deadlines.is_empty(), "{what} wishes");
                    asked += 1;
                }
            }
        }
        assert!(asked > 300, "only {asked} messages were heard");
    });
}

#[test]
fn rule_12_orders_are_keyed_streams_and_only_what_many_orders_meet_is_shared() {
    let world = World::kind();
    world.play(async |oms| {
        let orders = Market { orders: 3, hot: 10 }.open(&oms).await;
        Market::decide(&world, &oms, &orders).await;
        world.rest(&oms).await;
        for (kind, rank) in [
            ("order", Rank::Keyed),
            ("payment", Rank::Keyed),
            ("reservation", Rank::Keyed),
            ("shipment", Rank::Keyed),
            ("notification", Rank::Keyed),
            ("stock", Rank::Shared),
        ] {
            let page = world.store.streams(kind, None, 100).await.expect("reads");
            assert_eq!(page.len(), 3, "{kind}");
            assert!(page.iter().all(|(stream, _)| stream.rank == rank), "{kind}");
        }
    });
}

#[test]
fn rule_21_a_turn_that_may_load_few_streams_takes_fewer_messages_and_all_orders_still_end() {
    let turns = |streams: usize| {
        let world = World::kind();
        let options = Options { streams, ..Options::default() };
        world.play_with(
            |builder| builder.options(options),
            async |oms| {
                let orders = Market { orders: 40, hot: 100 }.open(&oms).await;
                Market::decide(&world, &oms, &orders).await;
                world.rest(&oms).await;
                oms.metrics().turns
            },
        )
    };
    let (few, many) = (turns(1), turns(4_096));
    assert!(few > many, "{few} turns with one stream each, {many} with many");
}
