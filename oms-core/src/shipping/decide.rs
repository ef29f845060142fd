//! What a command or a carrier's report does to a shipment.

use super::{Phase, Report, Shipment, Step};
use crate::event::shipping::{
    ArrangeShipment, ShipmentDelivered, ShipmentDispatched, ShipmentOf, ShipmentRefused, ShippingCommand,
    ShippingEvent,
};

const LEFT: &str = "dispatched";

/// What a shipment hears.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A command; `unclaimed` when its booking is wished, and no carrier can have been told of it.
    Command {
        /// The command.
        command: &'a ShippingCommand,
        /// Whether the booking can still be taken back.
        unclaimed: bool,
    },
    /// A carrier's answer to a wish.
    Report(Step, &'a Report),
}

/// What follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// What happened, to be recorded; those that are answers are sent too.
    pub events: Vec<ShippingEvent>,
    /// What was answered before, and is answered again.
    pub again: Vec<ShippingEvent>,
    /// What the carrier is told.
    pub wish: Option<Step>,
    /// The booking is taken back.
    pub withdraw: bool,
    /// Why a request to lift the hold is refused.
    pub refused: Option<&'static str>,
}

impl Decision {
    fn events(events: Vec<ShippingEvent>) -> Self {
        Self { events, ..Self::default() }
    }

    fn again(again: Vec<ShippingEvent>) -> Self {
        Self { again, ..Self::default() }
    }

    fn wishing(mut self, step: Step) -> Self {
        self.wish = Some(step);
        self
    }
}

impl Shipment {
    /// Decides about a command or a report; what was decided before changes nothing.
    #[must_use]
    pub fn decide(&self, of: &ShipmentOf, input: Input<'_>) -> Decision {
        match input {
            Input::Command { command: ShippingCommand::ArrangeShipment(request), .. } => {
                self.arrange(of, request)
            }
            Input::Command { command: ShippingCommand::CancelShipment(_), unclaimed } => {
                self.cancel(of, unclaimed)
            }
            Input::Command { command: ShippingCommand::ReleaseDispatch(_), .. } => self.release(of),
            Input::Report(Step::Book, report) => self.watched(of, report),
            Input::Report(Step::Cancel, report) => self.stopped(of, report),
        }
    }

    fn arrange(&self, of: &ShipmentOf, request: &ArrangeShipment) -> Decision {
        if self.phase != Phase::Absent {
            return Decision::again(self.said(of));
        }
        let mut events = vec![ShippingEvent::ShipmentRequested(request.clone())];
        if request.hold {
            events.push(ShippingEvent::ShipmentHeld(of.clone()));
            return Decision::events(events);
        }
        send(of, request, events)
    }

    fn release(&self, of: &ShipmentOf) -> Decision {
        match (self.phase, &self.request) {
            (Phase::Held, Some(request)) => {
                send(of, request, vec![ShippingEvent::DispatchReleased(of.clone())])
            }
            (Phase::Asked | Phase::Booked | Phase::Dispatched | Phase::Delivered, _) => Decision::default(),
            (Phase::Absent | Phase::Held, _) => no("no shipment is planned yet; try again later"),
            (Phase::Failed, _) => no("no carrier takes this shipment"),
            (Phase::Cancelled, _) => no("the shipment was cancelled"),
        }
    }

    fn cancel(&self, of: &ShipmentOf, unclaimed: bool) -> Decision {
        let requested = ShippingEvent::ShipmentCancelRequested(of.clone());
        let cancelled = ShippingEvent::ShipmentCancelled(of.clone());
        match self.phase {
            Phase::Absent => Decision::events(vec![cancelled]),
            Phase::Held => Decision::events(vec![requested, cancelled]),
            Phase::Asked if unclaimed => {
                Decision { withdraw: true, ..Decision::events(vec![requested, cancelled]) }
            }
            Phase::Asked | Phase::Booked if self.cancelling => Decision::default(),
            // The do may have been told: it is driven to an answer first.
            Phase::Asked => Decision::events(vec![requested]),
            Phase::Booked if self.rejected => Decision::again(vec![rejected(of)]),
            Phase::Booked => Decision::events(vec![requested]).wishing(Step::Cancel),
            Phase::Dispatched | Phase::Delivered if self.rejected => Decision::again(vec![rejected(of)]),
            Phase::Dispatched | Phase::Delivered => Decision::events(vec![requested, rejected(of)]),
            Phase::Failed | Phase::Cancelled => Decision::again(vec![cancelled]),
        }
    }

    /// A report of the booking, which is watched until the parcel arrives.
    fn watched(&self, of: &ShipmentOf, report: &Report) -> Decision {
        let open = matches!(self.phase, Phase::Asked | Phase::Booked);
        match report {
            Report::Booked { tracking } if self.phase == Phase::Asked => {
                let booked = Decision::events(vec![ShippingEvent::ShipmentPlanned(parcel(of, tracking))]);
                if self.cancelling { booked.wishing(Step::Cancel) } else { booked }
            }
            Report::Dispatched { tracking } if open => Decision::events(self.left(of, tracking)),
            Report::Delivered { tracking, collected } if open || self.phase == Phase::Dispatched => {
                let mut events = if open { self.left(of, tracking) } else { Vec::new() };
                let (order, fields) = (of.order.clone(), of.fields.clone());
                let arrived = ShipmentDelivered { order, collected: *collected, fields };
                events.push(ShippingEvent::ShipmentDelivered(arrived));
                Decision::events(events)
            }
            Report::Refused { .. } | Report::Cancelled if open && self.cancelling => {
                Decision::events(vec![ShippingEvent::ShipmentCancelled(of.clone())])
            }
            Report::Refused { reason } if open => Decision::events(vec![failed(of, reason)]),
            Report::Cancelled if open => {
                Decision::events(vec![failed(of, "the carrier cancelled the booking")])
            }
            Report::Booked { .. }
            | Report::Dispatched { .. }
            | Report::Delivered { .. }
            | Report::Refused { .. }
            | Report::Cancelled
            | Report::TooLate => Decision::default(),
        }
    }

    fn left(&self, of: &ShipmentOf, tracking: &str) -> Vec<ShippingEvent> {
        let mut events = vec![ShippingEvent::ShipmentDispatched(parcel(of, tracking))];
        if self.cancelling {
            events.push(rejected(of));
        }
        events
    }

    /// A report of the cancellation. What the watch said first stands.
    fn stopped(&self, of: &ShipmentOf, report: &Report) -> Decision {
        let open = self.cancelling && matches!(self.phase, Phase::Asked | Phase::Booked);
        match report {
            Report::Cancelled if open => Decision::events(vec![ShippingEvent::ShipmentCancelled(of.clone())]),
            // A refusal is not a promise that the parcel stays: only the booking's own watch may say so.
            Report::Refused { .. }
            | Report::TooLate
            | Report::Dispatched { .. }
            | Report::Delivered { .. }
                if open =>
            {
                Decision::events(vec![rejected(of)])
            }
            Report::Cancelled
            | Report::Refused { .. }
            | Report::TooLate
            | Report::Dispatched { .. }
            | Report::Delivered { .. }
            | Report::Booked { .. } => Decision::default(),
        }
    }

    /// What the order was answered so far.
    fn said(&self, of: &ShipmentOf) -> Vec<ShippingEvent> {
        match self.phase {
            Phase::Absent | Phase::Asked | Phase::Booked => Vec::new(),
            Phase::Held => vec![ShippingEvent::ShipmentHeld(of.clone())],
            // The amount collected was told once, with the delivery itself.
            Phase::Dispatched | Phase::Delivered => {
                vec![ShippingEvent::ShipmentDispatched(parcel(of, &self.tracking))]
            }
            Phase::Failed => vec![failed(of, &self.reason)],
            Phase::Cancelled => vec![ShippingEvent::ShipmentCancelled(of.clone())],
        }
    }
}

/// Tells a carrier, or is done at once when there is nothing to send.
fn send(of: &ShipmentOf, request: &ArrangeShipment, mut events: Vec<ShippingEvent>) -> Decision {
    if !request.lines.is_empty() {
        return Decision::events(events).wishing(Step::Book);
    }
    let (order, fields) = (of.order.clone(), of.fields.clone());
    events.push(ShippingEvent::ShipmentDispatched(parcel(of, "none")));
    // Nobody travels, so nobody collects: what was promised on delivery is still due, and a person is told.
    let arrived = ShipmentDelivered { order, collected: None, fields };
    events.push(ShippingEvent::ShipmentDelivered(arrived));
    Decision::events(events)
}

fn parcel(of: &ShipmentOf, tracking: &str) -> ShipmentDispatched {
    let (order, fields) = (of.order.clone(), of.fields.clone());
    ShipmentDispatched { order, tracking: tracking.to_owned(), fields }
}

fn refusal(of: &ShipmentOf, reason: &str) -> ShipmentRefused {
    let (order, fields) = (of.order.clone(), of.fields.clone());
    ShipmentRefused { order, reason: reason.to_owned(), fields }
}

fn failed(of: &ShipmentOf, reason: &str) -> ShippingEvent {
    ShippingEvent::ShipmentFailed(refusal(of, reason))
}

fn rejected(of: &ShipmentOf) -> ShippingEvent {
    ShippingEvent::ShipmentCancelRejected(refusal(of, LEFT))
}

fn no(reason: &'static str) -> Decision {
    Decision { refused: Some(reason), ..Decision::default() }
}
