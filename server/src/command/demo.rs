//! `oms demo`: the sample through the five services, a table, and the story of an order that failed.

use super::{check, import::Plan, open::open, output::print};
use crate::{
    args::DemoArgs,
    exit::{Blame, Failure},
    import::{Pace, StockLevels},
    plan::{Percent, Services},
    report::place,
    shop::{Shop, World},
    show::{figures, grouped},
    source::Reading,
};
use oms_core::{event::public::Status, gateway::simulated::Windows, id::OrderId, projection::check::Report};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The sample as it ships with the source.
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/online-retail-sample.csv");
/// How long an order of the demo may stand still.
const SETTLE: Duration = Duration::from_secs(30);

pub(super) async fn run(db: &Path, json: bool, args: &DemoArgs) -> Result<(), Failure> {
    let file = args.file.clone().unwrap_or_else(|| PathBuf::from(SAMPLE));
    if !file.exists() {
        let text = format!(
            "the sample {} is not there; run this from a clone, or name a file with --file",
            file.display()
        );
        return Err(Failure::new(Blame::Input, text));
    }
    let plan = Plan {
        report: place(db, &file),
        file,
        reading: Reading::default(),
        services: Services::default(),
        stock: StockLevels::default(),
        pace: Pace::default(),
        settle: SETTLE,
        mix: args.world.mix(Percent::whole(10), Percent::whole(10)),
    };
    let survey = plan.survey()?;
    let mut shop = open(db, world(args)).await?;
    shop.run();
    let started = Instant::now();
    let brought = plan.bring(&shop, &survey).await?;
    let seconds = started.elapsed().as_secs_f64();
    let report =
        shop.oms().check(Some(&check::books(db)?), brought.open == 0).await.map_err(Failure::outside)?;
    let duplicates = shop.oms().metrics().duplicates;
    let story = story(&shop).await?;
    shop.close(Duration::from_secs(10)).await;
    print(json, &brought.answer, || {
        let found = if brought.answer.already_known > 0 {
            format!("{} orders were here already; this run went on with them\n", brought.answer.already_known)
        } else {
            String::new()
        };
        let rate = brought.answer.placed as f64 / seconds;
        format!("{found}{}\n\n{story}", table(&report, rate, duplicates))
    })?;
    brought.finished()?;
    check::verdict(&report)
}

fn world(args: &DemoArgs) -> World {
    let windows = Windows {
        approval: Duration::from_millis(500),
        late: Duration::from_secs(1),
        dispatch: Duration::from_millis(50),
        delivery: Duration::from_millis(100),
    };
    let decline = args.world.decline.unwrap_or(Percent::whole(5));
    World { seed: args.world.seed, decline, refuse: args.world.refuse.unwrap_or_default(), windows }
}

fn table(report: &Report, rate: f64, duplicates: u64) -> String {
    let count = |name: &str, number: u64| (name.to_owned(), grouped(number.into()));
    let mut rows = vec![count("orders", report.orders)];
    rows.extend(report.totals.by_status.iter().map(|(name, number)| count(name, *number)));
    rows.extend(check::money(report));
    rows.push(("orders per second".to_owned(), format!("{rate:.0}")));
    rows.push(count("duplicates suppressed", duplicates));
    rows.push(count("invariants checked", report.invariants_checked as u64));
    for one in &report.invariants {
        let held = format!("{} times, {} broken", grouped(one.times.into()), one.violations);
        rows.push((format!("{:>2}. {}", one.invariant, one.name), held));
    }
    figures(rows)
}

/// The story of an order that failed after stock was held, or money reserved.
async fn story(shop: &Shop) -> Result<String, Failure> {
    let mut after: Option<String> = None;
    loop {
        let page = shop.oms().orders(after.as_deref(), 100).await.map_err(Failure::outside)?;
        for one in page.orders.iter().filter(|one| one.status == Status::Failed) {
            if undone(shop, &one.order).await? {
                return Ok(shop.oms().story(&one.order).await.map_err(Failure::outside)?.to_string());
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok("no order failed after stock was held or money reserved".to_owned());
        }
    }
}

async fn undone(shop: &Shop, order: &OrderId) -> Result<bool, Failure> {
    use oms_core::event::inventory::InventoryEvent;
    let facts = shop.oms().facts(order).await.map_err(Failure::outside)?;
    let held = facts.stock.iter().any(|event| matches!(event, InventoryEvent::StockReserved(_)));
    Ok(held || facts.funds().authorised > 0)
}
