//! What befell a demo in mid-run, and the payment provider's own ledger before and after.

use super::{grouped, table};
use oms_core::gateway::journal::Ledger;
use serde::Serialize;

/// What the provider itself says that it did, in minor units and counts. Its names never change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LedgerAnswer {
    /// Orders that it was told of and did something for.
    pub orders: u64,
    /// Money reserved.
    pub authorised_minor: i64,
    /// Money taken.
    pub captured_minor: i64,
    /// How often it took money.
    pub captures: u64,
    /// Reserved money let go.
    pub voided_minor: i64,
    /// Money given back.
    pub refunded_minor: i64,
    /// Orders whose money it took more than once: none.
    pub charged_twice: u64,
}

impl LedgerAnswer {
    /// Sums a ledger up.
    #[must_use]
    pub fn of(ledger: &Ledger) -> Self {
        let sums = ledger.total();
        let paid = ledger.orders.values().filter(|sums| sums.authorised > 0 || sums.captures > 0);
        Self {
            orders: paid.count() as u64,
            authorised_minor: sums.authorised,
            captured_minor: sums.captured,
            captures: sums.captures.into(),
            voided_minor: sums.voided,
            refunded_minor: sums.refunded,
            charged_twice: ledger.charged_twice() as u64,
        }
    }
}

/// What befell a demo in mid-run. Its names never change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BlowAnswer {
    /// How many orders had been placed.
    pub placed: u64,
    /// How many packs, and rests of packs, were owed to hearers at that moment.
    pub owed: u64,
    /// Whether the broker lost all that it had.
    pub wiped: bool,
    /// The broker that carried on.
    pub then: String,
    /// The provider's ledger at that moment.
    pub before: LedgerAnswer,
    /// The provider's ledger at the end.
    pub after: LedgerAnswer,
}

impl BlowAnswer {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let row = |name: &str, of: fn(&LedgerAnswer) -> i128| {
            [name.to_owned(), grouped(of(&self.before)), grouped(of(&self.after))]
        };
        let rows = [
            row("orders paid for or reserved", |ledger| ledger.orders.into()),
            row("authorised, in minor units", |ledger| ledger.authorised_minor.into()),
            row("captured, in minor units", |ledger| ledger.captured_minor.into()),
            row("captures", |ledger| ledger.captures.into()),
            row("voided, in minor units", |ledger| ledger.voided_minor.into()),
            row("refunded, in minor units", |ledger| ledger.refunded_minor.into()),
            row("orders charged twice", |ledger| ledger.charged_twice.into()),
        ];
        let lost = if self.wiped { "the broker lost all that it had" } else { "its broker was left behind" };
        format!(
            "after {} orders the house was stopped where it stood, {} packs were on their way, and {lost}; {} carried on\n{}\n",
            grouped(self.placed.into()),
            grouped(self.owed.into()),
            self.then,
            table(&["the payment provider's own ledger", "then", "at the end"], rows)
        )
    }
}
