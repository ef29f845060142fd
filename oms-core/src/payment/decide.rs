//! What a command does to a payment.

use super::{Capabilities, Methods, Payment, Phase, Report, Step};
use crate::{
    event::payment::{
        PaymentCommand, PaymentDeclined, PaymentEvent, PaymentMoved, PaymentOf, RecordCollection,
        RequestPayment,
    },
    money::Money,
};

/// What a payment hears.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A command; `unclaimed` when its do is wished, and no provider can have been told of it.
    Command {
        /// The command.
        command: &'a PaymentCommand,
        /// Whether the authorisation or charge can still be taken back.
        unclaimed: bool,
    },
    /// A provider's answer to a wish, and whether it was the last.
    Report {
        /// To which wish.
        step: Step,
        /// What it says.
        report: &'a Report,
        /// Whether nothing more will come.
        settled: bool,
    },
}

/// The command contradicts what has happened: a person must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Cash came for a payment that promised none.
    #[error("cash was collected for an order that owes none; give it back and write it down by hand")]
    NoCashDue,
}

/// What follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// What happened, to be recorded; those that are answers are sent too.
    pub events: Vec<PaymentEvent>,
    /// What is answered, and not recorded: it was said before, or a tombstone says it.
    pub again: Option<PaymentEvent>,
    /// What the provider is told.
    pub wish: Option<Step>,
    /// The authorisation or charge is taken back.
    pub withdraw: bool,
}

impl Decision {
    pub(super) fn events(events: Vec<PaymentEvent>) -> Self {
        Self { events, ..Self::default() }
    }

    pub(super) fn again(again: PaymentEvent) -> Self {
        Self { again: Some(again), ..Self::default() }
    }

    pub(super) fn wishing(mut self, step: Step) -> Self {
        self.wish = Some(step);
        self
    }
}

/// One decision in the making: what is about, and what the method can do.
pub(super) struct Case<'a> {
    pub(super) now: &'a Payment,
    pub(super) of: &'a PaymentOf,
    pub(super) methods: &'a Methods,
}

impl Payment {
    /// Decides about a command or a report; what was decided before changes nothing.
    ///
    /// # Errors
    /// [`Refusal`] when a command contradicts what has happened; nothing changes.
    pub fn decide(&self, of: &PaymentOf, methods: &Methods, input: Input<'_>) -> Result<Decision, Refusal> {
        let case = Case { now: self, of, methods };
        match input {
            Input::Command { command, unclaimed } => match command {
                PaymentCommand::RequestPayment(request) => Ok(case.request(request)),
                PaymentCommand::CancelPayment(_) => Ok(case.cancel(unclaimed)),
                PaymentCommand::CapturePayment(_) => Ok(case.capture()),
                PaymentCommand::RecordCollection(cash) => case.collect(cash),
            },
            Input::Report { step, report, settled } => Ok(case.report(step, report, settled)),
        }
    }

    /// What to call the do of this payment's method.
    #[must_use]
    pub fn opening(&self, methods: &Methods) -> Option<Step> {
        let method = methods.get(&self.request.as_ref()?.choice.method)?;
        (!method.capabilities.offline).then_some(opening(method.capabilities))
    }
}

fn opening(can: Capabilities) -> Step {
    if can.two_step { Step::Authorise } else { Step::Charge }
}

impl Case<'_> {
    fn request(&self, request: &RequestPayment) -> Decision {
        let phase = self.now.phase;
        if phase == Phase::NotStarted && self.now.request.is_none() {
            return Decision::again(self.declined("cancelled before it was requested"));
        }
        if phase != Phase::Absent {
            let said = self.said().filter(|_| !self.now.cancelling);
            return said.map(Decision::again).unwrap_or_default();
        }
        let mut events = vec![PaymentEvent::PaymentRequested(request.clone())];
        let method = self.methods.get(&request.choice.method);
        let amount = request.amount;
        if amount.minor == 0 {
            events.push(PaymentEvent::PaymentCaptured(self.moved(amount, None)));
            return Decision::events(events);
        }
        let Some(method) = method else {
            events.push(self.declined("this shop does not offer the payment method"));
            return Decision::events(events);
        };
        if method.capabilities.offline && request.nothing_to_send {
            events.push(self.declined("nothing is delivered, so nobody can collect; choose another method"));
            return Decision::events(events);
        }
        if method.capabilities.offline {
            events.push(PaymentEvent::CodAccepted(self.moved(amount, None)));
            return Decision::events(events);
        }
        Decision::events(events).wishing(opening(method.capabilities))
    }

    fn cancel(&self, unclaimed: bool) -> Decision {
        let requested = PaymentEvent::PaymentCancelRequested(self.of.clone());
        let nothing = PaymentEvent::PaymentNotStarted(self.of.clone());
        match self.now.phase {
            Phase::Absent => Decision::events(vec![nothing]),
            Phase::Asked if unclaimed => {
                Decision { withdraw: true, ..Decision::events(vec![requested, nothing]) }
            }
            Phase::NotStarted => Decision::again(nothing),
            Phase::Voided | Phase::Refunded | Phase::UndoFailed => {
                self.said().map(Decision::again).unwrap_or_default()
            }
            _ if self.now.cancelling => Decision::default(),
            Phase::Promised | Phase::Declined => Decision::events(vec![requested, nothing]),
            Phase::Authorised | Phase::CaptureFailed => self.void(vec![requested]),
            Phase::Captured => self.refund(vec![requested]),
            // The do may have been told: it is driven to an answer first, and undone then.
            Phase::Asked
            | Phase::ActionRequired
            | Phase::Pending
            | Phase::Doubtful
            | Phase::Capturing
            | Phase::Voiding
            | Phase::Refunding => Decision::events(vec![requested]),
        }
    }

    fn capture(&self) -> Decision {
        let requested = || Decision::events(vec![PaymentEvent::CaptureRequested(self.of.clone())]);
        match self.now.phase {
            _ if self.now.cancelling => Decision::default(),
            Phase::Authorised => requested().wishing(Step::Capture),
            Phase::Asked | Phase::ActionRequired | Phase::Pending | Phase::Doubtful if !self.now.capture => {
                requested()
            }
            Phase::Captured | Phase::CaptureFailed => self.said().map(Decision::again).unwrap_or_default(),
            Phase::Absent
            | Phase::Asked
            | Phase::ActionRequired
            | Phase::Pending
            | Phase::Doubtful
            | Phase::Capturing
            | Phase::Promised
            | Phase::Declined
            | Phase::Voiding
            | Phase::Refunding
            | Phase::Voided
            | Phase::Refunded
            | Phase::NotStarted
            | Phase::UndoFailed => Decision::default(),
        }
    }

    fn collect(&self, cash: &RecordCollection) -> Result<Decision, Refusal> {
        match self.now.phase {
            Phase::Promised => {
                let moved = self.moved(cash.amount, None);
                Ok(Decision::events(vec![PaymentEvent::PaymentCaptured(moved)]))
            }
            Phase::Captured => Ok(self.said().map(Decision::again).unwrap_or_default()),
            Phase::Absent
            | Phase::Asked
            | Phase::ActionRequired
            | Phase::Pending
            | Phase::Doubtful
            | Phase::Authorised
            | Phase::Capturing
            | Phase::CaptureFailed
            | Phase::Declined
            | Phase::Voiding
            | Phase::Refunding
            | Phase::Voided
            | Phase::Refunded
            | Phase::NotStarted
            | Phase::UndoFailed => Err(Refusal::NoCashDue),
        }
    }

    pub(super) fn void(&self, mut events: Vec<PaymentEvent>) -> Decision {
        if self.can(|can| can.void) {
            return Decision::events(events).wishing(Step::Void);
        }
        events.push(self.undo_failed("the method cannot let an authorisation go; settle it by hand"));
        Decision::events(events)
    }

    /// Gives back what was taken; nothing was, when the amount is 0.
    pub(super) fn refund(&self, mut events: Vec<PaymentEvent>) -> Decision {
        let amount = self.now.captured.or(self.now.request.as_ref().map(|request| request.amount));
        match amount.filter(|amount| amount.minor != 0) {
            None => events.push(PaymentEvent::PaymentNotStarted(self.of.clone())),
            Some(amount) if self.can(|can| can.refund) => {
                events.push(PaymentEvent::RefundRequested(self.moved(amount, None)));
                return Decision::events(events).wishing(Step::Refund);
            }
            Some(_) => events.push(self.undo_failed("the method cannot give money back; settle it by hand")),
        }
        Decision::events(events)
    }

    /// A method that is no longer offered is tried: its provider has the last word.
    fn can(&self, what: impl Fn(Capabilities) -> bool) -> bool {
        let method = self.now.request.as_ref().and_then(|of| self.methods.get(&of.choice.method));
        method.is_none_or(|method| what(method.capabilities))
    }

    pub(super) fn amount(&self) -> Option<Money> {
        self.now.captured.or(self.now.request.as_ref().map(|request| request.amount))
    }

    pub(super) fn moved(&self, amount: Money, reference: Option<String>) -> PaymentMoved {
        let (order, fields) = (self.of.order.clone(), self.of.fields.clone());
        PaymentMoved { order, amount, reference, fields }
    }

    pub(super) fn no(&self, last_word: bool, reason: &str) -> PaymentDeclined {
        let (order, fields) = (self.of.order.clone(), self.of.fields.clone());
        PaymentDeclined { order, last_word, reason: reason.to_owned(), fields }
    }

    fn declined(&self, reason: &str) -> PaymentEvent {
        PaymentEvent::PaymentDeclined(self.no(true, reason))
    }

    pub(super) fn undo_failed(&self, reason: &str) -> PaymentEvent {
        PaymentEvent::PaymentUndoFailed(self.no(true, reason))
    }

    /// What the order was answered last.
    fn said(&self) -> Option<PaymentEvent> {
        let (now, moved) = (self.now, self.moved(self.amount()?, self.now.reference.clone()));
        Some(match now.phase {
            Phase::Authorised | Phase::Capturing => PaymentEvent::PaymentAuthorized(moved),
            Phase::CaptureFailed => PaymentEvent::CaptureFailed(self.no(true, &now.reason)),
            Phase::Promised => PaymentEvent::CodAccepted(moved),
            Phase::Captured => PaymentEvent::PaymentCaptured(moved),
            Phase::Doubtful => PaymentEvent::PaymentDeclined(self.no(false, &now.reason)),
            Phase::Declined => self.declined(&now.reason),
            Phase::Voided => PaymentEvent::PaymentVoided(moved),
            Phase::Refunded => PaymentEvent::PaymentRefunded(moved),
            Phase::NotStarted => PaymentEvent::PaymentNotStarted(self.of.clone()),
            Phase::UndoFailed => self.undo_failed(&now.reason),
            Phase::Absent
            | Phase::Asked
            | Phase::ActionRequired
            | Phase::Pending
            | Phase::Voiding
            | Phase::Refunding => return None,
        })
    }
}
