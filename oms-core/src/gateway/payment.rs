//! The port to payment providers.
//!
//! ```
//! use oms_core::gateway::payment::PaymentReport;
//! assert!(serde_json::from_str::<PaymentReport>(r#"{"report":"pending"}"#).is_ok());
//! ```

use super::typed::Port;
use crate::{
    id::{CustomerId, Name},
    money::Money,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub use crate::payment::{Report as PaymentReport, Step as PaymentStep};

/// What a provider is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRequest {
    /// Authorise, charge, capture, void or refund.
    pub wish: PaymentStep,
    /// The method's name.
    pub method: Name,
    /// Who pays.
    pub customer: CustomerId,
    /// How much.
    pub amount: Money,
    /// What stands for the card or account at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// How long the provider may take for its last word.
    pub window: Duration,
}

/// A payment provider.
///
/// A refusal is a report, never an error; what is not known yet is `Pending` with a time to ask again. The capture, void
/// and refund of an order are about what the same order's authorisation or charge took.
pub trait PaymentProvider: Port<Request = PaymentRequest, Report = PaymentReport> {}

impl<P: Port<Request = PaymentRequest, Report = PaymentReport>> PaymentProvider for P {}
