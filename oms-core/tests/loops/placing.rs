//! Rules 7, 21 and 25: placing is durable, shared, bounded, and nobody's drop is another's loss.

use crate::{
    house::{House, play, send},
    toy::{Do, Heard, ToyEvent, body, outside, say},
    watched::Wrong,
};
use futures::{
    FutureExt,
    future::{join, join_all},
    poll,
};
use oms_core::{
    gateway::{Effect, EffectKey},
    id::Name,
    message::{GroupLane, Key},
    service::{Outgoing, Reaction, append},
    store::{Ask, Right, Store},
    worker::{Opening, Parts, PlaceError, Placed, Placer},
};
use std::{pin::pin, sync::Arc, time::Duration};

fn placer(house: &House, parts: &Arc<Parts>) -> Placer {
    Placer::new(Arc::clone(parts), Arc::new(house.toy("source").clone()))
}

/// Opens the stream of `key` with `content`, and sends it to `work`.
fn opening(house: &House, key: &str, content: &str) -> Opening {
    let cause = outside(key, &say("place"));
    let (stream, message) = (house.toy("source").stream(key), cause.clone());
    let (content, same) = (content.to_owned(), content.to_owned());
    Opening {
        stream: stream.clone(),
        cause,
        reaction: Box::new(move || {
            let events = vec![ToyEvent::Heard(content.clone())];
            let sent = Outgoing {
                topic: Name::from("work"),
                key: message.envelope.key.clone(),
                kind: Name::from("Do"),
                schema: 1,
                body: body(&Do { name: content.clone(), ..Do::default() }),
            };
            let appends = vec![append(stream.clone(), &Heard::default(), events)?];
            Ok(Reaction { appends, outgoing: vec![sent], ..Reaction::default() })
        }),
        same: Box::new(move |entry| Ok(entry.state::<Heard>()?.0.first() == Some(&same))),
    }
}

#[test]
fn rule_07_the_same_key_places_once_and_another_content_is_a_mismatch() {
    let house = House::new();
    play!(house, parts, {
        let placer = placer(house, &parts);
        let all = ["1", "1", "2"].map(|content| opening(house, "a", content));
        let answers: Vec<Placed> = placer.place(all.into()).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers, [Placed::New, Placed::Known, Placed::Mismatch]);
        let again = placer.place(vec![opening(house, "a", "1")]).await.remove(0).unwrap();
        assert_eq!(again, Placed::Known);
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, ["1"]);
    });
}

#[test]
fn rule_07_placing_whose_answer_was_lost_is_found_when_it_is_placed_again() {
    let house = House::new();
    play!(house, parts, {
        let placer = placer(house, &parts);
        house.store.wrong("commit", [Wrong::Lost]);
        let lost = placer.place(vec![opening(house, "a", "1")]).await.remove(0);
        assert!(matches!(lost, Err(PlaceError::Store(_))), "{lost:?}");
        assert_eq!(placer.place(vec![opening(house, "a", "1")]).await.remove(0).unwrap(), Placed::Known);
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, ["1"]);
    });
}

#[test]
fn rule_25_a_lane_that_is_held_up_holds_up_no_other() {
    let house = House::new();
    play!(house, parts, {
        let placer = placer(house, &parts);
        let lane = |key: &str| Key::new(Name::from(key)).lane(parts.options.lanes);
        let held = Right::Unfenced(GroupLane::new("place", lane("a")));
        let turn = house.store.turn(&held, Ask::default()).await.unwrap();
        let mut waits = pin!(placer.place(vec![opening(house, "a", "1")]));
        assert!(poll!(&mut waits).is_pending());
        let keys: Vec<String> = (0..20).map(|number| format!("k{number}")).collect();
        let other = keys.iter().find(|key| lane(key) != lane("a")).unwrap();
        let placed = placer.place(vec![opening(house, other, "1")]).await.remove(0).unwrap();
        assert_eq!(placed, Placed::New);
        assert!(poll!(&mut waits).is_pending());
        drop(turn);
        assert_eq!(waits.await.remove(0).unwrap(), Placed::New);
        house.settled().await;
    });
}

#[test]
fn rule_20_of_many_that_are_placed_together_only_the_bad_one_is_refused() {
    let house = House::new();
    house.store.refuse(|writes| {
        writes.streams.iter().flat_map(|write| &write.events).any(|event| event.body == b"\"bad\"".as_slice())
    });
    play!(house, parts, {
        let placer = placer(house, &parts);
        let contents = ["1", "2", "bad", "4", "5"];
        let all =
            contents.iter().enumerate().map(|(key, content)| opening(house, &format!("k{key}"), content));
        let answers = placer.place(all.collect()).await;
        for (answer, content) in answers.iter().zip(contents) {
            assert_eq!(matches!(answer, Ok(Placed::New)), content != "bad", "{content}: {answer:?}");
        }
        assert!(matches!(answers[2], Err(PlaceError::Refused(_))));
    });
}

#[test]
fn rule_21_placing_beyond_the_backlog_is_refused_with_overloaded() {
    let mut house = House::new();
    house.options.backlog = 3;
    house.broker.ways(crate::wild::Ways { dead: true, ..Default::default() });
    play!(house, parts, {
        let placer = placer(house, &parts);
        let mut refused = 0;
        for number in 0..10 {
            let key = format!("k{number}");
            match placer.place(vec![opening(house, &key, "1")]).await.remove(0) {
                Ok(_) => assert_eq!(refused, 0),
                Err(PlaceError::Overloaded { limit: 3, .. }) => refused += 1,
                Err(other) => panic!("{other}"),
            }
            house.wait(Duration::from_millis(200)).await;
        }
        assert_eq!(refused, 6, "four are owed before the limit is passed");
        house.settled().await;
        house.wait(Duration::from_millis(200)).await;
        assert_eq!(placer.place(vec![opening(house, "z", "1")]).await.remove(0).unwrap(), Placed::New);
    });
}

#[test]
fn rule_21_dead_letters_alone_never_overload_the_house() {
    let mut house = House::new();
    house.options.backlog = 3;
    play!(house, parts, {
        for number in 0..6 {
            let poison = Do { fault: Some("permanent".to_owned()), ..say("poison") };
            send(&parts, &format!("p{number}"), [poison]).await;
        }
        house.wait(Duration::from_secs(1)).await;
        let counts = house.counts().await;
        assert!(counts.buried == 6 && counts.owed > 3, "a dead letter keeps its owed row: {counts:?}");
        let placer = placer(house, &parts);
        assert_eq!(placer.place(vec![opening(house, "z", "1")]).await.remove(0).unwrap(), Placed::New);
    });
}

#[test]
fn rule_25_concurrent_places_share_a_commit() {
    let mut house = House::new();
    house.options.lanes = 1;
    play!(house, parts, {
        house.wait(Duration::from_millis(10)).await;
        let placer = placer(house, &parts);
        let all = (0..9).map(|number| {
            let key = format!("k{number}");
            placer.place(vec![opening(house, &key, "1")])
        });
        let held = house.hold_lane(&GroupLane::new("place", 0)).await;
        let later = async {
            house.wait(Duration::from_millis(1)).await;
            drop(held);
        };
        let (answers, ()) = join(join_all(all), later).await;
        assert!(answers.iter().flatten().all(|answer| matches!(answer, Ok(Placed::New))));
        assert_eq!(
            house.store.commits()[..2],
            [1, 8],
            "those who came while the first was under way share the next"
        );
    });
}

#[test]
fn rule_25_a_dropped_caller_does_not_drop_the_others_commit() {
    let house = House::new();
    play!(house, parts, {
        house.wait(Duration::from_millis(10)).await;
        let placer = placer(house, &parts);
        let holds = house.hold_lane(&GroupLane::new("place", 0)).await;
        let other = house.hold_lane(&GroupLane::new("place", 1)).await;
        let mut first = Box::pin(placer.place(vec![opening(house, "a", "1")]));
        let mut second = pin!(placer.place(vec![opening(house, "b", "1")]));
        assert!(poll!(first.as_mut()).is_pending());
        assert!(poll!(second.as_mut()).is_pending());
        drop(first);
        drop((holds, other));
        assert_eq!(second.await.remove(0).unwrap(), Placed::New);
    });
}

#[test]
fn rule_25_when_all_callers_are_dropped_their_commit_goes_too_and_holds_no_lane() {
    let mut house = House::new();
    house.options.lanes = 1;
    play!(house, parts, {
        house.wait(Duration::from_millis(10)).await;
        let (placer, other) = (placer(house, &parts), placer(house, &parts));
        house.store.wrong("commit", [Wrong::Hang]);
        let mut gone = Box::pin(placer.place(vec![opening(house, "a", "1")]));
        assert!(poll!(gone.as_mut()).is_pending());
        drop(gone);
        // Another placer, as in another process, wants the same lane.
        let placed = other.place(vec![opening(house, "b", "1")]).now_or_never();
        assert!(placed.is_some(), "a commit that nobody waits for holds the lane");
    });
}

#[test]
fn an_opening_may_not_wish_for_nobody_would_hear_the_answer() {
    let house = House::new();
    play!(house, parts, {
        let placer = placer(house, &parts);
        let stream = house.toy("source").stream("a");
        let mut opening = opening(house, "a", "1");
        let cause = opening.cause.envelope.id;
        opening.reaction = Box::new(move || {
            let events = vec![ToyEvent::Heard("1".to_owned())];
            let effect = Effect {
                key: EffectKey::new("a", "pay", 1),
                stream: stream.clone(),
                gateway: Name::from("door"),
                request: bytes::Bytes::from_static(b"{}"),
                cause,
            };
            let appends = vec![append(stream.clone(), &Heard::default(), events)?];
            Ok(Reaction { appends, effects: vec![effect], ..Reaction::default() })
        });
        let refused = placer.place(vec![opening]).await.remove(0);
        assert!(matches!(refused, Err(PlaceError::Refused(_))), "{refused:?}");
    });
}
