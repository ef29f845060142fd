//! The `oms` command.

use clap::Parser as _;
use oms_server::{args::Cli, command};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    trace(cli.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no runtime can be started: {error}");
            return ExitCode::from(3);
        }
    };
    let run = async {
        let _limit = size_limit();
        command::run(cli).await
    };
    match runtime.block_on(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(&failure)
        }
    }
}

/// A limit on the size of files (`ulimit -f`) is like a full disk: an error to report, not a reason to die.
#[cfg(unix)]
fn size_limit() -> std::io::Result<tokio::signal::unix::Signal> {
    // SIGXFSZ on Linux, macOS and the BSDs.
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(25))
}

#[cfg(not(unix))]
fn size_limit() {}

/// Says on standard error what happens, when it is asked for.
fn trace(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
