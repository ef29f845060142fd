//! Rules 9, 13, 15, 16, 20 and 21: what becomes of a message that fails, and of a turn that does.

use crate::{
    house::{House, T, ask, metrics, play, send},
    toy::{Do, say},
    watched::Wrong,
};
use oms_core::{
    message::Limit,
    store::{DeadLetterState, Pick, Seek, Store, Waiting, Writes},
    worker::{Reply, RequestError, redrive},
};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

fn writes_down(writes: &Writes, name: &str) -> bool {
    let said = format!("\"{name}\"");
    let mut events = writes.streams.iter().flat_map(|write| &write.events);
    events.any(|event| event.kind.as_ref() == "Heard" && event.body == said.as_bytes())
}

#[test]
fn rule_09_a_failing_message_is_parked_its_followers_queue_and_all_are_released_in_order() {
    let house = House::new();
    house.toy("sink").fail("1", 2);
    play!(house, parts, {
        send(&parts, "a", [say("1"), say("2"), say("3")]).await;
        send(&parts, "b", [say("other")]).await;
        house.wait(Duration::from_millis(20)).await;
        assert_eq!(house.heard("sink", "b").await, ["other"], "other keys go on");
        send(&parts, "a", [say("4")]).await;
        house.wait(Duration::from_millis(20)).await;
        let parked: Vec<u32> = house.waiting().await.iter().filter_map(attempts).collect();
        assert_eq!(parked, [1, 0, 0, 0], "only the head was tried");
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, ["1", "2", "3", "4"]);
        assert_eq!(house.toy("sink").seen("1"), 3, "two attempts failed");
    });
}

fn attempts(waiting: &Waiting) -> Option<u32> {
    match waiting {
        Waiting::Parked { attempts, .. } => Some(*attempts),
        Waiting::Owed { .. } | Waiting::Effect { .. } | Waiting::Deadline { .. } => None,
    }
}

#[test]
fn rule_09_when_attempts_are_spent_it_is_buried_its_key_goes_on_and_it_is_redriven_once() {
    let house = House::new();
    house.toy("sink").fail("1", 3);
    play!(house, parts, {
        send(&parts, "a", [say("1"), say("2")]).await;
        house.wait(T).await;
        assert_eq!(house.heard("sink", "a").await, ["2"]);
        let letters = house.store.dead_letters(&Pick::default(), Seek::OLDEST, 10).await.unwrap();
        assert_eq!((letters.len(), letters[0].attempts), (1, 3));
        assert_eq!(metrics(&parts).buried, 1);

        assert_eq!(redrive(&parts, &Pick::default(), "eve").await.unwrap(), 1);
        assert_eq!(redrive(&parts, &Pick::default(), "eve").await.unwrap(), 0, "asked twice, redriven once");
        house.wait(T * 2).await;
        assert_eq!(house.heard("sink", "a").await, ["2", "1"], "a late message");
        let letters = house.store.dead_letters(&Pick::default(), Seek::OLDEST, 10).await.unwrap();
        assert_eq!(letters[0].state, DeadLetterState::Handled);
        assert_eq!(house.counts().await.owed, 0);
    });
}

#[test]
fn rule_13_what_a_newer_binary_wrote_waits_uncounted_and_holds_only_its_key() {
    let house = House::new();
    play!(house, parts, {
        send(&parts, "a", [Do { fault: Some("newer".to_owned()), ..say("1") }, say("2")]).await;
        send(&parts, "b", [say("other")]).await;
        house.wait(Duration::from_secs(600)).await;
        assert_eq!(house.heard("sink", "b").await, ["other"]);
        assert_eq!(house.waiting().await.iter().filter_map(attempts).collect::<Vec<_>>(), [0, 0]);
        assert_eq!(house.counts().await.buried, 0);
        let tried = house.toy("sink").seen("1");
        assert!((2..30).contains(&tried), "tried {tried} times in ten minutes");
    });
}

#[test]
fn rule_24_burying_and_redriving_are_recorded_in_a_stream_of_core() {
    let house = House::new();
    house.toy("sink").fail("1", 3);
    play!(house, parts, {
        send(&parts, "a", [say("1")]).await;
        house.wait(T).await;
        redrive(&parts, &Pick::default(), "eve").await.unwrap();
        house.wait(T * 2).await;
        let stream = oms_core::event::incident::stream("sink", "a");
        let story = house.store.history(&stream, 0, 10).await.unwrap();
        let kinds: Vec<&str> = story.iter().map(|one| &*one.event.kind).collect();
        assert_eq!(kinds, ["MessageBuried", "RedriveRequested", "MessageRedriven"]);
        assert_eq!(house.heard("sink", "a").await, ["1"]);
    });
}

#[test]
fn rule_15_a_message_that_asks_for_more_streams_comes_again_with_them() {
    let house = House::new();
    play!(house, parts, {
        let asks = Do { missing: Some("sku".to_owned()), ..say("2") };
        send(&parts, "a", [say("1"), asks.clone(), say("3")]).await;
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, ["1", "2", "3"]);
        assert_eq!(ask(&parts, "a", &asks).await.unwrap(), Reply::Answered("\"2\"".into()), "a request too");
    });
}

#[test]
fn rule_16_what_can_never_be_handled_is_buried_at_once_and_told_to_who_asks_from_outside() {
    let house = House::new();
    play!(house, parts, {
        let never = Do { fault: Some("permanent".to_owned()), ..say("1") };
        send(&parts, "a", [never.clone(), say("2")]).await;
        house.wait(Duration::from_millis(50)).await;
        assert_eq!(house.heard("sink", "a").await, ["2"]);
        assert_eq!(house.counts().await.buried, 1);

        let refused = ask(&parts, "a", &never).await;
        assert!(matches!(refused, Err(RequestError::Refused(_))), "{refused:?}");
        assert_eq!(house.counts().await.buried, 1, "nobody fills the dead letters from outside");
    });
}

#[test]
fn rule_20_a_conflict_or_a_store_that_is_away_never_parks_or_buries_and_counts_nothing_twice() {
    for wrong in [Wrong::Conflict, Wrong::Away] {
        for call in ["turn", "commit", "load"] {
            let house = House::new();
            play!(house, parts, {
                send(&parts, "a", [say("1")]).await;
                house.settled().await;
                house.store.wrong(call, [wrong; 4]);
                send(&parts, "a", [say("2"), Do { missing: Some("sku".to_owned()), ..say("3") }]).await;
                house.settled().await;
                assert_eq!(house.heard("sink", "a").await, ["1", "2", "3"], "{wrong:?} of {call}");
                let counted = metrics(&parts);
                assert_eq!((counted.handled, counted.parked, counted.buried), (5, 0, 0));
            });
        }
    }
}

#[test]
fn rule_20_a_commit_whose_answer_was_lost_is_not_done_twice() {
    let house = House::new();
    play!(house, parts, {
        send(&parts, "a", [say("1")]).await;
        house.settled().await;
        house.store.wrong("commit", [Wrong::Away]);
        house.store.wrong("commit", [Wrong::Lost, Wrong::Lost]);
        let sends = vec![("work".to_owned(), "a".to_owned(), say("3"))];
        house.broker.again(Vec::new()).await;
        send(&parts, "a", [Do { sends, ..say("2") }]).await;
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await[..1], ["1"]);
        let heard = house.heard("sink", "a").await;
        assert_eq!(
            heard.iter().filter(|name| *name == "3").count(),
            heard.iter().filter(|name| *name == "2").count()
        );
        assert_eq!(house.counts().await.buried + house.counts().await.parked, 0);
    });
}

#[test]
fn rule_20_a_refused_commit_is_halved_until_the_bad_message_stands_alone() {
    for (number, bad) in ["1", "4", "7"].into_iter().enumerate() {
        let house = House::new();
        house.store.refuse(move |writes| writes_down(writes, bad));
        play!(house, parts, {
            send(&parts, "a", (1..=9).map(|number| say(&number.to_string()))).await;
            let time = house.clock_until_buried().await;
            assert!(time < Duration::from_secs(1), "{time:?}");
            house.wait(Duration::from_millis(200)).await;
            let good: Vec<String> = (1..=9).map(|one| one.to_string()).filter(|one| one != bad).collect();
            assert_eq!(house.heard("sink", "a").await, good, "case {number}");
            let letters = house.store.dead_letters(&Pick::default(), Seek::OLDEST, 10).await.unwrap();
            assert_eq!(letters.len(), 1, "only the culprit is buried");
            assert!(letters[0].message.body.starts_with(format!("{{\"name\":\"{bad}\"").as_bytes()));
        });
    }
}

#[test]
fn rule_20_a_refused_batch_stays_halved_while_its_messages_ask_for_more_streams() {
    let (house, refusals) = (House::new(), AtomicU32::new(0));
    house.store.refuse(move |writes| {
        let bad = writes_down(writes, "7");
        let before = refusals.fetch_add(u32::from(bad), Ordering::Relaxed);
        assert!(before < 100, "the lane spins");
        bad
    });
    play!(house, parts, {
        let asks = Do { missing: Some("sku".to_owned()), ..say("1") };
        send(&parts, "a", [asks].into_iter().chain((2..=9).map(|number| say(&number.to_string())))).await;
        let time = house.clock_until_buried().await;
        assert!(time < Duration::from_secs(1), "{time:?}");
        house.wait(Duration::from_millis(200)).await;
        assert_eq!(house.heard("sink", "a").await, ["1", "2", "3", "4", "5", "6", "8", "9"]);
    });
}

#[test]
fn rule_20_local_work_that_comes_with_the_bad_message_is_not_buried_for_it() {
    let mut house = House::new();
    house.options.lanes = 1;
    house.store.refuse(|writes| {
        let mut written = writes.streams.iter().filter(|write| *write.stream.id == *"z-bad");
        written.any(|write| write.events.iter().any(|event| event.body == b"\"deadline\"".as_slice()))
    });
    play!(house, parts, {
        let keys = ["a", "b", "c", "d", "z-bad"];
        let due = |name: &str| Do { deadline: Some(1_000), ..say(name) };
        let sends = keys.map(|key| ("work".to_owned(), key.to_owned(), due("1")));
        ask(&parts, "x", &Do { sends: sends.to_vec(), ..say("sends") }).await.unwrap();
        house.wait(T).await;
        for key in &keys[..4] {
            assert_eq!(house.heard("sink", key).await, ["1", "deadline"], "{key}");
        }
        assert_eq!(house.counts().await.buried, 1);
        let letters = house.store.dead_letters(&Pick::default(), Seek::OLDEST, 10).await.unwrap();
        assert_eq!(&**letters[0].message.envelope.key.text(), "z-bad");
    });
}

#[test]
fn rule_20_a_message_that_cannot_even_be_buried_does_not_keep_the_loop_spinning() {
    let house = House::new();
    house.store.refuse(|writes| !writes.buried.is_empty() || writes_down(writes, "bad"));
    play!(house, parts, {
        send(&parts, "a", [say("bad")]).await;
        house.wait(Duration::from_secs(60)).await;
        assert!(house.store.calls("turn") < 200, "{} turns in a minute", house.store.calls("turn"));
        house.store.refuse(|_| false);
        house.wait(Duration::from_secs(10)).await;
        assert_eq!(house.counts().await.buried, 1, "it goes on once the store takes it");
        assert!(metrics(&parts).outages > 0);
    });
}

#[test]
fn rule_21_a_turn_never_handles_more_than_the_limit_whatever_lies_before_it() {
    let mut house = House::new();
    house.options.batch = Limit { messages: 3, bytes: 1 << 20 };
    house.options.lanes = 1;
    play!(house, parts, {
        let due = |name: &str| Do { deadline: Some(1_000), ..say(name) };
        let sends = (0..20).map(|key| ("work".to_owned(), format!("k{key}"), due("1"))).collect();
        ask(&parts, "x", &Do { sends, ..say("sends") }).await.unwrap();
        house.wait(T * 2).await;
        for key in 0..20 {
            assert_eq!(house.heard("sink", &format!("k{key}")).await, ["1", "deadline"]);
        }
        assert!(house.store.commits().iter().all(|streams| *streams <= 3), "{:?}", house.store.commits());
    });
}

#[test]
fn rule_21_bytes_bound_a_batch_too_and_one_that_is_larger_goes_alone() {
    let mut house = House::new();
    house.options.batch = Limit { messages: 10, bytes: 1 << 10 };
    play!(house, parts, {
        let heavy = |name: &str| Do { weight: 4 << 10, ..say(name) };
        send(&parts, "a", [heavy("1"), say("2"), heavy("3")]).await;
        let time = house.settled().await;
        assert!(time < T, "{time:?}");
        assert_eq!(house.heard("sink", "a").await, ["1", "2", "3"]);
    });
}
