//! Rules 6 and 18: wishes to the outside world, and their answers.

use crate::{
    door::{Come, Door},
    house::{House, ask, metrics, play, running},
    toy::{Do, say},
    watched::Wrong,
};
use futures::future::{Either, select};
use oms_core::store::Store;
use std::{pin::pin, time::Duration};

fn wishes(name: &str, steps: &[&str]) -> Do {
    Do { wishes: steps.iter().map(|step| (*step).to_owned()).collect(), ..say(name) }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn rule_06_a_wish_keeps_its_key_over_technical_retries_and_is_carried_out_once() {
    let house = House::new();
    house.door.plan("pay", [Come::Nothing, Come::Lost, Come::Settled("paid")]);
    play!(house, parts, {
        ask(&parts, "a", &wishes("1", &["pay"])).await.unwrap();
        house.settled().await;
        assert_eq!(house.heard("source", "a").await, ["1", "pay=paid"]);
        assert_eq!(house.door.calls(), ["tell a/pay/1", "ask a/pay/1", "tell a/pay/1", "ask a/pay/1"]);
        assert_eq!((house.door.done("a/pay/1"), metrics(&parts).unanswered), (1, 2));
    });
}

#[test]
fn rule_18_an_undo_withdraws_what_nobody_has_claimed_and_leaves_what_may_have_been_told() {
    let mut house = House::new();
    house.door = Door::new(house.clock.clone(), 1);
    house.door.plan("slow", [Come::Slow(5_000), Come::Settled("done")]);
    play!(house, parts, {
        ask(&parts, "a", &wishes("1", &["slow"])).await.unwrap();
        house.wait(Duration::from_millis(50)).await;
        ask(&parts, "a", &wishes("2", &["pay"])).await.unwrap();
        let undo = vec!["pay".to_owned(), "slow".to_owned()];
        ask(&parts, "a", &Do { undo, ..say("3") }).await.unwrap();
        house.settled().await;
        assert_eq!(house.heard("source", "a").await, ["1", "2", "3", "slow=done"]);
        assert_eq!(house.door.calls(), ["tell a/slow/1"], "what was withdrawn is never told");
    });
}

#[test]
fn rule_18_an_unsettled_answer_is_watched_and_only_news_are_heard() {
    let house = House::new();
    let more = Come::More("pending", 1_000);
    house.door.plan("pay", [more.clone(), more.clone(), Come::More("half", 1_000), Come::Settled("paid")]);
    play!(house, parts, {
        ask(&parts, "a", &wishes("1", &["pay"])).await.unwrap();
        let time = house.settled().await;
        assert_eq!(house.heard("source", "a").await, ["1", "pay=pending", "pay=half", "pay=paid"]);
        assert_eq!(house.door.calls(), ["tell a/pay/1", "ask a/pay/1", "ask a/pay/1", "ask a/pay/1"]);
        assert!(time >= secs(3) && time < secs(4), "{time:?}");
    });
}

#[test]
fn rule_18_a_slow_gateway_blocks_neither_its_lane_nor_more_than_it_takes() {
    let mut house = House::new();
    house.options.lanes = 1;
    house.door.plan("slow", [Come::Slow(60_000), Come::Settled("done")]);
    play!(house, parts, {
        for key in ["a", "b", "c", "d"] {
            ask(&parts, key, &wishes("1", &["slow"])).await.unwrap();
        }
        house.wait(secs(1)).await;
        ask(&parts, "e", &say("1")).await.unwrap();
        crate::house::send(&parts, "a", [say("2")]).await;
        house.wait(secs(1)).await;
        assert_eq!(house.heard("sink", "a").await, ["2"]);
        assert_eq!(house.door.most(), 2, "at most as many as it takes");
        house.settled().await;
        assert_eq!(house.heard("source", "d").await, ["1", "slow=done"]);
    });
}

#[test]
fn rule_18_what_waits_for_news_does_not_keep_the_door_from_looking_for_wishes_of_other_processes() {
    let house = House::new();
    house.door.plan("watch", [Come::More("pending", 3_600_000)]);
    play!(house, parts, {
        ask(&parts, "a", &wishes("1", &["watch"])).await.unwrap();
        house.wait(secs(1)).await;
        // Another process answers a request of this lane; its bells ring there.
        let other = house.process(2).await;
        ask(&other, "b", &wishes("1", &["pay"])).await.unwrap();
        house.wait(secs(3)).await;
        assert_eq!(house.heard("source", "b").await, ["1", "pay=yes"]);
    });
}

#[test]
fn rule_18_a_stream_of_new_wishes_does_not_starve_those_that_are_tried_again() {
    let mut house = House::new();
    house.door = Door::new(house.clock.clone(), 1);
    house.door.plan("again", [Come::Nothing, Come::Settled("done")]);
    house.door.plan("slow", [Come::Slow(100)]);
    let slow = || (0..40).flat_map(|_| [Come::Slow(100), Come::Settled("done")]);
    house.door.plan("slow", slow());
    play!(house, parts, {
        ask(&parts, "a", &wishes("1", &["again"])).await.unwrap();
        for number in 0..40 {
            ask(&parts, &format!("k{number}"), &wishes("1", &["slow"])).await.unwrap();
        }
        house.wait(secs(2)).await;
        assert_eq!(house.heard("source", "a").await, ["1", "again=done"], "{:?}", house.door.calls());
    });
}

#[test]
fn rule_18_a_claim_whose_answer_was_lost_is_claimed_again_and_asked_about() {
    let house = House::new();
    house.store.wrong("claim", [Wrong::Lost]);
    play!(house, parts, {
        house.wait(Duration::from_millis(1)).await;
        house.store.wrong("claim", [Wrong::Lost; 3]);
        ask(&parts, "a", &wishes("1", &["pay"])).await.unwrap();
        let time = house.settled().await;
        assert!(time < secs(10), "{time:?}");
        assert_eq!(house.heard("source", "a").await, ["1", "pay=yes"]);
    });
}

#[test]
fn rule_08_an_answer_in_hand_is_committed_though_the_lane_has_changed_hands() {
    let house = House::new();
    house.door.plan("pay", [Come::Slow(10_000), Come::Settled("paid"), Come::Settled("twice")]);
    play!(house, parts, {
        ask(&parts, "a", &wishes("1", &["pay"])).await.unwrap();
        house.wait(secs(1)).await;
        // The lease loop of the first process is cut off, and its leases expire.
        house.store.wrong("lease", [Wrong::Away; 30]);
        house.wait(secs(8)).await;
        let other = house.process(2).await;
        let lanes: Vec<_> = (0..2).map(|lane| oms_core::message::GroupLane::new("source", lane)).collect();
        assert_eq!(house.store.inner().lease(9, &lanes, secs(3600)).await.unwrap().len(), 2);
        house.wait(secs(4)).await;
        assert_eq!(house.heard("source", "a").await, ["1", "pay=paid"]);
        assert_eq!(house.counts().await.effects, 0);
        drop(other);
    });
}

#[test]
fn rule_18_a_process_that_takes_a_lane_over_asks_before_it_tells_again() {
    let house = House::new();
    house.door.plan("pay", [Come::Slow(600_000), Come::Settled("paid")]);
    let play = async {
        let first = house.process(1).await;
        let script = async {
            ask(&first, "a", &wishes("1", &["pay"])).await.unwrap();
            house.wait(secs(1)).await;
        };
        // The first process is killed in mid-call.
        match select(pin!(script), running(&first)).await {
            Either::Left(_) => {}
            Either::Right(_) => panic!("ended by itself"),
        }
        let second = house.process(2).await;
        let time = match select(pin!(house.settled()), running(&second)).await {
            Either::Left((time, _)) => time,
            Either::Right(_) => panic!("ended by itself"),
        };
        assert_eq!(house.heard("source", "a").await, ["1", "pay=paid"]);
        assert_eq!(house.door.calls(), ["tell a/pay/1", "ask a/pay/1"]);
        assert!(time < secs(8), "{time:?}");
    };
    house.stage.run(play).expect("stuck");
}
