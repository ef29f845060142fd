//! Rule 18: wishes that wait for long cost a process nothing, and lose nothing.

use crate::{
    door::{Come, Door},
    house::{House, ask, metrics, play, running},
    toy::{Do, say},
    watched::Wrong,
};
use futures::future::{Either, select};
use oms_core::worker::Parts;
use std::{pin::pin, sync::Arc, time::Duration};

fn pending(seconds: u64) -> Come {
    Come::More("pending", seconds * 1_000)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn wish(parts: &Parts, key: &str) {
    ask(parts, key, &Do { wishes: vec!["pay".to_owned()], ..say("1") }).await.unwrap();
}

/// Runs a process while `script` plays, then kills it.
async fn until<R>(parts: &Arc<Parts>, script: impl Future<Output = R>) -> R {
    match select(pin!(script), running(parts)).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => panic!("ended by itself"),
    }
}

#[test]
fn a_watch_is_let_go_of_and_asked_about_in_time_by_whoever_holds_its_lane_then() {
    let house = House::new();
    house.door.plan("pay", [pending(100), pending(100), Come::Settled("paid")]);
    let play = async {
        let first = house.process(1).await;
        until(&first, async {
            wish(&first, "a").await;
            house.wait(secs(1)).await;
            assert_eq!(metrics(&first).held, 0, "the store looks after it");
        })
        .await;
        let second = house.process(2).await;
        let time = until(&second, house.settled()).await;
        assert_eq!(house.door.calls(), ["tell a/pay/1", "ask a/pay/1", "ask a/pay/1"]);
        // The second report is equal to the first, which another process has heard.
        assert_eq!(house.heard("source", "a").await, ["1", "pay=pending", "pay=paid"]);
        assert_eq!(house.toy("source").seen("pay=pending"), 1);
        assert!(time > secs(198) && time < secs(201), "{time:?}");
    };
    house.stage.run(play).expect("stuck");
}

#[test]
fn a_process_that_dies_before_its_answer_is_committed_loses_nothing() {
    let house = House::new();
    house.door.plan("pay", [pending(100), pending(100), Come::Settled("paid")]);
    let play = async {
        let first = house.process(1).await;
        until(&first, async {
            wish(&first, "a").await;
            // The answer's turn never gets through.
            house.store.wrong("turn", [Wrong::Away; 1_000]);
            house.wait(secs(1)).await;
        })
        .await;
        house.store.calm();
        let second = house.process(2).await;
        until(&second, house.settled()).await;
        assert_eq!(house.heard("source", "a").await, ["1", "pay=pending", "pay=paid"]);
        assert_eq!(house.door.calls(), ["tell a/pay/1", "ask a/pay/1", "ask a/pay/1"]);
    };
    house.stage.run(play).expect("stuck");
}

#[test]
fn letting_go_is_repeated_until_the_store_has_heard_it() {
    let house = House::new();
    house.door.plan("pay", [pending(60), pending(60), pending(60), Come::Settled("paid")]);
    house.store.wrong("postpone", [Wrong::Away, Wrong::Lost]);
    play!(house, parts, {
        wish(&parts, "a").await;
        let time = house.settled().await;
        assert_eq!(house.heard("source", "a").await, ["1", "pay=pending", "pay=paid"]);
        assert!(time > secs(180) - secs(1) && time < secs(183), "{time:?}");
        assert_eq!((metrics(&parts).held, house.store.calls("postpone")), (0, 4));
    });
}

#[test]
fn what_was_heard_is_not_told_to_the_store_before_it_is_durable() {
    let house = House::new();
    // A short wait first, so that the process holds the wish; then an equal report while the first is not committed yet.
    house.door.plan("pay", [Come::More("pending", 500), pending(100), Come::Settled("paid")]);
    let play = async {
        let first = house.process(1).await;
        until(&first, async {
            wish(&first, "a").await;
            house.store.wrong("turn", [Wrong::Away; 1_000]);
            house.wait(secs(10)).await;
            assert_eq!(house.store.calls("postpone"), 0);
        })
        .await;
        house.store.calm();
        let second = house.process(2).await;
        until(&second, house.settled()).await;
        assert_eq!(house.heard("source", "a").await.first().map(String::as_str), Some("1"));
        assert!(house.heard("source", "a").await.contains(&"pay=paid".to_owned()));
    };
    house.stage.run(play).expect("stuck");
}

#[test]
fn a_gateway_that_is_away_for_long_is_called_at_its_pace_and_no_call_is_forgotten() {
    let house = House::new();
    let away = || std::iter::repeat_n(Come::Nothing, 40);
    house.door.plan("pay", away().chain([Come::Settled("paid")]));
    play!(house, parts, {
        wish(&parts, "a").await;
        let time = house.settled().await;
        // Its back-off goes on where it was: at most five seconds, at least half of that.
        assert!(time > secs(32 * 2) && time < secs(41 * 5), "{time:?}");
        assert_eq!((metrics(&parts).calls, metrics(&parts).held), (41, 0));
        assert_eq!(house.heard("source", "a").await, ["1", "pay=paid"]);
        assert!(house.store.calls("postpone") > 25, "{}", house.store.calls("postpone"));
    });
}

#[test]
fn however_many_wait_a_moment_a_process_holds_no_more_than_a_few_hundred() {
    let mut house = House::new();
    house.door = Door::new(house.clock.clone(), 8);
    house.door.plan("pay", [Come::More("pending", 900)]);
    play!(house, parts, {
        for number in 0..1_000 {
            wish(&parts, &format!("k{number}")).await;
        }
        for _ in 0..100 {
            house.wait(Duration::from_millis(50)).await;
            assert!(metrics(&parts).held <= 256 + 8, "{}", metrics(&parts).held);
        }
        assert_eq!(house.counts().await.effects, 1_000);
        house.door.plan("pay", [Come::Settled("paid")]);
        house.settled().await;
        assert_eq!(metrics(&parts).held, 0);
        assert_eq!(house.heard("source", "k7").await, ["1", "pay=pending", "pay=paid"]);
    });
}

#[test]
fn a_wish_that_is_let_go_of_for_a_moment_is_asked_about_as_soon_as_it_is_due() {
    let mut house = House::new();
    house.door = Door::new(house.clock.clone(), 1_000);
    let soon = std::iter::repeat_n(Come::More("pending", 10), 600);
    house.door.plan("pay", soon.chain([Come::Settled("paid")]));
    play!(house, parts, {
        for number in 0..600 {
            wish(&parts, &format!("k{number}")).await;
        }
        let time = house.settled().await;
        assert!(time < Duration::from_millis(500), "{time:?}");
    });
}

/// The calls of the store in ten minutes, while so many orders wait for an hour.
fn calls_while_waiting(orders: usize) -> u64 {
    let house = House::new();
    house.door.plan("pay", [pending(3_600)]);
    play!(house, parts, {
        for number in 0..orders {
            let wishes = vec!["pay".to_owned()];
            let waits = Do { wishes, deadline: Some(7_200_000), ..say("1") };
            ask(&parts, &format!("k{number}"), &waits).await.unwrap();
        }
        house.wait(secs(60)).await;
        let before = house.store.all_calls();
        house.wait(secs(600)).await;
        assert_eq!(metrics(&parts).held, 0);
        house.store.all_calls() - before
    })
}

#[test]
fn what_a_process_does_in_ten_minutes_does_not_grow_with_the_orders_that_only_wait() {
    let (none, many) = (calls_while_waiting(0), calls_while_waiting(1_000));
    assert!(many <= none + 10, "{many} calls of the store while 1000 orders wait, {none} while none does");
}
