//! What a provider's report does to a payment.

use super::{
    Phase, Report, Step,
    decide::{Case, Decision},
};
use crate::event::payment::{PaymentEvent, PaymentMoved};

impl Case<'_> {
    /// A report that no longer fits, because it is repeated or late, changes nothing.
    pub(super) fn report(&self, step: Step, report: &Report, settled: bool) -> Decision {
        match step {
            Step::Authorise | Step::Charge if self.now.awaits(step) => self.opened(report, settled),
            Step::Authorise | Step::Charge if self.is_refused() => self.flipped(report),
            Step::Capture if self.now.awaits(step) => self.captured(report, settled),
            Step::Void | Step::Refund if self.now.awaits(step) => self.undone(report, settled),
            Step::Authorise | Step::Charge | Step::Capture | Step::Void | Step::Refund => Decision::default(),
        }
    }

    /// Whether the order was told that nothing was taken of what it had asked for.
    fn is_refused(&self) -> bool {
        matches!(self.now.phase, Phase::Declined | Phase::NotStarted) && self.now.request.is_some()
    }

    /// A provider that said no for good and took the money after all: the order is gone, so it is given back unasked.
    fn flipped(&self, report: &Report) -> Decision {
        let Some(amount) = self.amount() else { return Decision::default() };
        let undo = |reference: &str, event: fn(PaymentMoved) -> PaymentEvent| {
            let requested = PaymentEvent::PaymentCancelRequested(self.of.clone());
            vec![requested, event(self.moved(amount, Some(reference.to_owned())))]
        };
        match report {
            Report::Authorised { reference } => self.void(undo(reference, PaymentEvent::PaymentAuthorized)),
            Report::Captured { reference } => self.refund(undo(reference, PaymentEvent::PaymentCaptured)),
            Report::ActionRequired
            | Report::Pending
            | Report::Declined { .. }
            | Report::Voided { .. }
            | Report::Refunded { .. }
            | Report::Refused { .. } => Decision::default(),
        }
    }

    fn opened(&self, report: &Report, settled: bool) -> Decision {
        match report {
            Report::ActionRequired if self.now.phase == Phase::Asked => {
                Decision::events(vec![PaymentEvent::PaymentActionRequired(self.of.clone())])
            }
            Report::Pending if matches!(self.now.phase, Phase::Asked | Phase::ActionRequired) => {
                Decision::events(vec![PaymentEvent::PaymentPending(self.of.clone())])
            }
            Report::Authorised { reference } => self.authorised(reference),
            Report::Captured { reference } => self.taken(reference),
            // Nothing more will come after what is settled, so it is the last word.
            Report::Declined { last_word, reason } => self.declined_by(*last_word || settled, reason),
            Report::Refused { reason } => self.declined_by(true, reason),
            Report::ActionRequired | Report::Pending | Report::Voided { .. } | Report::Refunded { .. } => {
                Decision::default()
            }
        }
    }

    fn authorised(&self, reference: &str) -> Decision {
        let Some(amount) = self.amount() else { return Decision::default() };
        let moved = self.moved(amount, Some(reference.to_owned()));
        let mut events = vec![PaymentEvent::PaymentAuthorized(moved)];
        if self.now.cancelling {
            return self.void(events);
        }
        if self.now.capture {
            // The capture was asked for before there was anything to capture.
            events.push(PaymentEvent::CaptureRequested(self.of.clone()));
            return Decision::events(events).wishing(Step::Capture);
        }
        Decision::events(events)
    }

    fn taken(&self, reference: &str) -> Decision {
        let Some(amount) = self.amount() else { return Decision::default() };
        let moved = self.moved(amount, Some(reference.to_owned()));
        let events = vec![PaymentEvent::PaymentCaptured(moved)];
        if self.now.cancelling { self.refund(events) } else { Decision::events(events) }
    }

    fn declined_by(&self, last_word: bool, reason: &str) -> Decision {
        if !last_word && self.now.phase == Phase::Doubtful {
            return Decision::default();
        }
        let mut events = vec![PaymentEvent::PaymentDeclined(self.no(last_word, reason))];
        if last_word && self.now.cancelling {
            events.push(PaymentEvent::PaymentNotStarted(self.of.clone()));
        }
        Decision::events(events)
    }

    fn captured(&self, report: &Report, settled: bool) -> Decision {
        match report {
            Report::Captured { reference } => self.taken(reference),
            Report::Refused { reason } => self.capture_failed(reason),
            // Nothing more will come after what is settled, so it is the last word.
            Report::Declined { last_word, reason } if *last_word || settled => self.capture_failed(reason),
            Report::ActionRequired
            | Report::Pending
            | Report::Authorised { .. }
            | Report::Declined { .. }
            | Report::Voided { .. }
            | Report::Refunded { .. } => Decision::default(),
        }
    }

    fn capture_failed(&self, reason: &str) -> Decision {
        let events = vec![PaymentEvent::CaptureFailed(self.no(true, reason))];
        if self.now.cancelling { self.void(events) } else { Decision::events(events) }
    }

    fn undone(&self, report: &Report, settled: bool) -> Decision {
        let Some(amount) = self.amount() else { return Decision::default() };
        let moved = |reference: &String| self.moved(amount, Some(reference.clone()));
        Decision::events(match report {
            Report::Voided { reference } if self.now.phase == Phase::Voiding => {
                vec![PaymentEvent::PaymentVoided(moved(reference))]
            }
            Report::Refunded { reference } if self.now.phase == Phase::Refunding => {
                vec![PaymentEvent::PaymentRefunded(moved(reference))]
            }
            Report::Refused { reason } => vec![self.undo_failed(reason)],
            Report::Declined { last_word, reason } if *last_word || settled => vec![self.undo_failed(reason)],
            Report::ActionRequired
            | Report::Pending
            | Report::Authorised { .. }
            | Report::Captured { .. }
            | Report::Declined { .. }
            | Report::Voided { .. }
            | Report::Refunded { .. } => Vec::new(),
        })
    }
}
