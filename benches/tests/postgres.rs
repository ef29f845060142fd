//! A few orders through each measurement over PostgreSQL: that it can be taken, not what it says.

use oms_benches::workload::{Part, Scale, saga};

#[test]
fn every_measurement_over_postgresql_can_be_taken() {
    // The server is found, or installed, where every other command looks for it.
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::env::set_current_dir(root).expect("the workspace");
    let parts = [Part::Postgres, Part::Endurance, Part::Million];
    let report = saga(&Scale::tiny(), &parts).expect("measured");
    let said: Vec<&str> = report.rows().iter().map(|row| row.variant.as_str()).collect();
    for variant in ["full load, store floor", "one SKU in half of all orders", "one order in flight"] {
        assert!(said.contains(&variant), "{said:?}");
    }
    let floor = report.rows().iter().find(|row| row.variant == "full load, store floor").expect("a floor");
    let house = report.rows().iter().find(|row| row.unit == "rows/order").expect("a house");
    let (floor, house) = (floor.rows_per_order.expect("counted"), house.value);
    assert!(floor > 0.8 * house && floor < 1.5 * house, "the floor writes {floor} rows an order, the house {house}");
    assert!(report.rows().iter().any(|row| row.unit == "WAL bytes/order" && row.value > 1_000.0), "{said:?}");
    assert!(said.iter().any(|variant| variant.starts_with("full load, 110 orders in the tables")), "{said:?}");
}
