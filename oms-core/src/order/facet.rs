//! The facets of an order: its phase, and how its stock, payment and shipment stand.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an order stands; decides what it may hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// Nothing was placed yet.
    #[default]
    #[serde(rename = "unplaced")]
    Unplaced,
    /// Stock was asked for.
    #[serde(rename = "reserving")]
    Reserving,
    /// All lines are held; payment was asked for.
    #[serde(rename = "awaiting_payment")]
    AwaitingPayment,
    /// Payment is guaranteed; the hold is being made firm.
    #[serde(rename = "committing")]
    Committing,
    /// Stock is committed; a shipment was asked for.
    #[serde(rename = "confirmed")]
    Confirmed,
    /// The parcel has left.
    #[serde(rename = "fulfilling")]
    Fulfilling,
    /// Somebody wants it cancelled, and shipping was asked whether it can still be stopped.
    #[serde(rename = "cancel_requested")]
    CancelRequested,
    /// Everything is being undone, because somebody asked.
    #[serde(rename = "cancelling")]
    Cancelling,
    /// Everything is being undone, because a step failed.
    #[serde(rename = "failing")]
    Failing,
    /// A person must look. Facts are still recorded; nothing moves by itself.
    #[serde(rename = "needs_attention")]
    NeedsAttention,
    /// Delivered and paid. Terminal.
    #[serde(rename = "completed")]
    Completed,
    /// Undone on request. Terminal.
    #[serde(rename = "cancelled")]
    Cancelled,
    /// Undone. Terminal.
    #[serde(rename = "failed")]
    Failed,
}

impl Phase {
    /// Whether nothing will change any more.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Phase::Completed | Phase::Cancelled | Phase::Failed)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

/// How the order's stock stands, as far as was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stock {
    /// Nothing was heard.
    #[default]
    #[serde(rename = "unknown")]
    Unknown,
    /// All lines are held.
    #[serde(rename = "held")]
    Held,
    /// The hold does not expire any more.
    #[serde(rename = "committed")]
    Committed,
    /// The units left the books.
    #[serde(rename = "consumed")]
    Consumed,
    /// Nothing was held, or the hold was gone.
    #[serde(rename = "rejected")]
    Rejected,
    /// Everything was given back.
    #[serde(rename = "released")]
    Released,
}

/// How the order's payment stands, as far as was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Payment {
    /// Nothing was heard.
    #[default]
    #[serde(rename = "unknown")]
    Unknown,
    /// The provider said no, and may still change its mind.
    #[serde(rename = "doubtful")]
    Doubtful,
    /// The provider's last word was no.
    #[serde(rename = "declined")]
    Declined,
    /// Reserved at the provider.
    #[serde(rename = "authorized")]
    Authorized,
    /// Promised on delivery.
    #[serde(rename = "promised")]
    Promised,
    /// Taken.
    #[serde(rename = "captured")]
    Captured,
    /// Undone: nothing is kept.
    #[serde(rename = "undone")]
    Undone,
}

/// How the order's shipment stands, as far as was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Shipment {
    /// Nothing was heard.
    #[default]
    #[serde(rename = "unknown")]
    Unknown,
    /// It waits until its hold is lifted.
    #[serde(rename = "held")]
    Held,
    /// It left the house.
    #[serde(rename = "dispatched")]
    Dispatched,
    /// It arrived.
    #[serde(rename = "delivered")]
    Delivered,
    /// No carrier takes it.
    #[serde(rename = "failed")]
    Failed,
    /// It will not leave.
    #[serde(rename = "cancelled")]
    Cancelled,
}
