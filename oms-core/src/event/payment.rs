//! What is said to and by the payment service.
//!
//! ```
//! use oms_core::event::{Wire, payment::PaymentEvent};
//! let body = br#"{"order":"o-1","last_word":false,"reason":"the bank is asked again"}"#;
//! let declined = PaymentEvent::decode("PaymentDeclined", 1, body)?;
//! assert!(matches!(&declined, PaymentEvent::PaymentDeclined(why) if !why.last_word));
//! assert_eq!(declined.encode()?, body.as_slice());
//! # Ok::<(), oms_core::event::WireError>(())
//! ```

use super::Fields;
use crate::{
    id::{CustomerId, Name, OrderId},
    money::Money,
};
use serde::{Deserialize, Serialize};

/// How the customer pays: a method that this shop offers, and what its provider needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentChoice {
    /// The method's name, such as `card`, `upi`, `cod`.
    pub method: Name,
    /// What stands for the card or account at the provider; never a card number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Asks for a guarantee of the whole amount: authorised, captured, or promised on delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestPayment {
    /// The order.
    pub order: OrderId,
    /// Who pays.
    pub customer: CustomerId,
    /// How.
    pub choice: PaymentChoice,
    /// How much; may be 0, and then nothing is asked of a provider.
    pub amount: Money,
    /// Whether no parcel will travel (services alone), so that nobody can collect on delivery.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nothing_to_send: bool,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// Names the order whose payment is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentOf {
    /// The order.
    pub order: OrderId,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// The courier brought cash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordCollection {
    /// The order.
    pub order: OrderId,
    /// How much was collected.
    pub amount: Money,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

crate::wire_enum! {
    /// What the payment service may be told.
    pub enum PaymentCommand, schema 1 {
        /// Get a guarantee.
        RequestPayment(RequestPayment) = "RequestPayment",
        /// Undo: void, refund, or wait until it is certain that nothing was taken.
        CancelPayment(PaymentOf) = "CancelPayment",
        /// Take what was authorised.
        CapturePayment(PaymentOf) = "CapturePayment",
        /// Note the cash that was collected.
        RecordCollection(RecordCollection) = "RecordCollection",
    }
}

/// An amount moved, or was promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMoved {
    /// The order.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// The provider's own reference, when it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// The provider said no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDeclined {
    /// The order.
    pub order: OrderId,
    /// False while the provider may still change its mind (UPI, up to 72 hours).
    pub last_word: bool,
    /// Why, in the provider's words.
    pub reason: String,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

crate::wire_enum! {
    /// What happened to a payment: recorded in its stream, and answered to the order.
    pub enum PaymentEvent, schema 1 {
        /// A guarantee was asked for; recorded only.
        PaymentRequested(RequestPayment) = "PaymentRequested",
        /// The customer must do something (approve in an app); recorded only.
        PaymentActionRequired(PaymentOf) = "PaymentActionRequired",
        /// The provider does not know yet; a time-out is this, never a failure. Recorded only.
        PaymentPending(PaymentOf) = "PaymentPending",
        /// The amount is reserved at the provider.
        PaymentAuthorized(PaymentMoved) = "PaymentAuthorized",
        /// The amount was taken.
        PaymentCaptured(PaymentMoved) = "PaymentCaptured",
        /// The amount will be collected on delivery.
        CodAccepted(PaymentMoved) = "CodAccepted",
        /// The provider said no.
        PaymentDeclined(PaymentDeclined) = "PaymentDeclined",
        /// A capture was asked for; recorded only.
        CaptureRequested(PaymentOf) = "CaptureRequested",
        /// The capture was refused for good.
        CaptureFailed(PaymentDeclined) = "CaptureFailed",
        /// An undo was asked for; it is acknowledged only once it is settled. Recorded only.
        PaymentCancelRequested(PaymentOf) = "PaymentCancelRequested",
        /// Undone: the reserved amount was let go.
        PaymentVoided(PaymentMoved) = "PaymentVoided",
        /// A refund was asked for; recorded only.
        RefundRequested(PaymentMoved) = "RefundRequested",
        /// Undone: the amount was given back.
        PaymentRefunded(PaymentMoved) = "PaymentRefunded",
        /// Undone: nothing was ever taken, and nothing will be.
        PaymentNotStarted(PaymentOf) = "PaymentNotStarted",
        /// The refund or void was refused for good: a person must look.
        PaymentUndoFailed(PaymentDeclined) = "PaymentUndoFailed",
    }
}
