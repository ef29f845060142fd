//! What becomes of the rows of a file: which invoice is an order, which cancels one, and which is refused.
//!
//! A file is read twice: once to know every invoice, of which little is kept, and once to place the orders.
//!
//! ```
//! use oms_server::{plan::{Fate, Survey}, source::{Reading, Rows}};
//! let text = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
//!             7,A,,6,12/1/2010 8:26,2.55,17850,United Kingdom\n\
//!             C8,A,,-6,12/1/2010 9:00,2.55,17850,United Kingdom\n";
//! let survey = Survey::read(Rows::csv(text.as_bytes(), &Reading::default())?, &Default::default())?;
//! assert_eq!(survey.totals().gross_minor, 1_530);
//! assert!(matches!(survey.fate("7"), Some(Fate::Order { cancelled_by: Some(_) })));
//! # Ok::<(), oms_server::source::SourceError>(())
//! ```

mod gather;
mod matching;
mod mix;
mod survey;

pub use gather::{Gather, Gathered, Item, Refused};
pub use mix::{PaymentMix, Percent};
pub use survey::{Fate, Services, Survey, Totals};

#[cfg(test)]
mod tests;
