//! The rules of a shipment: shipping owns the pivot, and alone says whether a parcel can still be stopped.
//!
//! ```
//! use oms_core::shipping::{Phase, Shipment};
//! assert_eq!(Shipment::default().phase(), Phase::Absent);
//! ```

mod decide;
mod state;

pub use decide::{Decision, Input};
pub use state::{Phase, Shipment};

use crate::money::Money;
use serde::{Deserialize, Serialize};

/// What the shipping service wishes of a carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Take the parcel, and tell how it fares until it is delivered.
    Book,
    /// Do not send it, if it has not left.
    Cancel,
}

impl Step {
    /// Its name in an effect's key.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Cancel => "cancel",
        }
    }

    /// Reads a name; `None` when it is no step of shipping.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Book, Self::Cancel].into_iter().find(|step| step.name() == name)
    }
}

/// What a carrier says of a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// It will take the parcel. More is to come.
    Booked {
        /// The carrier's number.
        tracking: String,
    },
    /// The parcel left the house. More is to come.
    Dispatched {
        /// The carrier's number.
        tracking: String,
    },
    /// The parcel arrived. The last word.
    Delivered {
        /// The carrier's number.
        tracking: String,
        /// What was collected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        collected: Option<Money>,
    },
    /// It will not take the parcel. The last word.
    Refused {
        /// Why.
        reason: String,
    },
    /// The parcel will not be sent. The last word.
    Cancelled,
    /// The parcel has left, and cannot be stopped: the last word to a cancellation.
    TooLate,
}

#[cfg(test)]
mod tests;
