//! What the events of payment, inventory, shipping and notification say.

use super::{count::count, order::shortages};
use crate::event::{
    inventory::InventoryEvent,
    notification::NotificationEvent,
    payment::{PaymentEvent, PaymentMoved},
    shipping::ShippingEvent,
};

pub(super) fn payment(event: &PaymentEvent) -> String {
    match event {
        PaymentEvent::PaymentRequested(asked) => {
            format!("asked the provider of {} for {}", asked.choice.method, asked.amount)
        }
        PaymentEvent::PaymentActionRequired(_) => "the customer must approve it".to_owned(),
        PaymentEvent::PaymentPending(_) => "the provider does not know yet".to_owned(),
        PaymentEvent::PaymentAuthorized(moved) => moving(moved, "reserved at the provider"),
        PaymentEvent::PaymentCaptured(moved) => moving(moved, "taken"),
        PaymentEvent::CodAccepted(moved) => moving(moved, "to be collected on delivery"),
        PaymentEvent::PaymentDeclined(no) if no.last_word => {
            format!("the provider's last word is no: {}", no.reason)
        }
        PaymentEvent::PaymentDeclined(no) => {
            format!("the provider says no, and may still change its mind: {}", no.reason)
        }
        PaymentEvent::CaptureRequested(_) => "asked the provider to take what is reserved".to_owned(),
        PaymentEvent::CaptureFailed(no) => format!("what is reserved cannot be taken: {}", no.reason),
        PaymentEvent::PaymentCancelRequested(_) => {
            "was asked to undo the payment, and answers once it is settled".to_owned()
        }
        PaymentEvent::PaymentVoided(moved) => moving(moved, "let go again"),
        PaymentEvent::RefundRequested(moved) => {
            format!("asked the provider to give {} back", moved.amount)
        }
        PaymentEvent::PaymentRefunded(moved) => moving(moved, "given back"),
        PaymentEvent::PaymentNotStarted(_) => "nothing was ever taken, and nothing will be".to_owned(),
        PaymentEvent::PaymentUndoFailed(no) => format!("the payment cannot be undone: {}", no.reason),
    }
}

pub(super) fn inventory(event: &InventoryEvent) -> String {
    match event {
        InventoryEvent::StockReserved(reserved) => {
            let units: u64 = reserved.lines.iter().map(|line| u64::from(line.quantity)).sum();
            let lines = u32::try_from(reserved.lines.len()).unwrap_or(u32::MAX);
            format!("held {}, {}", count(lines, "line"), count(units, "unit"))
        }
        InventoryEvent::StockRejected(rejected) => {
            format!("held nothing: {}", shortages(&rejected.shortages))
        }
        InventoryEvent::StockCommitted(moved) => format!("committed {}", count(moved.units, "unit")),
        InventoryEvent::StockCommitRejected(_) => "there was no hold to commit".to_owned(),
        InventoryEvent::StockReleased(moved) if moved.units == 0 => {
            "there was nothing to give back, and nothing will be held".to_owned()
        }
        InventoryEvent::StockReleased(moved) => format!("gave {} back", count(moved.units, "unit")),
        InventoryEvent::StockConsumed(moved) => format!("booked {} out", count(moved.units, "unit")),
    }
}

pub(super) fn shipping(event: &ShippingEvent) -> String {
    match event {
        ShippingEvent::ShipmentRequested(asked) => match asked.collect {
            Some(amount) => format!("plans a parcel to {}, to collect {amount}", asked.address.country),
            None => format!("plans a parcel to {}", asked.address.country),
        },
        ShippingEvent::ShipmentHeld(_) => "holds the parcel until it is released".to_owned(),
        ShippingEvent::DispatchReleased(_) => "the hold was lifted".to_owned(),
        ShippingEvent::ShipmentPlanned(booked) => format!("the carrier has booked it: {}", booked.tracking),
        ShippingEvent::ShipmentDispatched(sent) => format!("the parcel has left: {}", sent.tracking),
        ShippingEvent::ShipmentDelivered(arrived) => match arrived.collected {
            Some(amount) => format!("the parcel has arrived, {amount} was collected"),
            None => "the parcel has arrived".to_owned(),
        },
        ShippingEvent::ShipmentFailed(why) => format!("the carrier will not take it: {}", why.reason),
        ShippingEvent::ShipmentCancelRequested(_) => "was asked to stop the parcel".to_owned(),
        ShippingEvent::ShipmentCancelled(_) => "stopped the parcel: it will not leave".to_owned(),
        ShippingEvent::ShipmentCancelRejected(why) => {
            format!("cannot stop the parcel any more: {}", why.reason)
        }
    }
}

pub(super) fn notification(event: &NotificationEvent) -> String {
    match event {
        NotificationEvent::NotificationSent(notice) => format!("sent {}", notice.template),
        NotificationEvent::NotificationFailed(notice) => {
            let reason = notice.reason.as_deref().unwrap_or("no reason was given");
            format!("could not send {}: {reason}", notice.template)
        }
    }
}

fn moving(moved: &PaymentMoved, what: &str) -> String {
    match &moved.reference {
        Some(reference) => format!("{} is {what} ({reference})", moved.amount),
        None => format!("{} is {what}", moved.amount),
    }
}
