//! One line of a report.

use super::{Target, target::short};
use serde::Serialize;

/// One line: what was measured, over what, its value, and the peer it is held against.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// The workload: saga, dedupe, memory, rebuild, start or brokers.
    pub workload: &'static str,
    /// What is varied within it.
    pub variant: String,
    /// The broker that carries.
    pub broker: &'static str,
    /// The store that owes.
    pub store: &'static str,
    /// What a commit waits for.
    pub durability: &'static str,
    /// The median of all rounds.
    pub value: f64,
    /// The best round.
    pub best: f64,
    /// What the value counts.
    pub unit: &'static str,
    /// How many rounds there were.
    pub rounds: usize,
    /// The peer of the same run.
    pub peer: Option<String>,
    /// The value divided by the peer's.
    pub ratio: Option<f64>,
    /// The peer's processor time for each order divided by this one's: what the ratio would be on a machine that did nothing else
    /// and kept all its processors busy. Where others want the processors too, it says more than `ratio`.
    pub cpu_ratio: Option<f64>,
    /// Processor time of this process for each order, in microseconds.
    pub cpu_us_per_order: Option<f64>,
    /// Processor time of the broker's server for each order, in microseconds.
    pub server_us_per_order: Option<f64>,
    /// Rows written for each order, as the store counts them.
    pub rows_per_order: Option<f64>,
    /// Commits for each order, as the store counts them.
    pub commits_per_order: Option<f64>,
    /// The part of the time in which something waited for a processor, in percent, the worst of the rounds.
    pub pressure: Option<f64>,
    /// What it should reach, in words.
    pub target: Option<String>,
    /// Whether it does.
    pub met: Option<bool>,
    /// By how many percent it does not.
    pub missed_by_percent: Option<f64>,
    /// The commit that was measured.
    pub commit: Option<String>,
    /// Whether this was a quick run, whose figures only show that it works.
    pub quick: bool,
    /// What is said of it and its target, in words.
    #[serde(skip)]
    pub verdict: Option<String>,
}

impl Row {
    /// Holds the row against a target.
    #[must_use]
    pub fn held_against(mut self, target: Option<Target>) -> Self {
        let Some(target) = target else { return self };
        self.met = Some(target.missed_by().is_none());
        self.missed_by_percent = target.missed_by();
        self.verdict = Some(target.to_string());
        self.target = Some(target.asked());
        self
    }

    pub(super) fn cells(&self) -> [String; 14] {
        let figure = |figure: Option<f64>| figure.map_or_else(String::new, short);
        [
            self.variant.clone(),
            format!("{}+{}", self.broker, self.store),
            self.durability.to_owned(),
            short(self.value),
            short(self.best),
            self.unit.to_owned(),
            figure(self.cpu_us_per_order),
            figure(self.server_us_per_order),
            figure(self.rows_per_order),
            figure(self.commits_per_order),
            figure(self.pressure),
            self.peer.clone().unwrap_or_default(),
            figure(self.ratio),
            figure(self.cpu_ratio),
        ]
    }
}
