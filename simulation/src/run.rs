//! One run: a world is made, lives through its plan, comes to rest, and is checked.

use crate::{
    check::{at_rest, check},
    customer::{Customer, stock},
    dice::Dice,
    executor::{Ended, Executor, Wish},
    mark::{Mark, Marks},
    plan::{Cuts, Plan},
    plant::Plant,
    process::{Fates, boot, call},
    trouble::stir,
    world::World,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// The longest time until everything has come to rest after the trouble: far longer than any window of a plan.
const REST: Duration = Duration::from_secs(45 * 60);
/// More polls than any run of these plans needs.
const POLLS: u64 = 400_000;
/// More than any run needs that is not stuck, where a bug was planted: many runs are.
const PLANTED_POLLS: u64 = 200_000;
/// The longest time until a run comes to rest that is not stuck, where a bug was planted.
const PLANTED_REST: Duration = Duration::from_secs(10 * 60);

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Everything that was wrong, in words; empty when nothing was.
    pub wrong: Vec<String>,
    /// What was met.
    pub marks: Marks,
    /// Polls it took.
    pub polls: u64,
    /// Virtual time it took.
    pub lasted: Duration,
    /// The trace, where it was asked for.
    pub trace: String,
}

/// Runs one seed, less what is cut.
///
/// ```
/// use oms_simulation::{Cuts, run};
/// let outcome = run(1, &Cuts::default(), None, false);
/// assert_eq!(outcome.wrong, [""; 0]);
/// ```
#[must_use]
pub fn run(seed: u64, cuts: &Cuts, plant: Option<Plant>, traced: bool) -> Outcome {
    #[cfg(oms_mutants)]
    crate::bugs::leave_out(plant);
    let world = Arc::new(World::new(Plan::draw(seed, cuts), plant, traced));
    describe(&world);
    let mut executor = Executor::new(world.time.clone(), world.wishes.clone(), Dice::new(seed, "scheduler"));
    world.wishes.spawn("director", direct(Arc::clone(&world)));
    let fates = Fates(Arc::clone(&world));
    let most = if plant.is_some() { PLANTED_POLLS } else { POLLS };
    match executor.run(&fates, most) {
        Ended::Over => {}
        Ended::Stuck => world.wrong("everything waits, and nobody sleeps".to_owned()),
        Ended::TooLong => world.wrong(format!("it did not end within {most} polls")),
    }
    let polls = executor.polls;
    world.processes.iter().for_each(|process| process.bury());
    drop(executor);
    let wrong = std::mem::take(&mut world.book().wrong);
    Outcome { wrong, marks: world.marks(), polls, lasted: world.time.elapsed(), trace: world.trace.text() }
}

fn describe(world: &World) {
    let plan = &world.plan;
    world.trace.say(|| {
        let faults: Vec<String> =
            plan.rates.present().map(|fault| format!("{} {}", fault.name(), plan.rates.of(fault))).collect();
        format!(
            "seed {}: {} orders, {:?}, {} processes{}, {} lanes, trouble for {:?}: {}",
            plan.seed,
            plan.orders.len(),
            plan.workload,
            plan.processes,
            if plan.embedded { " with a broker of its own" } else { "" },
            plan.options.lanes,
            plan.trouble,
            faults.join(", ")
        )
    });
    if plan.processes > 1 {
        world.mark(Mark::ManyProcesses);
    }
}

/// Everything that happens from outside, in its order.
async fn direct(world: Arc<World>) {
    (0..world.processes.len()).for_each(|place| boot(&world, place));
    let trouble = spawn(&world, "trouble", stir(Arc::clone(&world)));
    stock(&world).await;
    let customers: Vec<_> = world
        .plan
        .orders
        .iter()
        .map(|number| spawn(&world, "customer", Customer::new(Arc::clone(&world), *number).shop()))
        .collect();
    wait(&world, &trouble).await;
    calm(&world);
    for customer in &customers {
        wait(&world, customer).await;
    }
    if rest(&world).await {
        settle(&world).await;
        examine(&world).await;
    }
    world.end();
}

/// A count that is 1 once a task has ended.
type End = Arc<AtomicU32>;

fn spawn(world: &World, name: &str, task: impl Future<Output = ()> + Send + 'static) -> End {
    let end = End::default();
    let ended = Arc::clone(&end);
    world.wishes.spawn(name, async move {
        task.await;
        ended.store(1, Ordering::Relaxed);
    });
    end
}

async fn wait(world: &World, end: &End) {
    while end.load(Ordering::Relaxed) == 0 {
        world.time.sleep(Duration::from_millis(100)).await;
    }
}

/// Ends all trouble: whoever stands still goes on, clocks are right again, and a broker that is not dead for good is back.
fn calm(world: &World) {
    world.calm();
    world.wishes.ask(Wish::Disarm);
    for (place, process) in world.processes.iter().enumerate() {
        process.clock.set_wrong(0);
        world.wishes.ask(Wish::Resume(place));
    }
    if !world.wire.is_dead() {
        world.wire.come_back();
    }
}

/// Waits until everything has come to rest; lets holds go that nobody else does.
async fn rest(world: &Arc<World>) -> bool {
    let end = world.time.now().after(if world.plant.is_some() { PLANTED_REST } else { REST });
    let mut looks = 0_u32;
    while !at_rest(world).await {
        if world.time.now() > end {
            complain(world).await;
            return false;
        }
        looks += 1;
        if looks.is_multiple_of(4) {
            release_all(world).await;
        }
        world.time.sleep(Duration::from_millis(500)).await;
    }
    world.trace.say(|| "at rest".to_owned());
    true
}

async fn release_all(world: &Arc<World>) {
    for (order, _) in world.accepted() {
        if !world.book().ended().contains_key(order.as_str()) {
            let _ = call(world, 0, async |oms| oms.release_dispatch(&order).await).await;
        }
    }
}

async fn complain(world: &Arc<World>) {
    use oms_core::store::Store as _;
    let count = world.store.count().await;
    let open: Vec<String> = {
        let book = world.book();
        let accepted = world.accepted();
        let open = accepted.keys().filter(|order| !book.ended().contains_key(order.as_str()));
        open.map(|order| order.as_str().to_owned()).collect()
    };
    let waiting = world.store.waiting(None, 3).await.unwrap_or_default();
    world.wrong(format!("it did not come to rest: {open:?} have not ended, {count:?}, {waiting:?}"));
}

/// Leases settle: once nothing goes wrong, no lane changes hands any more.
async fn settle(world: &Arc<World>) {
    while world.restarting() > 0 || world.processes.iter().any(|process| process.oms().is_none()) {
        world.time.sleep(Duration::from_millis(100)).await;
    }
    let lease = world.plan.options.lease;
    world.time.sleep(lease * 2).await;
    let before = world.lease_changes();
    world.time.sleep(lease * 3).await;
    let changed = world.lease_changes() - before;
    if changed > 0 {
        world.wrong(format!("leases do not settle: lanes changed hands {changed} times at rest"));
    }
}

async fn examine(world: &Arc<World>) {
    for _ in 0..20 {
        let examined = call(world, 0, async |oms| check(world, &oms).await).await;
        if examined.is_some() {
            return;
        }
        world.time.sleep(Duration::from_secs(1)).await;
    }
    world.wrong("no process lives".to_owned());
}
