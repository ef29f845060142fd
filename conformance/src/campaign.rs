//! Rounds of the suite over one broker after the other.

use crate::{args::Args, harness::RealServer, in_process::InProcess, summary::Summary};
use oms_core::{
    broker::Capabilities,
    conformance::{
        Failure, Report,
        broker::{Harness, run, run_chosen},
    },
};

/// Runs what was asked for. Each round has a server of its own.
///
/// # Errors
/// [`Failure`] when a server cannot be started or reached at all; a check that fails is in the summary.
pub async fn campaign(args: &Args) -> Result<Summary, Failure> {
    let mut summary = Summary::default();
    for named in &args.broker {
        for round in 1..=args.rounds {
            let (title, (capabilities, report)) = match named.kind() {
                None => ("in process".to_owned(), suite(&InProcess::default(), &args.only).await?),
                Some(kind) => {
                    let root = args.servers.clone();
                    let started =
                        tokio::task::spawn_blocking(move || RealServer::start(kind, &root)).await??;
                    (started.title(), suite(&started, &args.only).await?)
                }
            };
            for line in report.failed() {
                eprintln!("{title}, round {round}: {} FAILED: {}: {:?}", line.id, line.name, line.verdict);
            }
            eprintln!("{title}, round {round} of {}: {} passed", args.rounds, report.passed());
            summary.add(&title, &capabilities, report);
        }
    }
    Ok(summary)
}

async fn suite(
    harness: &(dyn Harness + 'static),
    only: &[String],
) -> Result<(Capabilities, Report), Failure> {
    let chosen = |id: &str| only.iter().any(|only| only == id);
    let ran = if only.is_empty() { run(harness).await } else { run_chosen(harness, chosen).await };
    Ok((harness.connect().await?.capabilities(), ran?))
}
