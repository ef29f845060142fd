//! The money ledger: what was reserved, let go, taken and given back on each day, in each currency.

use crate::{
    event::{Wire, WireError, payment::PaymentEvent},
    id::Name,
    projection::{
        Funds,
        model::{contract::Model, day::day, shares::Shares},
    },
    store::Recorded,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One order's money, by currency and day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purse(pub BTreeMap<String, Funds>);

/// The model `money`: a row for each order with money, and a sum for each currency and day, such as `GBP 2026-01-31`.
#[derive(Clone, Copy, Debug, Default)]
pub struct MoneyModel;

impl Model for MoneyModel {
    type State = Purse;
    const NAME: &'static str = "money";
    const SHAPE: u32 = 1;
    const KINDS: &'static [&'static str] = &["payment"];
    const GROUPS: &'static [&'static str] = &["payment"];

    fn apply(&self, _: &Name, purse: &mut Purse, recorded: &Recorded) -> Result<(), WireError> {
        let event = &recorded.event;
        let event = PaymentEvent::decode(&event.kind, event.schema, &event.body)?;
        let moved = match &event {
            PaymentEvent::PaymentAuthorized(moved)
            | PaymentEvent::PaymentCaptured(moved)
            | PaymentEvent::PaymentVoided(moved)
            | PaymentEvent::PaymentRefunded(moved) => moved,
            PaymentEvent::PaymentRequested(_)
            | PaymentEvent::PaymentActionRequired(_)
            | PaymentEvent::PaymentPending(_)
            | PaymentEvent::CodAccepted(_)
            | PaymentEvent::PaymentDeclined(_)
            | PaymentEvent::CaptureRequested(_)
            | PaymentEvent::CaptureFailed(_)
            | PaymentEvent::PaymentCancelRequested(_)
            | PaymentEvent::RefundRequested(_)
            | PaymentEvent::PaymentNotStarted(_)
            | PaymentEvent::PaymentUndoFailed(_) => return Ok(()),
        };
        let place = format!("{} {}", moved.amount.currency, day(recorded.time));
        purse.0.entry(place).or_default().add(&event);
        Ok(())
    }

    fn share(&self, _: &Name, purse: &Purse, shares: &mut Shares) {
        for (place, funds) in &purse.0 {
            shares.add(place, "authorised", funds.authorised);
            shares.add(place, "voided", funds.voided);
            shares.add(place, "captured", funds.captured);
            shares.add(place, "refunded", funds.refunded);
            shares.add(place, "kept", funds.kept());
        }
    }
}
