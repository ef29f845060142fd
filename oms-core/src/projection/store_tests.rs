//! Check, story and stuck orders, read from a store that turns have written.

use super::{
    check::{Books, Check},
    fixture::*,
    story::story,
    *,
};
use crate::{
    broker::Topology,
    clock::{Clock, Timestamp},
    event::{
        Wire,
        incident::{IncidentEvent, MessageBuried, stream},
        inventory::{StockAdjusted, StockEvent, UnitsMoved},
    },
    id::{MessageId, Name, StreamId},
    message::GroupLane,
    store::{Ask, Event, MemoryStore, Right, Store, Stream, Write, Writes},
};
use futures::{FutureExt, future::BoxFuture};
use std::{sync::Arc, time::Duration};

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp(1_600_000_000_000_000)
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        futures::future::ready(()).boxed()
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("a store in memory never waits here")
}

fn write(store: &MemoryStore, stream: StreamId, events: Vec<Event>, first_cause: u128) {
    let lane = GroupLane::new(&stream.kind, 0);
    let (count, version) = (events.len() as u128, events.len() as u64);
    let next = Stream { version, schema: 1, state: Some("{}".into()), ..Stream::default() };
    let causes = (first_cause..first_cause + count).map(MessageId).collect();
    let write = Write { stream, expected: 0, events, next, fixed_is_new: false, causes };
    now(async {
        let turn = store.turn(&Right::Unfenced(lane), Ask::default()).await.expect("a turn");
        let mut turn = turn;
        let shared = write.stream.rank == crate::id::Rank::Shared;
        turn.found();
        if shared {
            turn.load(&[write.stream.clone()].into()).await.expect("loads");
        }
        turn.commit(Writes { streams: vec![write], ..Writes::default() }).await.expect("commits");
    });
}

fn event<E: Wire>(event: &E) -> Event {
    Event { kind: Name::from(event.kind()), schema: E::SCHEMA, body: event.encode().expect("encodes") }
}

/// A store with one order of these facts, and a shelf of ten of which its six are taken, and gone when `gone`.
fn stored(facts: &Facts, gone: bool) -> MemoryStore {
    let store = MemoryStore::new(Arc::new(Still));
    now(store.register(&Topology { lanes: 1, ..Topology::default() })).expect("registers");
    for recorded in streams(facts).into_iter().filter(|stream| !stream.is_empty()) {
        let stream = recorded[0].stream.clone();
        write(&store, stream, recorded.into_iter().map(|recorded| recorded.event).collect(), 1);
    }
    let received = StockAdjusted { delta: 10, reference: Name::from("r"), reason: String::new() };
    let moved = || UnitsMoved { order: order(), units: 6 };
    let mut shelf =
        vec![event(&StockEvent::StockAdjusted(received)), event(&StockEvent::UnitsTaken(moved()))];
    shelf.extend(gone.then(|| event(&StockEvent::UnitsConsumed(moved()))));
    write(&store, StreamId::shared("stock", sku().as_str()), shelf, 1);
    store
}

#[test]
fn a_store_with_a_completed_order_passes_its_check() {
    let store = stored(&completed(), true);
    let check = Check { at_rest: true, ..Check::default() };
    let report = now(check.run(&store)).expect("reads");
    assert_eq!(report.violations, []);
    assert_eq!((report.orders, report.in_flight, report.totals.on_hand), (1, 0, 4));
    assert_eq!((report.totals.sums().kept_minor, report.written_meanwhile), (DUE.into(), false));
    let checked: Vec<u8> = report.invariants.iter().map(|checked| checked.invariant).collect();
    assert_eq!(checked, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 22, 23]);
    let mut hash = SummaryHash::default();
    hash.add(&completed());
    assert_eq!(report.summary_hash, hash.finish());
}

#[test]
fn a_check_names_the_invariant_and_the_subject_that_breaks_it() {
    let store = stored(&confirmed(), true);
    write(&store, StreamId::keyed("payment", "nobody"), vec![streams(&confirmed())[1][0].event.clone()], 1);
    let report = now(Check::default().run(&store)).expect("reads");
    let broken: Vec<(u8, &str)> =
        report.violations.iter().map(|broken| (broken.invariant, broken.subject.as_str())).collect();
    assert_eq!(broken, [(17, "payment/nobody"), (2, "85123A"), (3, "85123A")]);
    assert_eq!(report.stuck.len(), 1, "nothing is in flight for it");
}

#[test]
fn a_check_holds_the_gateways_books_against_ours() {
    let books = Books { methods: ["card".to_owned()].into(), ..Books::default() };
    let check = Check { books: Some(&books), ..Check::default() };
    let report = now(check.run(&stored(&completed(), true))).expect("reads");
    assert_eq!(report.violations.iter().map(|broken| broken.invariant).collect::<Vec<_>>(), [5]);
}

#[test]
fn stuck_orders_are_found_in_a_store() {
    let found = now(stuck(&stored(&confirmed(), false))).expect("reads");
    assert_eq!(found.iter().map(|stuck| &stuck.order).collect::<Vec<_>>(), [&order()]);
    assert_eq!(found[0].since, Still.now(), "since the newest of its events");
    assert_eq!(now(stuck(&stored(&completed(), true))).expect("reads"), []);
}

#[test]
fn a_story_is_read_from_a_store_with_the_incidents_of_every_group_and_of_no_other_order() {
    let store = stored(&cancelled(), false);
    let buried = |group: &str| {
        let (group, kind) = (Name::from(group), Name::from("OrderPlaced"));
        let (message, error) = (MessageId(9), "no".to_owned());
        event(&IncidentEvent::MessageBuried(MessageBuried { group, kind, message, error, attempts: 1 }))
    };
    for (group, key) in [("loyalty", "a"), ("loyalty", order().as_str()), ("zeal", order().as_str())] {
        write(&store, stream(group, key), vec![buried(group)], 9);
    }
    let told = now(story(&store, &order())).expect("reads");
    let incidents = told.entries.iter().filter(|entry| &*entry.kind == "MessageBuried").count();
    assert_eq!((told.entries.len(), incidents), (streams(&cancelled()).concat().len() + 2, 2));
    let unknown = crate::id::order_id("shop", "never");
    let none = now(story(&store, &unknown)).expect("reads").to_string();
    assert!(none.contains("nothing was recorded of it"), "{none}");
}
