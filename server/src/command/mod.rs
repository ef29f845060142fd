//! The commands: each opens the database, does one thing, and prints what came of it.

mod check;
mod demo;
mod import;
mod letters;
mod open;
mod orders;
mod stock;

use crate::{
    args::{Cli, Command},
    exit::{Blame, Failure},
    show::object,
};
use serde::Serialize;
use std::io::Write as _;

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
        Command::Stock(page) => stock::run(&db, json, &page).await,
        Command::Check => check::run(&db, json).await,
    }
}

/// Prints for a script or for a person.
fn print(json: bool, answer: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
    let text = if json { object(answer).map_err(broken)? } else { text() };
    match writeln!(std::io::stdout(), "{text}") {
        // Whoever read it has read enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| Failure::new(Blame::Outside, error)),
    }
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::new(Blame::Promise, error)
}

fn outside(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::new(Blame::Outside, error)
}
