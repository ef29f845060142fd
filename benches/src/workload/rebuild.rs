//! Read models: how many events a second are folded anew, beside the log that is only read.

use super::{Figure, Scale};
use crate::{
    fault::Fault,
    house::{Basket, House, Keep, Plan, in_schema},
    load::{Contender, Sample, interleave, place, with_time},
    meter::{Stopwatch, memory, pressure},
    report::{Bound, Report, Row, Target},
};
use oms_core::{
    message::GroupLane,
    projection::model::{BATCH, Library, MemoryModels, Projection, ReadModels, Rebuild, house_models},
    store::Store,
};
use oms_sqlite::Synchronous;
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;

const WORKLOAD: &str = "rebuild";
/// The longest a part may take.
const LIMIT: Duration = Duration::from_secs(3_600);
/// Events that are read at a time where they are only read.
const PAGE: usize = 500;
const MEGABYTE: f64 = 1_048_576.0;
/// What a second should fold, and what a rebuild may add to the memory of a process whose rows lie on disk.
const IN_MEMORY: f64 = 1_200_000.0;
const ON_POSTGRES: f64 = 300_000.0;
const FLAT: f64 = 64.0;

/// Measures how fast read models are folded anew from the log of completed orders, over each of these stores, all five of the
/// house and that of the orders alone. A run is void when a fold's hash is not that of the fold before.
///
/// # Errors
/// [`Fault`], by what failed.
pub fn rebuild(scale: &Scale, stores: &[Keep]) -> Result<Report, Fault> {
    let mut report = Report::default();
    for keep in stores {
        let folder = TempDir::new().map_err(|error| Fault::place(std::env::temp_dir(), error))?;
        let written = Written::fill(keep, &folder, scale)?;
        let (all, orders) = (house_models(), house_models()[..1].to_vec());
        let contender = |name: &str, models: Vec<Arc<dyn Projection>>| {
            let written = written.clone();
            Contender::new(name, move || with_time("a rebuild", LIMIT, fold(&written, &models)))
        };
        let read = {
            let (written, models) = (written.clone(), orders.clone());
            Contender::new("the log, only read", move || {
                with_time("the log", LIMIT, only_read(&written, &models))
            })
        };
        let before = memory()?.resident;
        let rounds = vec![read, contender("orders", orders), contender("all five models", all)];
        let series = interleave(WORKLOAD, scale.rounds, rounds)?;
        let [read, orders, all] = series.as_slice() else { return Err(Fault::void("three were measured")) };
        let events = |row: Row| Row { unit: "events/s", ..row };
        report.add(events(Figure::OrdersPerSecond.row(WORKLOAD, &read.name, keep, read)));
        for one in [orders, all] {
            let row = events(Figure::OrdersPerSecond.beside(WORKLOAD, &one.name, keep, one, read));
            let target =
                wanted(keep).map(|(least, what)| Target::new(row.value, Bound::AtLeast(least), what));
            report.add(row.held_against(target));
        }
        report.add(added(keep, (memory()?.resident as f64 - before as f64) / MEGABYTE));
    }
    Ok(report)
}

fn wanted(keep: &Keep) -> Option<(f64, &'static str)> {
    match keep {
        Keep::Memory => Some((IN_MEMORY, "events/s folded in memory")),
        Keep::Postgres(_) => Some((ON_POSTGRES, "events/s folded into tables of PostgreSQL")),
        Keep::Sqlite(_) | Keep::File(..) => None,
    }
}

/// What all rounds left in the memory of this process; with rows in memory that is the rows, with rows on disk next to nothing.
fn added(keep: &Keep, megabytes: f64) -> Row {
    let row = Row {
        workload: WORKLOAD,
        variant: "all rounds".to_owned(),
        broker: "memory",
        store: keep.store(),
        durability: keep.durability(),
        value: megabytes,
        best: megabytes,
        unit: "MB added",
        rounds: 1,
        ..Row::default()
    };
    let target = (*keep != Keep::Memory)
        .then(|| Target::new(megabytes, Bound::AtMost(FLAT), "MB of process memory for all rebuilds"));
    row.held_against(target)
}

/// A store with completed orders, and a place for the rows.
#[derive(Clone)]
enum Written {
    /// Both are there as long as this process.
    Here(Library),
    /// Both are in a schema of PostgreSQL, and its connections live as long as a run.
    There(String, u16),
}

impl Written {
    fn fill(keep: &Keep, folder: &TempDir, scale: &Scale) -> Result<Self, Fault> {
        let file = folder.path().join("orders.db");
        let filled = match keep {
            Keep::Memory => Keep::Memory,
            // Nobody waits for the disk here: only what is read of it is measured.
            Keep::Sqlite(_) | Keep::File(..) => Keep::File(file.clone(), Synchronous::Normal),
            Keep::Postgres(url) => Keep::Postgres(in_schema(url, WORKLOAD)),
        };
        // Filling takes far longer there than folding.
        let count = if filled == Keep::Memory { scale.orders } else { scale.orders / 4 };
        let plan = Plan { times: false, ..Plan::over(filled.clone()) };
        let store = with_time("filling a store", LIMIT, async {
            let house = House::open(&plan).await?;
            house.stock().await?;
            place(&house, Basket::Plain, 0..count, scale.window).await?;
            house.rest(0).await?;
            let store = Arc::clone(&house.store);
            house.close().await;
            Ok(store)
        })?;
        let (projections, lanes) = (house_models(), plan.lanes);
        match filled {
            Keep::Memory => {
                let models: Arc<dyn ReadModels> = Arc::<MemoryModels>::default();
                Ok(Self::Here(Library { store, models, projections, lanes }))
            }
            Keep::Postgres(url) => Ok(Self::There(url, lanes)),
            Keep::Sqlite(_) | Keep::File(..) => {
                drop(store);
                let models = Arc::new(oms_sqlite::open(&file).map_err(Fault::measured)?);
                let store: Arc<dyn Store> = Arc::<oms_sqlite::SqliteStore>::clone(&models);
                Ok(Self::Here(Library { store, models, projections, lanes }))
            }
        }
    }

    async fn open(&self) -> Result<Library, Fault> {
        match self {
            Self::Here(library) => Ok(library.clone()),
            Self::There(url, lanes) => {
                let models = Arc::new(oms_postgres::open(url).await.map_err(Fault::measured)?);
                let store: Arc<dyn Store> = Arc::<oms_postgres::PostgresStore>::clone(&models);
                Ok(Library { store, models, projections: house_models(), lanes: *lanes })
            }
        }
    }
}

/// Folds models anew, each in a task of its own as a house does it, and shows them.
async fn fold(written: &Written, models: &[Arc<dyn Projection>]) -> Result<Sample, Fault> {
    let library = written.open().await?;
    let watch = Stopwatch::start();
    let tasks = models.iter().map(|model| tokio::spawn(fold_one(library.clone(), Arc::clone(model))));
    let mut folded = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        folded.push(task.await.map_err(Fault::measured)??);
    }
    let times = watch.read();
    let orders = folded.iter().map(|(_, events)| events).sum();
    for (mut rebuild, _) in folded {
        let compared = rebuild.compare().await.map_err(Fault::measured)?;
        if compared.live.is_some() && !compared.is_equal() {
            return Err(Fault::void("a fold gave other rows than the one before"));
        }
        rebuild.publish().await.map_err(Fault::measured)?;
    }
    Ok(Sample { orders, times, pressure: pressure(), ..Sample::default() })
}

async fn fold_one(library: Library, model: Arc<dyn Projection>) -> Result<(Rebuild, u64), Fault> {
    let mut rebuild = library.rebuild(&model).await.map_err(Fault::measured)?;
    loop {
        let progress = rebuild.step(BATCH).await.map_err(Fault::measured)?;
        if progress.caught_up {
            return Ok((rebuild, progress.events));
        }
    }
}

/// Reads the lanes of these models, and does nothing with what it read.
async fn only_read(written: &Written, models: &[Arc<dyn Projection>]) -> Result<Sample, Fault> {
    let library = written.open().await?;
    let watch = Stopwatch::start();
    let mut events = 0;
    for projection in models {
        let groups = projection.groups().iter();
        for lane in groups.flat_map(|group| (0..library.lanes).map(|lane| GroupLane::new(group, lane))) {
            let mut after = 0;
            loop {
                let page = library.store.log(&lane, after, PAGE).await.map_err(Fault::measured)?;
                let Some(last) = page.last() else { break };
                after = last.position;
                events +=
                    page.iter().filter(|one| projection.kinds().contains(&&*one.stream.kind)).count() as u64;
            }
        }
    }
    Ok(Sample { orders: events, times: watch.read(), pressure: pressure(), ..Sample::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::stores;

    #[test]
    fn every_model_is_folded_over_both_stores() {
        let report = rebuild(&Scale::tiny(), &stores()).unwrap();
        assert_eq!(report.rows().len(), 8);
        assert!(report.rows().iter().filter(|row| row.unit == "events/s").all(|row| row.value > 0.0));
    }
}
