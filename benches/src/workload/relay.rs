//! The relay: how many messages a second it takes from a store to a broker that has them at once, beside the store that is only read.

use super::{Figure, Scale};
use crate::{
    fault::Fault,
    house::{Basket, Keep, Nowhere, in_schema, open_store},
    load::{Contender, Sample, interleave, with_time},
    meter::{Stopwatch, pressure},
    report::{Bound, Report, Row, Target},
};
use oms_broker::{RandomIds, SystemClock};
use oms_core::{
    message::{GroupLane, Limit},
    oms::{Oms, Placement},
    store::Store,
    worker::Options,
};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::task::JoinSet;

const WORKLOAD: &str = "relay";
/// The longest a part may take.
const LIMIT: Duration = Duration::from_secs(600);
/// Orders that are placed with one call.
const TOGETHER: usize = 400;
/// Messages that should leave in a second.
const WANTED: f64 = 300_000.0;

/// Measures how fast the relay empties a store in which orders were placed and nothing else was done, over each of these stores.
///
/// # Errors
/// [`Fault`], by what failed.
pub fn relay(scale: &Scale, stores: &[Keep]) -> Result<Report, Fault> {
    let mut report = Report::default();
    for keep in stores {
        let folder = TempDir::new().map_err(|error| Fault::place(std::env::temp_dir(), error))?;
        let place = match keep {
            Keep::Memory => None,
            Keep::Postgres(url) => Some(Keep::Postgres(in_schema(url, WORKLOAD))),
            Keep::Sqlite(mode) | Keep::File(_, mode) => {
                Some(Keep::File(folder.path().join("orders.db"), *mode))
            }
        };
        // Rows in memory go with the runtime's store, so that each run fills its own.
        let owed = scale.orders;
        if let Some(place) = &place {
            with_time("filling a store", LIMIT, filled(place, owed))?;
        }
        let there = |place: &Option<Keep>| place.clone().unwrap_or(Keep::Memory);
        let contenders = vec![
            Contender::new("the store, only read", || {
                with_time("reading", LIMIT, only_read(there(&place), owed))
            }),
            Contender::new("the relay", || with_time("relaying", LIMIT, relayed(there(&place), owed))),
        ];
        let series = interleave(WORKLOAD, scale.rounds, contenders)?;
        let [read, relayed] = series.as_slice() else { return Err(Fault::void("two were measured")) };
        let messages = |row: Row| Row { unit: "messages/s", ..row };
        report.add(messages(Figure::OrdersPerSecond.row(WORKLOAD, &read.name, keep, read)));
        let row = messages(Figure::OrdersPerSecond.beside(
            WORKLOAD,
            "to a broker that has all",
            keep,
            relayed,
            read,
        ));
        let target =
            Target::new(row.value, Bound::AtLeast(WANTED), "messages/s from the store to the broker");
        report.add(row.held_against(Some(target)));
    }
    Ok(report)
}

/// A store in which so many orders are placed, and nobody works; fills it where it is empty.
async fn filled(keep: &Keep, orders: usize) -> Result<Arc<dyn Store>, Fault> {
    let (store, _) = open_store(keep).await?;
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds::default()));
    let built = Oms::builder(Arc::<Nowhere>::default(), Arc::clone(&store), clock, ids)
        .options(Options { backlog: u64::MAX, ..Options::default() })
        .build();
    let oms = built.await.map_err(Fault::measured)?;
    if oms.count().await.map_err(Fault::measured)?.owed > 0 {
        return Ok(store);
    }
    let placements = (0..orders).map(|number| {
        let (principal, idempotency_key) = ("relay".to_owned(), number.to_string());
        Ok(Placement { order: Basket::Plain.order(number)?, principal, idempotency_key })
    });
    let placements = placements.collect::<Result<Vec<_>, Fault>>()?;
    for some in placements.chunks(TOGETHER) {
        for answer in oms.place_batch(some.to_vec()).await {
            answer.map_err(Fault::measured)?;
        }
    }
    Ok(store)
}

/// Runs a house, to whose groups nothing is ever brought, until everything has left.
async fn relayed(keep: Keep, orders: usize) -> Result<Sample, Fault> {
    let store = filled(&keep, orders).await?;
    let owed = owed(&*store).await?;
    if owed == 0 {
        return Err(Fault::void("nothing waits to be relayed"));
    }
    let broker = Arc::<Nowhere>::default();
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds::default()));
    let oms = Oms::builder(Arc::<Nowhere>::clone(&broker), store, clock, ids).build().await;
    let oms = oms.map_err(Fault::measured)?;
    let watch = Stopwatch::start();
    let mut loops = JoinSet::new();
    for task in oms.tasks() {
        loops.spawn(task.future);
    }
    broker.has(owed).await;
    let times = watch.read();
    // Its leases are given back, and the next one does not wait for them.
    oms.drain();
    while loops.join_next().await.is_some() {}
    Ok(Sample { orders: broker.messages(), times, pressure: pressure(), ..Sample::default() })
}

/// Reads what the relay reads, in its portions, and does nothing with it.
async fn only_read(keep: Keep, orders: usize) -> Result<Sample, Fault> {
    let store = filled(&keep, orders).await?;
    let watch = Stopwatch::start();
    let messages = owed(&*store).await?;
    Ok(Sample { orders: messages, times: watch.read(), pressure: pressure(), ..Sample::default() })
}

/// All messages that wait to be sent, read as the relay reads them.
async fn owed(store: &dyn Store) -> Result<u64, Fault> {
    let options = Options::default();
    let limit = Limit { messages: options.batch.messages * 8, ..options.batch };
    let lanes = (0..options.lanes).map(|lane| (GroupLane::new("place", lane), 0));
    let (mut after, mut messages): (Vec<_>, _) = (lanes.collect(), 0);
    loop {
        let packs = store.unsent(&after, limit).await.map_err(Fault::measured)?;
        if packs.is_empty() {
            return Ok(messages);
        }
        for pack in packs {
            messages += pack.keys.len() as u64;
            if let Some(place) = after.iter_mut().find(|(lane, _)| *lane == pack.id.sender) {
                place.1 = pack.id.position;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::stores;

    #[test]
    fn everything_that_waits_leaves_over_both_stores() {
        let report = relay(&Scale::tiny(), &stores()).unwrap();
        assert_eq!(report.rows().len(), 4);
        assert!(report.rows().iter().all(|row| row.value > 0.0));
    }
}
