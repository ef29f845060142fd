//! The executor: polls one task after another, in an order that the seed chooses, and drops them where the seed says.

use crate::{clock::Time, dice::Dice};
use futures::{
    future::BoxFuture,
    task::{ArcWake, waker},
};
use std::{
    cell::Cell,
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

thread_local! {
    static CURRENT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The number of the task that is being polled: what happens between two awaits happens in it alone.
#[must_use]
pub(crate) fn current_task() -> usize {
    CURRENT.get()
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

/// Whose task it is: what dies, stops or goes on together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The world's: customers, carriers of delayed packs, whoever stirs up trouble.
    World,
    /// A process's, by its place.
    Process(usize),
}

/// What tasks ask of the executor; done between two polls.
pub(crate) enum Wish {
    /// Run this.
    Spawn(Owner, String, BoxFuture<'static, ()>),
    /// Drop every task of a process, wherever it is.
    Kill(usize),
    /// Drop some task of this process, or all of them, after so many of its polls.
    Arm(usize, u64, Crash),
    /// Forget the crashes that have not come.
    Disarm,
    /// Poll no task of a process until it goes on.
    Pause(usize),
    /// Go on.
    Resume(usize),
}

/// What a crash takes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The task that is being polled at that moment; it is begun anew.
    Loop,
    /// Every task of its process.
    Process,
}

struct Ready {
    numbers: Mutex<Vec<usize>>,
}

impl Ready {
    fn numbers(&self) -> MutexGuard<'_, Vec<usize>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Flag {
    number: usize,
    woken: AtomicBool,
    ready: Arc<Ready>,
}

impl ArcWake for Flag {
    fn wake_by_ref(flag: &Arc<Self>) {
        if !flag.woken.swap(true, Ordering::Relaxed) {
            flag.ready.numbers().push(flag.number);
        }
    }
}

struct Task {
    owner: Owner,
    name: String,
    future: Option<BoxFuture<'static, ()>>,
    flag: Arc<Flag>,
    waker: Waker,
    /// Woken while its process stood still.
    held: bool,
}

/// Asks the executor for something; clones ask the same one.
#[derive(Clone, Default)]
pub(crate) struct Wishes(Arc<Mutex<Vec<Wish>>>);

impl Wishes {
    /// Asks.
    pub(crate) fn ask(&self, wish: Wish) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(wish);
    }

    /// Runs a task of the world's.
    pub(crate) fn spawn(&self, name: &str, future: impl Future<Output = ()> + Send + 'static) {
        self.ask(Wish::Spawn(Owner::World, name.to_owned(), Box::pin(future)));
    }

    /// Forgets the tasks that a process has asked for and that do not run yet.
    fn forget(&self, process: usize) {
        let of_it = |wish: &Wish| matches!(wish, Wish::Spawn(owner, ..) if *owner == Owner::Process(process));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|wish| !of_it(wish));
    }

    fn take(&self) -> Vec<Wish> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the executor needs of the world when it kills.
pub(crate) trait Mortals {
    /// A process's tasks were dropped.
    fn died(&self, process: usize);
    /// A new future for a loop that was dropped, if its process still lives.
    fn anew(&self, process: usize, name: &str) -> Option<BoxFuture<'static, ()>>;
    /// Whether the run is over.
    fn over(&self) -> bool;
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The world said so.
    Over,
    /// Nothing can ever go on: no task is woken, and none sleeps.
    Stuck,
    /// It took more polls than it may.
    TooLong,
}

struct Armed {
    process: usize,
    polls: u64,
    crash: Crash,
}

/// Runs tasks on this thread.
pub(crate) struct Executor {
    time: Time,
    dice: Dice,
    wishes: Wishes,
    ready: Arc<Ready>,
    tasks: Vec<Task>,
    paused: Vec<usize>,
    armed: Vec<Armed>,
    /// Polls so far.
    pub(crate) polls: u64,
}

impl Executor {
    /// Makes one that throws `dice` for its choices.
    #[must_use]
    pub(crate) fn new(time: Time, wishes: Wishes, dice: Dice) -> Self {
        let ready = Arc::new(Ready { numbers: Mutex::default() });
        let (tasks, paused, armed) = (Vec::new(), Vec::new(), Vec::new());
        Self { time, dice, wishes, ready, tasks, paused, armed, polls: 0 }
    }

    /// Runs until the world says that it is over, at most `most` polls.
    pub(crate) fn run(&mut self, mortals: &dyn Mortals, most: u64) -> Ended {
        loop {
            self.grant(mortals);
            if mortals.over() {
                return Ended::Over;
            }
            if self.polls >= most {
                return Ended::TooLong;
            }
            match self.choose() {
                Some(number) => self.poll(number, mortals),
                None if self.time.jump() => {}
                None => return Ended::Stuck,
            }
        }
    }

    fn choose(&mut self) -> Option<usize> {
        let mut numbers = self.ready.numbers();
        if numbers.is_empty() {
            return None;
        }
        let place = self.dice.index(numbers.len());
        Some(numbers.swap_remove(place))
    }

    fn poll(&mut self, number: usize, mortals: &dyn Mortals) {
        let Some(task) = self.tasks.get_mut(number) else { return };
        task.flag.woken.store(false, Ordering::Relaxed);
        if matches!(task.owner, Owner::Process(process) if self.paused.contains(&process)) {
            task.held = true;
            return;
        }
        let Some(future) = task.future.as_mut() else { return };
        self.polls += 1;
        CURRENT.set(number);
        let done = future.as_mut().poll(&mut Context::from_waker(&task.waker));
        CURRENT.set(usize::MAX);
        if done == Poll::Ready(()) {
            task.future = None;
        }
        let owner = task.owner;
        self.time.pass(self.dice.between(1, 12));
        if let Owner::Process(process) = owner {
            self.strike(process, number, mortals);
        }
    }

    /// Lets the armed crashes of this process come one poll nearer.
    fn strike(&mut self, process: usize, number: usize, mortals: &dyn Mortals) {
        let mut struck = None;
        for armed in self.armed.iter_mut().filter(|armed| armed.process == process) {
            armed.polls = armed.polls.saturating_sub(1);
            if armed.polls == 0 {
                struck = Some(armed.crash);
            }
        }
        let Some(crash) = struck else { return };
        self.armed.retain(|armed| armed.polls > 0);
        match crash {
            Crash::Loop => self.restart(process, number, mortals),
            Crash::Process => self.kill(process, mortals),
        }
    }

    fn grant(&mut self, mortals: &dyn Mortals) {
        for wish in self.wishes.take() {
            match wish {
                Wish::Spawn(owner, name, future) => self.spawn(owner, name, future),
                Wish::Kill(process) => self.kill(process, mortals),
                Wish::Arm(process, polls, crash) => {
                    self.armed.push(Armed { process, polls: polls.max(1), crash });
                }
                Wish::Disarm => self.armed.clear(),
                Wish::Pause(process) => self.paused.push(process),
                Wish::Resume(process) => self.resume(process),
            }
        }
    }

    fn spawn(&mut self, owner: Owner, name: String, future: BoxFuture<'static, ()>) {
        let number = self.tasks.len();
        let flag = Arc::new(Flag { number, woken: AtomicBool::new(false), ready: Arc::clone(&self.ready) });
        let waker = waker(Arc::clone(&flag));
        waker.wake_by_ref();
        self.tasks.push(Task { owner, name, future: Some(future), flag, waker, held: false });
    }

    fn kill(&mut self, process: usize, mortals: &dyn Mortals) {
        for task in self.tasks.iter_mut().filter(|task| task.owner == Owner::Process(process)) {
            task.future = None;
        }
        // What it has only just begun dies with it.
        self.wishes.forget(process);
        self.armed.retain(|armed| armed.process != process);
        mortals.died(process);
    }

    fn restart(&mut self, process: usize, number: usize, mortals: &dyn Mortals) {
        let Some(task) = self.tasks.get_mut(number).filter(|task| task.future.is_some()) else { return };
        task.future = None;
        if let Some(future) = mortals.anew(process, &task.name) {
            task.future = Some(future);
            task.waker.wake_by_ref();
        }
    }

    fn resume(&mut self, process: usize) {
        self.paused.retain(|paused| *paused != process);
        for task in self.tasks.iter_mut().filter(|task| task.owner == Owner::Process(process)) {
            if std::mem::take(&mut task.held) {
                task.waker.wake_by_ref();
            }
        }
    }
}

#[cfg(test)]
mod tests;
