//! Rules 1 to 4: owed is the truth.

use crate::{
    house::{House, T, ask, metrics, play, send},
    toy::{Do, say},
    wild::Ways,
};
use oms_core::{
    store::{Pick, Seek, Store},
    worker::{Edit, EditError, edit, redrive},
};
use std::time::Duration;

fn numbered(count: usize) -> Vec<Do> {
    (1..=count).map(|number| say(&number.to_string())).collect()
}

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|number| number.to_string()).collect()
}

#[test]
fn rule_01_a_duplicate_delivery_is_acked_and_changes_nothing() {
    let house = House::new();
    house.broker.ways(Ways { repeats: true, ..Ways::default() });
    play!(house, parts, {
        send(&parts, "a", numbered(2)).await;
        house.settled().await;
        house.wait(Duration::from_millis(50)).await;
        let again = house.broker.published();
        house.broker.again(again).await;
        house.wait(Duration::from_millis(50)).await;

        assert_eq!(house.heard("sink", "a").await, names(2));
        assert_eq!(
            (house.broker.acked(), house.broker.inner.held()),
            (3, 0),
            "each copy of the pack is acked"
        );
        assert_eq!((metrics(&parts).handled, metrics(&parts).duplicates), (3, 1));
    });
}

#[test]
fn rule_01_a_pack_that_the_limit_cuts_is_acked_only_when_all_of_it_is_handled() {
    let house = House::new();
    play!(house, parts, {
        send(&parts, "a", numbered(12)).await;
        let time = house.settled().await;
        assert!(time < T, "the rest of the cut pack was acked and had to be taken from the store: {time:?}");
        assert_eq!(house.heard("sink", "a").await, names(12));
        assert_eq!(metrics(&parts).taken, 0);
    });
}

#[test]
fn rule_01_bodies_that_nobody_is_owed_are_collected_now_and_then() {
    let house = House::new();
    play!(house, _parts, {
        house.wait(Duration::from_secs(120)).await;
        let calls = house.store.calls("collect");
        assert!((1..=60).contains(&calls), "{calls} in two idle minutes");
    });
}

#[test]
fn rule_01_what_a_hearer_outside_is_owed_goes_when_it_is_confirmed_even_if_the_store_was_away() {
    let mut house = House::new();
    house.public = vec!["news"];
    house.store.wrong("sent", [crate::watched::Wrong::Away]);
    play!(house, parts, {
        let sends = vec![("news".to_owned(), "a".to_owned(), say("1"))];
        ask(&parts, "a", &Do { sends, ..say("sends") }).await.unwrap();
        house.wait(T).await;
        assert_eq!(house.counts().await.owed, 0, "its row is left behind for ever");
    });
}

#[test]
fn rule_01_what_the_broker_never_takes_is_buried_for_the_hearer_outside_and_taken_by_the_others() {
    let mut house = House::new();
    house.public = vec!["work"];
    house.broker.ways(Ways { never: Some("work"), ..Ways::default() });
    play!(house, parts, {
        send(&parts, "a", numbered(1)).await;
        house.wait(T * 2).await;
        assert_eq!(house.heard("sink", "a").await, names(1), "taken from the store (rule 10)");
        assert_eq!(metrics(&parts).rejected, 1);
        let letters = house.store.dead_letters(&Pick::default(), Seek::OLDEST, 10).await.unwrap();
        assert_eq!(letters.len(), 1);
        assert_eq!(&*letters[0].lane.group, "public");
        assert_eq!(redrive(&parts, &Pick::default(), "eve").await.unwrap(), 0, "it would never be taken");
        let body = letters[0].message.body.clone();
        let copy = Edit { number: 1, kind: None, body, by: "eve".to_owned(), again: false };
        assert!(matches!(edit(&parts, &copy).await, Err(EditError::Standing { .. })));
    });
}

#[test]
fn rule_01_a_broker_that_lost_its_topology_buries_nothing_for_the_hearer_outside() {
    let mut house = House::new();
    house.public = vec!["news"];
    house.broker.ways(Ways { unroutable: 1, ..Ways::default() });
    play!(house, parts, {
        let sends = vec![("news".to_owned(), "a".to_owned(), say("1"))];
        ask(&parts, "a", &Do { sends, ..say("sends") }).await.unwrap();
        house.wait(T).await;
        assert_eq!((house.counts().await.owed, house.counts().await.buried), (0, 0));
        assert_eq!(metrics(&parts).published, 1);
    });
}

#[test]
fn rule_02_what_a_forgetful_broker_lost_is_taken_from_the_store_after_t_and_never_published_again() {
    let house = House::new();
    house.broker.ways(Ways { forgets: true, ..Ways::default() });
    play!(house, parts, {
        send(&parts, "a", numbered(3)).await;
        house.wait(T - Duration::from_millis(100)).await;
        assert_eq!(house.heard("sink", "a").await, names(0), "not before T");
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, names(3));
        assert_eq!((metrics(&parts).taken, house.broker.published().len()), (3, 1));
    });
}

#[test]
fn rule_02_with_a_dead_broker_a_backlog_is_taken_at_once_not_a_batch_at_a_time() {
    let house = House::new();
    house.broker.ways(Ways { dead: true, ..Ways::default() });
    play!(house, parts, {
        send(&parts, "a", numbered(50)).await;
        let time = house.settled().await;
        assert!(time >= T && time < T + T / 2 + Duration::from_secs(1), "{time:?}");
        assert_eq!(house.heard("sink", "a").await, names(50));
        assert_eq!(metrics(&parts).taken, 50);
    });
}

#[test]
fn rule_02_a_wiped_broker_loses_nothing_and_is_declared_again() {
    let house = House::new();
    play!(house, parts, {
        send(&parts, "a", numbered(1)).await;
        house.settled().await;
        house.broker.inner.wipe();
        send(&parts, "a", [say("2")]).await;
        house.wait(Duration::from_millis(10)).await;
        house.broker.inner.wipe();
        house.settled().await;
        send(&parts, "a", [say("3")]).await;
        let time = house.settled().await;
        assert!(time < T, "the broker carries again: {time:?}");
        assert_eq!(house.heard("sink", "a").await, names(3));
    });
}

#[test]
fn rule_02_a_lane_that_never_catches_up_takes_after_ten_times_t() {
    let house = House::new();
    play!(house, parts, {
        house.broker.ways(Ways { forgets: true, busy: true, ..Ways::default() });
        send(&parts, "a", numbered(1)).await;
        house.wait(Duration::from_millis(100)).await;
        // Something comes all the time, so the lane never says that it has caught up.
        house.broker.ways(Ways { busy: true, ..Ways::default() });
        for number in 0..190 {
            if number == 80 {
                assert_eq!(house.heard("sink", "a").await, names(0), "taken while the lane is busy");
            }
            send(&parts, "b", [say(&number.to_string())]).await;
            house.wait(Duration::from_millis(500)).await;
        }
        assert_eq!(house.heard("sink", "a").await, names(1));
        assert_eq!(metrics(&parts).taken, 1);
    });
}

#[test]
fn rule_03_a_deadline_does_not_run_while_its_message_is_owed_or_parked() {
    let house = House::new();
    house.broker.ways(Ways { dead: true, ..Ways::default() });
    play!(house, parts, {
        let sends = vec![("work".to_owned(), "a".to_owned(), say("1"))];
        let waits_for = Some("sink".to_owned());
        ask(&parts, "a", &Do { sends, deadline: Some(1_000), waits_for, ..say("sends") }).await.unwrap();
        house.wait(T).await;
        assert_eq!(house.heard("source", "a").await, ["sends"], "it waits for what sink is owed");
        while house.heard("sink", "a").await.is_empty() {
            house.wait(Duration::from_millis(50)).await;
        }
        house.wait(Duration::from_millis(900)).await;
        assert_eq!(house.heard("source", "a").await, ["sends"], "the clock starts when it was heard");
        house.wait(Duration::from_millis(2_000)).await;
        assert_eq!(house.heard("source", "a").await, ["sends", "deadline"]);
    });
}

#[test]
fn rule_03_a_deadline_does_not_run_while_something_of_its_key_is_owed_to_its_own_group() {
    let mut house = House::new();
    house.toys[1].hears = vec!["work", "back"];
    house.broker.ways(Ways { never: Some("back"), ..Ways::default() });
    play!(house, parts, {
        let sends = vec![("back".to_owned(), "a".to_owned(), say("late"))];
        send(&parts, "a", [Do { deadline: Some(1_000), sends, ..say("1") }]).await;
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, ["1", "late", "deadline"], "a backlog cancels nothing");
    });
}

#[test]
fn rule_04_a_group_that_registers_later_hears_only_what_commits_after() {
    let mut house = House::new();
    house.play(|parts| {
        Box::pin(async move {
            send(&parts, "a", numbered(1)).await;
        })
    });
    house.toys.push(crate::toy::Toy::new("late", &["work"]));
    play!(house, parts, {
        send(&parts, "a", [say("2")]).await;
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, names(2));
        assert_eq!(house.heard("late", "a").await, ["2"]);
    });
}

#[test]
fn rule_04_a_removed_group_is_owed_nothing_and_gets_no_lease() {
    let house = House::new();
    play!(house, parts, {
        house.broker.ways(Ways { forgets: true, ..Ways::default() });
        send(&parts, "a", numbered(1)).await;
        assert!(house.store.remove("sink").await.unwrap() > 0);
        house.settled().await;
        send(&parts, "a", [say("2")]).await;
        house.wait(T * 3).await;
        assert_eq!(house.heard("sink", "a").await, names(0));
        assert_eq!(house.counts().await.owed, 0);
    });
}
