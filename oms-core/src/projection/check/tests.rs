//! Each invariant, held once and broken once.

use super::*;
use crate::{
    event::{
        inventory::{InventoryEvent, StockAdjusted, StockEvent, UnitsMoved},
        order::{FailureReason, OrderEvent},
        payment::{PaymentDeclined, PaymentEvent},
    },
    id::Name,
    projection::fixture::*,
    service::{Entry, Fault, Handler, Loaded, Outcome, State},
    store::{Event, Stream, StreamId},
};
use std::{collections::BTreeMap, sync::Arc};

const NONE: [u8; 0] = [];

/// The invariants of an order that do not hold.
fn broken(facts: &Facts) -> Vec<u8> {
    let ended = facts.phase().is_terminal();
    let applies = ORDER_RULES.iter().filter(|rule| ended || rule.when == When::Always);
    applies.filter(|rule| (rule.holds)(facts).is_err()).map(|rule| rule.number).collect()
}

fn with(mut facts: Facts, change: impl FnOnce(&mut Facts)) -> Vec<u8> {
    change(&mut facts);
    broken(&facts)
}

#[test]
fn orders_that_went_well_hold_every_invariant() {
    for facts in [Facts::new(order()), confirmed(), completed(), cancelled()] {
        assert_eq!(broken(&facts), NONE, "{facts:?}");
    }
}

#[test]
fn one_a_parcel_without_committed_stock_is_found() {
    assert!(
        with(completed(), |facts| facts
            .stock
            .retain(|event| !matches!(event, InventoryEvent::StockCommitted(_))))
        .contains(&1)
    );
}

#[test]
fn four_a_second_hold_and_a_hold_after_its_release_are_found() {
    assert_eq!(with(confirmed(), |facts| facts.stock.insert(1, held(6))), [4]);
    assert!(with(cancelled(), |facts| facts.stock.push(held(6))).contains(&4));
}

#[test]
fn five_a_double_charge_is_found_unless_the_excess_is_asked_back() {
    let twice = |facts: &mut Facts| facts.payments.push(PaymentEvent::PaymentCaptured(moved(DUE)));
    assert!(with(completed(), twice).contains(&5));
    let repaired = with(completed(), |facts| {
        twice(facts);
        facts.payments.push(PaymentEvent::RefundRequested(moved(DUE)));
    });
    assert!(!repaired.contains(&5));
}

#[test]
fn six_more_taken_than_reserved_more_given_back_than_taken_and_a_void_of_what_was_taken_are_found() {
    let more = PaymentEvent::PaymentCaptured(moved(DUE + 1));
    assert!(with(confirmed(), |facts| facts.payments.push(more)).contains(&6));
    let back = PaymentEvent::PaymentRefunded(moved(1));
    assert_eq!(with(confirmed(), |facts| facts.payments.push(back)), [6]);
    let void = PaymentEvent::PaymentVoided(moved(DUE));
    assert_eq!(with(completed(), |facts| facts.payments.push(void)), [6]);
}

#[test]
fn seven_a_completed_order_that_keeps_too_little_is_found() {
    let back = PaymentEvent::PaymentRefunded(moved(1));
    assert_eq!(with(completed(), |facts| facts.payments.push(back)), [7]);
}

#[test]
fn eight_a_cancelled_order_with_money_reserved_taken_or_pending_is_found() {
    let not_voided = with(cancelled(), |facts| drop(facts.payments.pop()));
    assert_eq!(not_voided, [8]);
    let taken = with(cancelled(), |facts| {
        facts.payments.pop();
        facts.payments.push(PaymentEvent::PaymentCaptured(moved(DUE)));
    });
    assert_eq!(taken, [7, 8]);
    let pending = with(cancelled(), |facts| facts.payments.push(PaymentEvent::PaymentPending(payment())));
    assert_eq!(pending, [8]);
}

#[test]
fn nine_a_cancelled_order_that_keeps_stock_or_a_parcel_is_found() {
    assert_eq!(with(cancelled(), |facts| drop(facts.stock.pop())), [9]);
    assert_eq!(with(cancelled(), |facts| drop(facts.shipments.pop())), [9]);
}

#[test]
fn ten_an_event_after_the_end_is_found() {
    assert_eq!(with(completed(), |facts| facts.orders.push(OrderEvent::OrderStockConsumed(fact()))), [10]);
}

#[test]
fn eleven_a_step_that_is_not_in_the_table_is_found() {
    let failed = OrderEvent::OrderFailed(failing(FailureReason::Shipping));
    let jumped = with(confirmed(), |facts| facts.orders.push(failed));
    assert!(jumped.contains(&11));
    assert!(with(confirmed(), |facts| drop(facts.orders.remove(0))).contains(&11));
}

#[test]
fn twelve_a_parcel_that_nobody_guaranteed_is_found() {
    let free = with(completed(), |facts| {
        facts.payments.retain(|event| matches!(event, PaymentEvent::PaymentRequested(_)));
    });
    assert!(free.contains(&12));
    let early = with(completed(), |facts| {
        let left = facts.orders.remove(4);
        facts.orders.insert(2, left);
    });
    assert!(early.contains(&12));
}

#[test]
fn thirteen_a_cancelled_order_whose_parcel_left_is_found() {
    assert!(with(cancelled(), |facts| facts.shipments.insert(1, dispatched())).contains(&13));
}

#[test]
fn fourteen_lines_that_were_not_ordered_and_units_that_do_not_move_together_are_found() {
    assert_eq!(with(confirmed(), |facts| facts.stock = vec![held(5)]), [14]);
    let commit = InventoryEvent::StockCommitted(units(5));
    assert_eq!(with(confirmed(), |facts| facts.stock[1] = commit), [14]);
    assert!(with(completed(), |facts| drop(facts.stock.pop())).contains(&14));
}

#[test]
fn fifteen_a_total_that_is_not_the_sum_and_another_amount_asked_are_found() {
    let mut wrong = placed();
    wrong.lines[0].unit_price = 254;
    assert_eq!(with(confirmed(), |facts| facts.orders[0] = OrderEvent::OrderPlaced(Arc::new(wrong))), [15]);
    let asked = with(confirmed(), |facts| {
        if let PaymentEvent::PaymentRequested(asked) = &mut facts.payments[0] {
            asked.amount = pounds(DUE - 1);
        }
    });
    assert_eq!(asked, [15]);
}

#[test]
fn twenty_an_event_that_cannot_be_read_is_found() {
    let mut event = recorded("payment", 1, &PaymentEvent::PaymentPending(payment()));
    event.event.kind = Name::from("PaymentVanished");
    assert_eq!(with(confirmed(), |facts| facts.add(&event)), [20]);
}

fn shelf(events: Vec<StockEvent>) -> SkuFacts {
    SkuFacts { sku: sku(), events, unread: Vec::new() }
}

fn received(delta: i64) -> StockEvent {
    StockEvent::StockAdjusted(StockAdjusted { delta, reference: Name::from("r"), reason: String::new() })
}

fn moves(units: u64) -> UnitsMoved {
    UnitsMoved { order: order(), units }
}

fn broken_sku(events: Vec<StockEvent>, facts: &Facts) -> Vec<u8> {
    let mut reserved = BTreeMap::new();
    add_reserved(facts, &mut reserved);
    let reserved = reserved.get(&sku()).copied().unwrap_or_default();
    let sku = shelf(events);
    SKU_RULES.iter().filter(|rule| (rule.holds)(&sku, reserved).is_err()).map(|rule| rule.number).collect()
}

#[test]
fn one_to_three_hold_for_a_shelf_that_agrees_with_its_orders_and_break_for_one_that_does_not() {
    let taken = || StockEvent::UnitsTaken(moves(6));
    let gone = || StockEvent::UnitsConsumed(moves(6));
    assert_eq!(broken_sku(vec![received(9), taken()], &confirmed()), NONE);
    assert_eq!(broken_sku(vec![received(9), taken(), gone()], &completed()), NONE);
    assert_eq!(broken_sku(vec![received(5), taken(), received(1)], &confirmed()), [1], "for a moment");
    assert_eq!(broken_sku(vec![received(9), taken(), gone()], &confirmed()), [2, 3]);
    assert_eq!(broken_sku(vec![received(9)], &confirmed()), [3]);
}

#[test]
fn seventeen_a_gap_and_a_lost_event_are_found() {
    let history = streams(&completed())[0].clone();
    let stored = |version| Stream { version, ..Stream::default() };
    assert_eq!(streams::gap_free(&history, &stored(9)), Ok(()));
    assert!(streams::gap_free(&history, &stored(10)).is_err());
    let gap = [&history[..3], &history[4..]].concat();
    assert!(streams::gap_free(&gap, &stored(8)).is_err());
}

#[test]
fn eighteen_a_message_that_is_owed_at_rest_is_found_and_one_that_is_buried_is_not() {
    let owed = |left, marked| crate::store::Waiting::Owed {
        lane: crate::message::GroupLane::new("payment", 0),
        pack: crate::message::PackId { sender: crate::message::GroupLane::new("order", 0), position: 1 },
        topic: Name::from("payment.commands"),
        since: crate::clock::Timestamp(0),
        left,
        marked,
    };
    assert!(streams::nothing_owed(&owed(1, 0)).is_err());
    assert_eq!(streams::nothing_owed(&owed(0, 1)), Ok(()));
}

#[test]
fn nineteen_a_message_that_had_an_effect_in_two_turns_is_found() {
    let mut history = streams(&completed())[0].clone();
    assert_eq!(streams::one_turn_for_each_cause(&history), Ok(()));
    history[3].cause = history[1].cause;
    assert!(streams::one_turn_for_each_cause(&history).is_err());
    history[3].position = history[1].position;
    assert_eq!(streams::one_turn_for_each_cause(&history), Ok(()), "two events of one turn");
}

/// A service that counts the events of its streams.
struct Counter;

impl Handler for Counter {
    fn group(&self) -> Name {
        Name::from("payment")
    }

    fn hears(&self) -> Vec<Name> {
        Vec::new()
    }

    fn owns(&self) -> Vec<Name> {
        vec![Name::from("payment")]
    }

    fn streams(&self, _: &crate::message::Message, _: &Loaded) -> Vec<StreamId> {
        Vec::new()
    }

    fn handle(&self, _: &crate::message::Message, _: &Loaded) -> Outcome {
        Outcome::Missing(Vec::new())
    }

    fn evolve(&self, _: &StreamId, now: &Entry, _: &Event) -> Result<Arc<dyn State>, Fault> {
        Ok(Arc::new(Count(now.state::<Count>()?.0 + 1)))
    }
}

#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
struct Count(u32);

impl crate::service::Aggregate for Count {
    const SCHEMA: u16 = 1;
    type Event = PaymentEvent;

    fn evolve(&mut self, _: &PaymentEvent) {
        self.0 += 1;
    }
}

#[test]
fn twenty_a_stored_state_that_is_not_the_fold_is_found() {
    let history = streams(&confirmed())[1].clone();
    let stored = |state: &'static [u8]| Stream {
        version: 2,
        schema: 1,
        state: Some(bytes::Bytes::from_static(state)),
        ..Stream::default()
    };
    assert_eq!(streams::stored_is_the_fold(&Counter, &history, &stored(b"2")), Ok(()));
    assert!(streams::stored_is_the_fold(&Counter, &history, &stored(b"3")).is_err());
}

#[test]
fn five_books_that_differ_or_charged_again_are_found() {
    let entry = BookEntry { captured_minor: DUE.into(), ..BookEntry::default() };
    let books = |entry| Books { methods: ["card".to_owned()].into(), entries: [(order(), entry)].into() };
    assert_eq!(books(entry).agree(&completed()), Ok(()));
    assert_eq!(books(entry).agree(&confirmed()), Ok(()), "the gateway may be ahead while it runs");
    assert!(books(BookEntry { charged_again: 1, ..entry }).agree(&completed()).is_err());
    assert!(books(BookEntry { captured_minor: 1, ..entry }).agree(&completed()).is_err());
    assert!(books(entry).agree(&cancelled()).is_err(), "it ended without what the gateway took");
}

#[test]
fn a_provisional_no_leaves_a_failed_order_unsettled() {
    let no = |last_word| {
        let fields = crate::event::Fields::default();
        PaymentDeclined { order: order(), last_word, reason: "no".to_owned(), fields }
    };
    let after = |last_word| {
        with(cancelled(), |facts| {
            facts.payments.push(PaymentEvent::PaymentDeclined(no(last_word)));
        })
    };
    assert_eq!((after(false), after(true)), (vec![8], Vec::new()));
}

#[test]
fn every_invariant_has_a_name() {
    let numbers = ORDER_RULES.iter().map(|rule| rule.number).chain([2, 3, 17, 18, 19, 22, 23]);
    assert!(numbers.into_iter().all(|number| !name(number).contains("later release")));
}
