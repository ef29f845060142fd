//! Cold start: from the start of a process to its first accepted order.

use super::Scale;
use crate::{
    fault::Fault,
    house::{Basket, House, Keep, Plan},
    load::{place, with_runtime},
    meter::pressure,
    process::{first_word, whole},
    progress::Progress,
    report::{Better, Bound, Report, Row, Target, best, median},
};
use oms_sqlite::Synchronous;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;

const WORKLOAD: &str = "start";
/// The most a start may take, in milliseconds.
const IN_MEMORY: f64 = 10.0;
const ON_SQLITE: f64 = 50.0;

/// What a process starts over.
#[derive(Clone, Debug, clap::Args)]
pub struct Cold {
    /// A SQLite file; nothing means memory
    #[arg(long)]
    pub file: Option<PathBuf>,
}

impl Cold {
    fn arguments(&self) -> Vec<String> {
        let file =
            self.file.iter().flat_map(|file| ["--file".to_owned(), file.to_string_lossy().into_owned()]);
        std::iter::once("first-order".to_owned()).chain(file).collect()
    }
}

/// Starts a house in this process, places one order, and says so.
///
/// # Errors
/// [`Fault`], by what failed.
pub fn first_order(cold: &Cold) -> Result<(), Fault> {
    let file = cold.file.clone().map(|file| Keep::File(file, Synchronous::Full));
    let plan = Plan::over(file.unwrap_or(Keep::Memory));
    with_runtime("a start", async {
        let house = House::open(&plan).await?;
        let order = Basket::Plain.order(0)?;
        house.oms.place(order, "start", "first").await.map_err(Fault::measured)?;
        println!("accepted");
        Ok(())
    })
}

/// One kind of start, with the times it took, in milliseconds.
struct Start<'a> {
    variant: &'static str,
    keep: Keep,
    most: Option<f64>,
    run: Box<dyn Fn(usize) -> Result<Duration, Fault> + 'a>,
    times: Vec<f64>,
}

/// Measures starts: of `benches`, over memory and over an existing file; of a process that does nothing; and of the whole command
/// that imports one order, where `oms` is there.
///
/// # Errors
/// [`Fault`], by what failed.
pub fn start(scale: &Scale, benches: &Path, oms: Option<&Path>) -> Result<Report, Fault> {
    let folder = TempDir::new().map_err(|error| Fault::place(std::env::temp_dir(), error))?;
    let base = prepare(scale, folder.path())?;
    let mut starts = starts(benches, &base, folder.path());
    starts.extend(oms.map(|oms| whole_command(oms, folder.path())));
    let progress = Progress::new(WORKLOAD, (scale.starts * starts.len()) as u64);
    for round in 0..scale.starts {
        for start in &mut starts {
            start.times.push((start.run)(round)?.as_secs_f64() * 1_000.0);
            progress.step();
        }
    }
    let mut report = Report::default();
    starts.iter().for_each(|start| report.add(start.row()));
    Ok(report)
}

/// Makes a file with completed orders, as an earlier process left it.
fn prepare(scale: &Scale, folder: &Path) -> Result<PathBuf, Fault> {
    let base = folder.join("base.db");
    let plan = Plan::over(Keep::File(base.clone(), Synchronous::Full));
    with_runtime("the file before the starts", async {
        let house = House::open(&plan).await?;
        house.stock().await?;
        place(&house, Basket::Plain, 0..scale.orders / 20 + 1, scale.window).await?;
        house.rest(0).await?;
        house.close().await;
        Ok(base)
    })
}

fn starts<'a>(benches: &'a Path, base: &'a Path, folder: &'a Path) -> Vec<Start<'a>> {
    let (none, sqlite) = (Keep::Memory, Keep::Sqlite(Synchronous::Full));
    let in_memory = |_| first_word(benches, &Cold { file: None }.arguments());
    let on_file = move |_| {
        // Each start finds the file as it was left, not as the start before it left it.
        let file = folder.join("start.db");
        fs::copy(base, &file).map_err(|error| Fault::place(&file, error))?;
        let started = first_word(benches, &Cold { file: Some(file.clone()) }.arguments());
        for ending in ["", "-wal", "-shm", "-lock"] {
            let _ = fs::remove_file(folder.join(format!("start.db{ending}")));
        }
        started
    };
    let nothing = |_| whole(benches, &["--version".to_owned()]);
    let start = |variant, keep, most, run| Start { variant, keep, most, run, times: Vec::new() };
    vec![
        start("first accepted order", none.clone(), Some(IN_MEMORY), Box::new(in_memory)),
        start("first accepted order, existing file", sqlite, Some(ON_SQLITE), Box::new(on_file)),
        start("a process that does nothing", none, None, Box::new(nothing)),
    ]
}

/// The whole of `oms import` with one order, until it is completed: what a user waits for.
fn whole_command<'a>(oms: &'a Path, folder: &'a Path) -> Start<'a> {
    let run = move |round: usize| {
        let file = folder.join("one.csv");
        let text = format!(
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
             {},85123A,HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom\n",
            536_365 + round
        );
        fs::write(&file, text).map_err(|error| Fault::place(&file, error))?;
        let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let db = path("command.db");
        whole(oms, &["--db".to_owned(), db, "import".to_owned(), path("one.csv"), "--json".to_owned()])
    };
    let keep = Keep::Sqlite(Synchronous::Full);
    Start {
        variant: "oms import, one order to its end",
        keep,
        most: None,
        run: Box::new(run),
        times: Vec::new(),
    }
}

impl Start<'_> {
    fn row(&self) -> Row {
        let value = median(&self.times).unwrap_or_default();
        let bound =
            self.most.map(|most| Target::new(value, Bound::AtMost(most), "ms to the first accepted order"));
        let row = Row {
            workload: WORKLOAD,
            variant: self.variant.to_owned(),
            broker: "memory",
            store: self.keep.store(),
            durability: self.keep.durability(),
            value,
            best: best(&self.times, Better::Lower).unwrap_or_default(),
            unit: "ms p50",
            rounds: self.times.len(),
            pressure: pressure(),
            ..Row::default()
        };
        row.held_against(bound)
    }
}
