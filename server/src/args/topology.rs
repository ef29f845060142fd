//! What may be asked about the broker's topology.

use super::lanes;
use clap::Subcommand;

/// What to do about the topology: groups, the topics that each hears, and their lanes.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum TopologyCommand {
    /// Show what would be created, what is there, and what differs; changes nothing
    Plan {
        /// How many lanes every group has [default: as the database was begun with, else 4]
        #[arg(long, value_name = "N", value_parser = lanes())]
        lanes: Option<u16>,
    },
    /// Create what is missing; what differs is an error that lists it, and then nothing is changed
    Apply {
        /// How many lanes every group has [default: as the database was begun with, else 4]
        #[arg(long, value_name = "N", value_parser = lanes())]
        lanes: Option<u16>,
    },
}
