//! One test for each path of an order: what is heard, what is recorded, what is told.

use super::step;
use crate::{
    event::{
        order::{CancelOrder, FailureReason},
        public::Status,
    },
    id::order_id,
    order::{
        Input, Order, Phase,
        fixture::{DUE, Say, placed, pounds},
    },
};

/// Walks a path; each row is what is heard, and then what is recorded `->` what is told.
fn walk(mut order: Order, path: &[(Say, &str)]) -> Order {
    for (say, expected) in path {
        let (events, told) = step(&mut order, *say).unwrap_or_else(|refusal| panic!("{say:?}: {refusal}"));
        let found = format!("{} -> {}", events.join(" "), told.join(" "));
        assert_eq!(found.trim(), *expected, "after {say:?}");
    }
    order
}

const RESERVED: (Say, &str) = (Say::Reserved, "OrderStockHeld -> RequestPayment");
const AUTHORIZED: (Say, &str) = (Say::Authorized(DUE), "OrderPaymentAuthorized -> CommitStock");
const COMMITTED: (Say, &str) = (Say::Committed, "OrderStockCommitted -> ArrangeShipment");
const CANCEL: (Say, &str) = (Say::Cancel, "OrderCancelRequested -> CancelShipment");
const DISPATCHED: (Say, &str) = (Say::Dispatched, "OrderDispatched -> CapturePayment ConsumeStock");
const NOTHING: &str = "->";

fn confirmed() -> Order {
    walk(placed("card"), &[RESERVED, AUTHORIZED, COMMITTED])
}

fn ended(order: &Order, phase: Phase, status: Status) {
    assert_eq!((order.phase(), order.status()), (phase, status));
    assert!(order.undoing().is_empty(), "a terminal order has nothing left to undo");
}

#[test]
fn a_card_is_authorised_then_captured_when_the_parcel_leaves() {
    let order = walk(confirmed(), &[(Say::Held, "OrderDispatchHeld ->"), DISPATCHED]);
    assert_eq!((order.phase(), order.status()), (Phase::Fulfilling, Status::Shipped));
    let order = walk(
        order,
        &[
            (Say::Captured(DUE), "OrderPaymentCaptured ->"),
            (Say::Consumed, "OrderStockConsumed ->"),
            (Say::Delivered(None), "OrderDelivered OrderCompleted ->"),
        ],
    );
    ended(&order, Phase::Completed, Status::Completed);
    assert_eq!(order.captured(), Some(pounds(DUE)));
}

#[test]
fn the_last_words_of_a_happy_order_may_come_in_any_order() {
    let order = walk(
        confirmed(),
        &[
            DISPATCHED,
            (Say::Delivered(None), "OrderDelivered ->"),
            (Say::Consumed, "OrderStockConsumed ->"),
            (Say::Captured(DUE), "OrderPaymentCaptured OrderCompleted ->"),
        ],
    );
    ended(&order, Phase::Completed, Status::Completed);
}

#[test]
fn a_prepaid_order_goes_from_pending_to_paid_to_shipped() {
    let paid = (Say::Captured(DUE), "OrderPaymentCaptured -> CommitStock");
    let order = walk(placed("upi"), &[RESERVED, (Say::Pending, NOTHING), paid]);
    assert_eq!(order.status(), Status::Paid);
    let order = walk(order, &[COMMITTED, (Say::Dispatched, "OrderDispatched -> ConsumeStock")]);
    assert_eq!(order.status(), Status::Shipped);
    let last = [
        (Say::Consumed, "OrderStockConsumed ->"),
        (Say::Delivered(None), "OrderDelivered OrderCompleted ->"),
    ];
    ended(&walk(order, &last), Phase::Completed, Status::Completed);
}

#[test]
fn cash_is_recorded_when_the_parcel_arrives_and_only_then_is_the_order_paid() {
    let promised = (Say::CodAccepted, "OrderPaymentPromised -> CommitStock");
    let order = walk(placed("cod"), &[RESERVED, promised, COMMITTED]);
    assert_eq!(order.status(), Status::Confirmed);
    let order = walk(
        order,
        &[
            (Say::Dispatched, "OrderDispatched -> ConsumeStock"),
            (Say::Consumed, "OrderStockConsumed ->"),
            (Say::Delivered(Some(DUE)), "OrderDelivered -> RecordCollection"),
            (Say::Captured(DUE), "OrderPaymentCaptured OrderCompleted ->"),
        ],
    );
    ended(&order, Phase::Completed, Status::Completed);
}

#[test]
fn cash_that_differs_from_what_is_due_needs_a_person() {
    let promised = (Say::CodAccepted, "OrderPaymentPromised -> CommitStock");
    let sent = (Say::Dispatched, "OrderDispatched -> ConsumeStock");
    let on_the_way = || walk(placed("cod"), &[RESERVED, promised, COMMITTED, sent]);
    let short = [
        (Say::Delivered(Some(DUE - 1)), "OrderDelivered -> RecordCollection"),
        (Say::Captured(DUE - 1), "OrderPaymentCaptured OrderNeedsAttention ->"),
        (Say::Consumed, "OrderStockConsumed ->"),
    ];
    let order = walk(on_the_way(), &short);
    assert_eq!((order.phase(), order.captured()), (Phase::NeedsAttention, Some(pounds(DUE - 1))));
    let none = [(Say::Delivered(None), "OrderDelivered OrderNeedsAttention ->")];
    assert_eq!(walk(on_the_way(), &none).phase(), Phase::NeedsAttention);
}

#[test]
fn an_order_without_stock_fails_at_once_with_nothing_to_undo() {
    let order = walk(placed("card"), &[(Say::Short, "OrderStockRejected OrderFailed ->")]);
    ended(&order, Phase::Failed, Status::Failed);
    assert_eq!(order.failure(), Some(FailureReason::OutOfStock));
}

#[test]
fn a_reservation_that_is_not_answered_in_time_is_released() {
    let late = (Say::Deadline, "OrderStepTimedOut OrderFailing -> ReleaseStock");
    let order = walk(
        placed("card"),
        &[late, (Say::Reserved, NOTHING), (Say::Released, "OrderStockReleased OrderFailed ->")],
    );
    ended(&order, Phase::Failed, Status::Failed);
    assert_eq!(order.failure(), Some(FailureReason::StockTimeout));
}

#[test]
fn a_final_decline_releases_the_stock_and_asks_nothing_of_the_payment() {
    let declined = (Say::Declined, "OrderPaymentDeclined OrderFailing -> ReleaseStock");
    let order =
        walk(placed("card"), &[RESERVED, declined, (Say::Released, "OrderStockReleased OrderFailed ->")]);
    ended(&order, Phase::Failed, Status::Failed);
    assert_eq!(order.failure(), Some(FailureReason::PaymentDeclined));
}

#[test]
fn a_provisional_decline_waits_until_the_payment_is_settled() {
    let doubted = (Say::Doubted, "OrderPaymentDeclined OrderFailing -> ReleaseStock CancelPayment");
    let released = (Say::Released, "OrderStockReleased ->");
    let order = walk(placed("upi"), &[RESERVED, doubted, released]);
    assert_eq!((order.phase(), order.status()), (Phase::Failing, Status::Pending));
    let no = [(Say::Declined, "OrderPaymentDeclined OrderFailed ->")];
    ended(&walk(order.clone(), &no), Phase::Failed, Status::Failed);
    let late = [
        (Say::Captured(DUE), "OrderPaymentCapturedLate ->"),
        (Say::Declined, NOTHING),
        (Say::Refunded(DUE), "OrderPaymentUndone OrderFailed ->"),
    ];
    let order = walk(order, &late);
    ended(&order, Phase::Failed, Status::Failed);
    assert_eq!((order.captured(), order.returned()), (Some(pounds(DUE)), Some(pounds(DUE))));
}

#[test]
fn a_payment_time_out_is_pending_and_never_a_failure_by_itself() {
    let late = (Say::Deadline, "OrderStepTimedOut OrderFailing -> ReleaseStock CancelPayment");
    let order = walk(placed("upi"), &[RESERVED, late, (Say::Released, "OrderStockReleased ->")]);
    assert_eq!(order.phase(), Phase::Failing);
    for answer in [Say::Voided, Say::NotStarted] {
        let order = walk(order.clone(), &[(answer, "OrderPaymentUndone OrderFailed ->")]);
        ended(&order, Phase::Failed, Status::Failed);
        assert_eq!(order.failure(), Some(FailureReason::PaymentTimeout));
        assert_eq!(order.returned(), Some(pounds(0)));
    }
}

#[test]
fn a_hold_that_is_gone_undoes_the_payment() {
    let gone = (Say::CommitRejected, "OrderStockCommitRejected OrderFailing -> CancelPayment");
    let order = walk(
        placed("card"),
        &[RESERVED, AUTHORIZED, gone, (Say::Voided, "OrderPaymentUndone OrderFailed ->")],
    );
    ended(&order, Phase::Failed, Status::Failed);
    assert_eq!(order.failure(), Some(FailureReason::HoldExpired));
}

#[test]
fn a_commit_that_is_not_answered_in_time_undoes_both() {
    let late = (Say::Deadline, "OrderStepTimedOut OrderFailing -> ReleaseStock CancelPayment");
    let order = walk(
        placed("card"),
        &[
            RESERVED,
            AUTHORIZED,
            late,
            (Say::Committed, NOTHING),
            (Say::Voided, "OrderPaymentUndone ->"),
            (Say::Released, "OrderStockReleased OrderFailed ->"),
        ],
    );
    ended(&order, Phase::Failed, Status::Failed);
}

#[test]
fn a_shipment_that_no_carrier_takes_undoes_payment_and_stock() {
    let refused = (Say::Refused, "OrderShipmentFailed OrderFailing -> ReleaseStock CancelPayment");
    let order = walk(
        confirmed(),
        &[
            refused,
            (Say::Voided, "OrderPaymentUndone ->"),
            (Say::Released, "OrderStockReleased OrderFailed ->"),
        ],
    );
    ended(&order, Phase::Failed, Status::Failed);
    assert_eq!(order.failure(), Some(FailureReason::Shipping));
}

#[test]
fn a_cancel_before_a_shipment_was_asked_for_undoes_what_was_begun() {
    let first = (Say::Cancel, "OrderCancelRequested OrderCancelling -> ReleaseStock");
    let released = (Say::Released, "OrderStockReleased OrderCancelled ->");
    ended(&walk(placed("card"), &[first, released]), Phase::Cancelled, Status::Cancelled);
    let both = (Say::Cancel, "OrderCancelRequested OrderCancelling -> ReleaseStock CancelPayment");
    let order = walk(
        placed("upi"),
        &[
            RESERVED,
            (Say::Captured(DUE), "OrderPaymentCaptured -> CommitStock"),
            both,
            (Say::Released, "OrderStockReleased ->"),
            (Say::Refunded(DUE), "OrderPaymentUndone OrderCancelled ->"),
        ],
    );
    ended(&order, Phase::Cancelled, Status::Cancelled);
}

#[test]
fn a_cancel_after_a_shipment_was_asked_for_waits_for_shippings_word() {
    let order = walk(confirmed(), &[CANCEL, (Say::Cancel, NOTHING)]);
    assert_eq!(order.phase(), Phase::CancelRequested);
    let stopped = (Say::Stopped, "OrderShipmentCancelled OrderCancelling -> ReleaseStock CancelPayment");
    let order = walk(
        order,
        &[
            stopped,
            (Say::Released, "OrderStockReleased ->"),
            (Say::Stopped, NOTHING),
            (Say::Voided, "OrderPaymentUndone OrderCancelled ->"),
        ],
    );
    ended(&order, Phase::Cancelled, Status::Cancelled);
}

#[test]
fn a_cancel_that_comes_too_late_is_rejected_and_the_order_goes_on() {
    let refused = [CANCEL, (Say::NotStopped, "OrderCancelRejected ->")];
    let order = walk(confirmed(), &refused);
    assert_eq!((order.phase(), order.cancel()), (Phase::Confirmed, None));
    assert_eq!(walk(order, &[DISPATCHED]).phase(), Phase::Fulfilling);

    let overtaken = [
        CANCEL,
        (Say::Dispatched, "OrderDispatched OrderCancelRejected -> CapturePayment ConsumeStock"),
        (Say::NotStopped, NOTHING),
    ];
    let order = walk(confirmed(), &overtaken);
    assert_eq!((order.phase(), order.cancel()), (Phase::Fulfilling, None));
}

#[test]
fn a_second_cancel_after_a_rejected_one_asks_shipping_again() {
    let path = [CANCEL, (Say::NotStopped, "OrderCancelRejected ->"), CANCEL];
    assert_eq!(walk(confirmed(), &path).phase(), Phase::CancelRequested);
}

#[test]
fn an_undo_of_the_payment_that_is_refused_for_good_needs_a_person() {
    let late = (Say::Deadline, "OrderStepTimedOut OrderFailing -> ReleaseStock CancelPayment");
    let order = walk(
        placed("upi"),
        &[
            RESERVED,
            late,
            (Say::UndoFailed, "OrderNeedsAttention ->"),
            (Say::UndoFailed, NOTHING),
            (Say::Released, "OrderStockReleased ->"),
        ],
    );
    assert_eq!(order.phase(), Phase::NeedsAttention);
    assert!(order.attention().is_some_and(|reason| reason.contains("no funds")));
}

#[test]
fn a_capture_that_is_refused_for_good_needs_a_person_and_the_parcel_goes_on() {
    let failed = (Say::CaptureFailed, "OrderNeedsAttention ->");
    let rest = (Say::Delivered(None), "OrderDelivered ->");
    let order = walk(confirmed(), &[DISPATCHED, failed, rest, (Say::Consumed, "OrderStockConsumed ->")]);
    assert_eq!((order.phase(), order.status()), (Phase::NeedsAttention, Status::Shipped));
}

#[test]
fn money_that_differs_from_what_is_due_buys_nothing_and_needs_a_person() {
    let less = (Say::Authorized(DUE - 1), "OrderPaymentAuthorized OrderNeedsAttention ->");
    assert_eq!(walk(placed("card"), &[RESERVED, less]).phase(), Phase::NeedsAttention);
    let late = (Say::Deadline, "OrderStepTimedOut OrderFailing -> ReleaseStock CancelPayment");
    let half = [
        RESERVED,
        late,
        (Say::Captured(DUE), "OrderPaymentCapturedLate ->"),
        (Say::Refunded(DUE - 1), "OrderPaymentUndone OrderNeedsAttention ->"),
    ];
    assert_eq!(walk(placed("upi"), &half).phase(), Phase::NeedsAttention);
}

#[test]
fn a_cancel_that_cannot_be_granted_is_refused_with_its_reason() {
    let path: [&[(Say, &str)]; 4] = [
        &[(Say::Short, "OrderStockRejected OrderFailed ->")],
        &[(Say::Deadline, "OrderStepTimedOut OrderFailing -> ReleaseStock")],
        &[RESERVED, AUTHORIZED, COMMITTED, DISPATCHED],
        &[RESERVED, (Say::Captured(1), "OrderPaymentCaptured OrderNeedsAttention ->")],
    ];
    let words = ["failed already", "undone already", "has left", "a person"];
    for (path, word) in path.into_iter().zip(words) {
        let refused = step(&mut walk(placed("card"), path), Say::Cancel);
        let reasons = refused.err().map(|refusal| refusal.reasons.join(" ")).unwrap_or_default();
        assert!(reasons.contains(word), "{reasons:?} names {word:?}");
    }
}

#[test]
fn a_cancel_with_an_over_long_name_or_reason_is_refused_and_changes_nothing() {
    let wish = |by: usize, reason: usize| CancelOrder {
        order: order_id("shop", "536365"),
        by: "x".repeat(by),
        reason: "x".repeat(reason),
    };
    let order = placed("card");
    for (by, reason) in [(256, 1), (1, 256)] {
        let refused = order.decide(&Input::Cancel(&wish(by, reason))).err();
        assert!(refused.is_some_and(|refusal| refusal.reasons[0].contains("256 bytes")));
    }
    assert!(order.decide(&Input::Cancel(&wish(255, 255))).is_ok());
}

#[test]
fn a_shipment_that_arrives_without_having_left_has_left() {
    let path = [(Say::Delivered(None), "OrderDispatched OrderDelivered -> CapturePayment ConsumeStock")];
    let order = walk(confirmed(), &path);
    assert_eq!(walk(order, &[(Say::Dispatched, NOTHING)]).phase(), Phase::Fulfilling);
}
