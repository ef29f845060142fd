//! Opening stock: how many units of each SKU there are before the first order.

use oms_core::{
    event::inventory::AdjustStock,
    id::{Digest, IdError, Name, Sku},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Units of each SKU when nothing else is said: ample.
const AMPLE: u32 = 1_000_000;

/// Why a stock file is refused.
#[derive(Debug, thiserror::Error)]
pub enum StockFileError {
    /// It cannot be read.
    #[error("the stock file {} cannot be read; give a number of units, or a CSV with the columns sku,units", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the reader said.
        source: csv::Error,
    },
    /// It lacks a column.
    #[error("the stock file has no column {0}; its columns are sku,units")]
    MissingColumn(&'static str),
    /// A SKU is none.
    #[error("line {line} of the stock file")]
    Sku {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        source: IdError,
    },
    /// A number is none.
    #[error("line {line} of the stock file has {text:?} units; write a whole number from 0 to 4294967295")]
    Units {
        /// The line, from 1.
        line: u64,
        /// What was found.
        text: String,
    },
    /// A SKU is there twice.
    #[error("line {line} of the stock file names {sku} a second time; remove one")]
    Twice {
        /// The line, from 1.
        line: u64,
        /// Which SKU.
        sku: Sku,
    },
}

/// How many units each SKU opens with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StockLevels {
    /// The same for every SKU of the orders.
    Each(u32),
    /// As a file says; a SKU that it does not name is unknown.
    Listed(BTreeMap<Sku, u32>),
}

impl Default for StockLevels {
    fn default() -> Self {
        Self::Each(AMPLE)
    }
}

impl StockLevels {
    /// Takes a number, or the path of a CSV with the columns `sku` and `units`.
    ///
    /// # Errors
    /// [`StockFileError`].
    pub fn read(text: &str) -> Result<Self, StockFileError> {
        match text.parse() {
            Ok(units) => Ok(Self::Each(units)),
            Err(_) => listed(Path::new(text)).map(Self::Listed),
        }
    }

    /// The changes that open the books for these SKUs.
    pub fn opening<'a>(&self, skus: impl Iterator<Item = &'a Sku>) -> Vec<AdjustStock> {
        match self {
            Self::Each(units) => skus.map(|sku| opening_stock(sku, *units)).collect(),
            Self::Listed(levels) => levels.iter().map(|(sku, units)| opening_stock(sku, *units)).collect(),
        }
    }
}

/// The change that opens the books of a SKU. Its reference depends on the SKU alone: the first one ever counts.
#[must_use]
pub fn opening_stock(sku: &Sku, units: u32) -> AdjustStock {
    let reference = Digest::new("opening stock").text(sku.as_str()).finish();
    let reference = Name::from(format!("opening-{reference:032x}"));
    AdjustStock { sku: sku.clone(), delta: units.into(), reference, reason: "opening stock".to_owned() }
}

fn listed(path: &Path) -> Result<BTreeMap<Sku, u32>, StockFileError> {
    let refuse = |source| StockFileError::Read { path: path.to_owned(), source };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(refuse)?;
    let header = reader.headers().map_err(refuse)?.clone();
    let place = |name: &'static str| {
        header.iter().position(|column| column == name).ok_or(StockFileError::MissingColumn(name))
    };
    let (sku_at, units_at) = (place("sku")?, place("units")?);
    let mut levels = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(refuse)?;
        let line = record.position().map_or(0, csv::Position::line);
        let at = |place| record.get(place).unwrap_or("");
        let sku = Sku::new(at(sku_at)).map_err(|source| StockFileError::Sku { line, source })?;
        let text = at(units_at);
        let units = text.parse().map_err(|_| StockFileError::Units { line, text: text.to_owned() })?;
        if levels.insert(sku.clone(), units).is_some() {
            return Err(StockFileError::Twice { line, sku });
        }
    }
    Ok(levels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<StockLevels, StockFileError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("stock.csv");
        std::fs::write(&path, text).expect("it can be written");
        StockLevels::read(&path.display().to_string())
    }

    #[test]
    fn a_number_is_for_each_and_a_file_for_what_it_names() {
        let sku = |text| Sku::new(text).expect("a SKU");
        assert_eq!(StockLevels::read("7").expect("a number"), StockLevels::Each(7));
        let levels = read("units,sku\n5,A\n0, B\n").expect("a file");
        assert_eq!(levels, StockLevels::Listed(BTreeMap::from([(sku("A"), 5), (sku("B"), 0)])));
        assert_eq!(levels.opening([sku("C")].iter()).len(), 2);
        assert_eq!(StockLevels::Each(7).opening([sku("C")].iter())[0].delta, 7);
    }

    #[test]
    fn a_wrong_stock_file_is_refused_each_with_its_reason() {
        assert!(matches!(read("sku,n\nA,1\n"), Err(StockFileError::MissingColumn("units"))));
        assert!(matches!(read("sku,units\nA,-1\n"), Err(StockFileError::Units { line: 2, .. })));
        assert!(matches!(read("sku,units\n,1\n"), Err(StockFileError::Sku { line: 2, .. })));
        assert!(matches!(read("sku,units\nA,1\nA,2\n"), Err(StockFileError::Twice { line: 3, .. })));
        assert!(matches!(read("sku,units\nA\n"), Err(StockFileError::Read { .. })));
        assert!(matches!(StockLevels::read("no-such-file"), Err(StockFileError::Read { .. })));
    }
}
