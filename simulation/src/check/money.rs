//! What must hold of the money at the providers, whatever our own events say.

use crate::mark::Mark;
use oms_core::{
    clock::Timestamp,
    gateway::journal::{Fact, Ledger, LedgerEntry},
    id::Name,
};
use std::collections::BTreeMap;

/// An order that has ended leaves nothing reserved, and no money of it moves any more.
pub(super) fn settled(
    ledger: &Ledger,
    lines: &[LedgerEntry],
    ended: &BTreeMap<Name, Mark>,
    ends: &BTreeMap<Name, Timestamp>,
) -> Vec<String> {
    let last = |order: &Name| ended.get(order).is_some_and(|mark| *mark != Mark::NeedsAttention);
    let mut wrong = Vec::new();
    for (order, sums) in ledger.orders.iter().filter(|(order, _)| last(order)) {
        // What was charged at once was never reserved.
        let open = sums.authorised - sums.captured - sums.voided;
        if sums.authorised > 0 && open != 0 {
            wrong.push(format!("{order} has ended, and {open} of it are still reserved at the provider"));
        }
    }
    for line in lines.iter().filter(|line| last(&line.key.order)) {
        let moved = matches!(line.fact, Fact::Authorised | Fact::Captured | Fact::Voided | Fact::Refunded);
        if moved && ends.get(&line.key.order).is_some_and(|end| line.at > *end) {
            wrong.push(format!("{} was done after the order had ended", line.key));
        }
    }
    wrong
}
