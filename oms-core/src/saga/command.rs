//! The words of the saga: each step and undo of a plan as a command to its participant.

use crate::{
    event::{
        inventory::{InventoryCommand, Reservation, ReserveStock},
        order::OrderPlaced,
        payment::{PaymentCommand, PaymentOf, RecordCollection, RequestPayment},
        shipping::{ArrangeShipment, ShipmentOf, ShippingCommand},
    },
    order::{
        Order, Payment,
        plan::{Tell, Undo},
    },
};

/// A command to one participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// To the inventory service.
    Inventory(InventoryCommand),
    /// To the payment service.
    Payment(PaymentCommand),
    /// To the shipping service.
    Shipping(ShippingCommand),
}

impl Command {
    /// What is said to begin a step of `order`; `None` while the order lacks what it takes, which no begun step does.
    #[must_use]
    pub fn begin(tell: Tell, order: &Order) -> Option<Self> {
        let placed = order.placed()?;
        Some(match tell {
            Tell::ReserveStock => Self::Inventory(InventoryCommand::ReserveStock(reserve(placed))),
            Tell::CommitStock => Self::Inventory(InventoryCommand::CommitStock(reservation(placed))),
            Tell::ConsumeStock => Self::Inventory(InventoryCommand::ConsumeStock(reservation(placed))),
            Tell::RequestPayment => Self::Payment(PaymentCommand::RequestPayment(request(placed))),
            Tell::CapturePayment => Self::Payment(PaymentCommand::CapturePayment(payment(placed))),
            Tell::RecordCollection => {
                let (amount, fields) = (order.collected()?, placed.fields.clone());
                let collection = RecordCollection { order: placed.order.clone(), amount, fields };
                Self::Payment(PaymentCommand::RecordCollection(collection))
            }
            Tell::ArrangeShipment => Self::Shipping(ShippingCommand::ArrangeShipment(arrange(placed, order))),
        })
    }

    /// What is said to undo; `None` for an order that was never placed.
    #[must_use]
    pub fn undo(undo: Undo, order: &Order) -> Option<Self> {
        let placed = order.placed()?;
        Some(match undo {
            Undo::ReleaseStock => Self::Inventory(InventoryCommand::ReleaseStock(reservation(placed))),
            Undo::CancelPayment => Self::Payment(PaymentCommand::CancelPayment(payment(placed))),
            Undo::CancelShipment => {
                let (order, fields) = (placed.order.clone(), placed.fields.clone());
                Self::Shipping(ShippingCommand::CancelShipment(ShipmentOf { order, fields }))
            }
        })
    }
}

fn reserve(placed: &OrderPlaced) -> ReserveStock {
    ReserveStock { order: placed.order.clone(), lines: placed.stock_lines(), fields: placed.fields.clone() }
}

fn reservation(placed: &OrderPlaced) -> Reservation {
    Reservation { order: placed.order.clone(), fields: placed.fields.clone() }
}

fn payment(placed: &OrderPlaced) -> PaymentOf {
    PaymentOf { order: placed.order.clone(), fields: placed.fields.clone() }
}

fn request(placed: &OrderPlaced) -> RequestPayment {
    RequestPayment {
        order: placed.order.clone(),
        customer: placed.customer.clone(),
        choice: placed.payment.clone(),
        amount: placed.total,
        nothing_to_send: !placed.lines.iter().any(|line| line.stocked),
        fields: placed.fields.clone(),
    }
}

fn arrange(placed: &OrderPlaced, order: &Order) -> ArrangeShipment {
    ArrangeShipment {
        order: placed.order.clone(),
        address: placed.address.clone(),
        lines: placed.stock_lines(),
        collect: (order.payment() == Payment::Promised).then_some(placed.total),
        hold: placed.hold_dispatch,
        fields: placed.fields.clone(),
    }
}
