//! What the suite saw of one broker, as a column of the table of brokers in the documentation.

use oms_core::{
    broker::{Capabilities, Confirm},
    conformance::{Report, Verdict},
};

/// One cell: its row, and what stands there.
pub type Cell = (&'static str, String);

/// What a broker declares, and what a whole run of the suite saw of it: one cell for each row of the table.
///
/// ```
/// use oms_broker::{Broker, MemoryBroker};
/// use oms_conformance::column;
/// use oms_core::conformance::Report;
/// let cells = column(&MemoryBroker::default().capabilities(), &Report::default());
/// assert!(cells.contains(&("lag", "exact".to_owned())));
/// ```
#[must_use]
pub fn column(capabilities: &Capabilities, report: &Report) -> Vec<Cell> {
    let said = |yes: bool, one: &str, other: &str| if yes { one } else { other }.to_owned();
    let confirm = match capabilities.confirm {
        Confirm::Memory => "in this process's memory",
        Confirm::PageCache => "in the page cache",
        Confirm::Fsync => "on disk",
        Confirm::Quorum => "on the disks of most servers",
    };
    let left = report.lines.iter().filter(|line| matches!(line.verdict, Verdict::NotApplicable(_)));
    let left: Vec<&str> = left.map(|line| line.id).collect();
    vec![
        ("a confirm means", confirm.to_owned()),
        ("outlives the process", said(capabilities.outlives_process, "yes", "no")),
        ("lag", said(capabilities.exact_lag, "exact", "what nobody has")),
        (
            "a second reader of a lane",
            said(capabilities.exclusive_reader, "waits", "does not wait for the first"),
        ),
        ("checks passed", format!("{} of {}", report.passed(), report.lines.len())),
        ("checks that do not apply", if left.is_empty() { "none".to_owned() } else { left.join(", ") }),
    ]
}

/// The cells under a heading of a table in Markdown, by row; nothing when no table has it.
///
/// ```
/// let text = "| | one | two |\n|---|---|---|\n| lag | exact | none |\n";
/// assert_eq!(oms_conformance::column_of(text, "two"), [("lag".to_owned(), "none".to_owned())]);
/// ```
#[must_use]
pub fn column_of(markdown: &str, heading: &str) -> Vec<(String, String)> {
    let cells = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = markdown.lines().filter(|line| line.starts_with('|'));
    let Some(at) = lines.find_map(|line| cells(line).iter().position(|cell| cell.contains(heading))) else {
        return Vec::new();
    };
    lines
        .skip(1)
        .filter_map(|line| Some((cells(line).first()?.clone(), cells(line).get(at)?.clone())))
        .collect()
}
