//! Rounds that follow each other, what a person sees of them, and what of them is broken.

use crate::{failure::Failure, round::Round};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;

/// What befalls the rounds of a campaign, and which orders they have.
pub(crate) struct Rounds<B> {
    pub(crate) orders: u32,
    pub(crate) seed: u64,
    pub(crate) blows: Vec<Vec<B>>,
}

impl<B> Rounds<B> {
    /// Plays each round, with a seed of its own and a bar of the orders that were placed, and says what it came to.
    pub(crate) async fn play<C>(
        self,
        play: impl AsyncFn(&Round<B>, &ProgressBar) -> Result<C, Failure>,
        mut said: impl FnMut(String),
        line: impl Fn(&C) -> String,
    ) -> Result<Vec<C>, Failure> {
        let (total, mut all) = (self.blows.len(), Vec::new());
        for (number, blows) in (1..).zip(self.blows) {
            let (seed, orders) = (self.seed + number - 1, self.orders);
            let bar = bar(orders.into(), &format!("round {number} of {total}"));
            let came = play(&Round { seed, orders, blows, ..Round::default() }, &bar).await;
            bar.finish_and_clear();
            let came = came?;
            said(format!("round {number} of {total}, seed {seed}: {}", line(&came)));
            all.push(came);
        }
        Ok(all)
    }
}

/// What a round of that seed broke.
pub(crate) fn broken(seed: u64, violations: &[String]) -> impl Iterator<Item = String> {
    violations.iter().map(move |what| format!("seed {seed}: {what}"))
}

/// How orders ended, in words.
pub(crate) fn ends(by_status: &BTreeMap<String, u64>) -> String {
    by_status.iter().map(|(status, count)| format!("{count} {status}")).collect::<Vec<_>>().join(", ")
}

/// A bar on standard error, where that is a terminal.
fn bar(length: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} placed") {
        bar.set_style(style);
    }
    bar.with_message(what.to_owned())
}
