//! The rules of a batch, without store or broker.

use super::{
    RetryPolicy,
    decide::{Outlook, Wanted, decide},
    draft::Draft,
    options::Options,
    origin::Origin,
    seal::seal,
    toy::{Count, Order, Toy, message, stream},
    work::Work,
};
use crate::{
    gateway::EffectKey,
    id::{MessageId, Name},
    message::{Codec, GroupLane, Json, Limit, Message, PackId},
    service::{Entry, Loaded},
    store::{Consumed, End, Found, Stream, Writes},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

fn pack() -> PackId {
    PackId { sender: GroupLane::new("someone", 0), position: 1 }
}

fn owed(number: u16, key: &str, order: Order) -> Work {
    Work::new(message(number.into(), key, &order), Origin::Owed { pack: pack(), index: number })
}

fn found() -> Found {
    let hears = BTreeMap::from([(Name::from("toy"), [Name::from("toy.in")].into())]);
    Found { hears: Arc::new(hears), position: 7, ..Found::default() }
}

fn draft_over(mut found: Found, streams: &[&str]) -> Draft {
    let entries = streams.iter().map(|key| (stream(key), Entry::new(Stream::default())));
    Draft::new(&Name::from("toy"), &Toy, &mut found, Loaded(entries.collect()))
}

fn run_all(draft: &mut Draft, wanted: &mut Wanted, works: &[Work]) -> Outlook {
    decide(&Toy, works, draft, wanted, &RetryPolicy::default())
}

fn run(works: &[Work]) -> (Draft, Outlook) {
    let mut draft = draft_over(found(), &["a", "b"]);
    let outlook = run_all(&mut draft, &mut Wanted::default(), works);
    (draft, outlook)
}

fn sealed(draft: Draft) -> Writes {
    seal(draft, &GroupLane::new("toy", 0), 7, &Json, &Options::default()).expect("seals").0
}

fn ends(draft: &Draft) -> Vec<End> {
    let end = |consumed: &Consumed| match consumed {
        Consumed::Owed { end, .. } | Consumed::Released { end, .. } | Consumed::Redriven { end, .. } => {
            Some(*end)
        }
        Consumed::Due { .. } | Consumed::Answered { .. } => None,
    };
    draft.consumed.iter().filter_map(end).collect()
}

#[test]
fn a_batch_appends_each_stream_once_with_every_event_and_its_cause() {
    let (draft, outlook) = run(&[
        owed(0, "a", Order::default()),
        owed(1, "b", Order::default()),
        owed(2, "a", Order::default()),
    ]);
    assert_eq!(outlook, Outlook { decided: 3, handled: 3 });
    let writes = sealed(draft);
    assert_eq!(writes.streams.len(), 2);
    let first = &writes.streams[0];
    assert_eq!((first.expected, first.next.version, first.events.len()), (0, 2, 2));
    assert_eq!(first.causes, [MessageId(0), MessageId(2)]);
    assert_eq!(first.next.state.as_deref(), Some(b"2".as_slice()));
}

#[test]
fn rule_05_a_repeated_turn_sends_the_same_ids_and_each_place_its_own() {
    let sends = Order { send: 1, ..Order::default() };
    let ids = |works: &[Work]| run(works).0.outgoing.iter().map(|sent| sent.envelope.id).collect::<Vec<_>>();
    let once = ids(&[owed(0, "a", sends.clone()), owed(1, "a", sends.clone())]);
    assert_eq!(once, ids(&[owed(0, "a", sends.clone()), owed(1, "a", sends)]));
    assert_ne!(once[0], once[1]);
}

#[test]
fn what_nobody_hears_is_not_sent() {
    let (draft, _) = run(&[owed(0, "a", Order { send: 3, ..Order::default() })]);
    assert_eq!(draft.outgoing.len(), 1, "the others go to a topic without hearers");
}

#[test]
fn rule_09_a_fault_parks_and_later_messages_of_its_key_queue_behind_it_while_others_go_on() {
    let fails = Order { fail: true, ..Order::default() };
    let (draft, outlook) =
        run(&[owed(0, "a", fails), owed(1, "a", Order::default()), owed(2, "b", Order::default())]);
    assert_eq!(ends(&draft), [End::Parked, End::Parked, End::Handled]);
    assert_eq!(outlook, Outlook { decided: 3, handled: 1 });
    assert_eq!((draft.parked[0].attempts, draft.parked[1].attempts), (1, 0), "the follower was not tried");
    assert!(draft.parked[0].next.is_some() && draft.parked[1].next.is_none());
}

#[test]
fn rule_09_only_releases_pass_a_parked_key() {
    let mut known = found();
    known.parked.insert(message(0, "a", &Order::default()).envelope.key);
    let released =
        Work { attempts: 2, ..Work::new(message(3, "a", &Order::default()), Origin::Released { seq: 5 }) };
    let mut draft = draft_over(known, &["a"]);
    run_all(&mut draft, &mut Wanted::default(), &[owed(0, "a", Order::default()), released]);
    assert_eq!(ends(&draft), [End::Parked, End::Handled]);
}

#[test]
fn rule_09_attempts_are_counted_and_spent_and_the_incident_is_recorded() {
    let fails = message(3, "a", &Order { fail: true, ..Order::default() });
    let last = RetryPolicy::default().attempts - 1;
    let released = Work { attempts: last, ..Work::new(fails, Origin::Released { seq: 5 }) };
    let (draft, _) = run(&[released]);
    assert_eq!(draft.buried[0].attempts, last + 1);
    assert_eq!(draft.incidents.len(), 1);
    assert!(!draft.is_parked(&draft.buried[0].message.envelope.key), "the key goes on");
}

#[test]
fn rule_16_what_can_never_be_handled_is_buried_at_once() {
    let (draft, _) =
        run(&[owed(0, "a", Order { permanent: true, ..Order::default() }), owed(1, "a", Order::default())]);
    assert_eq!(ends(&draft), [End::Buried, End::Handled]);
}

#[test]
fn rule_13_what_a_newer_binary_wrote_is_parked_and_never_counted() {
    let newer = message(3, "a", &Order { newer: true, ..Order::default() });
    let released = Work { attempts: 9, ..Work::new(newer, Origin::Released { seq: 5 }) };
    let (draft, _) = run(&[released]);
    assert_eq!((ends(&draft), draft.parked[0].attempts), (vec![End::Parked], 9));
}

#[test]
fn rule_14_a_handler_appends_to_its_own_kinds_only() {
    let (draft, _) = run(&[owed(0, "a", Order { foreign_kind: true, send: 1, ..Order::default() })]);
    assert_eq!(ends(&draft), [End::Buried]);
    assert!(draft.outgoing.is_empty() && draft.changes.is_empty(), "nothing of a refused reaction is taken");
}

#[test]
fn rule_15_missing_streams_cut_the_batch_and_three_times_in_a_row_is_permanent() {
    let works = [owed(0, "a", Order::default()), owed(1, "b", Order { missing: true, ..Order::default() })];
    let mut wanted = Wanted::default();
    for handled in [1, 1] {
        let mut draft = draft_over(found(), &["a", "b"]);
        assert_eq!(run_all(&mut draft, &mut wanted, &works).decided, handled);
        assert!(wanted.streams.contains(&stream("another")));
    }
    let mut draft = draft_over(found(), &["a", "b"]);
    assert_eq!(run_all(&mut draft, &mut wanted, &works).decided, 2);
    assert_eq!(ends(&draft), [End::Handled, End::Buried]);
}

#[test]
fn rule_18_an_undo_in_the_same_batch_takes_back_a_wish_that_nobody_can_have_claimed() {
    let wish = Order { wish: true, ..Order::default() };
    let undo = Order { withdraw: true, ..Order::default() };
    let (draft, _) = run(&[owed(0, "a", wish), owed(1, "a", undo.clone())]);
    assert!(draft.effects.is_empty() && draft.withdrawn.is_empty());
    let mut draft = draft_over(found(), &[]);
    let stored = Stream { unclaimed: vec![EffectKey::new("a", "wish", 1)], ..Stream::default() };
    draft.loaded.0.insert(stream("a"), Entry::new(stored));
    run_all(&mut draft, &mut Wanted::default(), &[owed(1, "a", undo)]);
    assert_eq!(draft.withdrawn.len(), 1, "one that is stored is withdrawn in the store");
}

#[test]
fn rule_18_what_may_have_been_told_cannot_be_withdrawn_and_is_no_conflict_for_ever() {
    let (draft, _) = run(&[owed(1, "a", Order { withdraw: true, ..Order::default() })]);
    assert_eq!(ends(&draft), [End::Buried]);
    assert!(draft.withdrawn.is_empty());
}

#[test]
fn a_reaction_that_appends_to_one_stream_twice_is_refused_in_whole() {
    let (draft, _) = run(&[owed(0, "a", Order { twice: true, ..Order::default() })]);
    assert_eq!(ends(&draft), [End::Buried], "its state would not be the fold of its events");
}

#[test]
fn rule_03_a_deadline_names_the_message_it_waits_for_and_the_version_that_set_it() {
    let (draft, _) = run(&[owed(0, "a", Order { send: 1, deadline: true, ..Order::default() })]);
    let writes = sealed(draft);
    assert_eq!(writes.alarms, [stream("a")]);
    let deadline = writes.streams[0].next.deadline.clone().expect("a deadline");
    let waits_for = deadline.waits_for.expect("waits for its message");
    assert_eq!((deadline.set_at, deadline.delay), (1, Duration::from_secs(30)));
    assert_eq!((waits_for.pack, waits_for.index, &*waits_for.group), (writes.packs[0].id.clone(), 0, "toy"));
}

#[test]
fn rule_03_a_deadline_that_an_earlier_message_of_the_batch_has_replaced_does_not_fire() {
    let answers = Order { deadline: true, send: 1, ..Order::default() };
    let redriven = Work::new(message(1, "a", &answers), Origin::Redriven { number: 4 });
    let reached = |key: &str| {
        let origin = Origin::Due { stream: stream(key), set_at: 1, firing: 1 };
        Work::new(message(2, key, &Order::default()), origin)
    };
    let (draft, outlook) = run(&[redriven, reached("a"), reached("b")]);
    assert_eq!(outlook.decided, 3);
    assert_eq!(draft.changes[&stream("a")].events.len(), 1, "the answer alone");
    assert_eq!(draft.changes[&stream("b")].events.len(), 1, "nobody has answered there");
    let fired = draft.consumed.iter().filter(|consumed| matches!(consumed, Consumed::Due { .. })).count();
    assert_eq!((fired, sealed(draft).alarms), (1, vec![stream("a")]));
}

#[test]
fn packs_hold_the_messages_of_one_topic_and_lane_in_order_up_to_their_limit() {
    let works: Vec<Work> =
        (0..5).map(|number| owed(number, "a", Order { send: 1, ..Order::default() })).collect();
    let (draft, _) = run(&works);
    let sent: Vec<MessageId> = draft.outgoing.iter().map(|message| message.envelope.id).collect();
    let options = Options { pack: Limit { messages: 2, bytes: 1 << 20 }, ..Options::default() };
    let (writes, _) = seal(draft, &GroupLane::new("toy", 0), 7, &Json, &options).expect("seals");
    let positions: Vec<u64> = writes.packs.iter().map(|pack| pack.id.position).collect();
    assert_eq!(positions, [7, 8, 9]);
    let decoded = writes.packs.iter().flat_map(|pack| Json.decode(&pack.bytes).expect("decodes").1);
    assert_eq!(decoded.map(|message: Message| message.envelope.id).collect::<Vec<_>>(), sent);
}

#[test]
fn the_state_in_hand_equals_the_fold_of_the_recorded_events() {
    let (draft, _) = run(&[owed(0, "a", Order::default()), owed(1, "a", Order::default())]);
    let hand = draft.loaded.state::<Count>(&stream("a")).expect("readable").cloned();
    let change = &draft.changes[&stream("a")];
    let mut entry = Entry::new(Stream::default());
    for event in &change.events {
        let next = entry.evolved::<Count>(event).expect("folds");
        entry.advance(entry.stream.version + 1, next);
    }
    assert_eq!(hand, Some(entry.state::<Count>().expect("readable").clone()));
}
