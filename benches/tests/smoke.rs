//! Every workload with a few orders: what measures is itself in order, and every row is there.

use oms_benches::{
    report::Report,
    wire::{Act, Port, Road, Shape, Wire, measure},
    workload::{Part, Scale, dedupe, memory, saga, start},
};
use std::{collections::BTreeSet, path::Path, process::Command, sync::Arc};

const BENCHES: &str = env!("CARGO_BIN_EXE_oms-benches");

fn variants(report: &Report) -> BTreeSet<(&str, &str)> {
    assert!(report.rows().iter().all(|row| row.value.is_finite()), "{report}");
    report.rows().iter().map(|row| (row.variant.as_str(), row.store)).collect()
}

#[test]
fn the_saga_is_measured_beside_every_peer() {
    let report = saga(&Scale::tiny(), &[Part::Load, Part::Single, Part::Hot]).expect("measured");
    let peers: BTreeSet<&str> = report.rows().iter().filter_map(|row| row.peer.as_deref()).collect();
    assert_eq!(peers, BTreeSet::from(["five-task pipeline", "naive driver", "store floor", "uniform SKUs"]));
    assert!(variants(&report).contains(&("one order in flight", "sqlite")), "{report}");
    let rows: Vec<f64> = report.rows().iter().filter_map(|row| row.rows_per_order).collect();
    assert!(rows.iter().all(|rows| (20.0..200.0).contains(rows)), "{rows:?}");
    // An order is more than 20 turns, each of which the naive driver commits alone.
    let naive = report.rows().iter().filter(|row| row.variant == "naive driver");
    assert!(naive.flat_map(|row| row.commits_per_order).all(|commits| commits > 20.0), "{report}");
}

#[test]
fn a_long_order_is_measured_alone_and_beside_others() {
    let report = saga(&Scale::tiny(), &[Part::Long]).expect("measured");
    for variant in ["500 lines, alone", "2 lines, beside one of 500"] {
        assert!(variants(&report).contains(&(variant, "memory")), "{report}");
    }
}

#[test]
fn duplicates_come_and_change_nothing() {
    let report = dedupe(&Scale::tiny()).expect("measured");
    assert_eq!(variants(&report).len(), 6, "{report}");
}

#[test]
fn memory_is_measured_for_orders_that_wait_and_orders_that_have_ended() {
    let report = memory(&Scale::tiny(), Path::new(BENCHES)).expect("measured");
    let added = report.rows().iter().filter(|row| row.unit == "MB added");
    assert_eq!(added.count(), 3, "{report}");
}

#[test]
fn a_start_is_timed_until_its_first_order_is_accepted() {
    let report = start(&Scale::tiny(), Path::new(BENCHES), None).expect("measured");
    assert!(report.rows().iter().all(|row| row.value > 0.0), "{report}");
    assert_eq!(variants(&report).len(), 3, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_journey_of_packs_comes_to_its_end_and_leaves_nothing_behind() {
    let broker = oms_broker::connect("memory://").await.expect("in process");
    let port: Arc<dyn Wire> = Arc::new(Port(Arc::clone(&broker)));
    for act in [Act::Publish, Act::Consume, Act::Both, Act::OneConfirm, Act::OneAway] {
        let lanes = if matches!(act, Act::OneConfirm | Act::OneAway) { 1 } else { 3 };
        let road = Road::new(&format!("{act:?}"), Shape { bytes: 64, lanes });
        broker.declare(&road.topology()).await.expect("declared");
        let journey = measure(&port, &road, act, 1_201).await.expect("measured");
        assert!(!journey.times.wall.is_zero());
        for lane in road.lanes() {
            assert_eq!(broker.lag(&lane).await.expect("declared"), 0, "{act:?}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_written_is_wrong_usage_and_found_out_at_once() {
    let asked = ["start", "--quick", "--json", "no/such/folder/rows.json"];
    let done = Command::new(BENCHES).args(asked).output().expect("runs");
    assert_eq!(done.status.code(), Some(2), "{}", String::from_utf8_lossy(&done.stderr));
}
