//! The `oms-chaos` program, which `cargo xtask chaos` builds and runs.

use clap::Parser as _;
use oms_chaos::{
    Failure,
    args::{Campaign, Cli},
    campaign, process, store,
};
use serde::Serialize;
use std::{fmt, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let campaign = Cli::parse().campaign;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no runtime can be started: {error}");
            return ExitCode::from(3);
        }
    };
    match runtime.block_on(run(campaign)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {}", failure.whole());
            ExitCode::from(3)
        }
    }
}

/// Runs what was asked for, and says whether every promise held.
async fn run(campaign: Campaign) -> Result<bool, Failure> {
    let say = |line: String| println!("{line}");
    match campaign {
        Campaign::Broker(args) => {
            let summary = campaign::run(&args, say).await?;
            tell(&summary, args.rounds.json.as_deref())?;
            Ok(summary.violations.is_empty())
        }
        Campaign::Store(args) => {
            let summary = store::run(&args, say).await?;
            tell(&summary, args.rounds.json.as_deref())?;
            Ok(summary.violations.is_empty())
        }
        Campaign::Process(args) => process::run(&args).await.map(|()| true),
    }
}

/// Prints a summary, and writes it where that was asked for.
fn tell(summary: &(impl Serialize + fmt::Display), file: Option<&Path>) -> Result<(), Failure> {
    println!("{summary}");
    let Some(file) = file else { return Ok(()) };
    let unwritten =
        |error: std::io::Error| Failure::of(format!("{} cannot be written", file.display()), error);
    let text = serde_json::to_string_pretty(summary).map_err(|error| unwritten(error.into()))?;
    std::fs::write(file, text + "\n").map_err(unwritten)
}
