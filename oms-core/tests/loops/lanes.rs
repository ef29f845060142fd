//! Rules 5, 8, 10, 11 and 23: one owner per lane, the sender's order, and loops that rest and end.

use crate::{
    door::Come,
    house::{House, T, ask, metrics, play, running, send},
    toy::{Do, say},
    watched::Wrong,
    wild::{Ways, Wild},
};
use futures::future::{Either, join, select};
use oms_core::{
    broker::Topology,
    clock::Clock,
    message::{GroupLane, Key},
    store::{Store, StoreError},
    worker::{Options, Parts, tasks},
};
use std::{pin::pin, sync::Arc, time::Duration};

fn numbered(count: usize) -> Vec<Do> {
    (1..=count).map(|number| say(&number.to_string())).collect()
}

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|number| number.to_string()).collect()
}

/// Runs a script beside several processes.
async fn beside<R>(all: &[Arc<Parts>], script: impl Future<Output = R>) -> R {
    let loops = futures::future::join_all(all.iter().map(running));
    match select(pin!(script), loops).await {
        Either::Left((result, _)) => result,
        Either::Right((_, script)) => script.await,
    }
}

#[test]
fn rule_05_a_turn_that_is_repeated_sends_the_same_ids() {
    let house = House::new();
    play!(house, parts, {
        send(&parts, "a", [say("1")]).await;
        house.settled().await;
        // The commit happened, its answer was lost, and the request is handled again: nothing more is heard of it.
        house.store.wrong("commit", [Wrong::Lost]);
        send(&parts, "a", [say("2")]).await;
        house.settled().await;
        assert_eq!(house.heard("source", "a").await, ["sends", "sends", "sends"]);
        let packs = house.broker.published();
        let ids = packs.iter().map(|pack| {
            let text = String::from_utf8(pack.bytes.to_vec()).unwrap();
            text.split("\"id\":\"").nth(1).unwrap()[..32].to_owned()
        });
        let ids: Vec<String> = ids.collect();
        assert_eq!(ids.len(), 3);
        assert_ne!(ids[0], ids[1]);
        assert_eq!(ids[1], ids[2], "the repeated turn mints the same id");
    });
}

#[test]
fn rule_08_a_zombie_that_lost_its_lane_changes_nothing_and_gives_its_deliveries_back() {
    let house = House::new();
    play!(house, parts, {
        send(&parts, "a", numbered(1)).await;
        house.settled().await;
        house.store.wrong("lease", [Wrong::Away; 40]);
        house.wait(T).await;
        let lanes: Vec<_> = (0..2).map(|lane| GroupLane::new("sink", lane)).collect();
        assert_eq!(house.store.inner().lease(9, &lanes, T * 2).await.unwrap().len(), 2);

        send(&parts, "a", [say("2")]).await;
        house.wait(T).await;
        assert_eq!(house.heard("sink", "a").await, names(1), "the lane is someone else's");
        assert_eq!(house.counts().await.owed, 1);
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, names(2), "claimed again when the other's lease expires");
    });
}

#[test]
fn rule_08_a_lease_that_is_lost_and_regained_with_the_same_epoch_forgets_no_watch() {
    let pending = |time| Come::More("pending", time);
    // One that was let go of meanwhile, and one that the process holds.
    watch_over_a_lost_lease([pending(4_000), Come::Settled("paid")], 2);
    watch_over_a_lost_lease([pending(900), pending(900), Come::Settled("paid")], 3);
}

fn watch_over_a_lost_lease(comes: impl IntoIterator<Item = Come>, calls: usize) {
    let house = House::new();
    house.door.plan("pay", comes);
    play!(house, parts, {
        let wishes = vec!["pay".to_owned()];
        ask(&parts, "a", &Do { wishes, deadline: Some(1_500), ..say("1") }).await.unwrap();
        house.wait(Duration::from_secs(1)).await;
        // The turn of the deadline is told that the lease is lost; nobody else has taken the lane meanwhile.
        house.store.wrong("turn", [Wrong::LostLease]);
        house.store.wrong("lease", [Wrong::Away; 10]);
        let time = house.settled().await;
        let mut heard = house.heard("source", "a").await;
        assert_eq!(heard[..2], ["1", "pay=pending"]);
        heard.sort();
        assert_eq!(heard, ["1", "deadline", "pay=paid", "pay=pending"]);
        assert_eq!(house.door.calls().len(), calls);
        assert!(time < T * 4, "{time:?}");
    });
}

#[test]
fn rule_08_lanes_move_over_when_their_process_stops() {
    let house = House::new();
    let play = async {
        let (first, second) = (house.process(1).await, house.process(2).await);
        beside(&[Arc::clone(&first), Arc::clone(&second)], async {
            for number in 1..=20 {
                send(&first, "a", [say(&number.to_string())]).await;
                if number == 10 {
                    first.drain();
                }
                house.wait(Duration::from_millis(100)).await;
            }
            let time = house.settled().await;
            assert!(time < T, "{time:?}");
            assert_eq!(house.heard("sink", "a").await, names(20));
            assert!(metrics(&first).turns > 0 && metrics(&second).handled > 0);
        })
        .await;
    };
    house.stage.run(play).expect("stuck");
}

#[test]
fn rule_10_a_broker_that_reorders_does_not_reorder_the_messages_of_a_key() {
    let house = House::new();
    house.broker.ways(Ways { reverses: 4, ..Ways::default() });
    play!(house, parts, {
        for number in 1..=16 {
            send(&parts, "a", [say(&number.to_string())]).await;
            house.wait(Duration::from_millis(1)).await;
        }
        let time = house.settled().await;
        assert!(time < T, "{time:?}");
        assert_eq!(house.heard("sink", "a").await, names(16));
        assert_eq!(metrics(&parts).taken, 0, "what was owed earlier came with it, not because it was late");
    });
}

#[test]
fn rule_11_the_relay_goes_on_after_its_cursor_and_tells_again_what_is_unknown() {
    let house = House::with(Wild::new(true));
    house.broker.ways(Ways { unknown: 1, ..Ways::default() });
    let play = async {
        let first = house.process(1).await;
        beside(std::slice::from_ref(&first), async {
            send(&first, "a", numbered(1)).await;
            house.settled().await;
            house.wait(Duration::from_millis(100)).await;
            first.drain();
            house.wait(Duration::from_millis(100)).await;
        })
        .await;
        let tried = house.broker.published().len();
        assert!((1..=2).contains(&tried), "{tried}");
        house.broker.ways(Ways { dead: true, ..Ways::default() });
        send(&first, "a", [say("2")]).await;
        house.broker.ways(Ways::default());
        let second = house.process(2).await;
        beside(std::slice::from_ref(&second), async { house.settled().await }).await;
        assert_eq!(house.heard("sink", "a").await, names(2));
        assert_eq!(house.broker.published().len(), tried + 1, "what was confirmed is not told again");
        assert_eq!(metrics(&second).taken, 0);
    };
    house.stage.run(play).expect("stuck");
}

#[test]
fn rule_11_what_was_confirmed_is_not_told_again_by_the_next_process_though_it_is_still_owed() {
    let house = House::with(Wild::new(true));
    house.broker.ways(Ways { forgets: true, ..Ways::default() });
    let play = async {
        let first = house.process(1).await;
        beside(std::slice::from_ref(&first), async {
            send(&first, "a", numbered(1)).await;
            house.wait(Duration::from_millis(100)).await;
            first.drain();
            house.wait(Duration::from_millis(100)).await;
        })
        .await;
        let second = house.process(2).await;
        beside(std::slice::from_ref(&second), async { house.settled().await }).await;
        assert_eq!(house.heard("sink", "a").await, names(1));
        assert_eq!((house.broker.published().len(), metrics(&second).taken), (1, 1));
    };
    house.stage.run(play).expect("stuck");
}

#[test]
fn rule_11_the_cursor_stops_before_what_was_not_taken_though_later_packs_were() {
    let house = House::new();
    play!(house, parts, {
        house.wait(Duration::from_millis(10)).await;
        house.broker.ways(Ways { skips: 1, ..Ways::default() });
        // The first pack is for another lane than the second, so that nothing else brings it in time.
        let work = |key: &str| ("work".to_owned(), key.to_owned(), say("1"));
        let (one, other) = house.two_lanes();
        let sends = vec![work(&one), work(&other)];
        ask(&parts, "x", &Do { sends, ..say("sends") }).await.unwrap();
        let time = house.settled().await;
        assert!(time < T, "{time:?}");
        assert_eq!(house.heard("sink", &one).await, names(1));
    });
}

#[test]
fn rule_11_what_the_broker_has_is_not_told_again_while_an_earlier_pack_is_not_taken() {
    let house = House::new();
    play!(house, parts, {
        house.wait(Duration::from_millis(10)).await;
        let (one, other) = house.two_lanes();
        let lane = Key::new(other.as_str().into()).lane(house.options.lanes);
        let open = house.hold_lane(&GroupLane::new("sink", lane)).await;
        // The first pack is not taken, and the second not handled for a while.
        house.broker.ways(Ways { skips: 1, ..Ways::default() });
        let work = |key: &str| ("work".to_owned(), key.to_owned(), say("1"));
        ask(&parts, "x", &Do { sends: vec![work(&one), work(&other)], ..say("sends") }).await.unwrap();
        house.wait(Duration::from_millis(100)).await;
        drop(open);
        house.settled().await;
        let positions: Vec<u64> = house.broker.published().iter().map(|pack| pack.id.position).collect();
        let first = positions[0];
        assert_eq!(positions, [first, first + 1, first]);
        assert_eq!(metrics(&parts).published, 2);
    });
}

#[test]
fn rule_11_what_a_full_broker_did_not_take_is_told_again_in_order() {
    let house = House::new();
    house.broker.ways(Ways { full_after: Some(1), ..Ways::default() });
    play!(house, parts, {
        send(&parts, "a", numbered(12)).await;
        let time = house.settled().await;
        assert!(time < T, "{time:?}");
        assert_eq!(house.heard("sink", "a").await, names(12));
        assert!(metrics(&parts).unconfirmed > 0);
    });
}

#[test]
fn rule_22_another_count_of_lanes_is_an_error() {
    let house = House::new();
    play!(house, _parts, {
        let topology = Topology { lanes: 3, ..Topology::default() };
        let unfit = house.store.register(&topology).await;
        assert!(matches!(unfit, Err(StoreError::Unfit(_))), "{unfit:?}");
    });
}

#[test]
fn rule_23_every_loop_has_a_name_of_its_own() {
    let house = House::new();
    play!(house, parts, {
        let names: Vec<String> = tasks(&parts).into_iter().map(|task| task.name).collect();
        let turns = ["turns/source/0", "turns/source/1", "turns/sink/0", "turns/sink/1"];
        assert_eq!(names, [&["lease", "relay", "due", "effects/door"][..], &turns[..]].concat());
    });
}

#[test]
fn rule_23_idle_lanes_cost_no_query_each() {
    let queries = |lanes| {
        let mut house = House::new();
        house.options = Options { lanes, ..house.options };
        play!(house, _parts, {
            house.wait(T).await;
            let before = house.store.all_calls();
            house.wait(Duration::from_secs(60)).await;
            (house.store.all_calls() - before, house.store.asks().len())
        })
    };
    let (few, many) = (queries(2), queries(64));
    assert_eq!(few, many, "queries in a minute, and turns");
    assert_eq!(few.1, 0, "an idle lane asks nothing");
    assert!(few.0 < 60 * 5, "{} queries in a minute", few.0);
}

#[test]
fn rule_23_draining_finishes_turns_waits_for_answers_and_says_what_it_released() {
    let house = House::new();
    house.door.plan("pay", [crate::door::Come::Slow(2_000), crate::door::Come::Settled("paid")]);
    let play = async {
        let parts = house.process(1).await;
        let script = async {
            ask(&parts, "a", &Do { wishes: vec!["pay".to_owned()], ..say("1") }).await.unwrap();
            house.wait(Duration::from_millis(500)).await;
            // Nothing that is delivered from here on can be committed, and stays in hand.
            house.store.wrong("commit", vec![Wrong::Conflict; 6]);
            house.broker.ways(Ways::default());
            let begun = house.clock.now();
            send(&parts, "a", numbered(2)).await;
            house.wait(Duration::from_millis(1)).await;
            house.store.wrong("commit", vec![Wrong::Conflict; 6]);
            parts.drain();
            begun
        };
        let (begun, ()) = join(script, running(&parts)).await;
        let time = house.clock.now().since(begun);
        assert!(time >= Duration::from_secs(1) && time < Duration::from_secs(3), "{time:?}");
        assert!(house.heard("source", "a").await.contains(&"pay=paid".to_owned()), "the answer came home");
        let waits = usize::from(house.heard("sink", "a").await.is_empty());
        assert_eq!(house.counts().await.owed, waits as u64);
        let lanes: Vec<_> = (0..2).map(|lane| GroupLane::new("sink", lane)).collect();
        assert_eq!(house.store.inner().lease(2, &lanes, T).await.unwrap().len(), 2, "the lanes are free");
    };
    house.stage.run(play).expect("stuck");
}

#[test]
fn rule_23_what_is_in_hand_when_the_house_drains_is_released_and_counted() {
    let house = House::new();
    let play = async {
        let parts = house.process(1).await;
        let script = async {
            house.wait(Duration::from_millis(500)).await;
            house.store.wrong("turn", std::iter::once(Wrong::Pass).chain([Wrong::Conflict; 50]));
            send(&parts, "a", numbered(2)).await;
            house.wait(Duration::from_millis(1)).await;
            parts.drain();
        };
        join(script, running(&parts)).await;
        assert_eq!(parts.released(), 1, "the pack");
        assert_eq!(house.counts().await.owed, 1, "and it is still owed");
    };
    house.stage.run(play).expect("stuck");
}

#[test]
fn a_subscription_that_is_lost_at_once_does_not_keep_the_loop_spinning() {
    let house = House::new();
    house.broker.ways(Ways { drops: true, ..Ways::default() });
    play!(house, parts, {
        send(&parts, "a", numbered(1)).await;
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, names(1), "taken from the store (rule 2)");
        house.wait(Duration::from_secs(60)).await;
        let tried = house.broker.subscriptions();
        assert!(tried < 400, "{tried} subscriptions in a minute");
        house.broker.ways(Ways::default());
        house.wait(T).await;
        send(&parts, "a", [say("2")]).await;
        assert!(house.settled().await < T, "and it hears again");
    });
}
