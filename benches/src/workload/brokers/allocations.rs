//! Allocations of a pack, counted in a process whose allocator counts.

use super::{name::WORKLOAD, server::Served};
use crate::{
    fault::Fault,
    report::{Bound, Report, Row, Target},
    wire::{Act, Contest, Port, Road, Shape, Wire, measure as travel},
};
use serde::{Deserialize, Serialize};
use std::{path::Path, process::Command, sync::Arc};

/// Packs whose allocations are counted, after as many that are not.
const PACKS: usize = 20_000;
const SHAPE: Shape = Shape { bytes: 256, lanes: 1 };
/// What the port may allocate beyond its client, for a pack.
const MORE: f64 = 2.0;

/// Allocations of one pack, from its publish to its ack; those of a client in C are its own affair, and not among them.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Counted {
    /// Through the port.
    pub port: f64,
    /// By the bare client.
    pub bare: Option<f64>,
}

/// Counts what a pack allocates over the broker at `url`; `count` reads the counter of this process.
///
/// # Errors
/// [`Fault`], by what failed.
pub async fn counted(url: &str, count: fn() -> usize) -> Result<Counted, Fault> {
    let contest = Contest::open(url).await?;
    let port: Arc<dyn Wire> = Arc::new(Port(Arc::clone(&contest.ours)));
    let one = async |name: &str, wire: &Arc<dyn Wire>| {
        let road = Road::new(name, SHAPE);
        contest.ours.declare(&road.topology()).await.map_err(Fault::measured)?;
        travel(wire, &road, Act::Both, PACKS).await?;
        let before = count();
        travel(wire, &road, Act::Both, PACKS).await?;
        Ok::<_, Fault>((count() - before) as f64 / PACKS as f64)
    };
    let bare = match &contest.bare {
        Some(bare) => Some(one("counted-bare", bare).await?),
        None => None,
    };
    Ok(Counted { port: one("counted-port", &port).await?, bare })
}

/// Has `program` count.
pub(super) fn measure(served: &Served, program: &Path, report: &mut Report) -> Result<(), Fault> {
    let done = Command::new(program).arg(&served.url).output();
    let done = done.map_err(|error| Fault::place(program, error))?;
    if !done.status.success() {
        return Err(Fault::void(String::from_utf8_lossy(&done.stderr)));
    }
    let counted: Counted = serde_json::from_slice(&done.stdout).map_err(Fault::measured)?;
    let target = counted.bare.map(|bare| {
        Target::new(counted.port - bare, Bound::AtMost(MORE), "allocations more than the bare client")
    });
    let row = Row {
        workload: WORKLOAD,
        variant: "allocations, end to end, 256 B, lanes: 1".to_owned(),
        broker: served.kind.map_or("memory", oms_servers::Kind::name),
        store: "none",
        durability: "any",
        value: counted.port,
        best: counted.port,
        unit: "allocations/pack",
        rounds: 1,
        peer: counted.bare.map(|_| "the bare client".to_owned()),
        ratio: counted.bare.map(|bare| counted.port / bare),
        ..Row::default()
    };
    report.add(row.held_against(target));
    Ok(())
}
