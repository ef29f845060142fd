//! The state of one order's payment.

use super::Step;
use crate::{
    event::payment::{PaymentEvent, RequestPayment},
    money::Money,
};
use serde::{Deserialize, Serialize};

/// How far a payment has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Nobody asked yet.
    #[default]
    Absent,
    /// A provider was asked, and has not answered.
    Asked,
    /// The customer must approve.
    ActionRequired,
    /// The provider does not know yet.
    Pending,
    /// It said no, and may change its mind.
    Doubtful,
    /// Reserved.
    Authorised,
    /// Reserved, and a capture is wished.
    Capturing,
    /// Reserved, and the capture was refused for good.
    CaptureFailed,
    /// To be collected on delivery.
    Promised,
    /// Taken.
    Captured,
    /// It said no for good.
    Declined,
    /// A void is wished.
    Voiding,
    /// A refund is wished.
    Refunding,
    /// Let go.
    Voided,
    /// Given back.
    Refunded,
    /// Nothing was taken and nothing will be; without a request it is a tombstone.
    NotStarted,
    /// The void or refund was refused for good.
    UndoFailed,
}

/// The state of a payment; its request is fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub(super) phase: Phase,
    #[serde(skip)]
    pub(super) request: Option<RequestPayment>,
    /// Somebody waits for an answer to an undo.
    #[serde(default)]
    pub(super) cancelling: bool,
    /// A capture is wanted as soon as there is an authorisation.
    #[serde(default)]
    pub(super) capture: bool,
    #[serde(default)]
    pub(super) captured: Option<Money>,
    #[serde(default)]
    pub(super) refunded: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) reason: String,
}

impl Payment {
    /// How far it has come.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What was asked for; none for a tombstone.
    #[must_use]
    pub fn request(&self) -> Option<&RequestPayment> {
        self.request.as_ref()
    }

    /// What was taken.
    #[must_use]
    pub fn captured(&self) -> Option<Money> {
        self.captured
    }

    /// What was given back.
    #[must_use]
    pub fn refunded(&self) -> Option<Money> {
        self.refunded
    }

    /// Whether the provider's word on `step` is still to come.
    #[must_use]
    pub fn awaits(&self, step: Step) -> bool {
        match step {
            Step::Authorise | Step::Charge => {
                matches!(self.phase, Phase::Asked | Phase::ActionRequired | Phase::Pending | Phase::Doubtful)
            }
            Step::Capture => self.phase == Phase::Capturing,
            Step::Void => self.phase == Phase::Voiding,
            Step::Refund => self.phase == Phase::Refunding,
        }
    }

    /// Gives back the request that is stored apart from the state.
    pub fn restore(&mut self, request: RequestPayment) {
        self.request = Some(request);
    }

    /// Applies one recorded event.
    pub fn evolve(&mut self, event: &PaymentEvent) {
        match event {
            PaymentEvent::PaymentRequested(request) => {
                self.phase = Phase::Asked;
                self.request = Some(request.clone());
            }
            PaymentEvent::PaymentActionRequired(_) => self.phase = Phase::ActionRequired,
            PaymentEvent::PaymentPending(_) => self.phase = Phase::Pending,
            PaymentEvent::PaymentAuthorized(moved) => {
                self.reference.clone_from(&moved.reference);
                self.phase = if self.cancelling { Phase::Voiding } else { Phase::Authorised };
            }
            PaymentEvent::PaymentCaptured(moved) => {
                self.captured = Some(moved.amount);
                self.reference.clone_from(&moved.reference);
                self.phase = Phase::Captured;
            }
            PaymentEvent::CodAccepted(_) => self.phase = Phase::Promised,
            PaymentEvent::PaymentDeclined(declined) => {
                self.reason.clone_from(&declined.reason);
                self.phase = if declined.last_word { Phase::Declined } else { Phase::Doubtful };
            }
            PaymentEvent::CaptureRequested(_) => self.capture_asked(),
            PaymentEvent::CaptureFailed(failed) => {
                self.reason.clone_from(&failed.reason);
                self.phase = if self.cancelling { Phase::Voiding } else { Phase::CaptureFailed };
            }
            PaymentEvent::PaymentCancelRequested(_) => self.cancel_asked(),
            PaymentEvent::PaymentVoided(_) => self.phase = Phase::Voided,
            PaymentEvent::RefundRequested(_) => self.phase = Phase::Refunding,
            PaymentEvent::PaymentRefunded(moved) => {
                self.refunded = Some(moved.amount);
                self.phase = Phase::Refunded;
            }
            PaymentEvent::PaymentNotStarted(_) => self.phase = Phase::NotStarted,
            PaymentEvent::PaymentUndoFailed(failed) => {
                self.reason.clone_from(&failed.reason);
                self.phase = Phase::UndoFailed;
            }
        }
    }

    fn capture_asked(&mut self) {
        self.capture = true;
        if self.phase == Phase::Authorised {
            self.phase = Phase::Capturing;
        }
    }

    fn cancel_asked(&mut self) {
        self.cancelling = true;
        if matches!(self.phase, Phase::Authorised | Phase::CaptureFailed) {
            self.phase = Phase::Voiding;
        }
    }
}
