//! Read models: equal to what the events say, however they were read, and built anew without telling anybody anything.

use crate::{
    house::{Counting, World},
    market::Market,
    shop::{order, place},
};
use async_trait::async_trait;
use futures::future::join_all;
use oms_core::{
    broker::{Broker, BrokerError, Capabilities, Consumer, MemoryBroker, Publish, Topology},
    clock::Clock,
    event::public::Status,
    gateway::{Answer, Asked, Effect, Gateway, NoAnswer, Repeats},
    id::{CustomerId, OrderId, StreamId},
    message::{GroupLane, Limit, Pack},
    oms::Oms,
    projection::{
        Moment, Totals,
        model::{Library, MemoryModels, OrderQuery, house_models},
    },
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

const MODELS: [&str; 5] = ["orders", "stock", "money", "sagas", "funnel"];
const LONG: Duration = Duration::from_secs(60);

/// A busy day in a house that keeps read models; gives the orders and where the rows are.
fn day(world: &World) -> (Vec<OrderId>, Arc<MemoryModels>) {
    let models: Arc<MemoryModels> = Arc::default();
    let kept = Arc::clone(&models);
    let orders = world.play_with(
        |builder| builder.read_models(kept),
        async |oms| {
            let orders = Market { orders: 40, hot: 20 }.open(&oms).await;
            Market::decide(world, &oms, &orders).await;
            for order in &orders {
                oms.wait_until_settled(order).await.expect("settles");
            }
            world.sleep(Duration::from_secs(5)).await;
            agrees(&oms, &orders).await;
            orders
        },
    );
    (orders, models)
}

/// What the models list and sum up is what the whole histories say.
async fn agrees(oms: &Oms, orders: &[OrderId]) {
    let library = oms.library().expect("a library").clone();
    for listed in library.list().await.expect("lists") {
        assert_eq!((listed.done, &listed.stopped), (listed.head, &Vec::new()), "{}", listed.model);
    }
    let listed = oms.list_orders(&OrderQuery::default(), 1_000).await.expect("lists");
    assert_eq!((listed.orders.len(), listed.next), (orders.len(), None));
    let mut totals = Totals::default();
    for one in &listed.orders {
        assert_eq!(oms.order(&one.order).await.expect("reads").as_ref(), Some(one));
        totals.add(one);
    }
    let placed: BTreeSet<_> = listed.orders.iter().map(|one| &one.order).collect();
    assert_eq!(placed, orders.iter().collect());
    let of = async |model: &str| oms.sums(model).await.expect("sums");
    let by_status = of("orders").await;
    for (status, count) in &totals.by_status {
        assert_eq!(by_status[status]["orders"], i128::from(*count), "{status}");
    }
    let money = of("money").await;
    let kept: i128 = money.values().filter_map(|figures| figures.get("kept")).sum();
    assert_eq!(kept, totals.sums().kept_minor);
    let funnel: i128 = of("funnel").await.values().filter_map(|day| day.get("completed")).sum();
    assert_eq!(funnel, i128::from(totals.by_status["completed"]));
    let mut on_hand = 0;
    for (_, shelf) in oms.stock(None, 100).await.expect("reads").shelves {
        on_hand += shelf.on_hand();
    }
    assert_eq!(of("stock").await["all"]["on_hand"], on_hand);
}

#[test]
fn read_models_say_what_the_histories_say_and_a_fresh_fold_of_each_has_the_same_hash() {
    let world = World::kind();
    let (orders, models) = day(&world);
    let library = Library {
        store: Arc::clone(&world.store),
        models: models.clone(),
        projections: house_models(),
        lanes: 4,
    };
    let compared = world.stage.run(async {
        let mut all = Vec::new();
        for projection in &library.projections {
            let mut rebuild = library.rebuild(projection).await.expect("begins");
            all.push((projection.name(), rebuild.compare().await.expect("compares")));
            rebuild.publish().await.expect("swaps");
        }
        all
    });
    for (model, compared) in compared.expect("not stuck") {
        assert!(compared.is_equal() && compared.done > 0, "{model}: {compared:?}");
    }
    assert_eq!(orders.len(), 40);
}

#[test]
fn orders_are_listed_by_customer_status_and_time_a_page_at_a_time() {
    let world = World::kind();
    let (orders, models) = day(&world);
    world.play_with(
        |builder| builder.read_models(models),
        async |oms| {
            let mine = CustomerId::new("c-2").expect("an id");
            world.sleep(Duration::from_secs(10)).await;
            let since = world.stage.clock().now();
            let late =
                oms_core::order::NewOrder { customer: mine.clone(), ..order("card", &[("POST", 1, 300)]) };
            let late = place(&oms, late, "late").await;
            oms.wait_until_settled(&late).await.expect("settles");
            let stream = StreamId::keyed("order", late.as_str());
            let read = oms.wait_until_read("orders", &stream, 5, LONG).await.expect("asks");
            assert!(read, "who placed it finds it");
            let list = async |query: OrderQuery| oms.list_orders(&query, 1_000).await.expect("lists").orders;
            let ids = |found: &[oms_core::projection::OrderSummary]| -> Vec<OrderId> {
                found.iter().map(|one| one.order.clone()).collect()
            };
            let of_mine = list(OrderQuery { customer: Some(mine.clone()), ..OrderQuery::default() }).await;
            assert_eq!(ids(&of_mine), std::slice::from_ref(&late));
            let lately = list(OrderQuery { since: Some(since), ..OrderQuery::default() }).await;
            assert_eq!(ids(&lately), std::slice::from_ref(&late));
            let cancelled = Some(Status::Cancelled);
            let query = OrderQuery { status: cancelled, ..OrderQuery::default() };
            let gone = list(query.clone()).await;
            assert!(!gone.is_empty() && gone.iter().all(|one| one.status == Status::Cancelled));
            let others = CustomerId::new("c-1").expect("an id");
            let both = OrderQuery { customer: Some(others), ..query.clone() };
            assert_eq!(list(both).await, gone);
            let (mut pages, mut next) = (Vec::new(), None);
            loop {
                let query = OrderQuery { after: next, ..OrderQuery::default() };
                let page = oms.list_orders(&query, 7).await.expect("lists");
                pages.extend(ids(&page.orders));
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
            assert_eq!(pages.last(), Some(&late), "in the order of the times at which they were placed");
            assert_eq!(pages.len(), orders.len() + 1);
            assert_eq!(pages.iter().collect::<BTreeSet<_>>(), orders.iter().chain([&late]).collect());
            let nobody = oms_core::id::order_id("shop", "nobody");
            let query = OrderQuery { after: Some(nobody), ..OrderQuery::default() };
            assert!(oms.list_orders(&query, 7).await.is_err(), "a page begins behind an order of the list");
        },
    );
}

#[test]
fn who_waits_for_a_version_that_never_comes_is_told_when_the_time_is_over() {
    let world = World::kind();
    let models: Arc<MemoryModels> = Arc::default();
    world.play_with(
        |builder| builder.read_models(models),
        async |oms| {
            let id = place(&oms, order("card", &[("POST", 1, 300)]), "1").await;
            let stream = StreamId::keyed("order", id.as_str());
            let begun = world.stage.clock().now();
            assert!(!oms.wait_until_read("orders", &stream, 1_000, LONG).await.expect("asks"));
            assert!(world.stage.clock().now().since(begun) >= LONG);
            assert!(oms.wait_until_read("orders", &stream, 1, LONG).await.expect("asks"));
            assert!(oms.wait_until_read("nothing", &stream, 1, LONG).await.is_err());
        },
    );
}

/// Fails the test when it is called.
struct Forbidden;

#[async_trait]
impl Gateway for Forbidden {
    fn repeats(&self) -> Repeats {
        Repeats::Deduplicated
    }

    fn at_once(&self) -> usize {
        1
    }

    async fn tell(&self, effect: &Effect) -> Result<Answer, NoAnswer> {
        panic!("a gateway was told {effect:?}")
    }

    async fn ask(&self, effect: &Effect) -> Result<Asked, NoAnswer> {
        panic!("a gateway was asked {effect:?}")
    }
}

#[async_trait]
impl Broker for Forbidden {
    fn capabilities(&self) -> Capabilities {
        MemoryBroker::default().capabilities()
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        panic!("a broker was asked to declare {topology:?}")
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        panic!("a broker was given {packs:?}")
    }

    async fn subscribe(&self, lane: &GroupLane, _: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        panic!("somebody reads {lane} at a broker")
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        panic!("a broker was asked how much waits in {lane}")
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        panic!("a broker was probed")
    }

    async fn shutdown(&self, _: Duration) -> Result<(), BrokerError> {
        panic!("a broker was shut down")
    }
}

#[test]
fn reading_the_log_again_tells_no_gateway_and_no_broker_anything_and_writes_no_event() {
    let world = World::kind();
    let (orders, first) = day(&world);
    let clock = Arc::new(world.stage.clock());
    let models: Arc<MemoryModels> = Arc::default();
    let commits = async || world.store.count().await.expect("counts").commits;
    let read = world.stage.run(async {
        let before = commits().await;
        let mut builder =
            Oms::builder(Arc::new(Forbidden), Arc::clone(&world.store), clock, Arc::new(Counting::default()))
                .read_models(models.clone());
        for gateway in ["card", "upi", "carrier", "notifier"] {
            builder = builder.gateway(gateway, Arc::new(Forbidden));
        }
        let oms = builder.build().await.expect("builds");
        let loops = oms.tasks().into_iter().filter(|task| task.name.starts_with("projection/"));
        let loops: Vec<_> = loops.map(|task| task.future).collect();
        assert_eq!(loops.len(), MODELS.len());
        let scene = async {
            for order in &orders {
                let stream = StreamId::keyed("order", order.as_str());
                let version = oms.facts(order).await.expect("reads").orders.len() as u64;
                for model in ["orders", "sagas", "funnel"] {
                    assert!(oms.wait_until_read(model, &stream, version, LONG).await.expect("asks"));
                }
                let past = oms.order_at(order, Moment::Version(version)).await.expect("reads");
                assert_eq!(past.map(|past| past.summary), oms.order(order).await.expect("reads"));
            }
            let library = oms.library().expect("a library").clone();
            for projection in &library.projections {
                let mut rebuild = library.rebuild(projection).await.expect("begins");
                assert!(rebuild.compare().await.expect("compares").is_equal());
                rebuild.abandon().await.expect("gives up");
            }
            oms.drain();
        };
        let (_, ()) = futures::join!(join_all(loops), scene);
        assert_eq!(commits().await, before, "nothing was written into the store");
    });
    read.expect("not stuck");
    drop(first);
}
