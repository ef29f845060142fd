//! `oms check`: every figure derived from the events again, and the invariants held against them.

use super::{
    open::{audit, existing},
    output::print,
    site::Site,
};
use crate::{
    args::CheckArgs,
    exit::{Blame, Failure},
    ledger::Ledger,
    show::{CheckAnswer, HealthAnswer, StuckAnswer, amount, figures, grouped, ports},
};
use oms_core::{
    gateway::journal::{self, Journal as _},
    id::OrderId,
    oms::Health,
    projection::check::{BookEntry, Books, Report},
};
use std::path::Path;

pub(super) async fn run(site: &Site, json: bool, args: CheckArgs) -> Result<(), Failure> {
    let audit = if args.audit { Some(audit(&site.store).await?) } else { None };
    let shop = existing(site).await?;
    let books = books(site.db())?;
    let report = shop.oms().check(Some(&books), false).await.map_err(Failure::outside)?;
    let health = shop.oms().health().await;
    let mut answer = answer(&report, &health);
    if let Some((rows, broken)) = audit {
        answer.audited_rows = Some(rows);
        answer.violations.extend(broken);
    }
    print(json, &answer, || shown(&report, &answer, &health))?;
    counted(answer.violations.len())
}

/// A broken promise ends with exit code 1.
pub(super) fn verdict(report: &Report) -> Result<(), Failure> {
    counted(report.violations.len())
}

fn counted(count: usize) -> Result<(), Failure> {
    if count == 0 {
        Ok(())
    } else {
        Err(Failure::new(Blame::Promise, format!("{count} promises are broken")))
    }
}

/// What the simulated world says that it took and gave back.
pub(super) fn books(db: &Path) -> Result<Books, Failure> {
    let lines =
        Ledger::open(&Ledger::place(db)).map_err(Failure::outside)?.load().map_err(Failure::outside)?;
    let ledger = journal::Ledger::of(&lines);
    let entry = |sums: &journal::Sums| BookEntry {
        captured_minor: sums.captured.into(),
        refunded_minor: sums.refunded.into(),
        voided_minor: sums.voided.into(),
        charged_again: sums.captures.saturating_sub(1),
    };
    let entries =
        ledger.orders.iter().filter_map(|(order, sums)| Some((OrderId::new(order).ok()?, entry(sums))));
    Ok(Books { methods: ["card", "upi"].map(str::to_owned).into(), entries: entries.collect() })
}

fn answer(report: &Report, health: &Health) -> CheckAnswer {
    let sums = report.totals.sums();
    CheckAnswer {
        orders: report.orders,
        invariants_checked: report.invariants_checked as u64,
        violations: violations(report),
        captured_minor: sums.captured_minor,
        refunded_minor: sums.refunded_minor,
        kept_minor: sums.kept_minor,
        summary_hash: report.summary_hash.clone(),
        stuck: report.stuck.iter().map(StuckAnswer::of).collect(),
        health: HealthAnswer::of(health),
        audited_rows: None,
    }
}

fn shown(report: &Report, answer: &CheckAnswer, health: &Health) -> String {
    let mut rows = vec![("orders".to_owned(), grouped(report.orders.into()))];
    rows.extend(report.totals.by_status.iter().map(|(name, count)| (name.clone(), grouped((*count).into()))));
    rows.extend(money(report));
    rows.extend(invariants(report));
    rows.push(("summary hash".to_owned(), answer.summary_hash.clone()));
    rows.extend(
        answer
            .audited_rows
            .map(|rows| ("rows of events held against their hash".to_owned(), grouped(rows.into()))),
    );
    rows.extend(ports(health));
    let broken = answer.violations.iter().map(|violation| format!("\nbroken: {violation}"));
    let stuck = answer.stuck.iter().map(|one| {
        let StuckAnswer { order, phase, words, since, .. } = one;
        format!("\nstuck: order {order}, {phase:?} since {since}: {words}")
    });
    figures(rows) + &stuck.chain(broken).collect::<String>()
}

/// Every rule that is broken, in words.
pub(super) fn violations(report: &Report) -> Vec<String> {
    let broken = report.violations.iter();
    broken.map(|one| format!("{} ({}): {}: {}", one.name, one.invariant, one.subject, one.what)).collect()
}

/// Every rule that was checked, by its number.
pub(super) fn invariants(report: &Report) -> impl Iterator<Item = (String, String)> {
    report.invariants.iter().map(|one| {
        let held = format!("{} times, {} broken", grouped(one.times.into()), one.violations);
        (format!("{:>2}. {}", one.invariant, one.name), held)
    })
}

/// Money and units, by name.
pub(super) fn money(report: &Report) -> Vec<(String, String)> {
    let totals = &report.totals;
    let mut rows = Vec::new();
    for (currency, sums) in &totals.money {
        let several = if totals.money.len() > 1 { format!(" in {currency}") } else { String::new() };
        let row = |name: &str, minor| (format!("{name}{several}"), amount(minor, currency));
        rows.push(row("authorised", sums.authorised_minor));
        rows.push(row("captured", sums.captured_minor));
        rows.push(row("refunded", sums.refunded_minor));
        rows.push(row("kept", sums.kept_minor));
    }
    for (name, units) in [("held", totals.held), ("committed", totals.committed), ("shipped", totals.shipped)]
    {
        rows.push((format!("units {name}"), grouped(i128::try_from(units).unwrap_or(i128::MAX))));
    }
    rows
}
