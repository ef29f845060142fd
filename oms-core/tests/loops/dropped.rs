//! Rule 19: a future that is dropped at any await loses nothing and repeats nothing.

use crate::{
    door::Come,
    house::{House, ask, send},
    toy::{Do, say},
};
use futures::{
    FutureExt,
    future::{BoxFuture, Either, join_all, select},
};
use oms_core::worker::{Parts, tasks};
use std::{
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// Drives one loop, drops it when it was polled so many times, and starts it again.
struct Restless {
    parts: Arc<Parts>,
    number: usize,
    future: BoxFuture<'static, ()>,
    polls: usize,
    every: usize,
    drops: usize,
}

impl Restless {
    fn all(parts: &Arc<Parts>, every: usize, drops: usize) -> Vec<Self> {
        let one = |number| Self {
            parts: Arc::clone(parts),
            number,
            future: fresh(parts, number),
            polls: 0,
            every,
            drops,
        };
        (0..tasks(parts).len()).map(one).collect()
    }
}

fn fresh(parts: &Arc<Parts>, number: usize) -> BoxFuture<'static, ()> {
    tasks(parts).swap_remove(number).future
}

impl Future for Restless {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.polls += 1;
        if self.polls.is_multiple_of(self.every) && self.drops > 0 {
            self.drops -= 1;
            // The old one goes first, as it would when a process dies.
            self.future = futures::future::pending().boxed();
            self.future = fresh(&self.parts, self.number);
        }
        self.future.as_mut().poll(context)
    }
}

async fn script(house: &House, parts: &Parts) {
    let back = vec![("back".to_owned(), "a".to_owned(), say("back"))];
    let steps = vec!["pay".to_owned(), "ship".to_owned()];
    let due = Do { deadline: Some(300), wishes: steps, ..say("first") };
    ask(parts, "a", &due).await.unwrap();
    send(parts, "a", [say("1"), say("fails"), Do { sends: back, ..say("3") }]).await;
    for number in 4..8 {
        send(parts, "a", [say(&number.to_string())]).await;
        house.wait(Duration::from_millis(20)).await;
    }
    house.settled().await;
}

fn check(house: &House, every: usize, drops: usize) {
    house.toy("sink").fail("fails", 1);
    house.door.plan("pay", [Come::More("pending", 200), Come::Slow(100), Come::Settled("paid")]);
    house.door.plan("ship", [Come::Slow(50), Come::Lost, Come::Settled("shipped")]);
    let play = async {
        let parts = house.process(1).await;
        let loops = join_all(Restless::all(&parts, every, drops));
        match select(pin!(script(house, &parts)), loops).await {
            Either::Left(_) => {}
            Either::Right(_) => panic!("the loops ended by themselves"),
        }
        let case = format!("every {every}, {drops} drops");
        let sink = house.heard("sink", "a").await;
        let work: Vec<&String> = sink.iter().filter(|name| *name != "back").collect();
        assert_eq!(work, ["1", "fails", "3", "4", "5", "6", "7"], "{case}");
        assert_eq!(sink.len(), 8, "{case}: {sink:?}");
        let mut source = house.heard("source", "a").await;
        source.sort();
        // News that is not the last may be told again: a loop that starts anew does not know what was heard.
        source.dedup_by(|a, b| a == b && a == "pay=pending");
        let once = ["deadline", "first", "pay=paid", "pay=pending"];
        let once = [&once[..], &["sends"; 5], &["ship=shipped"]].concat();
        assert_eq!(source, once, "{case}");
        assert_eq!((house.door.done("a/pay/1"), house.door.done("a/ship/1")), (1, 1), "{case}");
        let counts = house.counts().await;
        assert_eq!((counts.owed, counts.parked, counts.buried, counts.effects), (0, 0, 0, 0), "{case}");
    };
    house.stage.run(play).expect("stuck");
}

fn house() -> House {
    let mut house = House::new();
    house.options.lanes = 1;
    house.toys[1].hears = vec!["work", "back"];
    house
}

#[test]
fn rule_19_every_loop_dropped_once_at_any_await_loses_and_repeats_nothing() {
    for at in 1..40 {
        check(&house(), at, 1);
    }
}

#[test]
fn rule_19_loops_that_are_dropped_again_and_again_lose_and_repeat_nothing() {
    for every in [2, 3, 5, 7, 11] {
        check(&house(), every, 40);
    }
}
