//! Figures and hashes: the same however the streams are read.

use super::{fixture::*, *};
use crate::{
    event::{order::OrderEvent, public::Status, shipping::ShippingEvent},
    id::{Name, OrderId},
    order::{Order, Phase},
    store::{Recorded, Waiting},
};
use proptest::prelude::*;

#[test]
fn a_completed_order_is_summed_up_from_its_events() {
    let summary = OrderSummary::of(&completed());
    let due = i128::from(DUE);
    let funds = Funds { authorised: due, voided: 0, captured: due, refunded: 0 };
    let units = Units { held: 0, committed: 0, shipped: 6 };
    assert_eq!((summary.status, summary.phase), (Status::Completed, Phase::Completed));
    assert_eq!((summary.funds, summary.kept_minor, summary.units), (funds, due, units));
    assert_eq!((summary.source.as_deref(), summary.lines), (Some("536365"), 2));
}

#[test]
fn a_cancelled_order_keeps_nothing_and_a_confirmed_one_its_units() {
    let cancelled = OrderSummary::of(&cancelled());
    assert_eq!((cancelled.status, cancelled.kept_minor), (Status::Cancelled, 0));
    assert_eq!(cancelled.units, Units::default());
    let confirmed = OrderSummary::of(&confirmed());
    assert_eq!((confirmed.status, confirmed.units.committed), (Status::Confirmed, 6));
}

#[test]
fn totals_count_orders_by_status_and_money_by_currency() {
    let mut totals = Totals::default();
    [completed(), cancelled(), confirmed()].iter().for_each(|facts| totals.add(&OrderSummary::of(facts)));
    let statuses: Vec<_> = totals.by_status.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(statuses, [("cancelled", 1), ("completed", 1), ("confirmed", 1)]);
    assert_eq!((totals.money["GBP"].captured_minor, totals.shipped, totals.committed), (DUE.into(), 6, 6));
    assert_eq!(totals.sums(), totals.money["GBP"]);
}

#[test]
fn this_fold_and_the_orders_own_agree_at_every_event() {
    for facts in [completed(), cancelled()] {
        let mut order = Order::default();
        for seen in 0..facts.orders.len() {
            order.evolve(&facts.orders[seen]);
            let now = Facts { orders: facts.orders[..=seen].to_vec(), ..Facts::new(facts.order.clone()) };
            assert_eq!((now.phase(), now.status()), (order.phase(), order.status()), "after {seen}");
        }
    }
}

#[test]
fn the_hash_changes_with_every_figure_it_covers() {
    let hash = |facts: &Facts| {
        let mut hash = SummaryHash::default();
        hash.add(facts);
        hash.finish()
    };
    let mut dearer = placed();
    dearer.lines[0].unit_price += 1;
    let mut changed = confirmed();
    changed.orders[0] = OrderEvent::OrderPlaced(std::sync::Arc::new(dearer));
    let mut fewer = confirmed();
    fewer.stock[0] = held(5);
    let mut unpaid = confirmed();
    unpaid.payments.pop();
    let hashes = [confirmed(), completed(), changed, fewer, unpaid].map(|facts| hash(&facts));
    assert_eq!(hashes.iter().collect::<std::collections::BTreeSet<_>>().len(), 5);
}

#[test]
fn an_order_with_nothing_in_flight_is_stuck_and_one_that_is_held_or_has_ended_is_not() {
    let reason = |facts: &Facts| judge(facts, &[], None).map(|stuck| stuck.reason);
    assert_eq!(reason(&confirmed()), Some(Reason::NothingInFlight));
    assert_eq!((reason(&completed()), reason(&cancelled())), (None, None));
    let mut held = confirmed();
    held.shipments.push(ShippingEvent::ShipmentHeld(shipment()));
    assert_eq!(reason(&held), None);
    let lane = crate::message::GroupLane::new("payment", 0);
    let stream = crate::id::StreamId::keyed("payment", "o");
    let deadline = Waiting::Deadline { lane, stream, look: crate::clock::Timestamp(0) };
    assert_eq!(judge(&confirmed(), &[deadline], None), None);
}

#[test]
fn an_order_that_needs_a_person_says_why() {
    let mut facts = confirmed();
    facts.orders.push(OrderEvent::OrderNeedsAttention(why("no refund")));
    let reason = Reason::NeedsAttention { reason: "no refund".to_owned() };
    assert_eq!(judge(&facts, &[], None).map(|stuck| stuck.reason), Some(reason));
}

#[test]
fn an_order_is_stuck_since_a_person_was_asked_a_letter_was_buried_or_its_newest_event_was_recorded() {
    let mut facts = confirmed();
    let later = |seconds| recorded_at().after(std::time::Duration::from_secs(seconds));
    let mut hear = |recorded: Recorded, seconds| facts.add(&Recorded { time: later(seconds), ..recorded });
    hear(recorded("shipment", 9, &dispatched()), 3);
    let stuck = judge(&facts, &[], None).expect("it is stuck");
    assert_eq!((stuck.reason, stuck.since), (Reason::NothingInFlight, later(3)));
    let error = String::new();
    let letter = Reason::DeadLetter { number: 1, group: "g".to_owned(), message: "m".to_owned(), error };
    let stuck = judge(&facts, &[], Some(&(letter, later(5)))).expect("it is stuck");
    assert_eq!(stuck.since, later(5));
    let mut hear = |recorded: Recorded, seconds| facts.add(&Recorded { time: later(seconds), ..recorded });
    hear(recorded("order", 8, &OrderEvent::OrderNeedsAttention(why("no refund"))), 7);
    hear(recorded("shipment", 10, &dispatched()), 9);
    let stuck = judge(&facts, &[], None).expect("it is stuck");
    assert_eq!((stuck.since, facts.newest), (later(7), later(9)));
}

/// One interleaving of streams: each step takes the next event of the stream that `picks` says.
fn interleaved(streams: [Vec<Recorded>; 4], picks: &[usize]) -> Vec<Recorded> {
    let mut queues = streams.map(std::collections::VecDeque::from);
    let mut all = Vec::new();
    for pick in picks.iter().chain([0, 1, 2, 3].iter().cycle().take(80)) {
        all.extend(queues[*pick].pop_front());
    }
    all
}

proptest! {
    #[test]
    fn any_interleaving_of_the_streams_gives_the_same_facts(picks in prop::collection::vec(0_usize..4, 0..40)) {
        for facts in [completed(), cancelled()] {
            let mut read = Facts::new(order());
            interleaved(streams(&facts), &picks).iter().for_each(|recorded| read.add(recorded));
            prop_assert_eq!(read, Facts { newest: recorded_at(), ..facts });
        }
    }

    #[test]
    fn the_hash_does_not_depend_on_the_order_of_reading(ids in Just(vec!["a", "b", "c", "d", "e"]).prop_shuffle()) {
        let hash = |ids: &[&str]| {
            let mut hash = SummaryHash::default();
            for id in ids {
                let order = OrderId::new(id).expect("a good id");
                hash.add(&Facts { order, ..completed() });
            }
            hash.finish()
        };
        prop_assert_eq!(hash(&ids), hash(&["a", "b", "c", "d", "e"]));
        prop_assert_ne!(hash(&ids[1..]), hash(&ids));
    }
}

#[test]
fn what_no_figure_needs_is_left_alone() {
    let mut facts = confirmed();
    let mut foreign = streams(&facts)[0][0].clone();
    foreign.stream.kind = Name::from("loyalty");
    facts.add(&foreign);
    assert_eq!(facts, confirmed());
}
