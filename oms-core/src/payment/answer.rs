//! What a provider's report does to a payment.

use super::{
    Phase, Report, Step,
    decide::{Case, Decision},
};
use crate::event::payment::PaymentEvent;

impl Case<'_> {
    /// A report that no longer fits, because it is repeated or late, changes nothing.
    pub(super) fn report(&self, step: Step, report: &Report, settled: bool) -> Decision {
        match step {
            Step::Authorise | Step::Charge if self.is_open() => self.opened(report, settled),
            Step::Capture if self.now.phase == Phase::Capturing => self.captured(report),
            Step::Void if self.now.phase == Phase::Voiding => self.undone(report),
            Step::Refund if self.now.phase == Phase::Refunding => self.undone(report),
            Step::Authorise | Step::Charge | Step::Capture | Step::Void | Step::Refund => Decision::default(),
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.now.phase, Phase::Asked | Phase::ActionRequired | Phase::Pending | Phase::Doubtful)
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

    fn captured(&self, report: &Report) -> Decision {
        match report {
            Report::Captured { reference } => self.taken(reference),
            Report::Refused { reason } | Report::Declined { last_word: true, reason } => {
                let events = vec![PaymentEvent::CaptureFailed(self.no(true, reason))];
                if self.now.cancelling { self.void(events) } else { Decision::events(events) }
            }
            Report::ActionRequired
            | Report::Pending
            | Report::Authorised { .. }
            | Report::Declined { .. }
            | Report::Voided { .. }
            | Report::Refunded { .. } => Decision::default(),
        }
    }

    fn undone(&self, report: &Report) -> Decision {
        let Some(amount) = self.amount() else { return Decision::default() };
        let moved = |reference: &String| self.moved(amount, Some(reference.clone()));
        Decision::events(match report {
            Report::Voided { reference } if self.now.phase == Phase::Voiding => {
                vec![PaymentEvent::PaymentVoided(moved(reference))]
            }
            Report::Refunded { reference } if self.now.phase == Phase::Refunding => {
                vec![PaymentEvent::PaymentRefunded(moved(reference))]
            }
            Report::Refused { reason } | Report::Declined { last_word: true, reason } => {
                vec![self.undo_failed(reason)]
            }
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
