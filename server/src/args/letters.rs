//! The command line of `dead-letters`: which letters are meant, and what to do with them.

use super::Reference;
use clap::{ArgGroup, Args, Subcommand};
use oms_core::store::DeadLetterState;
use std::path::PathBuf;

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List them
    List {
        /// Which.
        #[command(flatten)]
        meant: LetterArgs,
        /// The newest first
        #[arg(long)]
        newest: bool,
        /// Begin after this number, in the order of the list: where the last page ended
        #[arg(long, value_name = "NUMBER")]
        after: Option<u64>,
        /// Show at most so many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Count them by group, message and cause: a thousand of one cause are one line
    Summary {
        /// Which.
        #[command(flatten)]
        meant: LetterArgs,
    },
    /// Show one: what caused it, its original bytes, what was done with it, and what to do next
    Show {
        /// Its number
        number: u64,
    },
    /// Send an edited copy of one to the group that failed, once however often it is asked; the original stays in the record
    Edit {
        /// Its number
        number: u64,
        /// The file that has the copy's body; - is standard input
        #[arg(long, value_name = "FILE")]
        body: PathBuf,
        /// The copy's kind of message [default: the original's]
        #[arg(long, value_name = "MESSAGE")]
        kind: Option<String>,
        /// Send another copy, though one was sent already
        #[arg(long)]
        again: bool,
        /// Who edits it, for its record
        #[arg(long, value_name = "NAME", default_value = "the command line")]
        by: String,
    },
    /// Have those that are buried handled again by the group that failed, once; what fails again is buried again
    #[command(group = ArgGroup::new("which").required(true).multiple(true)
        .args(["number", "all", "group", "kind", "order", "key", "error"]))]
    Redrive {
        /// Its number
        number: Option<u64>,
        /// All of them
        #[arg(long, conflicts_with_all = ["number", "group", "kind", "order", "key", "error"])]
        all: bool,
        /// Which.
        #[command(flatten)]
        meant: MeantArgs,
        /// Only list what would be handled again
        #[arg(long)]
        dry_run: bool,
        /// Who asks, for their record
        #[arg(long, value_name = "NAME", default_value = "the command line")]
        by: String,
    },
}

/// Which dead letters are meant, wherever they stand: those that fit all that is said.
#[derive(Clone, Debug, Default, Args)]
pub struct MeantArgs {
    /// Only those of this group
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
    /// Only this kind of message
    #[arg(long, value_name = "MESSAGE")]
    pub kind: Option<String>,
    /// Only those of this order: its id, the beginning of it, or the source's order number
    #[arg(long, value_name = "ORDER", conflicts_with = "key")]
    pub order: Option<Reference>,
    /// Only those of this key: an order's id, or a SKU
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Only those whose error has this text in it; a # of the summary stands for any word with a digit
    #[arg(long, value_name = "TEXT")]
    pub error: Option<String>,
}

/// Which dead letters are meant: those that fit all that is said.
#[derive(Clone, Debug, Default, Args)]
pub struct LetterArgs {
    /// Which.
    #[command(flatten)]
    pub meant: MeantArgs,
    /// Only those that stand so: buried, redriven, handled or replaced
    #[arg(long, value_name = "STATE", value_parser = state)]
    pub state: Option<DeadLetterState>,
}

fn state(name: &str) -> Result<DeadLetterState, String> {
    let found = DeadLetterState::ALL.into_iter().find(|state| state.name() == name);
    let names = || DeadLetterState::ALL.map(DeadLetterState::name).join(", ");
    found.ok_or_else(|| format!("{name:?} is no state; use one of {}", names()))
}
