//! The gateways' own books: what the outside world says was taken and given back, compared with ours.

use super::held::Held;
use crate::{gateway::journal::Ledger, id::OrderId, projection::Facts};
use std::collections::{BTreeMap, BTreeSet};

/// What the books of the gateways say of one order, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookEntry {
    /// Taken.
    pub captured_minor: i128,
    /// Given back.
    pub refunded_minor: i128,
    /// Reserved amounts that were let go.
    pub voided_minor: i128,
    /// How often one payment was charged again: 0 in a healthy shop.
    pub charged_again: u32,
}

/// The books of the gateways that keep some. Orders paid by other methods (cash) are not in them, and not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// The payment methods whose gateways keep these books.
    pub methods: BTreeSet<String>,
    /// What they say; an order that is missing was never charged.
    pub entries: BTreeMap<OrderId, BookEntry>,
}

impl Books {
    /// The books of simulated gateways: what their ledger says of every order, for the methods that they serve.
    #[must_use]
    pub fn of(ledger: &Ledger, methods: impl IntoIterator<Item = String>) -> Self {
        let entries = ledger.orders.iter().filter_map(|(order, sums)| {
            let entry = BookEntry {
                captured_minor: sums.captured.into(),
                refunded_minor: sums.refunded.into(),
                voided_minor: sums.voided.into(),
                charged_again: sums.captures.saturating_sub(1),
            };
            Some((OrderId::new(order).ok()?, entry))
        });
        Self { methods: methods.into_iter().collect(), entries: entries.collect() }
    }

    /// 5, from outside: no order was charged again, ours never say more than the books, and an order that has ended agrees
    /// with them exactly.
    ///
    /// # Errors
    /// What differs, in words.
    pub fn agree(&self, facts: &Facts) -> Held {
        let kept_here = |method: &str| self.methods.contains(method);
        if !facts.placed().is_some_and(|placed| kept_here(&placed.payment.method)) {
            return Ok(());
        }
        let book = self.entries.get(&facts.order).copied().unwrap_or_default();
        if book.charged_again > 0 {
            return Err(format!("the gateway charged it {} times too often", book.charged_again));
        }
        let funds = facts.funds();
        let pairs = [
            ("taken", funds.captured, book.captured_minor),
            ("given back", funds.refunded, book.refunded_minor),
            ("let go", funds.voided, book.voided_minor),
        ];
        let ended = facts.phase().is_terminal();
        let wrong = pairs.iter().find(|(_, ours, theirs)| ours > theirs || (ended && ours != theirs));
        match wrong {
            Some((what, ours, theirs)) => {
                Err(format!("{ours} was {what} by our events, and {theirs} by the gateway's books"))
            }
            None => Ok(()),
        }
    }
}
