//! Rule 9 as a person meets it: dead letters are redriven by filter, edited as a copy, and their record says all of it.

use crate::{
    house::{House, T, metrics, play, send},
    toy::{Do, body, say},
    watched::Wrong,
};
use bytes::Bytes;
use oms_core::{
    id::Name,
    projection::{Cause, Fate, letter_causes, letter_record},
    store::{DeadLetter, DeadLetterState, Pick, Seek, Store},
    worker::{Edit, EditError, Parts, edit, redrive},
};

fn poison(name: &str) -> Do {
    Do { fault: Some("permanent".to_owned()), ..say(name) }
}

fn edited(number: u64, said: &Do) -> Edit {
    Edit { number, kind: None, body: body(said), by: "eve".to_owned(), again: false }
}

async fn letters(house: &House) -> Vec<DeadLetter> {
    house.store.dead_letters(&Pick::default(), Seek::OLDEST, 100).await.unwrap()
}

async fn states(house: &House) -> Vec<DeadLetterState> {
    letters(house).await.iter().map(|letter| letter.state).collect()
}

/// Buries one message of the key `a`, and waits until it is.
async fn bury(house: &House, parts: &Parts, said: Do) {
    let before = letters(house).await.len();
    send(parts, "a", [said]).await;
    while letters(house).await.len() == before {
        house.wait(T / 100).await;
    }
}

async fn words(house: &House, number: u64) -> Vec<String> {
    let record = letter_record(&house.store, number).await.unwrap().unwrap();
    record.history.into_iter().map(|noted| noted.words).collect()
}

#[test]
fn rule_09_a_copy_is_sent_once_to_the_group_that_failed_and_the_original_stays_as_it_was() {
    let mut house = House::new();
    house.toys.push(crate::toy::Toy::new("other", &["work"]));
    play!(house, parts, {
        // The other group is told to fail as well, and is sent no copy.
        bury(house, &parts, poison("1")).await;
        house.wait(T).await;
        let before = letters(house).await;
        let one = before.iter().find(|letter| &*letter.lane.group == "sink").unwrap();
        let first = edit(&parts, &edited(one.number, &say("good"))).await.unwrap();
        let second = edit(&parts, &edited(one.number, &say("good"))).await.unwrap();
        assert_eq!((first.sent, second.sent, first.edit), (true, false, 1));
        assert_eq!(first.copy, second.copy, "asked twice, sent once");
        house.wait(T).await;
        assert_eq!(edit(&parts, &edited(one.number, &say("good"))).await.unwrap(), second, "and ever after");
        assert_eq!(house.heard("sink", "a").await, ["good"]);
        assert_eq!(house.heard("other", "a").await, Vec::<String>::new());
        let after = letters(house).await;
        assert_eq!(after.len(), before.len(), "what was handled is no dead letter");
        for (before, after) in before.iter().zip(&after) {
            let state = if before == one { DeadLetterState::Replaced } else { DeadLetterState::Buried };
            assert_eq!(*after, DeadLetter { state, ..before.clone() });
        }
    });
}

#[test]
fn rule_09_a_copy_waits_behind_its_key_and_is_tried_like_any_message() {
    let house = House::new();
    play!(house, parts, {
        bury(house, &parts, poison("1")).await;
        house.toy("sink").fail("2", 1);
        send(&parts, "a", [say("2")]).await;
        house.wait(T / 500).await;
        house.toy("sink").fail("copy", 2);
        edit(&parts, &edited(1, &say("copy"))).await.unwrap();
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, ["2", "copy"]);
        assert_eq!(
            house.toy("sink").seen("copy"),
            3,
            "looked at once before it was sent, then failed, then handled"
        );
    });
}

#[test]
fn rule_09_a_copy_that_fails_is_a_dead_letter_of_its_own_that_names_the_original() {
    let house = House::new();
    play!(house, parts, {
        bury(house, &parts, poison("1")).await;
        house.toy("sink").fail("2", 9);
        edit(&parts, &edited(1, &say("2"))).await.unwrap();
        house.wait(T * 2).await;
        assert_eq!(states(house).await, [DeadLetterState::Replaced, DeadLetterState::Buried]);
        let [original, copy] = [1, 2].map(|number| letter_record(&house.store, number));
        let (original, copy) = (original.await.unwrap().unwrap(), copy.await.unwrap().unwrap());
        assert_eq!(copy.cause, Cause::Copy(1));
        assert_eq!(copy.letter.message.envelope.cause, original.letter.message.envelope.id);
        assert_eq!(original.copies.iter().map(|copied| copied.fate).collect::<Vec<_>>(), [Fate::Letter(2)]);
        let kinds = |record: &oms_core::projection::LetterRecord| {
            record.history.iter().map(|noted| noted.kind.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&original), ["MessageBuried", "MessageReplaced"]);
        assert_eq!(kinds(&copy), ["MessageReplaced", "MessageBuried"]);

        let third = edit(&parts, &edited(2, &say("3"))).await.unwrap();
        assert_ne!(third.copy, copy.letter.message.envelope.id, "each letter's copies have ids of their own");
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, ["3"]);
        let copy = letter_record(&house.store, 2).await.unwrap().unwrap();
        assert_eq!(copy.copies[0].fate, Fate::Handled);
    });
}

#[test]
fn rule_09_what_the_group_could_never_handle_is_refused_and_nothing_is_written() {
    let house = House::new();
    play!(house, parts, {
        bury(house, &parts, poison("1")).await;
        let before = (letters(house).await, house.counts().await, house.store.calls("commit"));
        let wrong = |body: &'static [u8], kind: Option<&str>| Edit {
            body: Bytes::from_static(body),
            kind: kind.map(Name::from),
            ..edited(1, &say("x"))
        };
        for (wrong, says) in [
            (wrong(b"{\"name\":", None), "is not JSON"),
            (wrong(b"\xff\xfe", None), "is not JSON"),
            (wrong(b"7", None), "invalid type"),
            (wrong(b"{}", Some("Undo")), "Undo is not known here"),
            (edited(1, &poison("still")), "told to"),
            (edited(9, &say("x")), "no dead letter 9"),
        ] {
            let error = edit(&parts, &wrong).await.unwrap_err().to_string();
            assert!(error.contains(says), "{says}: {error}");
        }
        assert_eq!(before, (letters(house).await, house.counts().await, house.store.calls("commit")));
    });
}

#[test]
fn rule_09_another_copy_of_a_replaced_letter_must_be_asked_for() {
    let house = House::new();
    play!(house, parts, {
        bury(house, &parts, poison("1")).await;
        edit(&parts, &edited(1, &say("2"))).await.unwrap();
        let refused = edit(&parts, &edited(1, &say("3"))).await;
        assert!(matches!(refused, Err(EditError::Standing { number: 1, .. })), "{refused:?}");
        let again = edit(&parts, &Edit { again: true, ..edited(1, &say("3")) }).await.unwrap();
        assert_eq!((again.edit, again.sent), (2, true));
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, ["2", "3"]);
        assert_eq!(redrive(&parts, &Pick::default(), "eve").await.unwrap(), 0, "a copy stands for it");
    });
}

#[test]
fn rule_09_a_letter_that_is_being_handled_again_or_was_is_not_edited() {
    let house = House::new();
    house.toy("sink").fail("1", 3);
    play!(house, parts, {
        bury(house, &parts, say("1")).await;
        house.store.wrong("due", std::iter::repeat_n(Wrong::Away, 3));
        redrive(&parts, &Pick::default(), "eve").await.unwrap();
        let error = edit(&parts, &edited(1, &say("2"))).await.unwrap_err().to_string();
        assert!(error.contains("is being handled again"), "{error}");
        house.wait(T).await;
        let error = edit(&parts, &edited(1, &say("2"))).await.unwrap_err().to_string();
        assert!(error.contains("it was handled"), "{error}");
        assert_eq!(house.heard("sink", "a").await, ["1"]);
    });
}

#[test]
fn rule_09_an_answer_of_the_store_that_is_lost_sends_no_second_copy() {
    let house = House::new();
    play!(house, parts, {
        bury(house, &parts, poison("1")).await;
        house.store.wrong("commit", [Wrong::Conflict, Wrong::Lost]);
        let lost = edit(&parts, &edited(1, &say("2"))).await;
        assert!(
            matches!(lost, Err(EditError::Store(_))),
            "a conflict is tried again, a lost answer is told: {lost:?}"
        );
        assert!(!edit(&parts, &edited(1, &say("2"))).await.unwrap().sent);
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, ["2"]);
    });
}

#[test]
fn rule_09_only_what_a_filter_means_is_redriven_and_once_however_many_ask() {
    let house = House::new();
    house.toy("sink").fail("flaky", 3);
    play!(house, parts, {
        send(&parts, "a", [poison("1"), poison("2")]).await;
        send(&parts, "b", [say("flaky")]).await;
        house.wait(T).await;
        assert_eq!(letters(house).await.len(), 3);
        let of = |key: &str| Pick { key: Some(Name::from(key)), ..Pick::default() };
        let none = Pick { error: Some("nobody says this".to_owned()), ..of("b") };
        assert_eq!(redrive(&parts, &none, "eve").await.unwrap(), 0);
        let pick = of("b");
        let asked = futures::join!(redrive(&parts, &pick, "eve"), redrive(&parts, &pick, "adam"));
        assert_eq!(asked.0.unwrap() + asked.1.unwrap(), 1);
        house.wait(T).await;
        assert_eq!(
            (house.heard("sink", "b").await, house.toy("sink").seen("flaky")),
            (vec!["flaky".to_owned()], 4)
        );
        assert_eq!(states(house).await.iter().filter(|state| **state == DeadLetterState::Buried).count(), 2);
        let pick = Pick { group: Some(Name::from("sink")), kind: Some(Name::from("Do")), ..Pick::default() };
        assert_eq!(redrive(&parts, &pick, "eve").await.unwrap(), 2);
        house.wait(T).await;
        assert_eq!(metrics(&parts).buried, 5, "three at first, and two again");
    });
}

#[test]
fn rule_24_the_record_of_a_letter_says_when_it_was_buried_and_who_asked_for_it() {
    let house = House::new();
    house.toy("sink").fail("1", 4);
    play!(house, parts, {
        bury(house, &parts, say("1")).await;
        for by in ["eve", "adam"] {
            redrive(&parts, &Pick::numbers([1]), by).await.unwrap();
            house.wait(T * 2).await;
        }
        let words = words(house, 1).await;
        let says = ["gave up", "eve asked", "gave up", "adam asked", "handled the dead letter"];
        assert_eq!(words.len(), says.len(), "{words:?}");
        for (words, says) in words.iter().zip(says) {
            assert!(words.contains(says), "{says}: {words}");
        }
    });
}

#[test]
fn rule_09_a_thousand_letters_of_one_cause_are_one_line() {
    let house = House::new();
    play!(house, parts, {
        for number in 0..40 {
            send(&parts, &format!("k{number}"), (0..25).map(|one| poison(&format!("{one}")))).await;
        }
        send(&parts, "a", [Do { missing: Some("sku".to_owned()), ..poison("other") }]).await;
        house.wait(T).await;
        let causes = letter_causes(&house.store, &Pick::default()).await.unwrap();
        let seen: Vec<_> = causes.iter().map(|one| (one.letters, &*one.group, one.first)).collect();
        assert_eq!(seen[0], (1_001, "sink", 1), "{causes:?}");
        assert_eq!(seen.len(), 1);
        assert_eq!(
            redrive(&parts, &Pick::default(), "eve").await.unwrap(),
            1_001,
            "more than one turn's worth"
        );
    });
}
