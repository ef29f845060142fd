//! Read models: what people and scripts see, derived from the recorded events alone.
//!
//! ```
//! use oms_core::{event::public::Status, id::order_id, projection::{Facts, OrderSummary, Totals}};
//! let summary = OrderSummary::of(&Facts::new(order_id("shop", "1")));
//! let mut totals = Totals::default();
//! totals.add(&summary);
//! assert_eq!((summary.status, totals.orders), (Status::Pending, 1));
//! ```

pub mod check;
mod facts;
mod figures;
#[cfg(test)]
mod fixture;
mod letter;
pub mod model;
mod phases;
mod read;
#[cfg(test)]
mod store_tests;
pub mod story;
mod stuck;
mod summary;
#[cfg(test)]
mod tests;
mod travel;

pub use facts::{Facts, ORDER_KINDS, STOCK_KIND, SkuFacts};
pub use figures::{Funds, Parcel, Shelf, Units};
pub use letter::{
    Cause, Copied, Fate, LetterCause, LetterRecord, Noted, copies, letter_causes, letter_record,
};
pub use phases::Course;
pub use read::{Walk, facts, history};
pub use stuck::{Reason, Stuck, judge, stuck};
pub use summary::{OrderSummary, SOURCE_FIELD, SummaryHash, Sums, Totals};
pub use travel::{Change, Difference, Moment, Past, as_it_was, changes, difference, past};
