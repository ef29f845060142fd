//! Reading order files: rows of CSV or NDJSON, one at a time, each checked or refused with its reason.
//!
//! ```
//! use oms_server::source::{Reading, Rows};
//! let text = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
//!             536365,85123A,T-LIGHT HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom\n";
//! let mut rows = Rows::csv(text.as_bytes(), &Reading::default())?;
//! let row = rows.next_row()?.and_then(Result::ok);
//! assert_eq!(row.map(|row| (row.line, row.price.minor)), Some((2, 255)));
//! # Ok::<(), oms_server::source::SourceError>(())
//! ```

mod columns;
mod error;
mod field;
mod json;
mod line;
mod record;
mod row;
mod rows;
mod value;

pub use columns::Mapping;
pub use error::SourceError;
pub use field::Field;
pub use row::{BadRow, Row, is_cancellation};
pub use rows::{Format, Reading, Rows};
pub use value::{Dates, Moment};
