//! `oms demo`: the sample through the five services, a table, and the story of an order that failed.

mod spent;
mod struck;
mod wipe;

use self::{
    spent::Spent,
    struck::{Blow, Left, Struck, ledger},
    wipe::Wipe,
};
use super::{
    check,
    connect::{connect, named},
    import::{Brought, Plan, on_ctrl_c},
    open::over,
    output::print,
    site::Site,
};
use crate::{
    args::{BlowArgs, DemoArgs, WireArgs},
    exit::{Blame, Failure},
    import::{Pace, StockLevels},
    plan::{PaymentMix, Percent, Services, Survey},
    report::place,
    shop::Shop,
    show::{BlowAnswer, Cost, DemoAnswer, ImportAnswer, LedgerAnswer, figures, grouped},
    source::Reading,
    world::World,
};
use oms_broker::SCHEMES;
use oms_core::{
    broker::{Broker, MemoryBroker},
    event::public::Status,
    gateway::simulated::Windows,
    id::OrderId,
    projection::{check::Report, story::Story},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// The sample as it ships with the source.
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/online-retail-sample.csv");
/// How long the last notices may take.
const REST: Duration = Duration::from_secs(10);
/// By this seed the sample's cancelled orders are paid by every method: by UPI too, whose money is taken at once and refunded.
const SEED: u64 = 6;
/// How long an order of the demo may stand still.
const SETTLE: Duration = Duration::from_secs(30);

pub(super) async fn run(site: &Site, json: bool, args: &DemoArgs) -> Result<(), Failure> {
    let db = site.db();
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
    };
    let survey = plan.survey()?;
    let (broker, blow) = brokers(site, &args.blow, survey.totals().orders).await?;
    let (mut shop, world) = over(site, world(), &args.world, broker).await?;
    shop.run();
    let run = watched(Struck::new(site, shop, blow), &plan, &survey, world.mix()).await;
    let (left, brought, cost, rested) = run.map_err(|failure| failure.about(db))?;
    let shop = left.shop;
    let books = check::books(db)?;
    let report =
        shop.oms().check(Some(&books), rested && brought.open == 0).await.map_err(Failure::outside)?;
    let story = story(&shop).await?;
    let mut answer = answer(&brought, cost, &report, left.spent.duplicates, story);
    if let Some(blow) = left.blow {
        answer.blow = Some(BlowAnswer { after: LedgerAnswer::of(&ledger(db)?), ..blow });
    }
    print(json, &answer, || shown(db, &answer, &report))?;
    brought.finished(db)?;
    check::verdict(&report)
}

/// The broker that a demo begins over, and what befalls it. What is refused is refused before anything is stored.
async fn brokers(
    site: &Site,
    args: &BlowArgs,
    orders: u64,
) -> Result<(Arc<dyn Broker>, Option<Blow>), Failure> {
    let (url, topics) = (site.wire.url(), site.wire.topics());
    let here = Arc::new(MemoryBroker::default());
    let broker = if url.secret().eq_ignore_ascii_case("memory://") {
        named(here.clone(), topics)
    } else {
        connect(&site.wire).await?
    };
    if args.wipe_at.is_none() && args.then.is_none() {
        return Ok((broker, None));
    }
    let percent = args.wipe_at.unwrap_or(Percent::whole(50));
    let after = (orders * u64::from(percent.basis_points())).div_ceil(10_000);
    let server = SCHEMES.iter().find(|known| known.name == url.scheme()).and_then(|known| known.feature);
    let wipe = args.wipe_at.map(|_| match (&args.wipe_with, server) {
        (Some(command), _) => Wipe::Command(command.clone()),
        (None, Some(server)) => Wipe::Hand { server },
        (None, None) => Wipe::Here(here),
    });
    let then = match &args.then {
        Some(then) => {
            let wire = WireArgs { broker: Some(then.clone()), ..site.wire.clone() };
            (then.clone(), connect(&wire).await?)
        }
        None => (url, Arc::clone(&broker)),
    };
    Ok((Arc::clone(&broker), Some(Blow { after, wipe, broker, then })))
}

/// Brings the file in, waits until the house is at rest, and says what it cost.
async fn watched(
    house: Struck<'_>,
    plan: &Plan,
    survey: &Survey,
    mix: PaymentMix,
) -> Result<(Left, Brought, Option<Cost>, bool), Failure> {
    let stop = on_ctrl_c();
    plan.open_books(&house, survey).await?;
    let before = house.spent().await?;
    let started = Instant::now();
    let brought = plan.bring(&house, survey, mix, &stop).await;
    let seconds = started.elapsed().as_secs_f64();
    let gone = || Failure::outside("the house could not be begun again; the same command goes on");
    let mut left = house.left().ok_or_else(gone)?;
    // The last notices are still on their way when the last order has ended.
    let rested = match &brought {
        Ok(brought) if !brought.stopped => left.shop.rest(REST).await,
        Ok(_) | Err(_) => {
            left.shop.close(REST).await;
            Ok(false)
        }
    };
    let (mut brought, rested) = (brought?, rested?);
    left.spent.add(Spent::of(&left.shop).await?);
    brought.outages = left.spent.outages;
    let spent = left.spent.since(before);
    let placed = brought.answer.placed as f64;
    let cost = Cost {
        seconds,
        orders_per_second: placed / seconds,
        rows_per_order: spent.rows as f64 / placed,
        commits: spent.commits,
    };
    let cost = (brought.answer.placed > 0).then_some(cost);
    Ok((left, brought, cost, rested))
}

/// The world of a new demo: 5 % declined cards, 10 % UPI, 10 % cash on delivery, and windows of less than a second.
fn world() -> World {
    let windows = Windows {
        approval: Duration::from_millis(500),
        late: Duration::from_secs(1),
        dispatch: Duration::from_millis(50),
        delivery: Duration::from_millis(100),
    };
    let (upi, cod, decline) = (Percent::whole(10), Percent::whole(10), Percent::whole(5));
    World { seed: SEED, upi, cod, decline, refuse: Percent::default(), lanes: None, windows }
}

fn answer(
    brought: &Brought,
    cost: Option<Cost>,
    report: &Report,
    duplicates: u64,
    story: Option<Story>,
) -> DemoAnswer {
    let totals = &report.totals;
    DemoAnswer {
        import: brought.answer.clone(),
        money: totals.money.clone(),
        units_held: totals.held,
        units_committed: totals.committed,
        units_shipped: totals.shipped,
        cost,
        duplicates_suppressed: duplicates,
        invariants_checked: report.invariants_checked as u64,
        invariants: report.invariants.clone(),
        violations: check::violations(report),
        summary_hash: report.summary_hash.clone(),
        blow: None,
        story,
    }
}

fn shown(db: &Path, answer: &DemoAnswer, report: &Report) -> String {
    let story = answer.story.as_ref().map_or_else(
        || "no order failed after stock was held or money was reserved".to_owned(),
        Story::to_string,
    );
    let broken = answer.violations.iter().map(|violation| format!("\nbroken: {violation}"));
    let broken: String = broken.collect();
    let blow = answer.blow.as_ref().map_or_else(String::new, BlowAnswer::text);
    format!("{}{blow}{}{broken}\n\n{story}", found(db, &answer.import), table(answer, report))
}

/// What an earlier run had left in the database.
fn found(db: &Path, import: &ImportAnswer) -> String {
    let (db, known) = (db.display(), grouped(import.already_known.into()));
    match (import.already_known, import.placed) {
        (0, _) => String::new(),
        (_, 0) => format!(
            "{db} has all {known} orders of this file from an earlier run: nothing was placed twice.\n\
             To begin again, name another file with --db.\n"
        ),
        (_, placed) => format!(
            "{db} had {known} orders of this file from an earlier run, which went on; {} were placed now.\n",
            grouped(placed.into())
        ),
    }
}

fn table(answer: &DemoAnswer, report: &Report) -> String {
    let count = |name: &str, number: u64| (name.to_owned(), grouped(number.into()));
    let mut rows = vec![count("orders", report.orders)];
    rows.extend(report.totals.by_status.iter().map(|(name, number)| count(name, *number)));
    rows.extend(check::money(report));
    if let Some(cost) = &answer.cost {
        rows.push(("orders per second".to_owned(), format!("{:.0}", cost.orders_per_second)));
        rows.push(("rows written per order".to_owned(), format!("{:.1}", cost.rows_per_order)));
        rows.push(count("commits", cost.commits));
    }
    rows.push(count("duplicates suppressed", answer.duplicates_suppressed));
    rows.push(count("invariants checked", answer.invariants_checked));
    rows.extend(check::invariants(report));
    figures(rows)
}

/// The story of an order that failed after stock was held, or money reserved.
async fn story(shop: &Shop) -> Result<Option<Story>, Failure> {
    let mut after: Option<String> = None;
    loop {
        let page = shop.oms().orders(after.as_deref(), 100).await.map_err(Failure::outside)?;
        for one in page.orders.iter().filter(|one| one.status == Status::Failed) {
            if undone(shop, &one.order).await? {
                return shop.oms().story(&one.order).await.map(Some).map_err(Failure::outside);
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(None);
        }
    }
}

async fn undone(shop: &Shop, order: &OrderId) -> Result<bool, Failure> {
    use oms_core::event::inventory::InventoryEvent;
    let facts = shop.oms().facts(order).await.map_err(Failure::outside)?;
    let held = facts.stock.iter().any(|event| matches!(event, InventoryEvent::StockReserved(_)));
    Ok(held || facts.funds().authorised > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        import::PRINCIPAL,
        plan::{Gather, Item},
        source::Rows,
    };
    use oms_core::id::order_id;

    /// The methods of the orders that are cancelled, without those whose payment is declined before.
    fn cancelled(world: &World) -> Vec<String> {
        let rows = || Rows::open(SAMPLE.as_ref(), &Reading::default()).expect("the sample is there");
        let services = Services::default();
        let survey = Survey::read(rows(), &services).expect("it can be read");
        let mut gather = Gather::new(rows(), &survey, &services, world.mix());
        let mut methods = Vec::new();
        while let Some(item) = gather.next_item().expect("it can be read") {
            let Item::Order(one) = item else { continue };
            let declined = || world.draws().declines(order_id(PRINCIPAL, &one.invoice).as_str());
            if one.order.hold_dispatch && !declined() {
                methods.push(one.order.payment.method.to_string());
            }
        }
        methods
    }

    #[test]
    fn the_demo_cancels_orders_of_every_payment_method_so_that_one_is_refunded() {
        let methods = cancelled(&world());
        for method in ["upi", "card", "cod"] {
            assert!(methods.iter().any(|one| one == method), "{method}: {methods:?}");
        }
    }
}
