//! What may befall a demo in mid-run.

use super::BrokerUrl;
use crate::plan::Percent;
use clap::Args;

/// When the house is stopped where it stands, and what it finds when it goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "In mid-run")]
pub struct BlowArgs {
    /// Once so many percent of the orders are placed, have the broker lose all that it has
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub wipe_at: Option<Percent>,
    /// The command that wipes the broker's server and starts it again [default: ask whoever watches to do it]
    #[arg(long, value_name = "COMMAND", requires = "wipe_at")]
    pub wipe_with: Option<String>,
    /// Go on over this broker, with the same database, from there on or from half of the orders
    #[arg(long, value_name = "URL")]
    pub then: Option<BrokerUrl>,
}

/// Reads a percentage, which may say so.
fn percent(text: &str) -> Result<Percent, String> {
    text.strip_suffix('%').unwrap_or(text).parse()
}
