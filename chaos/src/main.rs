//! The `oms-chaos` program, which `cargo xtask chaos` builds and runs.

use clap::Parser as _;
use oms_chaos::{
    Failure,
    args::{BrokerArgs, Campaign, Cli},
    campaign,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Campaign::Broker(args) = Cli::parse().campaign;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no runtime can be started: {error}");
            return ExitCode::from(3);
        }
    };
    match runtime.block_on(broker(&args)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {}", failure.whole());
            ExitCode::from(3)
        }
    }
}

/// Runs the campaign, and says whether every promise held.
async fn broker(args: &BrokerArgs) -> Result<bool, Failure> {
    let summary = campaign::run(args, |line| println!("{line}")).await?;
    println!("{summary}");
    if let Some(file) = &args.json {
        let unwritten =
            |error: std::io::Error| Failure::of(format!("{} cannot be written", file.display()), error);
        let text = serde_json::to_string_pretty(&summary).map_err(|error| unwritten(error.into()))?;
        std::fs::write(file, text + "\n").map_err(unwritten)?;
    }
    Ok(summary.violations.is_empty())
}
