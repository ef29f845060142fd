//! Why a whole file cannot be read; nothing of it was stored.

use super::Field;
use oms_core::money::UnknownCurrency;
use std::{io, path::PathBuf};

/// Why a file as a whole is refused.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It cannot be opened: not there, or no permission.
    #[error("the file {} cannot be opened; check its path and permissions", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A directory, a pipe: it cannot be read twice.
    #[error("{} is no regular file; name a CSV or NDJSON file", path.display())]
    NotAFile {
        /// Which path.
        path: PathBuf,
    },
    /// Nothing in it.
    #[error("the file is empty; its first line must name the columns")]
    Empty,
    /// A byte that is not UTF-8.
    #[error("line {line} is not UTF-8 at byte {byte} of the file; save the file as UTF-8")]
    Encoding {
        /// The line, from 1.
        line: u64,
        /// The byte, from 0.
        byte: u64,
    },
    /// A line that is longer than any row.
    #[error("line {line} is longer than {limit} bytes; check that the file has line ends")]
    LongLine {
        /// The line, from 1.
        line: u64,
        /// The longest line that is read, in bytes.
        limit: u64,
    },
    /// Columns that every row needs.
    #[error("no column for {}; name it with --map FIELD=COLUMN (the columns are: {found})", names(missing))]
    MissingColumns {
        /// Which fields have none.
        missing: Vec<Field>,
        /// What the file has.
        found: String,
    },
    /// Two columns of one name.
    #[error("the column {0:?} is there twice; rename one of them")]
    ColumnTwice(String),
    /// The first line of an NDJSON file is no object.
    #[error("line {line} is no JSON object; write one object with text and number values on each line")]
    NotJson {
        /// The line, from 1.
        line: u64,
    },
    /// The file does not say which currency its prices are in.
    #[error("the file does not say which currency its prices are in; name it with --currency, such as GBP")]
    NoCurrency,
    /// The currency is none.
    #[error(transparent)]
    Currency(#[from] UnknownCurrency),
    /// Another file now than a moment ago.
    #[error("the file changed while it was read; run the import again when it is complete")]
    Changed,
    /// The disk failed.
    #[error("the file cannot be read any further than line {line}")]
    Read {
        /// The line that was being read, from 1.
        line: u64,
        /// What the system said.
        source: io::Error,
    },
}

impl SourceError {
    /// Whether the system outside is to blame, not the file: worth another try.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        matches!(self, Self::Read { .. })
    }
}

fn names(fields: &[Field]) -> String {
    fields.iter().map(|field| field.name()).collect::<Vec<_>>().join(", ")
}
