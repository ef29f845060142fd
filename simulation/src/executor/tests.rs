//! Crashes, stops and the order of polls, on worlds of a few tasks.

use super::*;
use futures::FutureExt;
use std::sync::atomic::AtomicU32;

/// A world of one process, whose loop counts its polls and is begun anew when it is dropped.
#[derive(Clone, Default)]
struct Small {
    wishes: Wishes,
    begun: Arc<AtomicU32>,
    deaths: Arc<AtomicU32>,
    over: Arc<AtomicBool>,
}

impl Small {
    fn count(&self) -> BoxFuture<'static, ()> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        async {
            loop {
                give_way().await;
            }
        }
        .boxed()
    }

    fn run(&self, polls: u64) -> Ended {
        Executor::new(Time::default(), self.wishes.clone(), Dice::new(1, "test")).run(self, polls)
    }
}

impl Mortals for Small {
    fn died(&self, _: usize) {
        self.deaths.fetch_add(1, Ordering::Relaxed);
    }

    fn anew(&self, _: usize, _: &str) -> Option<BoxFuture<'static, ()>> {
        Some(self.count())
    }

    fn over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

#[test]
fn a_loop_that_crashes_is_begun_anew_and_a_process_that_crashes_dies() {
    let world = Small::default();
    world.wishes.ask(Wish::Spawn(Owner::Process(0), "loop".to_owned(), world.count()));
    world.wishes.ask(Wish::Arm(0, 3, Crash::Loop));
    world.wishes.ask(Wish::Arm(0, 10, Crash::Process));
    assert_eq!(world.run(100), Ended::Stuck, "nothing lives after the tenth poll");
    let counted = (world.begun.load(Ordering::Relaxed), world.deaths.load(Ordering::Relaxed));
    assert_eq!(counted, (2, 1));
}

#[test]
fn what_a_process_has_only_just_begun_dies_with_it() {
    let world = Small::default();
    let (wishes, late) = (world.wishes.clone(), world.count());
    let boot = async move {
        wishes.ask(Wish::Spawn(Owner::Process(0), "loop".to_owned(), late));
        give_way().await;
    };
    world.wishes.ask(Wish::Spawn(Owner::Process(0), "boot".to_owned(), boot.boxed()));
    world.wishes.ask(Wish::Arm(0, 1, Crash::Process));
    assert_eq!(world.run(100), Ended::Stuck, "nothing of it lives on");
}

#[test]
fn a_process_that_stands_still_is_not_polled_until_it_goes_on() {
    let world = Small::default();
    let (wishes, ends) = (world.wishes.clone(), Arc::clone(&world.over));
    world.wishes.ask(Wish::Spawn(
        Owner::Process(0),
        "loop".to_owned(),
        async move {
            give_way().await;
            ends.store(true, Ordering::Relaxed);
        }
        .boxed(),
    ));
    world.wishes.ask(Wish::Pause(0));
    assert_eq!(world.run(100), Ended::Stuck);
    wishes.ask(Wish::Resume(0));
    wishes.ask(Wish::Spawn(Owner::Process(0), "loop".to_owned(), world.count()));
    assert_eq!(world.run(100), Ended::TooLong, "what was asked of another executor is not its own");
}

#[test]
fn the_same_seed_polls_in_the_same_order_and_another_in_another() {
    let order = |seed| {
        let (world, seen) = (Small::default(), Arc::new(Mutex::new(Vec::new())));
        for number in 0..6 {
            let seen = Arc::clone(&seen);
            world.wishes.spawn("writer", async move {
                for _ in 0..4 {
                    seen.lock().unwrap().push(number);
                    give_way().await;
                }
            });
        }
        let mut executor = Executor::new(Time::default(), world.wishes.clone(), Dice::new(seed, "test"));
        assert_eq!(executor.run(&world, 1_000), Ended::Stuck);
        seen.lock().unwrap().clone()
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
}
