//! Summaries: one line for each order, the totals over all, and a hash that two runs can be compared by.

use super::{
    facts::{Facts, SkuFacts},
    figures::{Funds, Units},
};
use crate::{
    event::{Fields, public::Status},
    id::{CustomerId, Digest, OrderId},
    money::Currency,
    order::Phase,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The own field in which an import keeps the source's order number.
pub const SOURCE_FIELD: &str = "source";

/// One order at a glance; every figure is derived from the events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderSummary {
    /// The order.
    pub order: OrderId,
    /// The source's own number, from the own field [`SOURCE_FIELD`].
    pub source: Option<String>,
    /// Who buys; `None` when the first event cannot be read.
    pub customer: Option<CustomerId>,
    /// The status for people.
    pub status: Status,
    /// The phase.
    pub phase: Phase,
    /// The currency of all amounts.
    pub currency: Option<Currency>,
    /// What is due, in minor units.
    pub total_minor: i64,
    /// Money, in minor units.
    pub funds: Funds,
    /// What is kept, in minor units.
    pub kept_minor: i128,
    /// Units.
    pub units: Units,
    /// How many lines it has.
    pub lines: usize,
    /// Why a person must look.
    pub needs_attention: Option<String>,
}

impl OrderSummary {
    /// Sums up what is known of an order.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let (placed, course) = (facts.placed(), facts.course());
        let funds = facts.funds();
        let source = |fields: &Fields| fields.get(SOURCE_FIELD).map(str::to_owned);
        Self {
            order: facts.order.clone(),
            source: placed.and_then(|placed| source(&placed.fields)),
            customer: placed.map(|placed| placed.customer.clone()),
            status: course.status(),
            phase: course.phase(),
            currency: placed.map(|placed| placed.currency),
            total_minor: placed.map_or(0, |placed| placed.total.minor),
            funds,
            kept_minor: funds.kept(),
            units: facts.units(),
            lines: placed.map_or(0, |placed| placed.lines.len()),
            needs_attention: course.attention().map(str::to_owned),
        }
    }
}

/// Money over many orders of one currency, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Due.
    pub total_minor: i128,
    /// Ever reserved.
    pub authorised_minor: i128,
    /// Ever taken.
    pub captured_minor: i128,
    /// Ever given back.
    pub refunded_minor: i128,
    /// Kept.
    pub kept_minor: i128,
}

/// Everything together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// How many orders.
    pub orders: u64,
    /// How many stand where.
    pub by_status: BTreeMap<String, u64>,
    /// Money by currency.
    pub money: BTreeMap<String, Sums>,
    /// Units held and not committed.
    pub held: u128,
    /// Units committed and not gone.
    pub committed: u128,
    /// Units gone for good.
    pub shipped: u128,
    /// Units in the house, over all SKUs.
    pub on_hand: i128,
    /// How many SKUs.
    pub skus: u64,
}

impl Totals {
    /// Adds an order.
    pub fn add(&mut self, order: &OrderSummary) {
        self.orders += 1;
        *self.by_status.entry(order.status.name().to_owned()).or_default() += 1;
        self.held += u128::from(order.units.held);
        self.committed += u128::from(order.units.committed);
        self.shipped += u128::from(order.units.shipped);
        let Some(currency) = order.currency else { return };
        let sums = self.money.entry(currency.to_string()).or_default();
        sums.total_minor += i128::from(order.total_minor);
        sums.authorised_minor += order.funds.authorised;
        sums.captured_minor += order.funds.captured;
        sums.refunded_minor += order.funds.refunded;
        sums.kept_minor += order.kept_minor;
    }

    /// Adds a SKU.
    pub fn add_sku(&mut self, sku: &SkuFacts) {
        self.skus += 1;
        self.on_hand += sku.shelf().on_hand();
    }

    /// The money over all currencies; a number to compare runs by, not an amount, when there are several.
    #[must_use]
    pub fn sums(&self) -> Sums {
        self.money.values().fold(Sums::default(), |all, one| Sums {
            total_minor: all.total_minor + one.total_minor,
            authorised_minor: all.authorised_minor + one.authorised_minor,
            captured_minor: all.captured_minor + one.captured_minor,
            refunded_minor: all.refunded_minor + one.refunded_minor,
            kept_minor: all.kept_minor + one.kept_minor,
        })
    }
}

/// A hash over id, lines, status, money and units of all orders, without times or versions: equal on every store, and in
/// whatever order the orders are added.
///
/// ```
/// use oms_core::{id::order_id, projection::{Facts, SummaryHash}};
/// let [one, two] = ["1", "2"].map(|key| Facts::new(order_id("shop", key)));
/// let hash = |orders: [&Facts; 2]| {
///     let mut hash = SummaryHash::default();
///     orders.iter().for_each(|facts| hash.add(facts));
///     hash.finish()
/// };
/// assert_eq!(hash([&one, &two]), hash([&two, &one]));
/// ```
#[derive(Clone, Debug, Default)]
pub struct SummaryHash(BTreeMap<OrderId, u128>);

impl SummaryHash {
    /// Adds an order; a second time it replaces the first.
    pub fn add(&mut self, facts: &Facts) {
        self.0.insert(facts.order.clone(), digest(facts));
    }

    /// The hash, as hexadecimal digits.
    #[must_use]
    pub fn finish(&self) -> String {
        let all = Digest::new("summary").number(self.0.len() as u128);
        let all = self.0.iter().fold(all, |all, (order, digest)| all.text(order.as_str()).number(*digest));
        format!("{:032x}", all.finish())
    }
}

fn digest(facts: &Facts) -> u128 {
    let (funds, units) = (facts.funds(), facts.units());
    let mut digest = Digest::new("order summary").text(facts.status().name());
    if let Some(placed) = facts.placed() {
        digest = digest.text(placed.currency.code()).number(placed.lines.len() as u128);
        for line in &placed.lines {
            digest = digest.text(line.sku.as_str()).number(line.quantity.into());
            digest = digest.text(&line.unit_price.to_string());
        }
    }
    for minor in [funds.authorised, funds.captured, funds.refunded, funds.kept()] {
        digest = digest.text(&minor.to_string());
    }
    for units in [units.held, units.committed, units.shipped] {
        digest = digest.number(units.into());
    }
    digest.finish()
}
