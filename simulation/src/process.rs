//! Processes: they boot, run their loops, crash, stand still, drain, and boot again.

use crate::{
    broker::SimBroker,
    bugs,
    codec::SimCodec,
    executor::{Mortals, Owner, Wish},
    gateway::Line,
    groups::{PUBLIC_TOPICS, hearers, served},
    hearer::Hearer,
    mark::Mark,
    store::SimStore,
    watch::Watched,
    world::{Life, Process, World},
};
use futures::{
    FutureExt,
    future::{BoxFuture, Either, select},
};
use oms_core::{
    broker::Topology,
    clock::Clock,
    oms::{BuildError, Builder, Oms},
    payment::Method,
    store::{Store, StoreError},
    worker::Options,
};
use std::{pin::pin, sync::Arc, time::Duration};

/// Counts a loop that ends by itself.
fn counted(world: &Arc<World>, place: usize, task: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
    let world = Arc::clone(world);
    let counted = async move {
        task.await;
        if let Some(process) = world.processes.get(place) {
            process.end_loop();
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
        if process.dice().happens(50) {
            try_other_lanes(&world, process).await;
        }
        loop {
            match builder(&world, process, world.plan.options).build().await {
                Ok(oms) => {
                    world.trace.say(|| format!("process {place} lives"));
                    return live(&world, process, oms);
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

fn live(world: &Arc<World>, process: &Process, oms: Oms) {
    for task in oms.tasks() {
        let future = counted(world, process.place, task.future);
        world.wishes.ask(Wish::Spawn(Owner::Process(process.place), task.name, future));
    }
    process.live(Life::new(oms));
}

/// The executor's view of the world.
pub(crate) struct Fates(pub(crate) Arc<World>);

impl Mortals for Fates {
    /// Its tasks were dropped: it boots again after a while.
    fn died(&self, place: usize) {
        let world = &self.0;
        let Some(process) = world.processes.get(place).filter(|process| process.die()) else { return };
        world.turns.time_out(place);
        if world.plan.embedded {
            world.wire.swap();
            world.mark(Mark::BrokerEmptied);
        }
        let longest = if world.is_calm() { 10 } else { 8_000 };
        let rest = process.dice().millis(1, longest);
        world.trace.say(|| format!("process {place} died, and boots again in {rest:?}"));
        let world = Arc::clone(world);
        world.wishes.clone().spawn("reboot", async move {
            world.time.sleep(rest).await;
            boot(&world, place);
        });
    }

    fn anew(&self, place: usize, name: &str) -> Option<BoxFuture<'static, ()>> {
        let world = &self.0;
        world.trace.say(|| format!("process {place}: loop {name} crashed, and begins anew"));
        if name == BOOT {
            return Some(booting(Arc::clone(world), place));
        }
        let (oms, _) = world.processes.get(place)?.oms()?;
        let task = oms.tasks().into_iter().find(|task| task.name == name)?;
        Some(counted(world, place, task.future))
    }

    fn over(&self) -> bool {
        self.0.is_over()
    }
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
    let store = bugs::around_store(world, process, store);
    let broker = bugs::around_broker(world, process.place, Arc::new(SimBroker::new(Arc::clone(world))));
    let line = |world: &Arc<World>| Arc::clone(world);
    let payment = || Line { provider: Arc::clone(&world.providers.payment), world: line(world) };
    let carrier = Line { provider: Arc::clone(&world.providers.carrier), world: line(world) };
    let notifier = Line { provider: Arc::clone(&world.providers.notifier), world: line(world) };
    let inside = Arc::clone(world);
    let mut builder = Oms::builder(broker, store, clock, Arc::clone(&world.ids) as _)
        .options(options)
        .codec(bugs::around_codec(world, Arc::new(SimCodec(Arc::clone(world)))))
        .saga_times(world.plan.times.clone())
        .around_handlers(move |handler| {
            Arc::new(Watched { inside: bugs::around_handler(&inside, handler), world: Arc::clone(&inside) })
        });
    builder = bugs::payment(world, builder, Method::card(), payment());
    builder = bugs::payment(world, builder, Method::upi(), payment());
    builder = builder.carrier(carrier).notifier(notifier);
    for group in hearers(world) {
        builder = builder.handler(Hearer { world: Arc::clone(world), group });
    }
    for topic in PUBLIC_TOPICS {
        builder = builder.public(topic);
    }
    if world.plan.apart { builder.serve(served(world, process.place)) } else { builder }
}

/// Makes a call of a process; `None` when the process dies first.
pub(crate) async fn call<T>(world: &Arc<World>, place: usize, call: impl AsyncFnOnce(Oms) -> T) -> Option<T> {
    let (oms, death) = world.processes.get(place)?.oms()?;
    match select(pin!(call(oms)), death).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
