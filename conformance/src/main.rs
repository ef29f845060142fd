//! The suite as a campaign.

use clap::Parser as _;
use oms_conformance::{Args, campaign};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match campaign(&Args::parse()).await {
        Ok(summary) => {
            print!("{summary}");
            if summary.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(failure) => {
            eprintln!("error: {}", failure.why());
            ExitCode::FAILURE
        }
    }
}
