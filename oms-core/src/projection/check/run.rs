//! The run of a check over a whole store, and its report.

use super::{Books, ORDER_RULES, Reserved, SKU_RULES, When, add_reserved, name, streams};
use crate::{
    event::incident::INCIDENT,
    id::{Name, OrderId, Sku},
    order::Phase,
    projection::{
        Facts, ORDER_KINDS, OrderSummary, STOCK_KIND, SkuFacts, SummaryHash, Totals,
        read::{Walk, facts, history},
        stuck::{Reason, Stuck, judge_stored, letters},
    },
    service::Handler,
    store::{Recorded, Store, StoreError, Stream, StreamId},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A promise that is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The invariant's number.
    pub invariant: u8,
    /// Its name.
    pub name: &'static str,
    /// The order, SKU or stream.
    pub subject: String,
    /// What is wrong.
    pub what: String,
}

/// How an invariant fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Its number.
    pub invariant: u8,
    /// Its name.
    pub name: &'static str,
    /// How often it was held against something.
    pub times: u64,
    /// How often it did not hold.
    pub violations: u64,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many orders there are.
    pub orders: u64,
    /// How many of them have not ended.
    pub in_flight: u64,
    /// How many invariants were checked.
    pub invariants_checked: usize,
    /// Each of them, by number.
    pub invariants: Vec<Checked>,
    /// What does not hold.
    pub violations: Vec<Violation>,
    /// Orders that will not end by themselves; for a person, not a broken promise (22 and 23).
    pub stuck: Vec<Stuck>,
    /// All figures together.
    pub totals: Totals,
    /// The hash over all orders.
    pub summary_hash: String,
    /// Whether somebody wrote while this was read: then 2 and 3, which compare streams, were left out.
    pub written_meanwhile: bool,
}

/// What to check beside the events.
#[derive(Clone, Copy, Default)]
pub struct Check<'a> {
    /// The services, for invariant 20: states of kinds that none of them owns are not compared.
    pub handlers: &'a [Arc<dyn Handler>],
    /// The gateways' own books, for invariant 5 from outside.
    pub books: Option<&'a Books>,
    /// Whether the house is said to be at rest: nothing may then be owed but what is buried (18).
    pub at_rest: bool,
}

impl Check<'_> {
    /// Checks a store. Reads a page at a time; keeps one line for each SKU and one digest for each order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn run(&self, store: &dyn Store) -> Result<Report, StoreError> {
        let before = store.count().await?.commits;
        let mut run = Run::default();
        let mut reserved = BTreeMap::new();
        self.orders(store, &mut run, &mut reserved).await?;
        let skus = self.streams(store, &mut run).await?;
        run.report.written_meanwhile = store.count().await?.commits != before;
        for sku in &skus {
            run.sku(sku, &reserved);
        }
        self.owed(store, &mut run).await?;
        Ok(run.finish())
    }

    async fn orders(
        &self,
        store: &dyn Store,
        run: &mut Run,
        reserved: &mut BTreeMap<Sku, Reserved>,
    ) -> Result<(), StoreError> {
        let letters = letters(store).await?;
        let mut walk = Walk::new(store, "order");
        while let Some(page) = walk.next().await? {
            for (id, _) in page {
                let Ok(order) = OrderId::new(&id.id) else {
                    run.note(17, &id.to_string(), Err("its id is no order id".to_owned()));
                    continue;
                };
                let facts = facts(store, &order).await?;
                add_reserved(&facts, reserved);
                run.order(&facts, self.books);
                run.stuck(judge_stored(store, &facts, &letters).await?);
            }
        }
        Ok(())
    }

    async fn streams(&self, store: &dyn Store, run: &mut Run) -> Result<Vec<SkuFacts>, StoreError> {
        let owned = self.handlers.iter().flat_map(|handler| handler.owns());
        let known = ORDER_KINDS.iter().chain(&[STOCK_KIND, INCIDENT]).map(|kind| Name::from(*kind));
        let kinds: BTreeSet<Name> = owned.chain(known).collect();
        let mut skus = Vec::new();
        for kind in kinds {
            let handler = self.handlers.iter().find(|handler| handler.owns().contains(&kind));
            let mut walk = Walk::new(store, &kind);
            while let Some(page) = walk.next().await? {
                for (id, stored) in page {
                    let history = history(store, &id).await?;
                    run.stream(&id, &history, &stored, handler);
                    run.orphan(store, &id).await?;
                    skus.extend(sku(&id, &history));
                }
            }
        }
        Ok(skus)
    }

    async fn owed(&self, store: &dyn Store, run: &mut Run) -> Result<(), StoreError> {
        if !self.at_rest {
            return Ok(());
        }
        run.note(18, "the store", Ok(()));
        for waiting in store.waiting(None, 1_000).await? {
            run.note(18, "the store", streams::nothing_owed(&waiting));
        }
        Ok(())
    }
}

fn sku(id: &StreamId, history: &[Recorded]) -> Option<SkuFacts> {
    let sku = Sku::new(&id.id).ok().filter(|_| &*id.kind == STOCK_KIND)?;
    let mut facts = SkuFacts::new(sku);
    history.iter().for_each(|recorded| facts.add(recorded));
    Some(facts)
}

#[derive(Default)]
struct Run {
    report: Report,
    checked: BTreeMap<u8, Checked>,
    hash: SummaryHash,
    /// The last order that was found to exist, so that its streams are looked up once.
    exists: Option<Name>,
}

impl Run {
    fn note(&mut self, number: u8, subject: &str, held: Result<(), String>) {
        let new = Checked { invariant: number, name: name(number), times: 0, violations: 0 };
        let checked = self.checked.entry(number).or_insert(new);
        checked.times += 1;
        let Err(what) = held else { return };
        checked.violations += 1;
        let subject = subject.to_owned();
        self.report.violations.push(Violation { invariant: number, name: name(number), subject, what });
    }

    fn order(&mut self, facts: &Facts, books: Option<&Books>) {
        let (subject, ended) = (facts.order.as_str(), facts.phase().is_terminal());
        for rule in ORDER_RULES.iter().filter(|rule| ended || rule.when == When::Always) {
            self.note(rule.number, subject, (rule.holds)(facts));
        }
        if let Some(books) = books {
            self.note(5, subject, books.agree(facts));
        }
        self.report.in_flight += u64::from(!ended);
        self.report.totals.add(&OrderSummary::of(facts));
        self.hash.add(facts);
    }

    fn stuck(&mut self, stuck: Option<Stuck>) {
        // Counted as checked for every order; what is found is for a person, and no broken promise.
        self.note(22, "", Ok(()));
        self.note(23, "", Ok(()));
        let Some(stuck) = stuck else { return };
        let undoing = matches!(stuck.phase, Phase::Failing | Phase::Cancelling);
        let lost = stuck.reason == Reason::NothingInFlight;
        let number = if undoing { 23 } else { 22 };
        if let (true, Some(checked)) = (lost, self.checked.get_mut(&number)) {
            checked.violations += 1;
        }
        self.report.stuck.push(stuck);
    }

    fn sku(&mut self, sku: &SkuFacts, reserved: &BTreeMap<Sku, Reserved>) {
        let reserved = reserved.get(&sku.sku).copied().unwrap_or_default();
        let moving = self.report.written_meanwhile;
        for rule in SKU_RULES.iter().filter(|rule| !moving || !matches!(rule.number, 2 | 3)) {
            self.note(rule.number, sku.sku.as_str(), (rule.holds)(sku, reserved));
        }
        self.report.totals.add_sku(sku);
    }

    fn stream(
        &mut self,
        id: &StreamId,
        history: &[Recorded],
        stored: &Stream,
        handler: Option<&Arc<dyn Handler>>,
    ) {
        let subject = id.to_string();
        // The page was read before the history: what came in between is not held against it.
        let history = &history[..history.len().min(usize::try_from(stored.version).unwrap_or(usize::MAX))];
        self.note(17, &subject, streams::gap_free(history, stored));
        // A redriven message that is buried again is two incidents of one message.
        if &*id.kind != INCIDENT {
            self.note(19, &subject, streams::one_turn_for_each_cause(history));
        }
        if let Some(handler) = handler {
            self.note(20, &subject, streams::stored_is_the_fold(handler.as_ref(), history, stored));
        }
    }

    async fn orphan(&mut self, store: &dyn Store, id: &StreamId) -> Result<(), StoreError> {
        if !ORDER_KINDS.contains(&&*id.kind) || &*id.kind == "order" || self.exists.as_ref() == Some(&id.id) {
            return Ok(());
        }
        let order = store.history(&StreamId::keyed("order", &id.id), 0, 1).await?;
        self.exists = order.first().map(|_| Name::clone(&id.id));
        if order.is_empty() {
            self.note(17, &id.to_string(), Err("its order was never placed".to_owned()));
        }
        Ok(())
    }

    fn finish(mut self) -> Report {
        self.report.orders = self.report.totals.orders;
        self.report.summary_hash = self.hash.finish();
        self.report.invariants = self.checked.into_values().collect();
        self.report.invariants_checked = self.report.invariants.len();
        self.report
    }
}
