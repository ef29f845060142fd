//! Building the house: services, hearers and gateways, checked before anything runs.

use super::system::Oms;
use crate::{
    broker::{Broker, Topology},
    clock::Clock,
    gateway::{
        Gateway, Typed,
        carrier::{CARRIER, Carrier},
        journal::{Journal, JournalError, MemoryJournal},
        notifier::{NOTIFIER, Notifier},
        payment::PaymentProvider,
        simulated::{Draws, SimulatedCarrier, SimulatedNotifier, SimulatedProvider, Windows},
    },
    id::{IdSource, Name},
    message::{Codec, Json},
    payment::{Method, Methods},
    projection::model::{Fold, Model, ReadModels, house_models},
    saga::SagaTimes,
    service::{
        Handler, inventory::InventoryService, notification::NotificationService, order::OrderService,
        payment::PaymentService, shipping::ShippingService,
    },
    store::{PUBLIC, Store, StoreError},
    worker::{Options, OptionsError, Parts, Placer, Supplies},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The longest name of a group, topic or gateway, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Why a house cannot be built. Nothing was stored, unless the store says so.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An option is out of its bounds.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// Two handlers hear in one group, or one takes a name of the house's own.
    #[error("the group {0} is taken; give the handler a group name of its own")]
    GroupTaken(Name),
    /// Two handlers append to one kind of stream.
    #[error("streams of kind {0} belong to two groups; let one of them own it")]
    KindTaken(Name),
    /// A name is empty, too long, or has a `/` or `:`.
    #[error(
        "{0:?} is no name for a group, topic, kind or gateway; use 1 to {MAX_NAME_BYTES} bytes without /"
    )]
    Name(Name),
    /// A group that shall be served is none of the handlers'.
    #[error("no handler hears in the group {0}; add it, or do not serve it")]
    NotThere(Name),
    /// The books of a simulated gateway cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store does not fit or cannot be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Oms {
    /// Starts to build a system; everything but these four has a default.
    #[must_use]
    pub fn builder(
        broker: Arc<dyn Broker>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Builder {
        Builder::new(broker, store, clock, ids)
    }
}

/// Puts something around a handler: it must answer for the same group, topics and kinds.
type Around = Box<dyn Fn(Arc<dyn Handler>) -> Arc<dyn Handler> + Send>;

/// Gathers what a house is made of.
pub struct Builder {
    supplies: Supplies,
    around: Option<Around>,
    public: BTreeSet<Name>,
    methods: Methods,
    times: SagaTimes,
}

impl Builder {
    fn new(
        broker: Arc<dyn Broker>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        let supplies = Supplies {
            store,
            broker,
            clock,
            ids,
            codec: Arc::new(Json),
            handlers: Vec::new(),
            gateways: BTreeMap::new(),
            options: Options::default(),
            served: None,
            models: None,
        };
        let (public, methods, times) = (BTreeSet::new(), Methods::default(), SagaTimes::default());
        Self { supplies, around: None, public, methods, times }
    }

    /// Turns the settings of the loops.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.supplies.options = options;
        self
    }

    /// Sends and reads packs by another codec; every process of an installation must use the same.
    #[must_use]
    pub fn codec(mut self, codec: Arc<dyn Codec>) -> Self {
        self.supplies.codec = codec;
        self
    }

    /// Offers a payment method, or replaces the one of its name; its provider is told under the method's gateway name.
    #[must_use]
    pub fn payment_method(mut self, method: Method, provider: impl PaymentProvider + 'static) -> Self {
        self.supplies.gateways.insert(Name::clone(&method.gateway), Arc::new(Typed(provider)));
        self.methods = self.methods.with(method);
        self
    }

    /// Replaces the simulated carrier, which is the default.
    #[must_use]
    pub fn carrier(self, carrier: impl Carrier + 'static) -> Self {
        self.gateway(CARRIER, Arc::new(Typed(carrier)))
    }

    /// Replaces the simulated notifier, which is the default.
    #[must_use]
    pub fn notifier(self, notifier: impl Notifier + 'static) -> Self {
        self.gateway(NOTIFIER, Arc::new(Typed(notifier)))
    }

    /// Says how long the steps of the saga may take.
    #[must_use]
    pub fn saga_times(mut self, times: SagaTimes) -> Self {
        self.times = times;
        self
    }

    /// Adds a hearer of the user's own, in a group of its own: it hears each message effectively once.
    #[must_use]
    pub fn handler(mut self, handler: impl Handler + 'static) -> Self {
        self.supplies.handlers.push(Arc::new(handler));
        self
    }

    /// Keeps the read models of the house there: orders, stock, money, sagas and the daily funnel, each by a loop of its own.
    #[must_use]
    pub fn read_models(mut self, models: Arc<dyn ReadModels>) -> Self {
        self.supplies.models = Some((models, house_models()));
        self
    }

    /// Keeps a read model of the user's own beside those of the house; call it after [`Builder::read_models`].
    #[must_use]
    pub fn read_model(mut self, model: impl Model) -> Self {
        if let Some((_, projections)) = &mut self.supplies.models {
            projections.push(Arc::new(Fold::of(model)));
        }
        self
    }

    /// Puts something around every handler, the five services included: what measures, traces or watches them.
    ///
    /// What it returns must answer for the same group, topics and kinds as the handler inside.
    #[must_use]
    pub fn around_handlers(
        mut self,
        around: impl Fn(Arc<dyn Handler>) -> Arc<dyn Handler> + Send + 'static,
    ) -> Self {
        self.around = Some(Box::new(around));
        self
    }

    /// Adds a door to the outside world, or replaces the one of that name.
    #[must_use]
    pub fn gateway(mut self, name: &str, gateway: Arc<dyn Gateway>) -> Self {
        self.supplies.gateways.insert(Name::from(name), gateway);
        self
    }

    /// Lets hearers outside the store read a topic: every message on it is published, heard here or not.
    #[must_use]
    pub fn public(mut self, topic: &str) -> Self {
        self.public.insert(Name::from(topic));
        self
    }

    /// Runs the loops of these groups only; other processes on the same store serve the rest.
    #[must_use]
    pub fn serve<'a>(mut self, groups: impl IntoIterator<Item = &'a str>) -> Self {
        self.supplies.served = Some(groups.into_iter().map(Name::from).collect());
        self
    }

    /// Checks everything, and registers at the store who hears what.
    ///
    /// # Errors
    /// [`BuildError`], by what is wrong.
    pub async fn build(mut self) -> Result<Oms, BuildError> {
        self.supplies.options = self.supplies.options.checked()?;
        self.add_services();
        self.add_gateways()?;
        let order = self.checked()?;
        let registered = self.supplies.store.register(&self.topology()).await?;
        let parts = Arc::new(Parts::new(self.supplies, registered.topology));
        let placer = Arc::new(Placer::new(Arc::clone(&parts), order));
        Ok(Oms { parts, placer, times: Arc::new(self.times) })
    }

    /// Puts the five services before the user's own hearers.
    fn add_services(&mut self) {
        let order: Arc<dyn Handler> = Arc::new(OrderService::new(self.times.clone()));
        let services: [Arc<dyn Handler>; 5] = [
            order,
            Arc::new(InventoryService),
            Arc::new(PaymentService::new(self.methods.clone())),
            Arc::new(ShippingService),
            Arc::new(NotificationService),
        ];
        self.supplies.handlers.splice(0..0, services);
        if let Some(around) = &self.around {
            let inside = std::mem::take(&mut self.supplies.handlers);
            self.supplies.handlers = inside.into_iter().map(around).collect();
        }
    }

    /// Puts a simulated gateway wherever none was given: it declines nothing, takes no time, and forgets with the process.
    fn add_gateways(&mut self) -> Result<(), BuildError> {
        let (draws, windows) = (Draws::default(), Windows::default());
        let clock = Arc::clone(&self.supplies.clock);
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::default());
        let provider = SimulatedProvider::open(draws, windows, Arc::clone(&clock), Arc::clone(&journal))?;
        let carrier = SimulatedCarrier::open(draws, windows, Arc::clone(&clock), Arc::clone(&journal))?;
        let notifier = SimulatedNotifier::open(draws, clock, journal)?;
        let provider: Arc<dyn Gateway> = Arc::new(Typed(provider));
        let online = self.methods.iter().filter(|method| !method.capabilities.offline);
        for gateway in online.map(|method| Name::clone(&method.gateway)) {
            self.supplies.gateways.entry(gateway).or_insert_with(|| Arc::clone(&provider));
        }
        let gateways = &mut self.supplies.gateways;
        gateways.entry(Name::from(CARRIER)).or_insert_with(|| Arc::new(Typed(carrier)));
        gateways.entry(Name::from(NOTIFIER)).or_insert_with(|| Arc::new(Typed(notifier)));
        Ok(())
    }

    fn topology(&self) -> Topology {
        let heard = self.supplies.handlers.iter().map(|one| (one.group(), one.hears().into_iter().collect()));
        Topology { hears: heard.collect(), public: self.public.clone(), lanes: self.supplies.options.lanes }
    }

    /// Checks names and ownership; gives the handler that owns orders.
    fn checked(&self) -> Result<Arc<dyn Handler>, BuildError> {
        let mut groups: BTreeSet<Name> = ["place", PUBLIC].into_iter().map(Name::from).collect();
        let mut kinds: BTreeSet<Name> =
            [crate::event::incident::INCIDENT].into_iter().map(Name::from).collect();
        for handler in &self.supplies.handlers {
            let (group, owned) = (handler.group(), handler.owns());
            handler.hears().iter().chain(&owned).chain([&group]).try_for_each(named)?;
            if !groups.insert(Name::clone(&group)) {
                return Err(BuildError::GroupTaken(group));
            }
            if let Some(kind) = owned.into_iter().find(|kind| !kinds.insert(Name::clone(kind))) {
                return Err(BuildError::KindTaken(kind));
            }
        }
        self.supplies.gateways.keys().chain(&self.public).try_for_each(named)?;
        let absent = self.supplies.served.iter().flatten().find(|group| !groups.contains(*group));
        if let Some(group) = absent {
            return Err(BuildError::NotThere(Name::clone(group)));
        }
        let order = self.supplies.handlers.iter().find(|handler| *handler.group() == *"order");
        order.cloned().ok_or_else(|| BuildError::NotThere(Name::from("order")))
    }
}

fn named(name: &Name) -> Result<(), BuildError> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.contains(['/', ':']) {
        return Err(BuildError::Name(Name::clone(name)));
    }
    Ok(())
}
