//! The command line of a simulation.

use crate::{
    fault::Fault,
    plan::{Cuts, ORDERS},
    plant::Plant,
};
use clap::Parser;
use std::{collections::BTreeSet, time::Duration};

/// Runs seeds of the simulated house, and says which break a promise.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo xtask simulate", after_help = EXIT_CODES)]
pub struct Arguments {
    /// How many seeds to run
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub seeds: u64,
    /// The first seed
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub from: u64,
    /// Plant a bug; `--plant help` lists them
    #[arg(long, value_name = "BUG")]
    pub plant: Option<String>,
    /// Print the trace of each run; for one seed, or few
    #[arg(long)]
    pub trace: bool,
    /// Only these customers come, by number
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    pub orders: Option<Vec<u32>>,
    /// Leave out these kinds of trouble; `--without help` lists them
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub without: Vec<String>,
    /// Nothing goes wrong after so many milliseconds
    #[arg(long, value_name = "MILLISECONDS")]
    pub trouble: Option<u64>,
    /// One process only
    #[arg(long)]
    pub alone: bool,
    /// Count what was met, and fail when something never was
    #[arg(long)]
    pub marks: bool,
}

const EXIT_CODES: &str = "\
A violation is shown with its seed, the smallest trace that still shows it, and the command that repeats it.

Exit codes:
  0  no violation
  1  a promise was broken, or with --marks something was never met
  2  bad usage";

impl Arguments {
    /// What is cut from each run.
    ///
    /// # Errors
    /// The name of a kind of trouble that there is not, in words.
    pub fn cuts(&self) -> Result<Cuts, String> {
        let mut faults = BTreeSet::new();
        for name in &self.without {
            let known = Fault::ALL.iter().find(|fault| fault.name() == name);
            let names = || Fault::ALL.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(", ");
            let unknown = || format!("there is no trouble named {name}; there are {}", names());
            faults.insert(*known.ok_or_else(unknown)?);
        }
        let stay = self.orders.as_ref();
        let orders = stay.map(|stay| (0..ORDERS).filter(|number| !stay.contains(number)).collect());
        Ok(Cuts {
            orders: orders.unwrap_or_default(),
            faults,
            trouble: self.trouble.map(Duration::from_millis),
            alone: self.alone,
        })
    }
}

/// The command that repeats one run.
#[must_use]
pub fn command(seed: u64, cuts: &Cuts, plant: Option<Plant>) -> String {
    let mut command = format!("cargo xtask simulate --from {seed} --seeds 1 --trace");
    if let Some(plant) = plant {
        command += &format!(" --plant {}", plant.name());
    }
    if !cuts.orders.is_empty() {
        let stay: Vec<String> = (0..ORDERS)
            .filter(|number| !cuts.orders.contains(number))
            .map(|number| number.to_string())
            .collect();
        command += &format!(" --orders {}", stay.join(","));
    }
    if !cuts.faults.is_empty() {
        let names: Vec<&str> = cuts.faults.iter().map(|fault| fault.name()).collect();
        command += &format!(" --without {}", names.join(","));
    }
    if let Some(trouble) = cuts.trouble {
        command += &format!(" --trouble {}", trouble.as_millis());
    }
    if cuts.alone {
        command += " --alone";
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_repeats_a_run_brings_its_cuts_back() {
        let cuts = Cuts {
            orders: (0..ORDERS).filter(|number| *number != 3).collect(),
            faults: [Fault::Wipe, Fault::Conflict].into(),
            trouble: Some(Duration::from_millis(1_250)),
            alone: true,
        };
        let command = command(7, &cuts, None);
        let words = command.split(' ').skip(2);
        let read = Arguments::try_parse_from(words).unwrap();
        assert_eq!((read.from, read.seeds, read.cuts()), (7, 1, Ok(cuts)), "{command}");
    }

    #[test]
    fn a_trouble_that_there_is_not_is_refused_with_those_that_there_are() {
        let read = Arguments::try_parse_from(["simulate", "--without", "rain"]).unwrap();
        let refused = read.cuts().unwrap_err();
        assert!(refused.contains("rain") && refused.contains("wipe"), "{refused}");
    }
}
