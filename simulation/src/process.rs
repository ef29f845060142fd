//! Processes: they boot, run their loops, crash, stand still, drain, and boot again.

use crate::{
    broker::SimBroker,
    clock::{ProcessClock, Time},
    codec::SimCodec,
    dice::Dice,
    executor::{Owner, Wish},
    fault::Fault,
    gateway::Line,
    hearer::{BRIEF, HEARER, Hearer, LATE},
    mark::Mark,
    plan::Plan,
    plant,
    store::SimStore,
    watch::Watched,
    world::{World, locked},
};
use futures::{
    FutureExt,
    channel::oneshot,
    future::{BoxFuture, Either, Shared, select},
};
use oms_core::{
    broker::Topology,
    clock::Clock,
    oms::{BuildError, Builder, Oms},
    payment::Method,
    store::{Store, StoreError},
    worker::Options,
};
use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// The topics that hearers outside the store may read.
pub(crate) const PUBLIC_TOPICS: [&str; 2] = ["order.placed", "order.completed"];

/// The five services, in the order of the processes that serve them when they are apart.
const SERVICES: [&str; 5] = ["order", "inventory", "payment", "shipping", "notification"];

type Death = Shared<BoxFuture<'static, ()>>;

/// One life of a process.
struct Life {
    oms: Oms,
    death: Death,
    /// Dropped when it dies.
    _alive: oneshot::Sender<()>,
}

/// A process, alive or not.
pub(crate) struct Process {
    place: usize,
    pub(crate) clock: ProcessClock,
    dice: Mutex<Dice>,
    life: Mutex<Option<Life>>,
    /// Loops that have ended by themselves since the last boot.
    ended: AtomicUsize,
    /// Whether it boots at once, since the trouble is over.
    last: AtomicBool,
}

impl Process {
    pub(crate) fn new(place: usize, plan: &Plan, time: Time) -> Self {
        Self {
            place,
            clock: ProcessClock::new(time),
            dice: Mutex::new(Dice::new(plan.seed, &format!("process {place}"))),
            life: Mutex::default(),
            ended: AtomicUsize::new(0),
            last: AtomicBool::new(false),
        }
    }

    /// The system it runs now, and a future that ends with it.
    pub(crate) fn oms(&self) -> Option<(Oms, Death)> {
        locked(&self.life).as_ref().map(|life| (life.oms.clone(), life.death.clone()))
    }

    /// A new future for one of its loops.
    pub(crate) fn anew(&self, world: &Arc<World>, name: &str) -> Option<BoxFuture<'static, ()>> {
        if name == BOOT {
            return Some(booting(Arc::clone(world), self.place));
        }
        let (oms, _) = self.oms()?;
        oms.tasks()
            .into_iter()
            .find(|task| task.name == name)
            .map(|task| counted(world, self.place, task.future))
    }

    /// Its tasks were dropped: it boots again after a while.
    pub(crate) fn died(&self, world: &Arc<World>) {
        let life = locked(&self.life).take();
        drop(life);
        if self.last.load(Ordering::Relaxed) {
            return;
        }
        world.turns.time_out(self.place);
        if world.plan.embedded {
            world.wire.swap();
            world.mark(Mark::BrokerEmptied);
        }
        let longest = if world.is_calm() { 10 } else { 8_000 };
        let rest = locked(&self.dice).millis(1, longest);
        let (place, world) = (self.place, Arc::clone(world));
        world.trace.say(|| format!("process {place} died, and boots again in {rest:?}"));
        world.wishes.clone().spawn("reboot", async move {
            world.time.sleep(rest).await;
            boot(&world, place);
        });
    }

    /// Ends it for good.
    pub(crate) fn bury(&self) {
        self.last.store(true, Ordering::Relaxed);
        let life = locked(&self.life).take();
        drop(life);
    }

    /// How many of its loops have ended by themselves.
    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::Relaxed)
    }

    fn live(&self, world: &Arc<World>, oms: Oms) {
        let (alive, dead) = oneshot::channel::<()>();
        let death = dead.map(|_| ()).boxed().shared();
        self.ended.store(0, Ordering::Relaxed);
        for task in oms.tasks() {
            let future = counted(world, self.place, task.future);
            world.wishes.ask(Wish::Spawn(Owner::Process(self.place), task.name, future));
        }
        *locked(&self.life) = Some(Life { oms, death, _alive: alive });
    }
}

/// Counts a loop that ends by itself.
pub(crate) fn counted(
    world: &Arc<World>,
    place: usize,
    task: BoxFuture<'static, ()>,
) -> BoxFuture<'static, ()> {
    let world = Arc::clone(world);
    let counted = async move {
        task.await;
        if let Some(process) = world.processes.get(place) {
            process.ended.fetch_add(1, Ordering::Relaxed);
        }
    };
    counted.boxed()
}

/// The name of the task that boots a process.
const BOOT: &str = "boot";

/// Lets a process boot, as a task of its own: it may die or stand still meanwhile.
pub(crate) fn boot(world: &Arc<World>, place: usize) {
    let booting = booting(Arc::clone(world), place);
    world.wishes.ask(Wish::Spawn(Owner::Process(place), BOOT.to_owned(), booting));
}

fn booting(world: Arc<World>, place: usize) -> BoxFuture<'static, ()> {
    let booting = async move {
        let Some(process) = world.processes.get(place) else { return };
        if locked(&process.dice).happens(50) {
            try_other_lanes(&world, process).await;
        }
        loop {
            match builder(&world, process, world.plan.options).build().await {
                Ok(oms) => {
                    world.trace.say(|| format!("process {place} lives"));
                    return process.live(&world, oms);
                }
                Err(BuildError::Store(StoreError::Unavailable(_))) => {
                    world.time.sleep(Duration::from_millis(300)).await;
                }
                Err(error) => return world.wrong(format!("process {place} cannot be built: {error}")),
            }
        }
    };
    booting.boxed()
}

/// Another count of lanes is refused, whoever tries it, and nothing is changed by that (rule 22).
async fn try_other_lanes(world: &Arc<World>, process: &Process) {
    let own = Topology { lanes: world.plan.options.lanes, ..Topology::default() };
    if world.store.register(&own).await.is_err() {
        return world.wrong("the store refuses its own count of lanes".to_owned());
    }
    let options = Options { lanes: world.plan.options.lanes + 1, ..world.plan.options };
    match builder(world, process, options).build().await {
        Err(BuildError::Store(StoreError::Unfit(_))) => world.mark(Mark::LanesRefused),
        Err(BuildError::Store(StoreError::Unavailable(_))) => {}
        Err(error) => world.wrong(format!("another count of lanes is refused for a wrong reason: {error}")),
        Ok(_) => world.wrong("another count of lanes was accepted".to_owned()),
    }
}

fn builder(world: &Arc<World>, process: &Process, options: Options) -> Builder {
    let clock: Arc<dyn Clock> = Arc::new(process.clock.clone());
    let store: Arc<dyn Store> = Arc::new(SimStore::new(Arc::clone(world), process.place));
    let store = plant::around_store(world, process, store);
    let broker = plant::around_broker(world, process.place, Arc::new(SimBroker::new(Arc::clone(world))));
    let line = |world: &Arc<World>| Arc::clone(world);
    let payment = || Line { provider: Arc::clone(&world.providers.payment), world: line(world) };
    let carrier = Line { provider: Arc::clone(&world.providers.carrier), world: line(world) };
    let notifier = Line { provider: Arc::clone(&world.providers.notifier), world: line(world) };
    let inside = Arc::clone(world);
    let mut builder = Oms::builder(broker, store, clock, Arc::clone(&world.ids) as _)
        .options(options)
        .codec(plant::around_codec(world, Arc::new(SimCodec(Arc::clone(world)))))
        .saga_times(world.plan.times.clone())
        .around_handlers(move |handler| {
            let watched = Arc::new(Watched { inside: handler, world: Arc::clone(&inside) });
            plant::around_handler(&inside, watched)
        });
    builder = plant::payment(world, builder, Method::card(), payment());
    builder = plant::payment(world, builder, Method::upi(), payment());
    builder = builder.carrier(carrier).notifier(notifier);
    for group in hearers(world) {
        builder = builder.handler(Hearer { world: Arc::clone(world), group });
    }
    for topic in PUBLIC_TOPICS {
        builder = builder.public(topic);
    }
    if world.plan.apart { builder.serve(served(world, process.place)) } else { builder }
}

/// The groups of a user's own that a process which boots now brings.
fn hearers(world: &World) -> Vec<&'static str> {
    let mut groups = vec![HEARER];
    if world.plan.rates.of(Fault::GroupAdded) > 0 && world.late_hears() {
        groups.push(LATE);
    }
    if world.plan.rates.of(Fault::GroupRemoved) > 0 && !world.book().is_removed(BRIEF) {
        groups.push(BRIEF);
    }
    groups
}

/// Every service is served by one process or by two; a user's hearers by all.
fn served(world: &World, place: usize) -> Vec<&'static str> {
    let count = world.processes.len();
    let by = |number: usize| {
        number % count == place || (number + 1).is_multiple_of(3) && (number + 1) % count == place
    };
    let services = SERVICES.iter().enumerate().filter(|(number, _)| by(*number)).map(|(_, name)| *name);
    services.chain(hearers(world)).collect()
}

/// Makes a call of a process; `None` when the process dies first.
pub(crate) async fn call<T>(world: &Arc<World>, place: usize, call: impl AsyncFnOnce(Oms) -> T) -> Option<T> {
    let (oms, death) = world.processes.get(place)?.oms()?;
    match select(pin!(call(oms)), death).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
