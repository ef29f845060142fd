//! The daily funnel: how far the orders placed on each day have come, and why the others dropped out.

use crate::{
    clock::Timestamp,
    event::{
        Wire, WireError,
        order::{FailureReason, OrderEvent},
    },
    id::Name,
    projection::model::{contract::Model, day::day, shares::Shares},
    store::Recorded,
};
use serde::{Deserialize, Serialize};

/// How far one order has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funnel {
    /// When it was placed.
    pub placed: Option<Timestamp>,
    /// Its stock was held.
    pub held: bool,
    /// Its payment was guaranteed: authorised, taken or promised.
    pub guaranteed: bool,
    /// Its parcel left.
    pub shipped: bool,
    /// It was delivered and paid.
    pub completed: bool,
    /// It was undone because a step failed.
    pub failed: Option<FailureReason>,
    /// It was undone because somebody asked.
    pub cancelled: bool,
}

/// The model `funnel`: a row for each order, and a sum for each day.
#[derive(Clone, Copy, Debug, Default)]
pub struct FunnelModel;

impl Model for FunnelModel {
    type State = Funnel;
    const NAME: &'static str = "funnel";
    const SHAPE: u32 = 1;
    const KINDS: &'static [&'static str] = &["order"];
    const GROUPS: &'static [&'static str] = &["place", "order"];

    fn apply(&self, _: &Name, funnel: &mut Funnel, recorded: &Recorded) -> Result<(), WireError> {
        let event = &recorded.event;
        match OrderEvent::decode(&event.kind, event.schema, &event.body)? {
            OrderEvent::OrderPlaced(_) => funnel.placed = Some(recorded.time),
            OrderEvent::OrderStockHeld(_) => funnel.held = true,
            OrderEvent::OrderPaymentAuthorized(_)
            | OrderEvent::OrderPaymentCaptured(_)
            | OrderEvent::OrderPaymentPromised(_) => funnel.guaranteed = true,
            OrderEvent::OrderDispatched(_) => funnel.shipped = true,
            OrderEvent::OrderCompleted(_) => funnel.completed = true,
            OrderEvent::OrderFailed(failing) => funnel.failed = Some(failing.reason),
            OrderEvent::OrderCancelled(_) => funnel.cancelled = true,
            OrderEvent::OrderStockRejected(_)
            | OrderEvent::OrderPaymentCapturedLate(_)
            | OrderEvent::OrderPaymentDeclined(_)
            | OrderEvent::OrderStepTimedOut(_)
            | OrderEvent::OrderStockCommitted(_)
            | OrderEvent::OrderStockCommitRejected(_)
            | OrderEvent::OrderDispatchHeld(_)
            | OrderEvent::OrderShipmentFailed(_)
            | OrderEvent::OrderStockConsumed(_)
            | OrderEvent::OrderDelivered(_)
            | OrderEvent::OrderCancelRequested(_)
            | OrderEvent::OrderCancelRejected(_)
            | OrderEvent::OrderShipmentCancelled(_)
            | OrderEvent::OrderFailing(_)
            | OrderEvent::OrderCancelling(_)
            | OrderEvent::OrderPaymentUndone(_)
            | OrderEvent::OrderStockReleased(_)
            | OrderEvent::OrderNeedsAttention(_) => {}
        }
        Ok(())
    }

    fn share(&self, _: &Name, funnel: &Funnel, shares: &mut Shares) {
        let Some(placed) = funnel.placed else { return };
        let day = day(placed);
        let mut count = |figure: &str, so: bool| shares.add(&day, figure, so.into());
        count("placed", true);
        count("held", funnel.held);
        count("guaranteed", funnel.guaranteed);
        count("shipped", funnel.shipped);
        count("completed", funnel.completed);
        count("failed", funnel.failed.is_some());
        count("cancelled", funnel.cancelled);
        if let Some(reason) = funnel.failed.and_then(|reason| serde_json::to_value(reason).ok()) {
            count(&format!("failed: {}", reason.as_str().unwrap_or_default()), true);
        }
    }
}
