//! The port to carriers.
//!
//! ```
//! use oms_core::gateway::carrier::CarrierRequest;
//! let wish: Result<CarrierRequest, _> = serde_json::from_str(r#"{"wish":"cancel"}"#);
//! assert!(matches!(wish, Ok(CarrierRequest::Cancel)));
//! ```

use super::typed::Port;
use crate::{
    event::{inventory::StockLine, shipping::Address},
    money::Money,
};
use serde::{Deserialize, Serialize};

pub use crate::shipping::Report as CarrierReport;

/// The name under which the carrier's gateway is registered.
pub const CARRIER: &str = "carrier";

/// What a carrier is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "snake_case")]
pub enum CarrierRequest {
    /// Take a parcel.
    Book {
        /// Where to.
        address: Address,
        /// What is in it.
        lines: Vec<StockLine>,
        /// What must be collected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        collect: Option<Money>,
    },
    /// Do not send the parcel that was booked for the same order.
    Cancel,
}

/// A carrier. A booking is a watch: it answers `Booked`, `Dispatched` (both unsettled), then `Delivered`; or `Refused`.
///
/// A cancellation is answered `Cancelled`, and then the booking says the same, or `TooLate`: never both. Any other answer
/// counts as not stopped.
pub trait Carrier: Port<Request = CarrierRequest, Report = CarrierReport> {}

impl<P: Port<Request = CarrierRequest, Report = CarrierReport>> Carrier for P {}
