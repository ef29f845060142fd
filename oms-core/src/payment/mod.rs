//! The rules of a payment: methods with declared capabilities, and an undo that answers only when it is settled.
//!
//! ```
//! use oms_core::payment::Methods;
//! let methods = Methods::default();
//! assert!(methods.get("card").is_some_and(|card| card.capabilities.two_step));
//! ```

mod answer;
mod decide;
mod method;
mod state;

pub use decide::{Decision, Input, Refusal};
pub use method::{Capabilities, Method, Methods};
pub use state::{Payment, Phase};

use serde::{Deserialize, Serialize};

/// What the payment service wishes of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Reserve the amount.
    Authorise,
    /// Take the amount at once.
    Charge,
    /// Take what was reserved.
    Capture,
    /// Let go what was reserved.
    Void,
    /// Give back what was taken.
    Refund,
}

impl Step {
    /// Its name in an effect's key.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorise => "authorise",
            Self::Charge => "charge",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
        }
    }

    /// Reads a name; `None` when it is no step of a payment.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Authorise, Self::Charge, Self::Capture, Self::Void, Self::Refund];
        all.into_iter().find(|step| step.name() == name)
    }
}

/// What a provider says. Always about the whole amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// The customer must approve. More is to come.
    ActionRequired,
    /// It does not know yet. More is to come.
    Pending,
    /// Reserved.
    Authorised {
        /// The provider's reference.
        reference: String,
    },
    /// Taken.
    Captured {
        /// The provider's reference.
        reference: String,
    },
    /// It said no, to an authorisation or a charge.
    Declined {
        /// False while it may still change its mind.
        last_word: bool,
        /// Why.
        reason: String,
    },
    /// Let go.
    Voided {
        /// The provider's reference.
        reference: String,
    },
    /// Given back.
    Refunded {
        /// The provider's reference.
        reference: String,
    },
    /// It will never do this capture, void or refund.
    Refused {
        /// Why.
        reason: String,
    },
}

#[cfg(test)]
mod tests;
