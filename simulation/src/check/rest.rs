//! What must hold when everything has come to rest: the invariants, the providers' own books, and nothing left over.

use super::money;
use crate::{
    fault::Fault,
    groups::{BRIEF, HEARER, LATE},
    mark::Mark,
    world::AGAIN,
    world::World,
};
use oms_core::{
    gateway::{
        EffectKey,
        journal::{Fact, Journal as _, Ledger, LedgerEntry},
    },
    id::{Name, OrderId},
    oms::Oms,
    projection::{Reason, check::Books},
    store::{DeadLetterState, PUBLIC, Pick, Seek, Store as _, Waiting},
};
use std::{collections::BTreeMap, sync::Arc};

/// Whether every accepted order has ended or waits for a person, and nothing is in flight.
pub(crate) async fn at_rest(world: &World) -> bool {
    let accepted = world.accepted();
    let ended = {
        let book = world.book();
        accepted.keys().all(|order| book.ended().contains_key(order.as_str()))
    };
    if !ended || accepted.len() < world.plan.orders.len() {
        return false;
    }
    let Ok(count) = world.store.count().await else { return false };
    if count.parked + count.effects > 0 || (count.owed > count.buried && !world.wire.is_dead()) {
        return false;
    }
    if count.owed == 0 {
        return true;
    }
    let waiting = world.store.waiting(None, 10_000).await.unwrap_or_default();
    waiting.iter().all(|one| !matches!(one, Waiting::Owed { .. }) || stays(world, one))
}

/// What was buried keeps its row, and hearers outside wait for a broker that is dead for good.
fn stays(world: &World, waiting: &Waiting) -> bool {
    match waiting {
        Waiting::Owed { left, lane, .. } => *left == 0 || (&*lane.group == PUBLIC && world.wire.is_dead()),
        Waiting::Parked { .. } | Waiting::Effect { .. } | Waiting::Deadline { .. } => false,
    }
}

/// Checks everything, and writes down what is wrong.
pub(crate) async fn check(world: &Arc<World>, oms: &Oms) {
    let lines = world.providers.journal.load().unwrap_or_default();
    let ledger = Ledger::of(&lines);
    note_answers(world, &lines);
    invariants(world, oms, &ledger).await;
    let settled = {
        let book = world.book();
        money::settled(&ledger, &lines, book.ended(), book.ends())
    };
    for what in done_once(&ledger).into_iter().chain(notices(world, &lines)).chain(settled) {
        world.wrong(what);
    }
    letters(world).await;
    left_over(world).await;
    deliveries(world);
    story(world, oms).await;
}

async fn invariants(world: &World, oms: &Oms, ledger: &Ledger) {
    let books = Books::of(ledger, ["card", "upi"].map(str::to_owned));
    let report = match oms.check(Some(&books), false).await {
        Ok(report) => report,
        Err(error) => return world.wrong(format!("the check cannot read the store: {error}")),
    };
    for violation in &report.violations {
        let (number, name) = (violation.invariant, violation.name);
        world.wrong(format!("invariant {number}, {name}: {}: {}", violation.subject, violation.what));
    }
    for stuck in &report.stuck {
        let explained = matches!(&stuck.reason, Reason::NeedsAttention { reason } if !reason.is_empty());
        if !explained {
            world.wrong(format!("order {} is stuck: {}", stuck.order.as_str(), stuck.reason));
        }
    }
    let accepted = world.accepted().len() as u64;
    if report.orders != accepted {
        world.wrong(format!("{accepted} orders were accepted, and the store has {}", report.orders));
    }
    if report.in_flight != report.stuck.len() as u64 {
        world.wrong(format!("{} orders have not ended, {} are stuck", report.in_flight, report.stuck.len()));
    }
    let ended: Vec<Mark> = world.book().ended().values().copied().collect();
    ended.into_iter().for_each(|mark| world.mark(mark));
}

/// What providers drew by themselves.
fn note_answers(world: &World, lines: &[LedgerEntry]) {
    for line in lines {
        let fault = match line.fact {
            Fact::Declined => Fault::Decline,
            Fact::Refused if &*line.key.step == "book" => Fault::RefuseParcel,
            Fact::Unmailed => Fault::LoseMail,
            Fact::Told if &*line.key.step == "charge" && world.plan.draws.wavers(&line.key.order) => {
                Fault::Waver
            }
            _ => continue,
        };
        world.note(fault);
    }
}

/// No provider did anything twice, whatever key it was done under.
fn done_once(ledger: &Ledger) -> Vec<String> {
    let mut times: BTreeMap<EffectKey, u32> = BTreeMap::new();
    for (key, done) in &ledger.done {
        let whole = EffectKey { attempt: key.attempt % AGAIN, ..key.clone() };
        *times.entry(whole).or_default() += done;
    }
    let twice = times.into_iter().filter(|(_, times)| *times > 1);
    twice.map(|(key, times)| format!("a provider did {key} {times} times")).collect()
}

/// Every notice had one outcome, and each order was told how it ended.
fn notices(world: &World, lines: &[LedgerEntry]) -> Vec<String> {
    let mut told: BTreeMap<(Name, Name), u32> = BTreeMap::new();
    for line in lines.iter().filter(|line| matches!(line.fact, Fact::Mailed | Fact::Unmailed)) {
        *told.entry((line.key.order.clone(), line.key.step.clone())).or_default() += 1;
    }
    let mut wrong = Vec::new();
    let twice = told.iter().filter(|(_, times)| **times > 1);
    wrong.extend(twice.map(|((order, notice), times)| format!("{order} was sent {notice} {times} times")));
    let ended: BTreeMap<Name, Mark> = world.book().ended().clone();
    for (order, mark) in ended {
        let last = match mark {
            Mark::Completed => "order_completed",
            Mark::Failed => "order_failed",
            Mark::Cancelled => "order_cancelled",
            _ => continue,
        };
        for notice in ["order_confirmation", last] {
            if !told.contains_key(&(order.clone(), Name::from(notice))) {
                wrong.push(format!("{order} was never sent {notice}"));
            }
        }
    }
    wrong
}

/// Only a user's hearers bury, and only what was poison to them.
async fn letters(world: &World) {
    let letters = match world.store.dead_letters(&Pick::default(), Seek::OLDEST, 10_000).await {
        Ok(letters) => letters,
        Err(error) => return world.wrong(format!("the dead letters cannot be read: {error}")),
    };
    for letter in letters {
        let own = [HEARER, LATE, BRIEF].contains(&&*letter.lane.group);
        if !own {
            let kind = &letter.message.envelope.kind;
            world.wrong(format!("{} gave up {kind}: {}", letter.lane, letter.error));
        }
        if letter.state == DeadLetterState::Redriven {
            world.wrong(format!("dead letter {} was redriven, and nobody took it", letter.number));
        }
    }
}

/// Nothing is left but what is buried, and deadlines of orders that wait for a person.
async fn left_over(world: &World) {
    let waiting = match world.store.waiting(None, 1_000).await {
        Ok(waiting) => waiting,
        Err(error) => return world.wrong(format!("what waits cannot be read: {error}")),
    };
    for one in waiting.into_iter().filter(|one| !stays(world, one)) {
        let what = match &one {
            Waiting::Owed { lane, pack, left, .. } => format!("{left} of {pack} are owed to {lane}"),
            Waiting::Parked { lane, error, .. } => format!("a message is parked in {lane}: {error}"),
            Waiting::Effect { key, .. } => format!("{key} is wished"),
            Waiting::Deadline { stream, .. } => format!("a deadline of {stream} runs"),
        };
        world.wrong(format!("left over: {what}"));
    }
}

fn deliveries(world: &World) {
    let outside = world.wire.outside();
    let counts = !world.wire.forgot() && !world.plan.loses();
    let unheard = world.book().unheard(&outside, counts);
    unheard.into_iter().for_each(|what| world.wrong(what));
    let taken = world.marks().met(Mark::TakenFromStore);
    if taken > 0 && !world.plan.may_forget() {
        world.wrong(format!("the broker forgot nothing, and {taken} turns took something from the store"));
    }
}

async fn story(world: &World, oms: &Oms) {
    let accepted = world.accepted();
    let Some(order) = accepted.keys().nth(accepted.len() / 2) else { return };
    match oms.story(order).await {
        Ok(story) if has_end(world, order, &story.entries) => world.mark(Mark::StoryTold),
        Ok(story) => world.wrong(format!("the story of {} has no end:\n{story}", order.as_str())),
        Err(error) => world.wrong(format!("the story of {} cannot be told: {error}", order.as_str())),
    }
}

fn has_end(world: &World, order: &OrderId, entries: &[oms_core::projection::story::Entry]) -> bool {
    let said = |kind: &str| entries.iter().any(|entry| &*entry.kind == kind);
    let ended = world.book().ended().get(order.as_str()).copied();
    said("OrderPlaced")
        && match ended {
            Some(Mark::Completed) => said("OrderCompleted"),
            Some(Mark::Failed) => said("OrderFailed"),
            Some(Mark::Cancelled) => said("OrderCancelled"),
            _ => true,
        }
}
