//! A whole house on the stage: five services, simulated gateways, memory store and broker.

use oms_core::{
    broker::{Broker, MemoryBroker},
    conformance::{Stage, VirtualClock},
    gateway::{
        journal::{Journal, Ledger, MemoryJournal},
        simulated::{Draws, SimulatedCarrier, SimulatedNotifier, SimulatedProvider, Windows},
    },
    id::IdSource,
    oms::{Builder, Oms},
    payment::Method,
    projection::check::Books,
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

/// Names each process of a world differently, as real ones are.
#[derive(Clone, Default)]
pub(crate) struct Counting(Arc<AtomicU64>);

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
    ids: Counting,
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
            ids: Counting::default(),
        }
    }

    /// A world in which nothing goes wrong.
    pub(crate) fn kind() -> Self {
        Self::new(Draws::new(1))
    }

    pub(crate) fn provider(&self) -> SimulatedProvider {
        let clock: Arc<VirtualClock> = Arc::new(self.stage.clock());
        SimulatedProvider::open(self.draws, self.windows, clock, self.journal.clone()).expect("readable")
    }

    pub(crate) fn carrier(&self) -> SimulatedCarrier {
        let clock: Arc<VirtualClock> = Arc::new(self.stage.clock());
        SimulatedCarrier::open(self.draws, self.windows, clock, self.journal.clone()).expect("readable")
    }

    pub(crate) fn notifier(&self) -> SimulatedNotifier {
        let clock: Arc<VirtualClock> = Arc::new(self.stage.clock());
        SimulatedNotifier::open(self.draws, clock, self.journal.clone()).expect("readable")
    }

    pub(crate) fn builder(&self) -> Builder {
        let clock: Arc<VirtualClock> = Arc::new(self.stage.clock());
        let (broker, store) = (Arc::clone(&self.broker), Arc::clone(&self.store));
        Oms::builder(broker, store, clock, Arc::new(self.ids.clone()))
            .payment_method(Method::card(), self.provider())
            .payment_method(Method::upi(), self.provider())
            .carrier(self.carrier())
            .notifier(self.notifier())
            .saga_times(self.times.clone())
    }

    /// Builds the usual house, runs it beside `scene`, and drains it.
    pub(crate) fn play<T>(&self, scene: impl AsyncFnOnce(Oms) -> T) -> T {
        self.play_with(|builder| builder, scene)
    }

    /// Builds a house with something added, runs it beside `scene`, and drains it.
    pub(crate) fn play_with<T>(
        &self,
        furnish: impl FnOnce(Builder) -> Builder,
        scene: impl AsyncFnOnce(Oms) -> T,
    ) -> T {
        let played = self.stage.run(self.life(furnish, scene));
        played.expect("the stage is not stuck")
    }

    /// One life of a house, to be polled until it ends, or dropped before.
    pub(crate) async fn life<T>(
        &self,
        furnish: impl FnOnce(Builder) -> Builder,
        scene: impl AsyncFnOnce(Oms) -> T,
    ) -> T {
        let oms = furnish(self.builder()).build().await.expect("builds");
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
    }

    pub(crate) async fn sleep(&self, time: Duration) {
        use oms_core::clock::Clock as _;
        self.stage.clock().sleep(time).await;
    }

    /// What the providers did, as seen from outside.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::of(&self.journal.load().expect("readable"))
    }

    pub(crate) fn books(&self) -> Books {
        Books::of(&self.ledger(), ["card", "upi"].map(str::to_owned))
    }
}
