//! Brokers at their worst: what arrives twice, late, out of order, again or never changes no order's end.

use crate::{
    audit::shelf,
    house::World,
    market::Market,
    storm::{Storm, Weather},
};
use oms_core::{gateway::simulated::Draws, projection::check::Report};
use std::{sync::Arc, time::Duration};

fn draws() -> Draws {
    Draws::new(9).declining(100_000).wavering(200_000, 500_000).refusing(100_000).hanging(100_000)
}

fn calm(market: Market) -> Report {
    let world = World::new(draws());
    world.play(async |oms| {
        let orders = market.open(&oms).await;
        Market::decide(&world, &oms, &orders).await;
        world.rest(&oms).await
    })
}

/// A day in a storm, with everything replayed three times.
fn stormy(market: Market, weather: Weather) -> Report {
    let mut world = World::new(draws());
    let storm = Arc::new(Storm::new(weather));
    world.broker = storm.clone();
    let report = world.play(async |oms| {
        let orders = market.open(&oms).await;
        storm.replay().await;
        Market::decide(&world, &oms, &orders).await;
        storm.replay().await;
        world.rest(&oms).await;
        storm.replay().await;
        world.sleep(Duration::from_secs(60)).await;
        let report = world.rest(&oms).await;
        let metrics = oms.metrics();
        assert!(metrics.duplicates > 0 && (weather.drop == 0 || metrics.taken > 0), "{metrics:?}");
        let hot = shelf(&oms, "HOT").await;
        assert!(hot.on_hand() >= 0 && hot.taken == 0 && hot.shipped <= market.hot.into(), "{hot:?}");
        report
    });
    let counts = storm.counts();
    assert!(counts.replayed == 3 && counts.delayed > 0 && counts.doubled > 0, "it was a storm: {counts:?}");
    report
}

#[test]
fn a_storm_changes_nothing_when_there_is_stock_enough() {
    let market = Market { orders: 50, hot: 1_000 };
    let calm = calm(market);
    assert!(calm.totals.by_status.len() == 3, "all ends were met: {:?}", calm.totals.by_status);
    for seed in 0..4 {
        let weather = Weather { seed, drop: 10 * seed, double: 20, delay: 20 };
        let stormy = stormy(market, weather);
        assert_eq!(stormy.totals.by_status, calm.totals.by_status, "{weather:?}");
        assert_eq!(stormy.summary_hash, calm.summary_hash, "{weather:?}");
    }
}

#[test]
fn a_hot_sku_with_too_little_stock_is_sold_out_and_never_oversold() {
    let market = Market { orders: 50, hot: 20 };
    let quiet = calm(market);
    let failed = |report: &Report| report.totals.by_status.get("failed").copied().unwrap_or_default();
    assert!(failed(&quiet) >= 10, "{:?}", quiet.totals.by_status);
    for seed in 10..13 {
        let report = stormy(market, Weather { seed, drop: 15, double: 25, delay: 25 });
        assert!(failed(&report) >= 10, "{:?}", report.totals.by_status);
    }
}
