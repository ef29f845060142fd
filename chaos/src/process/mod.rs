//! One process of the house over PostgreSQL: it works until it is killed, or until whoever started it goes away.
//!
//! ```no_run
//! // Not run: it needs the servers of a campaign, and ends with standard input.
//! use oms_chaos::args::ProcessArgs;
//! # async fn example() -> Result<(), oms_chaos::Failure> {
//! let args = ProcessArgs { store: "postgres://127.0.0.1/orders".into(), broker: "nats://127.0.0.1".into(), outside: "socket".into() };
//! oms_chaos::process::run(&args).await
//! # }
//! ```

mod doomed;

use crate::{args::ProcessArgs, failure::Failure, house, moment::Moment, outside};
use doomed::{Doom, Doomed};
use oms_broker::{RandomIds, SystemClock};
use oms_core::oms::Oms;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    task::JoinSet,
};

/// How long a process may take to begin.
const BEGIN: Duration = Duration::from_secs(60);
/// How long it waits before it tries again.
const AGAIN: Duration = Duration::from_millis(100);

/// Serves every group. A line on standard input names the [`Moment`] at which the process is to kill itself; the end of standard
/// input ends it.
///
/// # Errors
/// [`Failure`] when the store or the broker cannot be used.
pub async fn run(args: &ProcessArgs) -> Result<(), Failure> {
    let doom = Arc::new(Doom::default());
    let oms = begun(args, &doom).await?;
    let mut loops = JoinSet::new();
    for task in oms.tasks() {
        loops.spawn(task.future);
    }
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = orders.next_line().await {
        let moment = Moment::named(&line);
        doom.at(moment.ok_or_else(|| Failure::new(format!("no process can be killed at `{line}`")))?);
    }
    loops.shutdown().await;
    Ok(())
}

/// Begins, as often as whoever watches over processes would have it begin while a server is away.
async fn begun(args: &ProcessArgs, doom: &Arc<Doom>) -> Result<Oms, Failure> {
    let until = Instant::now() + BEGIN;
    loop {
        match begin(args, doom).await {
            Err(_) if Instant::now() < until => tokio::time::sleep(AGAIN).await,
            begun => return begun,
        }
    }
}

async fn begin(args: &ProcessArgs, doom: &Arc<Doom>) -> Result<Oms, Failure> {
    let unopened = |error| Failure::of("the database cannot be opened", error);
    let store = oms_postgres::open(&args.store).await.map_err(unopened)?;
    let broker = oms_broker::connect(&args.broker).await;
    let broker = broker.map_err(|error| Failure::of("the broker cannot be reached", error))?;
    let broker = Arc::new(Doomed::new(broker, Arc::clone(doom)));
    let builder =
        Oms::builder(broker, Arc::new(store), Arc::new(SystemClock), Arc::new(RandomIds::default()));
    let built = outside::furnish(builder, &args.outside).options(house::options(house::SHARED)).build();
    built.await.map_err(|error| Failure::of("the house cannot be built", error))
}
