//! Gaps, what cannot be read, and batches of every size, over a store in memory.

use super::*;
use crate::{
    broker::Topology,
    clock::{Clock, Timestamp},
    event::{
        Wire,
        inventory::{StockAdjusted, StockEvent},
    },
    id::{MessageId, Name, StreamId},
    message::GroupLane,
    projection::Shelf,
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
    future.now_or_never().expect("nothing in memory waits")
}

fn shelf(sku: &str) -> StreamId {
    StreamId::shared("stock", sku)
}

fn received(delta: i64) -> Event {
    let change = StockAdjusted { delta, reference: Name::from("r"), reason: String::new() };
    let event = StockEvent::StockAdjusted(change);
    Event { kind: Name::from(event.kind()), schema: 1, body: event.encode().expect("encodes") }
}

fn store() -> Arc<MemoryStore> {
    let store = MemoryStore::new(Arc::new(Still));
    now(store.register(&Topology { lanes: 2, ..Topology::default() })).expect("registers");
    Arc::new(store)
}

/// Writes one event of a SKU in the turn of a lane.
fn write(store: &MemoryStore, lane: u16, sku: &str, version: u64, event: Event) {
    let stream = shelf(sku);
    let next = Stream { version, schema: 1, state: Some("{}".into()), ..Stream::default() };
    let causes = vec![MessageId(version.into())];
    let expected = version - 1;
    let write =
        Write { stream: stream.clone(), expected, events: vec![event], next, fixed_is_new: false, causes };
    now(async {
        let right = Right::Unfenced(GroupLane::new("inventory", lane));
        let mut turn = store.turn(&right, Ask::default()).await.expect("a turn");
        turn.found();
        turn.load(&[stream].into()).await.expect("loads");
        turn.commit(Writes { streams: vec![write], ..Writes::default() }).await.expect("commits");
    });
}

fn library(store: Arc<dyn Store>) -> Library {
    Library { store, models: Arc::<MemoryModels>::default(), projections: house_models(), lanes: 2 }
}

fn stock(library: &Library) -> Arc<dyn Projection> {
    Arc::clone(library.projection("stock").expect("it comes with the house"))
}

fn on_hand(library: &Library, sku: &str) -> i128 {
    let row = now(library.subject(stock(library).as_ref(), sku)).expect("reads").expect("it is there");
    Body::<Shelf>::read(&row.body).expect("readable").state.on_hand()
}

#[test]
fn a_sku_that_many_lanes_write_is_read_in_its_order_whatever_the_size_of_the_batches() {
    for most in [1, 2, 3, BATCH] {
        let store = store();
        for version in 1..=20 {
            let lane = u16::from(version % 3 == 0);
            write(&store, lane, "hot", version, received(i64::try_from(version).expect("small")));
            write(&store, lane, &format!("cold-{version}"), 1, received(1));
        }
        let library = library(store);
        let mut rebuild = now(library.rebuild(&stock(&library))).expect("begins");
        while !now(rebuild.step(most)).expect("steps").caught_up {}
        now(rebuild.publish()).expect("shows");
        assert_eq!((on_hand(&library, "hot"), on_hand(&library, "cold-7")), (210, 1), "{most} at a time");
        let mut again = now(library.rebuild(&stock(&library))).expect("begins");
        assert!(now(again.compare()).expect("compares").is_equal(), "{most} at a time");
    }
}

#[test]
fn a_cursor_is_saved_behind_what_is_held_back() {
    let store = store();
    write(&store, 0, "hot", 1, received(5));
    write(&store, 1, "hot", 2, received(7));
    // The first event was committed after its lane was read.
    let late = 0;
    let mut lanes =
        lanes::Lanes::new(vec![GroupLane::new("inventory", 0), GroupLane::new("inventory", 1)], &[]);
    now(lanes.look(store.as_ref())).expect("looks");
    now(lanes.fill(store.as_ref(), |recorded| (recorded.lane.lane != late).then_some(0))).expect("reads");
    let first = lanes.first().expect("the second event");
    assert_eq!(lanes.peek(first).map(|next| next.recorded.version), Some(2));
    lanes.hold(first);
    assert_eq!((lanes.first(), lanes.held()), (None, Some(first)));
    let moved = lanes.moved();
    assert!(moved.iter().all(|(lane, _)| lane.lane == late), "the lane that waits stays: {moved:?}");
}

#[test]
fn an_event_that_cannot_be_read_stops_its_stream_and_names_it_and_the_others_go_on() {
    let store = store();
    write(&store, 0, "bad", 1, received(5));
    write(&store, 0, "bad", 2, Event { body: "{".into(), ..received(1) });
    write(&store, 0, "bad", 3, received(9));
    write(&store, 0, "good", 1, received(2));
    write(&store, 0, "newer", 1, Event { schema: 9, ..received(2) });
    let library = library(store);
    let progress = now(library.refresh(&stock(&library))).expect("goes on");
    assert_eq!(progress.done, progress.head, "the log is read to its end");
    assert_eq!((on_hand(&library, "bad"), on_hand(&library, "good")), (5, 2));
    let listed = now(library.list()).expect("lists");
    let stopped = &listed.iter().find(|one| one.model == "stock").expect("it is there").stopped;
    assert!(
        stopped[0].starts_with("stock/bad version 2: the body of StockAdjusted cannot be read"),
        "{stopped:?}"
    );
    assert!(stopped[1].starts_with("stock/newer version 1: StockAdjusted has schema 9"), "{stopped:?}");
    let read = now(has_read(&library, "stock", &shelf("bad"), 3)).expect("asks");
    assert!(read, "nobody waits for what never comes");
}

#[test]
fn an_event_that_no_lane_brings_is_read_from_its_stream() {
    let store = store();
    // A lane that this library does not read: as of a group that this process does not know.
    write(&store, 7, "elsewhere", 1, received(4));
    write(&store, 0, "elsewhere", 2, received(6));
    write(&store, 0, "good", 1, received(2));
    let library = library(store);
    now(library.refresh(&stock(&library))).expect("goes on");
    assert_eq!((on_hand(&library, "elsewhere"), on_hand(&library, "good")), (10, 2));
}

#[test]
fn of_two_who_keep_one_generation_one_goes_on() {
    let store = store();
    write(&store, 0, "a", 1, received(1));
    let library = library(store.clone());
    let projection = stock(&library);
    now(library.refresh(&projection)).expect("goes on");
    let live = now(library.live(projection.as_ref())).expect("reads").expect("is shown");
    let open = || now(library.keeper(&projection, live.clone())).expect("opens");
    let (mut one, mut other) = (open(), open());
    write(&store, 0, "a", 2, received(1));
    now(one.step(BATCH)).expect("saves");
    let beaten = now(other.step(BATCH)).map(|_| ());
    assert!(matches!(beaten, Err(crate::store::StoreError::Conflict)), "{beaten:?}");
    assert_eq!(on_hand(&library, "a"), 2);
}

#[test]
fn rows_that_are_ahead_of_the_log_are_refused_and_a_rebuild_takes_their_place() {
    let (full, older) = (store(), store());
    for version in 1..=3 {
        write(&full, 0, "a", version, received(1));
    }
    write(&older, 0, "a", 1, received(1));
    let full = library(full);
    let projection = stock(&full);
    now(full.refresh(&projection)).expect("goes on");
    let restored = Library { store: older, ..full };
    let refused = now(restored.refresh(&projection)).map(|_| ());
    assert!(matches!(refused, Err(crate::store::StoreError::Unfit(_))), "{refused:?}");
    let mut rebuild = now(restored.rebuild(&projection)).expect("begins");
    while !now(rebuild.step(BATCH)).expect("steps").caught_up {}
    assert!(!now(rebuild.compare()).expect("compares").is_equal());
    now(rebuild.publish()).expect("shows");
    assert_eq!(on_hand(&restored, "a"), 1);
}
