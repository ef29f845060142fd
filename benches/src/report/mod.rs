//! What a run says: rows for scripts, a table and a line for each target for people.
//!
//! ```
//! use oms_benches::report::{Report, Row};
//! let mut report = Report::default();
//! report.add(Row { workload: "saga", variant: "full load".into(), value: 7.0, ..Row::default() });
//! assert!(report.json()?.contains("\"variant\": \"full load\""));
//! # Ok::<(), serde_json::Error>(())
//! ```

mod figures;
mod row;
mod target;

pub use figures::{Better, best, median, percentile, ratio};
pub use row::Row;
pub use target::{Bound, Target, short};

use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use std::fmt::{self, Write as _};

const HEADER: [&str; 14] = [
    "variant",
    "broker+store",
    "durability",
    "median",
    "best",
    "unit",
    "CPU µs/order",
    "server µs/order",
    "rows/order",
    "commits/order",
    "pressure %",
    "peer",
    "ratio",
    "CPU ratio",
];

/// The rows of a run, in the order in which they were measured.
#[derive(Clone, Debug, Default)]
pub struct Report(Vec<Row>);

impl Report {
    /// Adds a row.
    pub fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.0
    }

    /// Marks every row with what was measured and how.
    pub fn sign(&mut self, commit: Option<&str>, quick: bool) {
        for row in &mut self.0 {
            (row.commit, row.quick) = (commit.map(str::to_owned), quick);
        }
    }

    /// All rows as one array.
    ///
    /// # Errors
    /// When a figure is no number.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(&self.0)
    }

    /// One line for each target, met or missed.
    #[must_use]
    pub fn verdicts(&self) -> String {
        let mut text = String::new();
        for row in &self.0 {
            if let Some(verdict) = &row.verdict {
                let _ = writeln!(
                    text,
                    "{} ({}+{}, {}): {verdict}",
                    row.variant, row.broker, row.store, row.durability
                );
            }
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        table.set_header(HEADER.map(Cell::new));
        for row in &self.0 {
            let number = |text: &String| text.starts_with(|one: char| one.is_ascii_digit());
            let side = |text: &String| if number(text) { CellAlignment::Right } else { CellAlignment::Left };
            table.add_row(row.cells().iter().map(|text| Cell::new(text).set_alignment(side(text))));
        }
        writeln!(out, "{table}")?;
        write!(out, "{}", self.verdicts())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row { workload: "saga", variant: "full load".to_owned(), store: "sqlite", ..Row::default() }
    }

    #[test]
    fn a_row_without_a_target_has_no_verdict() {
        let mut report = Report::default();
        report.add(row());
        assert_eq!(report.verdicts(), "");
        report.add(row().held_against(Some(Target::new(1.0, Bound::AtLeast(2.0), "of it"))));
        assert_eq!(report.verdicts().lines().count(), 1);
        assert_eq!(report.rows()[1].met, Some(false));
    }

    #[test]
    fn scripts_find_the_fields_they_were_promised() {
        let mut report = Report::default();
        report.add(row());
        report.sign(Some("abc"), true);
        let rows: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        for field in [
            "workload",
            "variant",
            "broker",
            "store",
            "durability",
            "value",
            "unit",
            "peer",
            "ratio",
            "best",
            "cpu_ratio",
            "cpu_us_per_order",
            "rows_per_order",
            "commit",
        ] {
            assert!(rows[0].get(field).is_some(), "{field}");
        }
    }
}
