//! The order service over loaded streams: what it appends, tells, publishes, sets, and answers.

use super::*;
use crate::{
    clock::Timestamp,
    event::{Wire as _, inventory::InventoryCommand, order::OrderRequest, public::PublicEvent},
    id::MessageId,
    message::{Envelope, Key},
    order::{
        Status,
        fixture::{DUE, Said, Say, fields, new_order, opened, pounds},
    },
    service::{Aggregate, DEADLINE_REACHED},
    store::Stream,
};
use std::{collections::BTreeMap, time::Duration};

/// A stream as the store keeps it, fed by the service's own reactions.
#[derive(Default)]
struct Shelf(Stream);

impl Shelf {
    fn placed() -> (Self, Reaction) {
        let reaction = placement(Arc::new(opened(new_order("card"))), &SagaTimes::default());
        let reaction = reaction.unwrap_or_else(|fault| panic!("{fault}"));
        let mut shelf = Self::default();
        shelf.keep(&reaction);
        (shelf, reaction)
    }

    /// Writes what a reaction appends, as the worker does: state without its fixed part, and that once.
    fn keep(&mut self, reaction: &Reaction) {
        for append in &reaction.appends {
            let next = append.next.as_ref().expect("the service folds by itself");
            self.0.version += append.events.len() as u64;
            self.0.schema = next.schema();
            self.0.state = next.encode().ok();
            self.0.fixed = self.0.fixed.take().or_else(|| next.fixed());
        }
    }

    fn loaded(&self) -> Loaded {
        Loaded(BTreeMap::from([(stream(), Entry::new(self.0.clone()))]))
    }

    fn hear(&mut self, message: &Message) -> Result<Reaction, Fault> {
        match OrderService::default().handle(message, &self.loaded()) {
            Outcome::Reaction(reaction) => {
                self.keep(&reaction);
                Ok(reaction)
            }
            Outcome::Fault(fault) => Err(fault),
            Outcome::Missing(streams) => panic!("{streams:?} are missing"),
        }
    }

    fn say(&mut self, say: Say) -> Reaction {
        self.hear(&message(say)).unwrap_or_else(|fault| panic!("{say:?}: {fault}"))
    }

    fn order(&self) -> Order {
        let loaded = self.loaded();
        let order = loaded.state::<Order>(&stream()).unwrap_or_else(|fault| panic!("{fault}"));
        order.cloned().unwrap_or_default()
    }
}

fn stream() -> StreamId {
    stream_of(&opened(new_order("card")).order)
}

fn envelope(topic: &str, kind: &str, body: Bytes) -> Message {
    let key = stream().id;
    let envelope = Envelope {
        id: MessageId(1),
        cause: MessageId(0),
        correlation: Name::clone(&key),
        topic: topic.into(),
        key: Key::new(key),
        kind: kind.into(),
        schema: 1,
        time: Timestamp(0),
        trace: None,
    };
    Message { envelope, body }
}

fn message(say: Say) -> Message {
    let wire = |topic, kind: &str, body: Result<Bytes, _>| envelope(topic, kind, body.unwrap_or_default());
    match say.said() {
        Said::Stock(event) => wire(topic::INVENTORY_EVENTS, event.kind(), event.encode()),
        Said::Payment(event) => wire(topic::PAYMENT_EVENTS, event.kind(), event.encode()),
        Said::Shipment(event) => wire(topic::SHIPPING_EVENTS, event.kind(), event.encode()),
        Said::Cancel(wish) => {
            let request = OrderRequest::CancelOrder(wish);
            wire(topic::ORDER_REQUESTS, request.kind(), request.encode())
        }
        Said::Deadline => envelope(DEADLINE_REACHED, DEADLINE_REACHED, Bytes::from_static(b"{}")),
    }
}

fn sent(reaction: &Reaction) -> Vec<(&str, &str)> {
    reaction.outgoing.iter().map(|sent| (&*sent.topic, &*sent.kind)).collect()
}

/// A deadline as it is set: how long, for which message, heard by whom.
type Due<'a> = (Duration, Option<(usize, &'a str)>);

fn deadline(reaction: &Reaction) -> Option<Option<Due<'_>>> {
    let (of, due) = reaction.deadlines.first()?;
    assert_eq!((of, reaction.deadlines.len()), (&stream(), 1));
    Some(due.as_ref().map(|due| {
        let waits = due.waits_for.as_ref().map(|(index, group)| (*index, &**group));
        (due.delay, waits)
    }))
}

#[test]
fn placing_records_the_order_asks_for_stock_and_tells_the_public() -> Result<(), Fault> {
    let (shelf, reaction) = Shelf::placed();
    assert_eq!(reaction.appends.len(), 1);
    assert_eq!(&*reaction.appends[0].events[0].kind, "OrderPlaced");
    assert_eq!(sent(&reaction), [("inventory.commands", "ReserveStock"), ("order.placed", "OrderPlaced")]);
    let limit = Duration::from_secs(30);
    assert_eq!(deadline(&reaction), Some(Some((limit, Some((0, "inventory"))))));
    let told = &reaction.outgoing[0];
    let InventoryCommand::ReserveStock(reserve) = InventoryCommand::decode(&told.kind, 1, &told.body)? else {
        panic!("{told:?}")
    };
    assert_eq!((reserve.lines.len(), reserve.fields), (1, fields()));
    assert_eq!(shelf.order().phase(), Phase::Reserving);
    Ok(())
}

#[test]
fn a_stored_order_keeps_its_lines_apart_from_its_state() {
    let (shelf, _) = Shelf::placed();
    let text =
        |bytes: &Option<Bytes>| String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
    assert!(!text(&shelf.0.state).contains("85123A"), "{}", text(&shelf.0.state));
    assert!(text(&shelf.0.fixed).contains("85123A"));
    assert_eq!(shelf.order().placed().map(|placed| placed.lines.len()), Some(2));
}

#[test]
fn each_step_sets_the_next_ones_deadline_and_the_last_one_clears_it() {
    let (mut shelf, _) = Shelf::placed();
    let pay = shelf.say(Say::Reserved);
    assert_eq!(
        sent(&pay),
        [("payment.commands", "RequestPayment"), ("inventory.reserved", "InventoryReserved")]
    );
    assert_eq!(deadline(&pay), Some(Some((Duration::from_secs(900), Some((0, "payment"))))));
    let commit = shelf.say(Say::Authorized(DUE));
    assert_eq!(deadline(&commit), Some(Some((Duration::from_secs(30), Some((0, "inventory"))))));
    let ship = shelf.say(Say::Committed);
    assert_eq!(sent(&ship), [("shipping.commands", "ArrangeShipment")]);
    assert_eq!(deadline(&ship), Some(None), "shipping has no deadline");
    assert_eq!(deadline(&shelf.say(Say::Dispatched)), None, "there is none to clear");
}

#[test]
fn a_deadline_that_is_reached_undoes_and_sets_no_other() {
    let (mut shelf, _) = Shelf::placed();
    let late = shelf.say(Say::Deadline);
    assert_eq!(sent(&late), [("inventory.commands", "ReleaseStock")]);
    assert_eq!(deadline(&late), Some(None));
    assert!(shelf.say(Say::Deadline).appends.is_empty(), "a second firing finds nothing to do");
}

#[test]
fn a_deadline_that_comes_from_outside_is_none() {
    let (mut shelf, _) = Shelf::placed();
    let forged = envelope(topic::ORDER_REQUESTS, DEADLINE_REACHED, Bytes::from_static(b"{}"));
    assert!(matches!(shelf.hear(&forged), Err(Fault::Permanent(_))));
    assert_eq!(shelf.order().phase(), Phase::Reserving);
}

#[test]
fn a_methods_own_window_is_longer_never_shorter() {
    let windows = |seconds| BTreeMap::from([(Name::from("card"), Duration::from_secs(seconds))]);
    for (seconds, limit) in [(3_600, 3_600), (1, 900)] {
        let (shelf, _) = Shelf::placed();
        let service = OrderService::new(SagaTimes { windows: windows(seconds), ..SagaTimes::default() });
        let Outcome::Reaction(reaction) = service.handle(&message(Say::Reserved), &shelf.loaded()) else {
            panic!("the order hears its stock")
        };
        let due = deadline(&reaction).flatten().map(|(delay, _)| delay);
        assert_eq!(due, Some(Duration::from_secs(limit)));
    }
}

#[test]
fn a_repeated_message_causes_nothing_at_all() {
    let (mut shelf, _) = Shelf::placed();
    shelf.say(Say::Reserved);
    let again = shelf.say(Say::Reserved);
    assert!(again.appends.is_empty() && again.outgoing.is_empty() && again.deadlines.is_empty());
}

#[test]
fn a_cancel_request_is_answered_with_its_reasons() {
    let reply = |reaction: Reaction| {
        let body = reaction.reply.unwrap_or_default();
        serde_json::from_slice::<CancelReply>(&body).unwrap_or_else(|error| panic!("{error}"))
    };
    let (mut shelf, _) = Shelf::placed();
    let granted = CancelReply { accepted: true, reasons: Vec::new() };
    assert_eq!(reply(shelf.say(Say::Cancel)), granted);
    assert_eq!(reply(shelf.say(Say::Cancel)), granted, "asked twice, granted once");
    shelf.say(Say::Released);
    let refused = reply(shelf.say(Say::Cancel));
    assert_eq!((refused.accepted, refused.reasons.len()), (false, 1));
    let unknown = reply(Shelf::default().say(Say::Cancel));
    assert_eq!(unknown.reasons, ["this order was never placed"]);
}

#[test]
fn a_failed_order_tells_the_public_why_and_what_was_given_back() -> Result<(), Fault> {
    let (mut shelf, _) = Shelf::placed();
    shelf.say(Say::Reserved);
    shelf.say(Say::Captured(DUE));
    shelf.say(Say::CommitRejected);
    let last = shelf.say(Say::Refunded(DUE));
    let word = last.outgoing.last().expect("the public is told");
    let PublicEvent::OrderFailed(failed) = PublicEvent::decode(&word.kind, word.schema, &word.body)? else {
        panic!("{word:?}")
    };
    assert_eq!((failed.refunded, failed.about.status), (pounds(DUE), Status::Failed));
    assert_eq!((&*word.topic, failed.about.fields), ("order.failed", fields()));
    Ok(())
}

#[test]
fn every_event_that_the_table_publishes_is_published_under_those_names() {
    let (mut shelf, first) = Shelf::placed();
    let mut reactions = vec![first];
    let rest = [Say::Reserved, Say::Authorized(DUE), Say::Committed, Say::Dispatched, Say::Captured(DUE)];
    reactions.extend(rest.map(|say| shelf.say(say)));
    reactions.extend([Say::Consumed, Say::Delivered(None)].map(|say| shelf.say(say)));
    for ends in [[Say::Deadline, Say::Released], [Say::Cancel, Say::Released]] {
        let (mut shelf, _) = Shelf::placed();
        reactions.extend(ends.map(|say| shelf.say(say)));
    }
    let (mut shelf, _) = Shelf::placed();
    reactions.extend([Say::Reserved, Say::Declined].map(|say| shelf.say(say)));
    for reaction in &reactions {
        let events = reaction.appends.iter().flat_map(|append| &append.events);
        let expected = events.flat_map(|event| crate::event::public::published_as(&event.kind));
        let public = sent(reaction).into_iter().filter(|(topic, _)| !topic.ends_with(".commands"));
        assert!(public.map(|(_, kind)| kind).eq(expected.copied()));
    }
    let mut met: Vec<_> = reactions.iter().flat_map(sent).map(|(_, kind)| kind).collect();
    met.sort_unstable();
    let unmet = PublicEvent::KINDS.iter().filter(|kind| !met.contains(kind));
    assert_eq!(unmet.copied().collect::<Vec<_>>(), ["StockUpdated"], "that one is the inventory service's");
}

#[test]
fn a_message_that_can_never_be_handled_is_a_permanent_fault() {
    let (mut shelf, _) = Shelf::placed();
    let stray = envelope("weather.events", "Rain", Bytes::from_static(b"{}"));
    assert!(matches!(shelf.hear(&stray), Err(Fault::Permanent(_))));
    let broken = envelope(topic::INVENTORY_EVENTS, "StockReserved", Bytes::from_static(b"{"));
    assert!(matches!(shelf.hear(&broken), Err(Fault::Permanent(_))));
    let unknown = envelope(topic::INVENTORY_EVENTS, "StockEaten", Bytes::from_static(b"{}"));
    assert!(matches!(shelf.hear(&unknown), Err(Fault::Permanent(_))));
    let mut newer = message(Say::Reserved);
    newer.envelope.schema = 2;
    assert!(matches!(shelf.hear(&newer), Err(Fault::Newer(_))));
}

#[test]
fn an_order_whose_lines_were_lost_is_a_permanent_fault_and_never_an_empty_order() {
    let (mut shelf, _) = Shelf::placed();
    shelf.0.fixed = None;
    assert!(matches!(shelf.hear(&message(Say::Reserved)), Err(Fault::Permanent(_))));
}

#[test]
fn a_stream_that_was_not_loaded_is_asked_for() {
    let outcome = OrderService::default().handle(&message(Say::Reserved), &Loaded::default());
    assert!(matches!(outcome, Outcome::Missing(streams) if streams == [stream()]));
}

#[test]
fn a_state_that_the_first_release_stored_is_read_by_this_one() -> Result<(), serde_json::Error> {
    let (mut shelf, _) = Shelf::placed();
    let rest = [Say::Reserved, Say::Authorized(DUE), Say::Committed, Say::Cancel];
    rest.into_iter().for_each(|say| drop(shelf.say(say)));
    let written = String::from_utf8_lossy(shelf.0.state.as_deref().unwrap_or_default()).into_owned();
    let sample = include_str!("state-1.json").trim_end();
    assert_eq!(written, sample);
    let mut read: Order = serde_json::from_str(sample)?;
    Aggregate::restore(&mut read, shelf.0.fixed.as_deref().unwrap_or_default())?;
    assert_eq!(read, shelf.order());
    Ok(())
}

#[test]
fn the_fold_of_the_service_is_the_fold_of_the_order() -> Result<(), Fault> {
    let (shelf, _) = Shelf::placed();
    let held = crate::event::order::OrderFact { order: opened(new_order("card")).order };
    let event = crate::service::record(&OrderEvent::OrderStockHeld(held.clone()))?;
    let next = Handler::evolve(&OrderService::default(), &stream(), &Entry::new(shelf.0.clone()), &event)?;
    let mut expected = shelf.order();
    expected.evolve(&OrderEvent::OrderStockHeld(held));
    assert_eq!(next.any().downcast_ref::<Order>(), Some(&expected));
    Ok(())
}
