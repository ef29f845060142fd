//! The world of one run: what all its processes, customers and providers share.

use crate::{
    broker::Wire,
    check::Book,
    clock::{StoreClock, Time},
    dice::Dice,
    executor::{Mortals, Wishes},
    fault::Fault,
    gateway::Providers,
    hearer::Failures,
    mark::{Mark, Marks},
    plan::Plan,
    plant::Plant,
    process::Process,
    store::OpenTurns,
    trace::Trace,
};
use futures::future::BoxFuture;
use oms_core::{
    clock::Timestamp,
    id::{IdSource, OrderId},
    message::{GroupLane, Message, PackId},
    store::{Lease, MemoryStore},
};
use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    task::Poll,
};

/// Takes a lock that nobody panics under.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets everybody else go on once: a place where a crash may come between.
pub(crate) async fn give_way() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Names each process of a world differently, as real ones are.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl IdSource for Counting {
    fn next(&self) -> u128 {
        self.0.fetch_add(1, Ordering::Relaxed).into()
    }
}

/// The packs of a run that travel as references.
pub(crate) type Table = Vec<(PackId, Vec<Message>)>;

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

/// Who holds which lane, as the store last said, and how often that changed.
#[derive(Default)]
struct Leases {
    held: BTreeMap<GroupLane, (u128, u64)>,
    changes: u64,
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

    /// Notes what the store leased to whom.
    pub(crate) fn leased(&self, owner: u128, leases: &[Lease]) {
        let mut known = locked(&self.leases);
        for lease in leases {
            let now = (owner, lease.epoch);
            if known.held.insert(lease.lane.clone(), now) != Some(now) {
                known.changes += 1;
                self.trace.say(|| format!("lane {} is owner {owner}'s, epoch {}", lease.lane, lease.epoch));
            }
        }
    }

    /// How often a lane has changed hands.
    pub(crate) fn lease_changes(&self) -> u64 {
        locked(&self.leases).changes
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

/// The executor's view of the world.
pub(crate) struct Fates(pub(crate) Arc<World>);

impl Mortals for Fates {
    fn died(&self, place: usize) {
        if let Some(process) = self.0.processes.get(place) {
            process.died(&self.0);
        }
    }

    fn anew(&self, place: usize, name: &str) -> Option<BoxFuture<'static, ()>> {
        let process = self.0.processes.get(place)?;
        self.0.trace.say(|| format!("process {place}: loop {name} crashed, and begins anew"));
        process.anew(&self.0, name)
    }

    fn over(&self) -> bool {
        self.0.over.load(Ordering::Relaxed)
    }
}
