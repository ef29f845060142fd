//! The commands: each opens the database, does one thing, and prints what came of it.

mod check;
mod demo;
mod import;
mod letters;
mod open;
mod orders;
mod output;
mod projections;
mod status;
mod stock;

use crate::{
    args::{Cli, Command},
    exit::Failure,
};

/// Does what the command line asks.
///
/// # Errors
/// [`Failure`], with its exit code.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    let (db, json) = (cli.database(), cli.json);
    match cli.command {
        Command::Demo(args) => demo::run(&db, json, &args).await,
        Command::Import(args) => import::run(&db, json, &args).await,
        Command::Orders(command) => orders::run(&db, json, command).await,
        Command::DeadLetters(command) => letters::run(&db, json, command).await,
        Command::Projections(command) => projections::run(&db, json, command).await,
        Command::Stock(page) => stock::run(&db, json, &page).await,
        Command::Status => status::run(&db, json).await,
        Command::Check => check::run(&db, json).await,
    }
}
