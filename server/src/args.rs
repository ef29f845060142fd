//! The command line: what may be asked of `oms`.
//!
//! ```
//! use clap::Parser as _;
//! use oms_server::args::{Cli, Command};
//! let cli = Cli::try_parse_from(["oms", "--db", "scratch.db", "import", "orders.csv", "--json"])?;
//! assert!(cli.json && matches!(cli.command, Command::Import(_)));
//! # Ok::<(), clap::Error>(())
//! ```

mod blow;
mod letters;
mod store;
mod topology;
mod wire;
mod worker;

pub use blow::BlowArgs;
pub use letters::{DeadLettersCommand, LetterArgs, MeantArgs};
pub use store::{StoreText, StoreUrl};
pub use topology::TopologyCommand;
pub use wire::{BrokerUrl, Topics, WireArgs};
pub use worker::{Service, WorkerArgs};

use crate::{
    plan::Percent,
    source::{Dates, Format, Mapping, Reading},
};
use clap::{Args, Parser, Subcommand, builder::RangedI64ValueParser};
use oms_core::{clock::Timestamp, id::CustomerId, message::MAX_LANES, money::Currency};
use std::{path::PathBuf, str::FromStr, time::Duration};

/// How a run ends, for scripts.
const EXIT_CODES: &str = "\
Exit codes:
  0  done, refused rows included
  1  a promise is broken; oms check says which
  2  bad input or usage
  3  something outside is unavailable, or the run was interrupted; the same command goes on where it stopped";

/// What a run that takes long says of its end.
const INTERRUPT: &str = "\
Ctrl-C finishes what is begun and ends with exit code 3; a second one ends at once. Neither loses anything, nor does a \
kill: the same command goes on where it stopped, and places nothing twice.";

/// What a worker says of its end.
const WORKER_ENDS: &str = "\
Ctrl-C, or SIGTERM, finishes what is begun and ends with exit code 0. What was not begun goes to the other processes on the \
same store, at once; after a kill it does once this one's leases have expired.";

/// The heading of options that every command has.
const EVERYWHERE: &str = "Options of every command";

/// Takes orders from placed to completed, in one process and one file.
#[derive(Debug, Parser)]
#[command(name = "oms", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// The database file [default: orders.db; of the demo: demo.db]
    #[arg(long, global = true, value_name = "PATH", help_heading = EVERYWHERE)]
    pub db: Option<PathBuf>,
    /// The store, instead of --db: sqlite:PATH, or postgres://user@host/database, which several processes can share
    #[arg(long, global = true, value_name = "URL", env = "OMS_STORE", hide_env_values = true, help_heading = EVERYWHERE)]
    pub store: Option<StoreText>,
    /// The broker.
    #[command(flatten)]
    pub wire: WireArgs,
    /// Print one JSON object on standard output, and nothing else there
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Say on standard error what happens; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = EVERYWHERE)]
    pub verbose: u8,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The store that is meant: a file that is named goes before a server that the environment names.
    ///
    /// # Errors
    /// What a store's URL looks like.
    pub fn store(&self) -> Result<StoreUrl, String> {
        let default = if matches!(self.command, Command::Demo(_)) { "demo.db" } else { "orders.db" };
        match (&self.db, &self.store) {
            (Some(path), _) => Ok(StoreUrl::Sqlite(path.clone())),
            (None, Some(store)) => store.read(),
            (None, None) => Ok(StoreUrl::Sqlite(PathBuf::from(default))),
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the five services on the orders of the sample, and tell the story of one that failed
    #[command(after_help = INTERRUPT)]
    Demo(DemoArgs),
    /// Place the orders of a CSV or NDJSON file, cancel what its cancellations match, and wait until all have ended
    #[command(after_help = INTERRUPT)]
    Import(Box<ImportArgs>),
    /// Run some services in a process of their own, on a store that several processes share, until it is told to end
    #[command(after_help = WORKER_ENDS)]
    Worker(Box<WorkerArgs>),
    /// Look at orders, or cancel one
    #[command(subcommand)]
    Orders(OrdersCommand),
    /// Look at messages that could not be handled, try them again, or send an edited copy
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Look at the read models, build one anew, or hold it against a fresh fold of the events
    #[command(subcommand)]
    Projections(ProjectionsCommand),
    /// Show the units of every SKU
    Stock(Page),
    /// Show what every process declares at the broker and what is there, or declare it now
    #[command(subcommand)]
    Topology(TopologyCommand),
    /// Say whether store, broker and gateways answer, and how much waits; exit code 3 when one does not
    Status,
    /// Derive every figure from the events again, verify the invariants, and name the orders that are stuck
    Check(CheckArgs),
}

/// What is checked beside the figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args)]
pub struct CheckArgs {
    /// Hold every event against the hash it was written with as well; only a PostgreSQL store has them
    #[arg(long)]
    pub audit: bool,
}

/// How the simulated outside world behaves: kept with the database by its first run, and the same from then on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "The simulated outside world, chosen by a database's first run")]
pub struct WorldArgs {
    /// Which draw: equal seeds draw equal payment methods and failures [default: 0; of the demo: 6]
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// How many percent of the orders pay by UPI [default: 0; of the demo: 10]
    #[arg(long, value_name = "PERCENT")]
    pub upi: Option<Percent>,
    /// How many percent of the orders pay in cash on delivery [default: 0; of the demo: 10]
    #[arg(long, value_name = "PERCENT")]
    pub cod: Option<Percent>,
    /// How many percent of the payments by card or UPI are declined [default: 0; of the demo: 6]
    #[arg(long, value_name = "PERCENT")]
    pub decline: Option<Percent>,
    /// How many percent of the parcels no carrier takes [default: 0]
    #[arg(long, value_name = "PERCENT")]
    pub refuse: Option<Percent>,
    /// How many lanes every group has, and so how many turns go on side by side at most [default: 4]
    #[arg(long, value_name = "N", value_parser = lanes())]
    pub lanes: Option<u16>,
}

/// What `demo` takes.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// The file of orders [default: the sample that ships with the source]
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// What befalls it.
    #[command(flatten)]
    pub blow: BlowArgs,
    /// The outside world.
    #[command(flatten)]
    pub world: WorldArgs,
}

/// What `import` takes.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// The file: CSV or NDJSON, in UTF-8
    pub file: PathBuf,
    /// Where a field stands: invoice, sku, name, quantity, date, price, customer or country
    #[arg(long = "map", value_name = "FIELD=COLUMN")]
    pub mappings: Vec<Mapping>,
    /// The currency of the prices [default: GBP for files of the sample's shape]
    #[arg(long, value_name = "CODE", value_parser = currency)]
    pub currency: Option<Currency>,
    /// How dates are written [default: mdy for files of the sample's shape, else iso]
    #[arg(long)]
    pub dates: Option<Dates>,
    /// How the file is written [default: by its name]
    #[arg(long)]
    pub format: Option<Format>,
    /// Stock codes that are services without stock, with commas between them
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub services: Option<Vec<String>>,
    /// Opening stock, given once to each SKU: a number of units, or a CSV with the columns sku,units
    #[arg(long, value_name = "N|CSV", default_value = "1000000")]
    pub stock: String,
    /// Place at most so many orders a second; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub rate: u32,
    /// Leave orders alone that have not moved for so long, such as 500ms, 30s or 2m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub settle: Duration,
    /// Run no services here: workers on the same store do; not with an SQLite file, which belongs to one process
    #[arg(long)]
    pub no_services: bool,
    /// The report of refused rows [default: FILE.report.csv beside the database]
    #[arg(long, value_name = "PATH")]
    pub report: Option<PathBuf>,
    /// The outside world.
    #[command(flatten)]
    pub world: WorldArgs,
}

impl ImportArgs {
    /// How to read the file.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let (mappings, currency) = (self.mappings.clone(), self.currency);
        Reading { mappings, currency, dates: self.dates, format: self.format }
    }
}

/// A page of a list.
#[derive(Clone, Debug, Args)]
pub struct Page {
    /// Begin after this one: where the last page ended
    #[arg(long, value_name = "LAST")]
    pub after: Option<String>,
    /// Show at most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
}

/// What to do with orders.
#[derive(Debug, Subcommand)]
pub enum OrdersCommand {
    /// List orders
    List {
        /// Only those of this status: pending, confirmed, paid, shipped, completed, failed or cancelled
        #[arg(long, conflicts_with = "stuck")]
        status: Option<String>,
        /// Only those of this customer
        #[arg(long, value_name = "ID", conflicts_with = "stuck", value_parser = customer)]
        customer: Option<CustomerId>,
        /// Only those placed at this time or later, such as 2026-01-31T12:00:00Z
        #[arg(long, value_name = "TIME", conflicts_with = "stuck", value_parser = moment)]
        since: Option<Timestamp>,
        /// Only those that will not end by themselves, each with its reason
        #[arg(long)]
        stuck: bool,
        /// Which page.
        #[command(flatten)]
        page: Page,
    },
    /// Tell the whole story of an order, or its story until a version or a time
    Show {
        /// Its id, the first 6 or more digits of it, or the source's order number
        order: Reference,
        /// As it was at this version: 1 when it was placed
        #[arg(long, value_name = "N", conflicts_with = "at", value_parser = clap::value_parser!(u64).range(1..))]
        version: Option<u64>,
        /// As it was at this time, such as 2026-01-31T12:00:00Z
        #[arg(long, value_name = "TIME", value_parser = moment)]
        at: Option<Timestamp>,
    },
    /// Show what changed of an order between two of its versions
    Diff {
        /// Its id, the first 6 or more digits of it, or the source's order number
        order: Reference,
        /// The version to begin at
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
        from: u64,
        /// The version to end at [default: the newest]
        #[arg(long, value_name = "M", value_parser = clap::value_parser!(u64).range(1..))]
        to: Option<u64>,
    },
    /// Ask for an order to be cancelled: undone and refunded before its dispatch, refused with reasons after it
    Cancel {
        /// Its id, the first 6 or more digits of it, or the source's order number
        order: Reference,
        /// Why, for the order's story
        #[arg(long, value_name = "TEXT", default_value = "cancelled on the command line")]
        reason: String,
    },
}

/// What to do with read models.
#[derive(Debug, Subcommand)]
pub enum ProjectionsCommand {
    /// List the read models, and how far each has read
    List,
    /// Build a read model anew beside the one that is shown, compare, and show the new one; a build that was killed goes on
    /// where it stopped
    Rebuild {
        /// Which one [default: all]
        model: Option<String>,
        /// Read at most so many events a second, to leave the machine to others; 0 is no limit
        #[arg(long, value_name = "N", default_value_t = 0)]
        rate: u32,
    },
    /// Compare what is shown with a fresh fold of all events; exit code 1 when they differ
    Verify {
        /// Which one [default: all]
        model: Option<String>,
    },
}

/// How an order is named on the command line. A text may be several of these; the id is tried first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What was written.
    pub text: String,
}

impl Reference {
    /// The id or the beginning of one that it may be: 6 to 32 hexadecimal digits.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        ((6..=32).contains(&self.text.len()) && self.text.bytes().all(digit)).then_some(self.text.as_str())
    }
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("name an order by its id, or by the source's order number".to_owned());
        }
        Ok(Self { text: text.to_owned() })
    }
}

/// How many lanes there may be.
fn lanes() -> RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=i64::from(MAX_LANES))
}

fn customer(text: &str) -> Result<CustomerId, String> {
    CustomerId::new(text).map_err(|error| error.to_string())
}

fn currency(code: &str) -> Result<Currency, String> {
    Currency::new(code).map_err(|error| error.to_string())
}

/// Reads a moment such as `2026-01-31T12:00:00Z`.
fn moment(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("{text:?} is no time; write it with its zone, such as 2026-01-31T12:00:00Z");
    Timestamp::parse(text).ok_or_else(wrong)
}

/// Reads a time such as `500ms`, `30s`, `2m` or `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time; write a whole number and ms, s, m or h, such as 30s");
    let digits = text.find(|one: char| !one.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
