//! What must hold when a round is at rest: the invariants, what is left in the store, and the providers' own books.

use crate::{failure::Failure, house::House};
use oms_core::{
    gateway::journal::{Fact, Ledger, LedgerEntry},
    id::{Name, OrderId},
    oms::Oms,
    projection::check::{Books, Report},
    store::{Counts, StoreError, Waiting},
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long to wait between two looks at a house that comes to rest.
const LOOK: Duration = Duration::from_millis(50);
/// How many of what is wrong are shown of each kind.
const SHOWN: usize = 5;

/// What a round came to.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) by_status: BTreeMap<String, u64>,
    pub(crate) mails: u64,
    pub(crate) violations: Vec<String>,
}

/// Waits until nothing is owed, parked or wished and every order has ended; false when it takes too long.
pub(crate) async fn rests(house: &House, orders: &[OrderId], until: Instant) -> Result<bool, Failure> {
    let mut ended = 0;
    while Instant::now() < until {
        let oms = house.ask().await?;
        if is_quiet(oms.count().await) {
            // Those that have ended stay so.
            while ended < orders.len() && is_over(&oms, &orders[ended]).await {
                ended += 1;
            }
            if ended == orders.len() {
                return Ok(true);
            }
        }
        drop(oms);
        tokio::time::sleep(LOOK).await;
    }
    Ok(false)
}

fn is_quiet(counts: Result<Counts, StoreError>) -> bool {
    counts.is_ok_and(|counts| counts.owed + counts.parked + counts.effects == 0)
}

async fn is_over(oms: &Oms, order: &OrderId) -> bool {
    let summary = oms.order(order).await;
    summary.is_ok_and(|order| {
        order.is_some_and(|order| order.phase.is_terminal() || order.needs_attention.is_some())
    })
}

/// Holds everything against every promise.
pub(crate) async fn check(house: &House, orders: &[OrderId], rested: bool) -> Result<Verdict, Failure> {
    let unread = |error| Failure::of("the round's database cannot be read", error);
    let lines = house.world().lines()?;
    let ledger = Ledger::of(&lines);
    let books = Books::of(&ledger, ["card", "upi"].map(str::to_owned));
    let oms = house.ask().await?;
    let report = oms.check(Some(&books), rested).await.map_err(unread)?;
    let mut violations = promises(&report, orders);
    violations.extend(done_once(&ledger));
    let ends = ends(&oms, orders).await.map_err(unread)?;
    violations.extend(notices(&lines, &ends));
    let waiting = oms.waiting(None, 1_000).await.map_err(unread)?;
    if !rested {
        violations.push(format!("the house did not come to rest; {} things wait", waiting.len()));
    }
    violations.extend(some(waiting.iter().map(left_over)));
    let (mails, by_status) = (u64::from(ledger.total().mails), report.totals.by_status);
    Ok(Verdict { by_status, mails, violations })
}

fn some(what: impl Iterator<Item = String>) -> Vec<String> {
    what.take(SHOWN).collect()
}

fn promises(report: &Report, orders: &[OrderId]) -> Vec<String> {
    let broken = report.violations.iter();
    let mut wrong =
        some(broken.map(|one| format!("{} ({}): {}: {}", one.name, one.invariant, one.subject, one.what)));
    wrong
        .extend(some(report.stuck.iter().map(|one| format!("order {} is stuck: {}", one.order, one.reason))));
    if report.orders != orders.len() as u64 {
        wrong.push(format!("{} orders were accepted, and the store has {}", orders.len(), report.orders));
    }
    if report.in_flight > 0 {
        wrong.push(format!("{} orders have not ended", report.in_flight));
    }
    wrong
}

/// No provider did anything twice under one key, nor took money of one order twice under two.
fn done_once(ledger: &Ledger) -> Vec<String> {
    let twice = ledger.done.iter().filter(|(_, times)| **times > 1);
    let mut wrong = some(twice.map(|(key, times)| format!("a provider did {key} {times} times")));
    let charged = ledger.charged_twice();
    wrong.extend(
        (charged > 0).then(|| format!("{charged} orders were charged twice, by the providers' own books")),
    );
    wrong
}

/// How each order that has ended did so, by the name of the notice that says it.
async fn ends(oms: &Oms, orders: &[OrderId]) -> Result<BTreeMap<Name, Name>, StoreError> {
    let mut ends = BTreeMap::new();
    for order in orders {
        let summary = oms.order(order).await?.filter(|summary| summary.phase.is_terminal());
        ends.extend(summary.map(|one| (order.name(), Name::from(format!("order_{}", one.status.name())))));
    }
    Ok(ends)
}

/// Every notice went out once, and each order was told that it was placed and how it ended, and of no other end.
fn notices(lines: &[LedgerEntry], ends: &BTreeMap<Name, Name>) -> Vec<String> {
    let mut told: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.fact == Fact::Mailed) {
        *told.entry((&line.key.order, &line.key.step)).or_default() += 1;
    }
    let twice = told.iter().filter(|(_, times)| **times > 1);
    let mut wrong =
        some(twice.map(|((order, notice), times)| format!("{order} was sent {notice} {times} times")));
    let untold = ends.iter().flat_map(|(order, end)| {
        let missing =
            ["order_confirmation", end].into_iter().filter(|notice| !told.contains_key(&(&**order, *notice)));
        missing.map(move |notice| format!("{order} was never sent {notice}")).collect::<Vec<_>>()
    });
    wrong.extend(some(untold));
    let other = told.keys().filter(|(order, notice)| {
        let is_end = ["order_completed", "order_failed", "order_cancelled"].contains(notice);
        is_end && ends.get(*order).is_none_or(|end| **end != **notice)
    });
    wrong
        .extend(some(other.map(|(order, notice)| format!("{order} was sent {notice}, and ended otherwise"))));
    wrong
}

fn left_over(waiting: &Waiting) -> String {
    match waiting {
        Waiting::Owed { lane, pack, topic, left, .. } => {
            format!("left over: {left} of {pack} on {topic} are owed to {lane}")
        }
        Waiting::Parked { lane, error, .. } => format!("left over: a message is parked in {lane}: {error}"),
        Waiting::Effect { key, .. } => format!("left over: {key} is wished"),
        Waiting::Deadline { stream, .. } => format!("left over: a deadline of {stream} runs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oms_core::{clock::Timestamp, gateway::EffectKey};

    fn line(step: &str, fact: Fact) -> LedgerEntry {
        LedgerEntry { key: EffectKey::new("o", step, 1), fact, amount: None, at: Timestamp(0) }
    }

    fn completed() -> BTreeMap<Name, Name> {
        [(Name::from("o"), Name::from("order_completed"))].into()
    }

    #[test]
    fn a_notice_that_is_lost_doubled_or_false_is_found() {
        let [placed, ended, other] =
            ["order_confirmation", "order_completed", "order_failed"].map(|step| line(step, Fact::Mailed));
        let wrong = |lines: &[&LedgerEntry]| {
            notices(&lines.iter().map(|line| (*line).clone()).collect::<Vec<_>>(), &completed())
        };
        assert_eq!(wrong(&[&placed, &ended]), [""; 0]);
        assert_eq!(wrong(&[&placed, &ended, &ended]), ["o was sent order_completed 2 times"]);
        assert_eq!(wrong(&[&placed]), ["o was never sent order_completed"]);
        assert_eq!(wrong(&[&placed, &ended, &other]), ["o was sent order_failed, and ended otherwise"]);
    }

    #[test]
    fn an_effect_that_a_provider_did_twice_is_found_in_its_own_books() {
        let lines = [line("capture", Fact::Captured), line("capture", Fact::Captured)];
        let wrong = done_once(&Ledger::of(&lines));
        assert_eq!(wrong.len(), 2, "done twice, and charged twice: {wrong:?}");
        assert_eq!(done_once(&Ledger::of(&lines[..1])), [""; 0]);
    }
}
