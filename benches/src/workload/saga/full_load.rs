//! Full load beside its peers, and half of it as an open loop.

use super::{super::scale::stores, Scale, name::WORKLOAD};
use crate::{
    fault::Fault,
    house::{Basket, Keep, Plan, Way},
    load::{Contender, Load, Pace, Series, interleave, run},
    peer::{Recording, pipeline, record},
    report::{Bound, Report, Row, Target},
    workload::Figure,
};
use oms_sqlite::Synchronous;
use std::cell::Cell;

/// How long an open loop runs, in seconds of its own pace.
const SECONDS: f64 = 2.0;
/// A naive driver takes a part of the orders: it is that much slower.
const NAIVE: usize = 10;

/// The most orders whose rows are recorded: all of them are kept in memory.
const RECORDED: usize = 4_000;
/// The table that is only ever added to.
const EVENTS: &str = "event";

/// The most that was reached over memory, and over SQLite as it comes.
pub(super) type Most = [f64; 2];

/// The series of one store: the house, the house with two lines of stock, the naive driver, and the peer that is the ceiling.
struct Group {
    keep: Keep,
    house: Series,
    stocked: Series,
    naive: Series,
    ceiling: Series,
}

/// Measures everything at full load; gives what the house reached.
pub(super) fn measure(scale: &Scale, report: &mut Report) -> Result<Most, Fault> {
    let keeps = [Keep::Memory, Keep::Sqlite(Synchronous::Full), Keep::Sqlite(Synchronous::Normal)];
    let load = scale.full_load(&keeps[1]);
    let recording = record(&Load { orders: load.orders.min(RECORDED), ..load })?;
    // The floor writes in as many transactions as the house did in the round before it.
    let commits = [Cell::new(1.0), Cell::new(1.0), Cell::new(1.0)];
    let contenders = keeps.iter().zip(&commits).flat_map(|(keep, commits)| {
        [
            house(scale, keep, commits),
            stocked(scale, keep),
            naive(scale, keep),
            ceiling(scale, keep, &recording, commits),
        ]
    });
    let all = interleave("full load", scale.rounds, contenders.collect())?;
    let mut series = all.into_iter();
    let mut most = Most::default();
    for (at, keep) in keeps.into_iter().enumerate() {
        let mut next = || series.next().unwrap_or_default();
        let group = Group { keep, house: next(), stocked: next(), naive: next(), ceiling: next() };
        if let Some(most) = most.get_mut(at) {
            *most = group.house.median(|sample| Figure::OrdersPerSecond.of(sample));
        }
        group.rows().into_iter().for_each(|row| report.add(row));
    }
    by_table(&recording).into_iter().for_each(|row| report.add(row));
    Ok(most)
}

/// The rows of an order by table, as the file itself has counted them; those of events are only ever added.
fn by_table(recording: &Recording) -> Vec<Row> {
    let keep = Keep::Sqlite(Synchronous::Full);
    let row = |variant, value| Row {
        workload: WORKLOAD,
        variant,
        broker: "memory",
        store: keep.store(),
        durability: keep.durability(),
        value,
        best: value,
        unit: "rows/order",
        rounds: 1,
        ..Row::default()
    };
    let all: Vec<_> = recording.rows_each().collect();
    let named = |(table, act, rows): &(&str, &str, f64)| row(format!("rows: {table}, {act}"), *rows);
    let changed = all.iter().filter(|(table, act, _)| *table == EVENTS && *act != "insert");
    let changed = changed.fold(0.0, |sum, (_, _, rows)| sum + rows);
    let target = Target::new(changed, Bound::AtMost(0.0), "event rows that are changed or deleted");
    let kept = row("rows: event, update or delete".to_owned(), changed).held_against(Some(target));
    all.iter().map(named).chain([kept]).collect()
}

fn house<'a>(scale: &Scale, keep: &'a Keep, commits: &'a Cell<f64>) -> Contender<'a> {
    let (plan, load) = (Plan::over(keep.clone()), scale.full_load(keep));
    Contender::new("the house", move || {
        let sample = run(&plan, &load)?;
        commits.set(sample.commits_each());
        Ok(sample)
    })
}

fn stocked<'a>(scale: &Scale, keep: &Keep) -> Contender<'a> {
    let (plan, load) = (Plan::over(keep.clone()), scale.full_load(keep));
    let load = Load { basket: Basket::Stocked, ..load };
    Contender::new("the house, two lines of stock", move || run(&plan, &load))
}

fn naive<'a>(scale: &Scale, keep: &Keep) -> Contender<'a> {
    let plan = Plan { way: Way::Naive, ..Plan::over(keep.clone()) };
    let load = scale.full_load(keep);
    let orders = (load.orders / NAIVE).max(5);
    let load = Load { orders, warm: load.warm / NAIVE, ..load };
    Contender::new("naive driver", move || run(&plan, &load))
}

fn ceiling<'a>(
    scale: &Scale,
    keep: &Keep,
    recording: &'a Recording,
    commits: &'a Cell<f64>,
) -> Contender<'a> {
    let (orders, window) = (scale.orders * 2, scale.window);
    match keep {
        // PostgreSQL is a part of its own, with a floor of its own.
        Keep::Memory | Keep::Postgres(_) => {
            Contender::new("five-task pipeline", move || pipeline(orders, window))
        }
        Keep::Sqlite(synchronous) | Keep::File(_, synchronous) => {
            let synchronous = *synchronous;
            Contender::new("store floor", move || recording.write(synchronous, commits.get()))
        }
    }
}

impl Group {
    fn rows(&self) -> Vec<Row> {
        let rate = Figure::OrdersPerSecond;
        let one = |variant, series| rate.row(WORKLOAD, variant, &self.keep, series);
        let against = |peer: &Series, bound: Option<Bound>, what: &str| {
            let row = rate.beside(WORKLOAD, "full load", &self.keep, &self.house, peer);
            let target = row.ratio.zip(bound).map(|(ratio, bound)| Target::new(ratio, bound, what));
            row.held_against(target)
        };
        let (ceiling, naive) = match &self.keep {
            Keep::Memory | Keep::Postgres(_) => (Some(Bound::AtLeast(0.5)), None),
            Keep::Sqlite(Synchronous::Full) | Keep::File(_, Synchronous::Full) => {
                (Some(Bound::AtLeast(0.6)), Some(Bound::AtLeast(8.0)))
            }
            Keep::Sqlite(Synchronous::Normal) | Keep::File(_, Synchronous::Normal) => {
                (None, Some(Bound::AtLeast(3.0)))
            }
        };
        let rows = Figure::Rows.row(WORKLOAD, "full load", &self.keep, &self.house);
        let budget = Target::new(rows.value, Bound::AtMost(50.0), "rows per order in full batches");
        let budget = (self.keep != Keep::Memory).then_some(budget);
        vec![
            against(&self.ceiling, ceiling, &format!("of the {}", self.ceiling.name)),
            against(&self.naive, naive, "times the naive driver"),
            one("full load, two lines of stock", &self.stocked),
            one(&self.ceiling.name, &self.ceiling),
            one(&self.naive.name, &self.naive),
            rows.held_against(budget),
        ]
    }
}

/// An open loop at half of what was reached, counted from the moment each order was meant to come.
pub(super) fn at_half(scale: &Scale, most: &Most, report: &mut Report) -> Result<(), Fault> {
    let keeps = stores();
    let contender = |(keep, most): (&Keep, &f64)| {
        let (plan, pace) = (Plan::over(keep.clone()), most / 2.0);
        let orders = ((pace * SECONDS) as usize).clamp(5, scale.orders);
        let load = Load { orders, pace: Pace::PerSecond(pace), ..scale.full_load(keep) };
        Contender::new("half of the maximum", move || run(&plan, &load))
    };
    let contenders = keeps.iter().zip(most).map(contender).collect();
    for (keep, series) in keeps.iter().zip(interleave("open loop", scale.rounds, contenders)?) {
        for figure in [Figure::Within(50.0), Figure::Within(99.0)] {
            report.add(figure.row(WORKLOAD, "open loop at half of the maximum", keep, &series));
        }
    }
    Ok(())
}
