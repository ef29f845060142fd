//! The command line of the bench.

use crate::workload::{Cold, Part, Point, Scale};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Measures what an order costs, beside peers that say what it could cost.
///
/// Every figure is the median and the best of interleaved rounds. A target that is missed is said, and is no error: this measures,
/// it does not test.
#[derive(Debug, Parser)]
#[command(name = "oms-benches", version)]
pub struct Cli {
    /// What to measure.
    #[command(subcommand)]
    pub task: Task,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// The saga: full load, one order in flight, half of the maximum, long orders, a hot SKU, lanes
    Saga {
        /// Only these parts, with commas between them
        #[arg(long, value_name = "PARTS", value_delimiter = ',')]
        only: Vec<Part>,
        /// How.
        #[command(flatten)]
        run: Run,
    },
    /// Duplicates: 0, 10 and 50 percent of all packs delivered twice
    Dedupe(Run),
    /// Process memory of a million orders that wait, and of a million that have ended
    Memory(Run),
    /// Read models folded anew from the log of completed orders
    Rebuild(OnServer),
    /// Messages from the store to a broker that has them at once
    Relay(OnServer),
    /// Brokers on servers of their own: packs beside the bare client, whole orders beside the naive driver
    Brokers {
        /// Where servers are installed and keep their data
        #[arg(long, value_name = "FOLDER", default_value = "target/servers")]
        servers: PathBuf,
        /// How.
        #[command(flatten)]
        run: Run,
    },
    /// Cold start: from the start of a process to its first accepted order
    Start(Run),
    /// Measures one point of `memory` in this process
    #[command(hide = true)]
    Point(Point),
    /// Places one order in this process and ends
    #[command(hide = true)]
    FirstOrder(Cold),
}

/// How a run is made that needs PostgreSQL as well.
#[derive(Clone, Debug, Args)]
pub struct OnServer {
    /// Where PostgreSQL is installed and keeps its data
    #[arg(long, value_name = "FOLDER", default_value = "target/servers")]
    pub servers: PathBuf,
    /// How.
    #[command(flatten)]
    pub run: Run,
}

/// How a run is made.
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// Write the rows into this file, as one JSON array
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Run little and short: shows that it works, and no figure that counts
    #[arg(long)]
    pub quick: bool,
}

impl Run {
    /// How large it is.
    #[must_use]
    pub fn scale(&self) -> Scale {
        if self.quick { Scale::quick() } else { Scale::full() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_usage_ends_with_exit_code_2() {
        for line in
            ["oms-benches", "oms-benches speed", "oms-benches saga --rounds 3", "oms-benches saga --json"]
        {
            let code = Cli::try_parse_from(line.split(' ')).map(|_| ()).map_err(|error| error.exit_code());
            assert_eq!(code, Err(2), "{line}");
        }
    }

    #[test]
    fn a_point_understands_its_own_arguments() {
        let waiting = crate::workload::Waiting::Upi;
        let point = Point { file: "x.db".into(), waiting, warm: 2, orders: 3 };
        let line = std::iter::once("oms-benches".to_owned()).chain(point.arguments());
        let Task::Point(read) = Cli::try_parse_from(line).unwrap().task else { panic!("a point") };
        assert_eq!((read.file, read.waiting, read.warm, read.orders), ("x.db".into(), waiting, 2, 3));
    }
}
