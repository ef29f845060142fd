//! A process and its lives: what it runs now, and who waits for its death.

use crate::{
    clock::{ProcessClock, Time},
    dice::Dice,
    lock::locked,
    plan::Plan,
};
use futures::{
    FutureExt,
    channel::oneshot,
    future::{BoxFuture, Shared},
};
use oms_core::oms::Oms;
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

type Death = Shared<BoxFuture<'static, ()>>;

/// One life of a process.
pub(crate) struct Life {
    oms: Oms,
    death: Death,
    /// Dropped when it dies.
    _alive: oneshot::Sender<()>,
}

impl Life {
    /// Begins one.
    pub(crate) fn new(oms: Oms) -> Self {
        let (alive, dead) = oneshot::channel::<()>();
        Self { oms, death: dead.map(|_| ()).boxed().shared(), _alive: alive }
    }
}

/// A process, alive or not.
pub(crate) struct Process {
    /// Its place among the others.
    pub(crate) place: usize,
    /// Its clock, which may be wrong.
    pub(crate) clock: ProcessClock,
    dice: Mutex<Dice>,
    life: Mutex<Option<Life>>,
    /// Loops that have ended by themselves since the last boot.
    ended: AtomicUsize,
    buried: AtomicBool,
}

impl Process {
    pub(super) fn new(place: usize, plan: &Plan, time: Time) -> Self {
        Self {
            place,
            clock: ProcessClock::new(time),
            dice: Mutex::new(Dice::new(plan.seed, &format!("process {place}"))),
            life: Mutex::default(),
            ended: AtomicUsize::new(0),
            buried: AtomicBool::new(false),
        }
    }

    /// The dice of its own.
    pub(crate) fn dice(&self) -> MutexGuard<'_, Dice> {
        locked(&self.dice)
    }

    /// The system it runs now, and a future that ends with it.
    pub(crate) fn oms(&self) -> Option<(Oms, Death)> {
        locked(&self.life).as_ref().map(|life| (life.oms.clone(), life.death.clone()))
    }

    /// Lives from now on.
    pub(crate) fn live(&self, life: Life) {
        self.ended.store(0, Ordering::Relaxed);
        *locked(&self.life) = Some(life);
    }

    /// Lives no longer; false when it was buried.
    pub(crate) fn die(&self) -> bool {
        // Dropped without the lock: what waits for the death looks at the life.
        let life = locked(&self.life).take();
        drop(life);
        !self.buried.load(Ordering::Relaxed)
    }

    /// Ends it for good.
    pub(crate) fn bury(&self) {
        self.buried.store(true, Ordering::Relaxed);
        self.die();
    }

    /// Notes that a loop has ended by itself.
    pub(crate) fn end_loop(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    /// How many of its loops have ended by themselves.
    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::Relaxed)
    }
}
