//! The report file: every row that became nothing, by line number and reason.

use crate::plan::Refused;
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// The file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the report {} cannot be written; name another place with --report", path.display())]
pub struct ReportError {
    path: PathBuf,
    source: csv::Error,
}

/// Where the report of `file` lies when nothing else is said: beside the database.
///
/// ```
/// use oms_server::report::place;
/// let report = place("shop/orders.db".as_ref(), "exports/may.csv".as_ref());
/// assert_eq!(report, std::path::Path::new("shop/may.csv.report.csv"));
/// ```
#[must_use]
pub fn place(db: &Path, file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or(file.as_os_str());
    let mut report = name.to_owned();
    report.push(".report.csv");
    db.with_file_name(report)
}

/// A report that is being written: columns `line`, `invoice`, `reason`. What was written before it is dropped is kept.
pub struct Report {
    path: PathBuf,
    writer: csv::Writer<File>,
}

impl Report {
    /// Starts a report, in place of an earlier one.
    ///
    /// # Errors
    /// [`ReportError`].
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        let refuse = |source: csv::Error| ReportError { path: path.to_owned(), source };
        let file = File::create(path).map_err(|source| refuse(source.into()))?;
        let mut writer = csv::Writer::from_writer(file);
        writer.write_record(["line", "invoice", "reason"]).map_err(refuse)?;
        Ok(Self { path: path.to_owned(), writer })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`ReportError`].
    pub fn add(&mut self, row: &Refused) -> Result<(), ReportError> {
        let line = row.line.to_string();
        let written = self.writer.write_record([line.as_str(), &row.invoice, &row.reason]);
        written.map_err(|source| self.failed(source))
    }

    /// Ends the report; it is complete only then.
    ///
    /// # Errors
    /// [`ReportError`].
    pub fn finish(mut self) -> Result<(), ReportError> {
        self.writer.flush().map_err(|source: io::Error| self.failed(source.into()))
    }

    fn failed(&self, source: csv::Error) -> ReportError {
        ReportError { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_with_commas_and_quotes_is_one_column() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.csv");
        let mut report = Report::create(&path).expect("it can be written");
        let reason = "\"six\" is no number, sorry".to_owned();
        report.add(&Refused { line: 7, invoice: "1".to_owned(), reason }).expect("it can be written");
        report.finish().expect("it can be written");
        let text = std::fs::read_to_string(&path).expect("it is there");
        assert_eq!(text, "line,invoice,reason\n7,1,\"\"\"six\"\" is no number, sorry\"\n");
    }

    #[test]
    fn a_report_that_cannot_be_written_is_named() {
        let error = Report::create(Path::new("no-such-folder/r.csv")).map(|_| ()).expect_err("no folder");
        assert!(error.to_string().contains("no-such-folder"), "{error}");
    }
}
