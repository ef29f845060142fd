//! The world of one run: what all its processes, customers and providers share.

mod leases;
mod life;
mod providers;
mod turns;
mod wire;

pub(crate) use life::{Life, Process};
pub(crate) use providers::AGAIN;
pub(crate) use turns::Slot;

use crate::{
    clock::{StoreClock, Time},
    deliveries::Book,
    dice::Dice,
    executor::Wishes,
    fault::Fault,
    lock::locked,
    mark::{Mark, Marks},
    plan::Plan,
    plant::Plant,
    trace::Trace,
};
use leases::Leases;
use oms_core::{
    clock::Timestamp,
    id::{IdSource, MessageId, OrderId},
    message::{GroupLane, Message, PackId},
    store::{Lease, MemoryStore},
};
use providers::Providers;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};
use turns::OpenTurns;
use wire::Wire;

/// Names each process of a world differently, as real ones are.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl IdSource for Counting {
    fn next(&self) -> u128 {
        self.0.fetch_add(1, Ordering::Relaxed).into()
    }
}

/// How often a message has failed, by group and message.
type Failures = Mutex<BTreeMap<(&'static str, MessageId), u32>>;

/// The packs of a run that travel as references.
type Table = Vec<(PackId, Vec<Message>)>;

/// Everything that outlives a process.
pub(crate) struct World {
    /// What the seed brings.
    pub(crate) plan: Plan,
    /// The bug that was planted, if any.
    pub(crate) plant: Option<Plant>,
    /// The true time.
    pub(crate) time: Time,
    /// What the executor is asked.
    pub(crate) wishes: Wishes,
    /// What is told a person.
    pub(crate) trace: Trace,
    /// The store that all processes share, as it is.
    pub(crate) store: MemoryStore,
    /// The broker that all processes share.
    pub(crate) wire: Wire,
    /// The outside world.
    pub(crate) providers: Providers,
    /// The processes, alive or not.
    pub(crate) processes: Vec<Process>,
    /// The turns that are open, by process.
    pub(crate) turns: OpenTurns,
    /// The packs that travel as references.
    pub(crate) table: Mutex<Table>,
    /// Names owners of leases.
    pub(crate) ids: Arc<Counting>,
    /// How often hearers have failed.
    pub(crate) failures: Failures,
    book: Mutex<Book>,
    marks: Mutex<Marks>,
    dice: Mutex<Vec<Dice>>,
    /// The orders that were accepted, by their id, and whose they are.
    accepted: Mutex<BTreeMap<OrderId, u32>>,
    outage: Mutex<Outage>,
    leases: Mutex<Leases>,
    restarting: AtomicI64,
    late: AtomicBool,
    calm: AtomicBool,
    over: AtomicBool,
}

/// Until when the store does not answer, or does not write.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outage {
    pub(crate) away_until: Timestamp,
    pub(crate) full_until: Timestamp,
}

impl World {
    /// Makes a world in which nothing has happened.
    #[must_use]
    pub(crate) fn new(plan: Plan, plant: Option<Plant>, traced: bool) -> Self {
        let time = Time::default();
        let clock = Arc::new(StoreClock(time.clone()));
        let dice = Fault::ALL.iter().map(|fault| Dice::new(plan.seed, fault.name())).collect();
        Self {
            trace: Trace::new(time.clone(), traced),
            store: MemoryStore::new(clock.clone()),
            wire: Wire::default(),
            providers: Providers::new(&plan, clock),
            processes: (0..plan.processes).map(|place| Process::new(place, &plan, time.clone())).collect(),
            turns: OpenTurns::default(),
            table: Mutex::default(),
            ids: Arc::default(),
            failures: Failures::default(),
            book: Mutex::default(),
            marks: Mutex::default(),
            dice: Mutex::new(dice),
            accepted: Mutex::default(),
            outage: Mutex::default(),
            leases: Mutex::default(),
            restarting: AtomicI64::new(0),
            late: AtomicBool::new(false),
            calm: AtomicBool::new(false),
            over: AtomicBool::new(false),
            wishes: Wishes::default(),
            plan,
            plant,
            time,
        }
    }

    /// Whether a fault happens now, by its rate; never once the world is calm.
    pub(crate) fn happens(&self, fault: Fault) -> bool {
        let rate = self.plan.rates.of(fault);
        if rate == 0 || self.is_calm() {
            return false;
        }
        let happens = locked(&self.dice).get_mut(fault as usize).is_some_and(|dice| dice.happens(rate));
        if happens {
            self.note(fault);
        }
        happens
    }

    /// Throws the dice of a fault.
    pub(crate) fn throw<T>(&self, fault: Fault, throw: impl FnOnce(&mut Dice) -> T) -> T {
        let mut dice = locked(&self.dice);
        match dice.get_mut(fault as usize) {
            Some(dice) => throw(dice),
            None => throw(&mut Dice::new(0, "none")),
        }
    }

    /// Notes that a fault happened.
    pub(crate) fn note(&self, fault: Fault) {
        locked(&self.marks).fault(fault);
    }

    /// Notes that something rare was met.
    pub(crate) fn mark(&self, mark: Mark) {
        locked(&self.marks).mark(mark);
    }

    /// What was met so far.
    pub(crate) fn marks(&self) -> Marks {
        locked(&self.marks).clone()
    }

    /// The book of deliveries.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        locked(&self.book)
    }

    /// Notes that something is wrong.
    pub(crate) fn wrong(&self, what: String) {
        self.trace.say(|| format!("VIOLATION {what}"));
        self.book().wrong.push(what);
    }

    /// Notes that an order was accepted.
    pub(crate) fn accept(&self, order: OrderId, customer: u32) {
        locked(&self.accepted).insert(order, customer);
    }

    /// The orders that were accepted.
    pub(crate) fn accepted(&self) -> BTreeMap<OrderId, u32> {
        locked(&self.accepted).clone()
    }

    /// Whether nothing goes wrong any more.
    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Ends all trouble.
    pub(crate) fn calm(&self) {
        self.trace.say(|| "nothing goes wrong any more".to_owned());
        self.calm.store(true, Ordering::Relaxed);
    }

    /// Whether the store does not answer now, or not when it shall write.
    pub(crate) fn is_store_away(&self, writes: bool) -> bool {
        let (outage, now) = (*locked(&self.outage), self.time.now());
        !self.is_calm() && (now < outage.away_until || (writes && now < outage.full_until))
    }

    /// Changes until when the store is away.
    pub(crate) fn outage(&self, change: impl FnOnce(&mut Outage)) {
        change(&mut locked(&self.outage));
    }

    /// Notes what the store leased to whom. A lease that runs is nobody else's, unless it was given back (rule 8).
    pub(crate) fn leased(&self, owner: u128, wanted: &[GroupLane], leases: &[Lease]) {
        let taken = locked(&self.leases).note(self.time.now(), owner, wanted, leases);
        for lease in leases.iter().filter(|lease| taken.changed.contains(&lease.lane)) {
            self.trace.say(|| format!("lane {} is owner {owner}'s, epoch {}", lease.lane, lease.epoch));
        }
        for (lane, left) in taken.early.iter().filter(|(lane, _)| !self.book().is_removed(&lane.group)) {
            self.wrong(format!("lane {lane} changed hands while its lease had {left:?} left"));
        }
    }

    /// How often a lane has changed hands.
    pub(crate) fn lease_changes(&self) -> u64 {
        locked(&self.leases).changes
    }

    /// Whether the run is over: once a planted bug was found, nothing more is to be learned.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed) || (self.plant.is_some() && !self.book().wrong.is_empty())
    }

    /// Ends the run.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Notes that a process begins to drain, or has drained.
    pub(crate) fn restarts(&self, more: i64) {
        self.restarting.fetch_add(more, Ordering::Relaxed);
    }

    /// How many processes are draining.
    pub(crate) fn restarting(&self) -> i64 {
        self.restarting.load(Ordering::Relaxed)
    }

    /// Whether the group that is added in mid-run hears by now.
    pub(crate) fn late_hears(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }

    /// Lets the late group hear, with the next process that boots.
    pub(crate) fn let_late_hear(&self) {
        self.late.store(true, Ordering::Relaxed);
    }
}
