//! What came of all rounds: the matrix of checks and brokers.

use crate::capability::{Cell, column};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use oms_core::{
    broker::Capabilities,
    conformance::{Report, Verdict},
};
use std::fmt;

/// What became of one check over one broker, in all rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u32,
    failed: u32,
    absent: u32,
}

impl Count {
    fn note(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::NotApplicable(_) => self.absent += 1,
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.passed, self.failed) {
            (0, 0) if self.absent > 0 => out.write_str("does not apply"),
            (0, 0) => out.write_str(""),
            (passed, 0) => write!(out, "{passed}"),
            (passed, failed) => write!(out, "{passed}, FAILED {failed}"),
        }
    }
}

/// What came of all rounds. Its text is a table of checks and brokers, how often each passed, and the table of brokers as the
/// documentation has it, from the last round.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    brokers: Vec<String>,
    columns: Vec<Vec<Cell>>,
    checks: Vec<(&'static str, &'static str, Vec<Count>)>,
}

impl Summary {
    /// Adds one round over a broker.
    pub fn add(&mut self, broker: &str, capabilities: &Capabilities, report: Report) {
        let at = self.brokers.iter().position(|known| known == broker).unwrap_or_else(|| {
            self.brokers.push(broker.to_owned());
            self.columns.push(Vec::new());
            self.brokers.len() - 1
        });
        self.columns[at] = column(capabilities, &report);
        for line in report.lines {
            let known = self.checks.iter().position(|(id, ..)| *id == line.id).unwrap_or_else(|| {
                self.checks.push((line.id, line.name, Vec::new()));
                self.checks.len() - 1
            });
            let counts = &mut self.checks[known].2;
            counts.resize(counts.len().max(at + 1), Count::default());
            counts[at].note(&line.verdict);
        }
    }

    /// How many checks failed, counted in each round.
    #[must_use]
    pub fn failed(&self) -> u32 {
        self.checks.iter().flat_map(|(.., counts)| counts).map(|count| count.failed).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN);
        table.set_header(["check", ""].into_iter().chain(self.brokers.iter().map(String::as_str)));
        for (id, name, counts) in &self.checks {
            let counts =
                (0..self.brokers.len()).map(|at| counts.get(at).copied().unwrap_or_default().to_string());
            table.add_row([(*id).to_owned(), (*name).to_owned()].into_iter().chain(counts));
        }
        writeln!(out, "{table}\n")?;
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN);
        table.set_header([""].into_iter().chain(self.brokers.iter().map(String::as_str)));
        for at in 0..self.columns.first().map_or(0, Vec::len) {
            let name = self.columns[0][at].0.to_owned();
            let cells = self
                .columns
                .iter()
                .map(|column| column.get(at).map_or_else(String::new, |(_, says)| says.clone()));
            table.add_row([name].into_iter().chain(cells));
        }
        writeln!(out, "{table}\n")?;
        writeln!(out, "{} checks, {} failures", self.checks.len(), self.failed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oms_broker::{Broker as _, MemoryBroker};
    use oms_core::conformance::Line;

    fn report(verdict: Verdict) -> Report {
        Report { lines: vec![Line { id: "D1", name: "publish, then subscribe", verdict }] }
    }

    #[test]
    fn every_round_of_every_broker_is_counted() {
        let (mut summary, can) = (Summary::default(), MemoryBroker::default().capabilities());
        summary.add("one", &can, report(Verdict::Passed));
        summary.add("one", &can, report(Verdict::Failed("lost".to_owned())));
        summary.add("two", &can, report(Verdict::NotApplicable("wire".to_owned())));
        assert_eq!(summary.failed(), 1);
        let text = summary.to_string();
        assert!(text.contains("checks that do not apply") && text.contains("0 of 1"), "{text}");
        assert!(text.contains("1, FAILED 1") && text.contains("does not apply"), "{text}");
        assert!(text.ends_with("1 checks, 1 failures\n"), "{text}");
    }
}
