//! The rows of a file, read one at a time.

use super::{
    BadRow, Mapping, Row, SourceError,
    columns::Columns,
    json::{self, Object},
    line::{Line, Lines},
    record::{self, Broken},
    row::{Shape, read},
    value::Dates,
};
use oms_core::money::Currency;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated values with a header line.
    Csv,
    /// One JSON object per line.
    Ndjson,
}

/// How to read a file; every part has a default that fits the sample.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Where the fields stand.
    pub mappings: Vec<Mapping>,
    /// The currency of the prices; the preset's is GBP.
    pub currency: Option<Currency>,
    /// How dates are written; the preset's have the month first.
    pub dates: Option<Dates>,
    /// How the file is written; told by its name when it is not said.
    pub format: Option<Format>,
}

impl Reading {
    fn shape(&self, columns: &Columns) -> Result<Shape, SourceError> {
        let currency = match self.currency {
            Some(currency) => currency,
            None if columns.preset => Currency::new("GBP")?,
            None => return Err(SourceError::NoCurrency),
        };
        let dates = self.dates.unwrap_or(if columns.preset { Dates::Mdy } else { Dates::Iso });
        Ok(Shape { currency, dates })
    }

    fn format(&self, path: &Path) -> Format {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_ascii_lowercase();
        let told =
            if matches!(ending.as_str(), "ndjson" | "jsonl" | "json") { Format::Ndjson } else { Format::Csv };
        self.format.unwrap_or(told)
    }
}

/// The rows of one file. Holds one record in memory at a time.
pub struct Rows<R> {
    lines: Lines<R>,
    columns: Columns,
    shape: Shape,
    format: Format,
}

impl Rows<BufReader<File>> {
    /// Opens a file and reads its columns.
    ///
    /// # Errors
    /// [`SourceError`], for what concerns the file as a whole.
    pub fn open(path: &Path, reading: &Reading) -> Result<Self, SourceError> {
        let refuse = |source| SourceError::Open { path: path.to_owned(), source };
        if !std::fs::metadata(path).map_err(refuse)?.is_file() {
            return Err(SourceError::NotAFile { path: path.to_owned() });
        }
        let file = BufReader::new(File::open(path).map_err(refuse)?);
        match reading.format(path) {
            Format::Csv => Self::csv(file, reading),
            Format::Ndjson => Self::ndjson(file, reading),
        }
    }
}

impl<R: BufRead> Rows<R> {
    /// Reads CSV; its first line names the columns.
    ///
    /// # Errors
    /// [`SourceError`], for what concerns the file as a whole.
    pub fn csv(input: R, reading: &Reading) -> Result<Self, SourceError> {
        let mut lines = Lines::new(input);
        let header = record::next(&mut lines, None)?.ok_or(SourceError::Empty)?;
        let names = header.map_or_else(|broken| broken.fields, |header| header.fields);
        let columns = Columns::find(names, &reading.mappings)?;
        let shape = reading.shape(&columns)?;
        Ok(Self { lines, columns, shape, format: Format::Csv })
    }

    /// Reads NDJSON; the keys of its first object are the columns.
    ///
    /// # Errors
    /// [`SourceError`], for what concerns the file as a whole.
    pub fn ndjson(input: R, reading: &Reading) -> Result<Self, SourceError> {
        let mut lines = Lines::new(input);
        let first = filled(&mut lines)?.ok_or(SourceError::Empty)?;
        let object = json::object(&first.text).map_err(|_| SourceError::NotJson { line: first.number })?;
        let columns = Columns::find(object.into_keys().collect(), &reading.mappings)?;
        let shape = reading.shape(&columns)?;
        lines.give_back(vec![first]);
        Ok(Self { lines, columns, shape, format: Format::Ndjson })
    }

    /// The currency of every price.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.shape.currency
    }

    /// Reads the next row, or why it is none.
    ///
    /// # Errors
    /// [`SourceError`], for what concerns the rest of the file: nothing can be read any further.
    pub fn next_row(&mut self) -> Result<Option<Result<Row, BadRow>>, SourceError> {
        match self.format {
            Format::Csv => self.next_record(),
            Format::Ndjson => self.next_object(),
        }
    }

    fn next_record(&mut self) -> Result<Option<Result<Row, BadRow>>, SourceError> {
        let Some(found) = record::next(&mut self.lines, Some(self.columns.width()))? else { return Ok(None) };
        Ok(Some(match found {
            Ok(record) => {
                let text = |place: usize| record.fields.get(place).map(String::as_str);
                read(record.line, &self.columns, self.shape, text)
            }
            Err(broken) => Err(self.bad(broken)),
        }))
    }

    fn next_object(&mut self) -> Result<Option<Result<Row, BadRow>>, SourceError> {
        let Some(line) = filled(&mut self.lines)? else { return Ok(None) };
        let texts: Object = match json::object(&line.text) {
            Ok(texts) => texts,
            Err(reason) => return Ok(Some(Err(BadRow { line: line.number, invoice: None, reason }))),
        };
        let text = |place: usize| texts.get(self.columns.name(place)?).map(String::as_str);
        Ok(Some(read(line.number, &self.columns, self.shape, text)))
    }

    fn bad(&self, broken: Broken) -> BadRow {
        let place = self.columns.place(super::Field::Invoice).map(|(place, _)| place);
        // A number that is the last thing on a cut line may be cut itself.
        let sure = place.filter(|place| place + 1 < broken.fields.len());
        let invoice = sure.and_then(|place| broken.fields.get(place)).map(|text| text.trim().to_owned());
        BadRow { line: broken.line, invoice: invoice.filter(|text| !text.is_empty()), reason: broken.reason }
    }
}

fn filled<R: BufRead>(lines: &mut Lines<R>) -> Result<Option<Line>, SourceError> {
    loop {
        match lines.next()? {
            Some(line) if line.text.trim().is_empty() => {}
            other => return Ok(other),
        }
    }
}

#[cfg(test)]
mod tests;
