//! The commands: each opens the database, does one thing, and prints what came of it.

mod check;
mod connect;
mod demo;
mod import;
mod letters;
mod open;
mod orders;
mod output;
mod projections;
mod site;
mod status;
mod stock;
mod topology;
mod worker;

use self::site::Site;
use crate::{
    args::{Cli, Command},
    exit::Failure,
};

/// Does what the command line asks.
///
/// # Errors
/// [`Failure`], with its exit code.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    let (site, json) = (Site::of(&cli)?, cli.json);
    match cli.command {
        Command::Demo(args) => demo::run(&site, json, &args).await,
        Command::Import(args) => import::run(&site, json, &args).await,
        Command::Worker(args) => worker::run(&site, json, &args).await,
        Command::Orders(command) => orders::run(&site, json, command).await,
        Command::DeadLetters(command) => letters::run(&site, json, command).await,
        Command::Projections(command) => projections::run(&site, json, command).await,
        Command::Stock(page) => stock::run(&site, json, &page).await,
        Command::Topology(command) => topology::run(&site, json, &command).await,
        Command::Status => status::run(&site, json).await,
        Command::Check(args) => check::run(&site, json, args).await,
    }
}
