//! The table of planted bugs: in how many seeds each was found, and by what.

use crate::{
    lock::locked,
    plan::Cuts,
    plant::Plant,
    run::{Outcome, run},
};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// As many hexadecimal digits as an id has at least; no word has so many.
const ID_DIGITS: usize = 16;

/// What looking for one bug brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hunt {
    /// How many seeds were run.
    pub seeds: u64,
    /// How many of them found it.
    pub found: u64,
    /// The first that did, and what was wrong there.
    pub first: Option<(u64, String)>,
}

impl Hunt {
    /// Looks for a bug in these seeds, until it was found so often.
    ///
    /// ```
    /// use oms_simulation::{Hunt, Plant};
    /// let hunt = Hunt::of(Plant::OwedDeletedApart, 0..4, 1);
    /// assert!(hunt.first.is_some(), "{hunt:?}");
    /// ```
    #[must_use]
    pub fn of(plant: Plant, seeds: Range<u64>, enough: u64) -> Self {
        let mut hunt = Self::default();
        for seed in seeds {
            let Outcome { wrong, .. } = run(seed, &Cuts::default(), Some(plant), false);
            hunt.seeds += 1;
            let Some(what) = wrong.into_iter().next() else { continue };
            hunt.found += 1;
            hunt.first.get_or_insert((seed, what));
            if hunt.found >= enough {
                break;
            }
        }
        hunt
    }

    /// Whether it brought what is expected of the bug.
    #[must_use]
    pub fn is_as_expected(&self, plant: Plant) -> bool {
        (self.found == 0) == plant.is_harmless()
    }
}

/// Looks for every bug that this build can plant, in the seeds from 0 on, until each was found often `enough`; on all
/// cores, each bug on one.
///
/// ```
/// let hunts = oms_simulation::hunt_all(0, 1);
/// assert!(hunts.iter().all(|(plant, hunt)| plant.is_here() && hunt.seeds == 0));
/// ```
#[must_use]
pub fn hunt_all(seeds: u64, enough: u64) -> Vec<(Plant, Hunt)> {
    let here: Vec<Plant> = Plant::ALL.iter().copied().filter(|plant| plant.is_here()).collect();
    let (next, hunts) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(plant) = here.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let hunt = Hunt::of(*plant, 0..seeds, enough);
                    locked(&hunts).insert(*plant, hunt);
                }
            });
        }
    });
    hunts.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect()
}

/// Writes what looking for bugs brought as a table in Markdown.
///
/// ```
/// use oms_simulation::{Hunt, Plant, plants_table};
/// let table = plants_table(&[(Plant::EpochNotChecked, Hunt::default())]);
/// assert!(table.contains("| `epoch-not-checked` |") && table.contains("harmless alone"));
/// ```
#[must_use]
pub fn plants_table(hunts: &[(Plant, Hunt)]) -> String {
    let mut table = "| bug | what is wrong | rule | found in seeds | first seed | by |\n".to_owned();
    table += "|---|---|---|---:|---:|---|\n";
    for (plant, hunt) in hunts {
        let (first, by) = match &hunt.first {
            Some((seed, what)) => (seed.to_string(), plain(what)),
            None if plant.is_harmless() => ("never".to_owned(), "harmless alone".to_owned()),
            None => ("never".to_owned(), String::new()),
        };
        let (name, about, rule) = (plant.name(), plant.about(), plant.rule());
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| `{name}` | {about} | {rule} | {} of {} | {first} | {by} |",
            hunt.found, hunt.seeds
        );
    }
    table
}

/// The words of a violation without the ids in it, cut to a line.
fn plain(what: &str) -> String {
    let (mut text, mut digits) = (String::new(), String::new());
    for one in what.chars().chain(['\n']) {
        if one.is_ascii_hexdigit() {
            digits.push(one);
            continue;
        }
        text += if digits.len() < ID_DIGITS { &digits } else { "…" };
        digits.clear();
        text.push(if one == '|' { '/' } else { one });
    }
    let text = text.trim_end();
    if text.chars().count() <= 110 {
        text.to_owned()
    } else {
        text.chars().take(109).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_wrong_is_told_without_ids_and_on_one_line() {
        let id = "0123456789abcdef".repeat(2);
        assert_eq!(plain(&format!("{id}/void/1 was told | twice")), "…/void/1 was told / twice");
        assert_eq!(plain(&"word ".repeat(40)).chars().count(), 110);
    }
}
