//! A whole house on the stage: five services, simulated gateways, memory store and broker.

use oms_core::{
    broker::{Broker, MemoryBroker},
    conformance::{Stage, VirtualClock},
    event::{inventory::AdjustStock, payment::PaymentChoice, shipping::Address},
    gateway::{
        journal::MemoryJournal,
        simulated::{Draws, SimulatedCarrier, SimulatedNotifier, SimulatedProvider, Windows},
    },
    id::{CustomerId, IdSource, Name, OrderId, Sku},
    money::{Currency, Money},
    oms::{Builder, Oms},
    order::{NewLine, NewOrder},
    payment::Method,
    saga::SagaTimes,
    store::{MemoryStore, Store},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl IdSource for Counting {
    fn next(&self) -> u128 {
        self.0.fetch_add(1, Ordering::SeqCst).into()
    }
}

/// Everything that outlives one run of the house.
pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) journal: Arc<MemoryJournal>,
    pub(crate) draws: Draws,
    pub(crate) windows: Windows,
    pub(crate) times: SagaTimes,
}

impl World {
    pub(crate) fn new(draws: Draws) -> Self {
        let stage = Stage::default();
        let windows = Windows {
            approval: Duration::from_secs(1),
            late: Duration::from_secs(60),
            dispatch: Duration::from_secs(2),
            delivery: Duration::from_secs(5),
        };
        Self {
            store: Arc::new(MemoryStore::new(Arc::new(stage.clock()))),
            broker: Arc::new(MemoryBroker::default()),
            journal: Arc::default(),
            stage,
            draws,
            windows,
            times: SagaTimes::default(),
        }
    }

    pub(crate) fn builder(&self) -> Builder {
        let clock: Arc<VirtualClock> = Arc::new(self.stage.clock());
        let (broker, store) = (Arc::clone(&self.broker), Arc::clone(&self.store));
        let provider = || {
            SimulatedProvider::open(self.draws, self.windows, clock.clone(), self.journal.clone())
                .expect("an empty journal")
        };
        let carrier = SimulatedCarrier::open(self.draws, self.windows, clock.clone(), self.journal.clone());
        let notifier = SimulatedNotifier::open(self.draws, clock.clone(), self.journal.clone());
        Oms::builder(broker, store, clock.clone(), Arc::new(Counting::default()))
            .payment_method(Method::card(), provider())
            .payment_method(Method::upi(), provider())
            .carrier(carrier.expect("an empty journal"))
            .notifier(notifier.expect("an empty journal"))
            .saga_times(self.times.clone())
    }

    /// Builds a house, runs it beside `scene`, and drains it.
    pub(crate) fn play<T>(&self, scene: impl AsyncFnOnce(Oms) -> T) -> T {
        let played = self.stage.run(async {
            let oms = self.builder().build().await.expect("builds");
            let (stop, stopped) = futures::channel::oneshot::channel::<()>();
            let house = oms.clone().run(async { stopped.await.unwrap_or(()) }, Duration::from_secs(60));
            let scene = async {
                let end = scene(oms).await;
                drop(stop);
                end
            };
            let (drained, end) = futures::join!(house, scene);
            assert!(drained.finished, "the house drained");
            end
        });
        played.expect("the stage is not stuck")
    }
}

pub(crate) fn order(method: &str, lines: &[(&str, u32, i64)]) -> NewOrder {
    let gbp = Currency::new("GBP").expect("a currency");
    let line = |(sku, quantity, minor): &(&str, u32, i64)| NewLine {
        sku: Sku::new(sku).expect("a SKU"),
        name: String::new(),
        quantity: *quantity,
        unit_price: Money { minor: *minor, currency: gbp },
        stocked: *sku != "POST",
        fields: Default::default(),
    };
    NewOrder {
        customer: CustomerId::new("c-1").expect("an id"),
        currency: gbp,
        lines: lines.iter().map(line).collect(),
        address: Address {
            name: String::new(),
            street: Vec::new(),
            city: String::new(),
            postal_code: String::new(),
            country: "Iceland".to_owned(),
        },
        payment: PaymentChoice { method: Name::from(method), token: None },
        stated_total: None,
        hold_dispatch: false,
        fields: Default::default(),
    }
}

pub(crate) async fn stock(oms: &Oms, sku: &str, units: i64) {
    let change = AdjustStock {
        sku: Sku::new(sku).expect("a SKU"),
        delta: units,
        reference: Name::from("first"),
        reason: "received".to_owned(),
    };
    assert!(oms.adjust_stock(change).await.expect("handled").accepted);
}

pub(crate) async fn place(oms: &Oms, order: NewOrder, key: &str) -> OrderId {
    oms.place(order, "shop", key).await.expect("placed").id
}
