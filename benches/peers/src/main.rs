//! Appends over PostgreSQL, each peer on a database of its own of one server, in rounds that follow each other.
//!
//! `cargo xtask bench store` builds and runs it. A worker appends one event of about 480 bytes after the other to a stream of its own,
//! and waits for each to be durable.

mod cqrs;
mod distributed;
mod house;
mod load;
mod peer;
mod report;
mod sqlx_bare;

use anyhow::{Context, Result};
use clap::Parser;
use load::{Scale, rates};
use oms_servers::{Kind, Server};
use report::Report;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// What is measured.
#[derive(Debug, Parser)]
struct Args {
    /// Write the rows into this file, as one JSON array
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Run little and short: shows that it works, and no figure that counts
    #[arg(long)]
    quick: bool,
}

/// How many streams are appended to at a time, by workers that do not wait for each other.
const CONCURRENT: usize = 16;

/// Times the best peer with sixteen streams.
const TIMES: f64 = 5.0;
/// Of bare sqlx that sends the same statements, with one.
const PART: f64 = 0.95;

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let server = Server::start(Kind::Postgres, Path::new("target/servers"), &mut |line| eprintln!("{line}"))?;
    let scale = if args.quick { Scale::quick() } else { Scale::full() };
    let house = Arc::new(house::House::open(&server).await?);
    let bare = Arc::new(sqlx_bare::Bare::open(&server).await?);
    let cqrs = Arc::new(cqrs::Cqrs::open(&server).await?);
    let distributed = Arc::new(distributed::Distributed::open(&server).await?);
    let mut report = Report::new(args.quick, format!("PostgreSQL {}", server.version()));
    for (workers, variant) in [(1, "append, one stream"), (CONCURRENT, "append, 16 streams")] {
        let measured = rates!(scale, workers; house, bare, cqrs, distributed);
        let [ours, bare, cqrs, distributed] = &measured;
        if workers == 1 {
            report.add(variant, ours, bare, Some(PART));
            report.add(variant, ours, cqrs, None);
            report.add(variant, ours, distributed, None);
        } else {
            report.add(variant, ours, bare, None);
            report.add(variant, ours, cqrs, Some(TIMES));
            report.add(variant, ours, distributed, Some(TIMES));
        }
    }
    println!("{report}");
    if let Some(file) = &args.json {
        std::fs::write(file, report.json()?)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(())
}
