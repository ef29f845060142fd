//! What was measured, for people and for programs.

use crate::load::Measured;
use anyhow::Result;
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use serde::Serialize;
use std::fmt;

#[derive(Serialize)]
struct Row {
    workload: &'static str,
    variant: String,
    broker: &'static str,
    store: String,
    durability: &'static str,
    /// The median of all rounds.
    value: f64,
    best: f64,
    unit: &'static str,
    rounds: usize,
    peer: &'static str,
    peer_value: f64,
    peer_best: f64,
    /// The medians' quotient.
    ratio: f64,
    target: Option<f64>,
    met: Option<bool>,
    /// Waiting for a processor in the last ten seconds, in percent, when the row was made.
    pressure: Option<f64>,
    commit: Option<String>,
    quick: bool,
}

/// All rows.
pub struct Report {
    rows: Vec<Row>,
    quick: bool,
    store: String,
}

impl Report {
    pub fn new(quick: bool, store: String) -> Self {
        Self { rows: Vec::new(), quick, store }
    }

    /// Adds a line: ours beside a peer's.
    pub fn add(&mut self, variant: &str, ours: &Measured, peer: &Measured, target: Option<f64>) {
        let ratio = ours.median() / peer.median();
        self.rows.push(Row {
            workload: "store",
            variant: variant.to_owned(),
            broker: "none",
            store: self.store.clone(),
            durability: "D2 disk (fsync)",
            value: ours.median(),
            best: ours.best(),
            unit: "appends/s",
            rounds: ours.rounds(),
            peer: peer.name,
            peer_value: peer.median(),
            peer_best: peer.best(),
            ratio,
            target,
            met: target.map(|target| ratio >= target),
            pressure: pressure(),
            commit: std::env::var("OMS_COMMIT").ok(),
            quick: self.quick,
        });
    }

    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&self.rows)? + "\n")
    }
}

fn pressure() -> Option<f64> {
    let said = std::fs::read_to_string("/proc/pressure/cpu").ok()?;
    said.split("avg10=").nth(1)?.split(' ').next()?.parse().ok()
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN);
        table.set_header(["store", "appends/s", "best", "peer", "appends/s", "best", "ratio", "wanted"]);
        for row in &self.rows {
            let wanted = row.target.map_or_else(String::new, |target| {
                format!("{target}: {}", if row.met == Some(true) { "met" } else { "missed" })
            });
            let figure = |value: f64| format!("{value:.0}");
            table.add_row([
                row.variant.clone(),
                figure(row.value),
                figure(row.best),
                row.peer.to_owned(),
                figure(row.peer_value),
                figure(row.peer_best),
                format!("{:.2}", row.ratio),
                wanted,
            ]);
        }
        let note = if self.quick { "\nA quick run: the figures only show that it works." } else { "" };
        write!(out, "{table}{note}")
    }
}
