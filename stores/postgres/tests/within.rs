//! Orders that are placed within a transaction of the user's own.
#![cfg(feature = "server")]
#![expect(clippy::expect_used, reason = "every line of this file is a test")]

mod kit;

use futures::{FutureExt, future::BoxFuture};
use kit::{raw, server};
use oms_core::{
    broker::MemoryBroker,
    clock::{Clock, Timestamp},
    event::{inventory::AdjustStock, public::Status},
    id::{IdSource, Sku},
    oms::{Oms, PlaceRefusal, Placed, Placement},
    order::OrderError,
    store::{Ask, Right, Store, StoreError, Within},
    worker::PlaceError,
};
use oms_postgres::{
    Options, PostgresStore,
    deadpool_postgres::{Manager, Pool},
};
use oms_servers::Server;
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio_postgres::{Client, IsolationLevel, Transaction};

struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        Timestamp(i64::try_from(since.as_micros()).expect("before the end of time"))
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        async move { tokio::time::sleep(time).await }.boxed()
    }
}

struct One;

impl IdSource for One {
    fn next(&self) -> u128 {
        1
    }
}

/// A shop with tables of its own beside the store's.
struct Shop {
    server: Server,
    store: PostgresStore,
    oms: Oms,
    client: Client,
}

impl Shop {
    async fn open() -> Self {
        let server = server().await;
        let options = Options::from_url(&server.url()).and_then(|options| options.schema("oms"));
        let store = options.expect("a good URL").connections(6).open().await.expect("it opens");
        let (broker, shared) = (Arc::new(MemoryBroker::default()), Arc::new(store.clone()));
        let oms = Oms::builder(broker, shared, Arc::new(Wall), Arc::new(One)).build().await.expect("built");
        let client = raw(&server.url()).await;
        client.batch_execute("CREATE TABLE basket (id text PRIMARY KEY)").await.expect("made");
        Self { server, store, oms, client }
    }

    async fn place(
        &self,
        transaction: &mut Transaction<'_>,
        keys: &[&str],
    ) -> Vec<Result<Placed, PlaceRefusal>> {
        let placements = keys.iter().map(|key| basket(key, 3)).collect();
        self.oms.place_in(&mut self.store.within(transaction), placements).await
    }
}

fn basket(key: &str, quantity: u32) -> Placement {
    let text = format!(
        r#"{{"customer": "12347", "currency": "GBP", "lines": [{{"sku": "85123A", "name": "holder",
            "quantity": {quantity}, "stocked": true, "unit_price": {{"minor": 255, "currency": "GBP"}}}}],
            "address": {{"country": "Iceland"}}, "payment": {{"method": "card"}}}}"#
    );
    let order = serde_json::from_str(&text).expect("an order");
    Placement { order, principal: "shop".to_owned(), idempotency_key: key.to_owned() }
}

fn new(placed: Vec<Result<Placed, PlaceRefusal>>) -> Vec<Placed> {
    let placed: Vec<Placed> = placed.into_iter().map(|one| one.expect("placed")).collect();
    assert!(placed.iter().all(|one| !one.known), "{placed:?}");
    placed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_there_with_the_commit_and_never_was_without_one() {
    let shop = Shop::open().await;
    let mut client = raw(&shop.server.url()).await;
    for commits in [false, true] {
        let mut transaction = client.transaction().await.expect("begun");
        transaction.execute("INSERT INTO basket VALUES ('b')", &[]).await.expect("its own table is found");
        let placed = new(shop.place(&mut transaction, &["one"]).await).remove(0);
        transaction.query("SELECT FROM basket", &[]).await.expect("and still is afterwards");
        let again = shop.place(&mut transaction, &["one"]).await.remove(0).expect("it is the same");
        assert!(again.known && again.id == placed.id, "it sees itself");
        assert_eq!(
            shop.oms.status(&placed.id).await.expect("asked"),
            None,
            "nobody sees it before the commit"
        );
        assert_eq!(shop.store.count().await.expect("asked").owed, 0);
        if commits {
            transaction.commit().await.expect("committed");
            assert_eq!(shop.oms.status(&placed.id).await.expect("asked"), Some(Status::Pending));
        } else {
            transaction.rollback().await.expect("rolled back");
            assert_eq!(shop.oms.status(&placed.id).await.expect("asked"), None);
        }
    }
    let stock = AdjustStock {
        sku: Sku::new("85123A").expect("a SKU"),
        delta: 10,
        reference: "delivery-1".into(),
        reason: "received".to_owned(),
    };
    // Before anybody works on the order that is there: it would fail for want of stock.
    shop.oms.adjust_stock(stock).await.expect("adjusted");
    let (stop, stopped) = futures::channel::oneshot::channel::<()>();
    let house = shop.oms.clone().run(async { stopped.await.unwrap_or(()) }, Duration::from_secs(5));
    let house = tokio::spawn(house);
    let mut transaction = client.transaction().await.expect("begun");
    let again = shop.place(&mut transaction, &["one"]).await.remove(0).expect("it is the same");
    assert!(again.known);
    let other = shop.oms.place_in(&mut shop.store.within(&mut transaction), vec![basket("one", 4)]).await;
    assert!(matches!(other[0], Err(PlaceRefusal::Order(OrderError::KeyReused { .. }))), "{other:?}");
    transaction.commit().await.expect("committed");
    shop.oms.wake();
    assert_eq!(shop.oms.wait_until_settled(&again.id).await.expect("settled").status, Status::Completed);
    assert_eq!(shop.store.audit(&mut |_, _| {}).await.expect("audited").broken, []);
    drop(stop);
    assert!(house.await.expect("it ends").finished);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_transaction_holds_some_lanes_orders_of_all_others_are_placed() {
    let mut shop = Shop::open().await;
    let (oms, store) = (shop.oms.clone(), shop.store.clone());
    let mut transaction = shop.client.transaction().await.expect("begun");
    // More lanes than commits are under way at a time: if each waited for one, nobody could write.
    let baskets = (0..6).map(|number| basket(&format!("held-{number}"), 1)).collect();
    let held = new(oms.place_in(&mut store.within(&mut transaction), baskets).await);
    let lanes = oms.topology().lanes;
    let lane = |placed: &Placed| oms_core::message::Key::new(placed.id.name()).lane(lanes);
    let held: BTreeSet<u16> = held.iter().map(lane).collect();
    assert!(held.len() > 2, "{held:?}");
    let mut waiting = futures::stream::FuturesUnordered::new();
    let one = |number: usize| {
        let oms = oms.clone();
        async move { oms.place_batch(vec![basket(&format!("{number}"), 1)]).await.remove(0).expect("placed") }
    };
    // Each by itself, so that none shares a call with one that has to wait.
    for number in 0..usize::from(lanes) * 4 {
        waiting.push(tokio::spawn(one(number)));
    }
    let mut placed = BTreeSet::new();
    while placed.len() < usize::from(lanes) - held.len() {
        let next = futures::StreamExt::next(&mut waiting).await.expect("there are more").expect("it ends");
        assert!(!held.contains(&lane(&next)), "it is placed after the transaction only");
        placed.insert(lane(&next));
    }
    transaction.commit().await.expect("committed");
    while let Some(rest) = futures::StreamExt::next(&mut waiting).await {
        rest.expect("it is placed now");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_that_place_in_many_lanes_at_once_never_wait_in_a_circle() {
    let shop = Shop::open().await;
    let place = |name: &'static str| {
        let (oms, store, url) = (shop.oms.clone(), shop.store.clone(), shop.server.url());
        tokio::spawn(async move {
            let mut client = raw(&url).await;
            for round in 0..10 {
                let mut transaction = client.transaction().await.expect("begun");
                let baskets = (0..30).map(|number| basket(&format!("{name}-{round}-{number}"), 1)).collect();
                new(oms.place_in(&mut store.within(&mut transaction), baskets).await);
                transaction.commit().await.expect("committed");
            }
        })
    };
    for placing in [place("one"), place("other"), place("third")] {
        placing.await.expect("none was chosen as the victim of a deadlock");
    }
    assert_eq!(shop.oms.orders(None, 1_000).await.expect("listed").orders.len(), 900);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_within_a_transaction_is_refused_and_leaves_it_as_it_was() {
    let mut shop = Shop::open().await;
    let (oms, store) = (shop.oms.clone(), shop.store.clone());
    let strict = shop.client.build_transaction().isolation_level(IsolationLevel::Serializable);
    let mut transaction = strict.start().await.expect("begun");
    let refused = oms.place_in(&mut store.within(&mut transaction), vec![basket("one", 1)]).await.remove(0);
    let why = refused.expect_err("refused").to_string();
    assert!(why.contains("READ COMMITTED"), "{why}");
    transaction.query("SELECT FROM basket", &[]).await.expect("it goes on");
    drop(transaction);

    let mut transaction = shop.client.transaction().await.expect("begun");
    let right = Right::Unfenced(kit::lane(0));
    for writes in [
        kit::writing(vec![kit::more(&kit::thing("k"), 1)]),
        oms_core::store::Writes { effects: vec![kit::wish("k")], ..Default::default() },
    ] {
        let mut within = store.within(&mut transaction);
        let mut turn = within.turn(&right, Ask::default()).await.expect("a turn");
        assert!(matches!(turn.load(&[kit::thing("k")].into()).await, Err(StoreError::Misused(_))));
        assert!(matches!(turn.commit(writes).await, Err(StoreError::Misused(_))));
    }
    transaction.query("SELECT FROM basket", &[]).await.expect("its own tables are found again");
    let patience: String = transaction.query_one("SHOW lock_timeout", &[]).await.expect("shown").get(0);
    assert_eq!(patience, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_that_another_transaction_holds_for_too_long_is_an_error_in_time() {
    let mut shop = Shop::open().await;
    let mut other = raw(&shop.server.url()).await;
    let hasty = Options::from_url(&format!("{}?timeout=1", shop.server.url())).expect("a good URL");
    let hasty = hasty.open().await.expect("it opens");
    let mut first = shop.client.transaction().await.expect("begun");
    new(shop.oms.place_in(&mut shop.store.within(&mut first), vec![basket("one", 1)]).await);
    let mut second = other.transaction().await.expect("begun");
    let refused = shop.oms.place_in(&mut hasty.within(&mut second), vec![basket("one", 1)]).await.remove(0);
    assert!(
        matches!(refused, Err(PlaceRefusal::Place(PlaceError::Store(StoreError::Unavailable(_))))),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_the_users_own_is_shared_and_gets_every_connection_back_as_it_was() {
    let server = server().await;
    let config: tokio_postgres::Config = server.url().parse().expect("a good URL");
    let pool = |most| {
        let manager = Manager::new(config.clone(), tokio_postgres::NoTls);
        Pool::builder(manager).max_size(most).build().expect("a pool")
    };
    let few = Options::over(pool(2)).open().await.err().expect("refused").to_string();
    assert!(few.contains("needs 3"), "{few}");
    let pool = pool(3);
    let store = Options::over(pool.clone()).schema("shop").expect("a name").open().await.expect("it opens");
    let client = pool.get().await.expect("a connection");
    client.batch_execute("CREATE TABLE basket (id bigint)").await.expect("in their own schema");
    drop(client);
    for number in 0..50_u64 {
        let stream = kit::thing(&number.to_string());
        let lane = kit::lane(0);
        let commit = kit::commit(&store, &lane, kit::writing(vec![kit::more(&stream, 0)]));
        let theirs = async {
            let client = pool.get().await.expect("a connection");
            client.execute("INSERT INTO basket VALUES (1)", &[]).await.expect("their table is found");
            let sql = "SELECT current_setting('search_path'), current_setting('statement_timeout')";
            let row = client.query_one(sql, &[]).await.expect("shown");
            (row.get::<_, String>(0), row.get::<_, String>(1))
        };
        let (committed, theirs) = tokio::join!(commit, theirs);
        committed.expect("written");
        assert_eq!(theirs, ("\"$user\", public".to_owned(), "0".to_owned()));
        assert_eq!(kit::version(&store, &stream).await, 1);
    }
}
