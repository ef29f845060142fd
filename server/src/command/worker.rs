//! `oms worker`: some services in a process of their own, until it is told to end.

use super::{
    open::{must_share, serving},
    output::print,
    site::Site,
};
use crate::{args::WorkerArgs, exit::Failure, show::figures, world::World};
use serde::Serialize;
use std::time::Duration;

/// How long the loops may take to finish what they have begun; what is left is owed, and another process's.
const DRAIN: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct Answer {
    services: Vec<&'static str>,
    turns: u64,
    handled: u64,
    taken: u64,
    outages: u64,
}

pub(super) async fn run(site: &Site, json: bool, args: &WorkerArgs) -> Result<(), Failure> {
    must_share(site, "oms worker")?;
    let services = args.groups();
    let (mut shop, _) = serving(site, World::default(), &args.world, &services).await?;
    shop.run();
    eprintln!("serving {}; Ctrl-C finishes what is begun and ends", services.join(", "));
    told().await?;
    shop.close(DRAIN).await;
    let metrics = shop.oms().metrics();
    let (turns, handled, taken, outages) = (metrics.turns, metrics.handled, metrics.taken, metrics.outages);
    let answer = Answer { services, turns, handled, taken, outages };
    print(json, &answer, || {
        let count = |name: &str, number: u64| (name.to_owned(), number.to_string());
        figures([
            count("turns", answer.turns),
            count("messages handled", answer.handled),
            count("messages taken from the store", answer.taken),
            count("outages", answer.outages),
        ])
    })
}

/// Waits until the process is asked to end: by Ctrl-C, or as service managers do.
async fn told() -> Result<(), Failure> {
    #[cfg(unix)]
    {
        let mut asked = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .map_err(Failure::outside)?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Failure::outside),
            _ = asked.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(Failure::outside)
}
