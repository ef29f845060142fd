//! The whole house over one file: five services, simulated gateways, the broker in memory.

use futures::{FutureExt, future::BoxFuture};
use oms_core::{
    broker::MemoryBroker,
    clock::{Clock, Timestamp},
    event::{inventory::AdjustStock, payment::PaymentChoice, shipping::Address},
    gateway::{
        journal::MemoryJournal,
        simulated::{Draws, SimulatedCarrier, SimulatedNotifier, SimulatedProvider, Windows},
    },
    id::{CustomerId, IdSource, Name, Sku},
    money::{Currency, Money},
    oms::{Oms, Placement},
    order::{NewLine, NewOrder},
    payment::Method,
    store::Store,
};
use oms_sqlite::SqliteStore;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::task::JoinSet;

struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp(0).after(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(time).boxed()
    }
}

#[derive(Default)]
struct Counting(AtomicU64);

impl IdSource for Counting {
    fn next(&self) -> u128 {
        self.0.fetch_add(1, Ordering::SeqCst).into()
    }
}

pub(crate) struct House {
    oms: Oms,
    store: SqliteStore,
    loops: JoinSet<()>,
}

impl House {
    pub(crate) async fn open(path: &Path) -> Self {
        let store = oms_sqlite::open(path).expect("opens");
        let (clock, journal, draws) = (Arc::new(Wall), Arc::<MemoryJournal>::default(), Draws::new(1));
        let short = Duration::from_millis(5);
        let windows = Windows { approval: short, late: short, dispatch: short, delivery: short };
        let provider = SimulatedProvider::open(draws, windows, clock.clone(), journal.clone());
        let carrier = SimulatedCarrier::open(draws, windows, clock.clone(), journal.clone());
        let notifier = SimulatedNotifier::open(draws, clock.clone(), journal);
        let broker = Arc::new(MemoryBroker::default());
        let oms = Oms::builder(broker, Arc::new(store.clone()), clock, Arc::new(Counting::default()))
            .payment_method(Method::card(), provider.expect("readable"))
            .carrier(carrier.expect("readable"))
            .notifier(notifier.expect("readable"))
            .build()
            .await
            .expect("builds");
        let mut loops = JoinSet::new();
        for task in oms.tasks() {
            loops.spawn(task.future);
        }
        Self { oms, store, loops }
    }

    pub(crate) async fn stock(&self, sku: &str, delta: i64) {
        let (sku, reference) = (Sku::new(sku).expect("a SKU"), Name::from("first"));
        let change = AdjustStock { sku, delta, reference, reason: "received".to_owned() };
        assert!(self.oms.adjust_stock(change).await.expect("handled").accepted);
    }

    /// Places the orders of these numbers in one call.
    pub(crate) async fn place(&self, orders: std::ops::Range<usize>) {
        let placement = |number| Placement {
            order: order(),
            principal: "shop".to_owned(),
            idempotency_key: format!("{number}"),
        };
        let answers = self.oms.place_batch(orders.map(placement).collect()).await;
        assert!(answers.iter().all(Result::is_ok), "placed");
    }

    /// Waits until nobody is owed anything for a while.
    pub(crate) async fn rest(&self) {
        let mut quiet = 0;
        while quiet < 30 {
            let counts = self.store.count().await.expect("counts");
            quiet = if counts.owed + counts.effects == 0 { quiet + 1 } else { 0 };
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How many turns have committed so far, and in how many commits.
    pub(crate) async fn spent(&self) -> (u64, u64) {
        (self.oms.metrics().turns, self.store.count().await.expect("counts").commits)
    }

    pub(crate) async fn close(mut self) {
        self.oms.drain();
        while self.loops.join_next().await.is_some() {}
    }
}

fn order() -> NewOrder {
    let gbp = Currency::new("GBP").expect("a currency");
    let line = |(name, quantity, minor): (&str, u32, i64)| NewLine {
        sku: Sku::new(name).expect("a SKU"),
        name: String::new(),
        quantity,
        unit_price: Money { minor, currency: gbp },
        stocked: name != "POST",
        fields: Default::default(),
    };
    NewOrder {
        customer: CustomerId::new("c-1").expect("an id"),
        currency: gbp,
        lines: [("A", 3, 250), ("POST", 1, 1_800)].map(line).into(),
        address: Address {
            name: String::new(),
            street: Vec::new(),
            city: String::new(),
            postal_code: String::new(),
            country: "Iceland".to_owned(),
        },
        payment: PaymentChoice { method: Name::from("card"), token: None },
        stated_total: None,
        hold_dispatch: false,
        fields: Default::default(),
    }
}
