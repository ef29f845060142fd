//! Which order a cancellation invoice cancels.

use crate::source::Moment;
use oms_core::id::CustomerId;
use std::collections::BTreeMap;

/// An invoice that may cancel or be cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Its place in the file's order.
    pub(super) place: usize,
    /// Whether it is a cancellation.
    pub(super) back: bool,
    pub(super) customer: CustomerId,
    pub(super) date: Option<Moment>,
    /// Equal for equal lines.
    pub(super) lines: u128,
}

/// Pairs each cancellation, in order of time, with the latest earlier order of its customer that has equal lines and is not
/// cancelled yet. Within one moment the file's order counts.
pub(super) fn pairs(mut invoices: Vec<Candidate>) -> Vec<(usize, usize)> {
    invoices.sort_by_key(|one| (one.date, one.place));
    let mut open: BTreeMap<(CustomerId, u128), Vec<usize>> = BTreeMap::new();
    let mut pairs = Vec::new();
    for one in invoices {
        let orders = open.entry((one.customer, one.lines)).or_default();
        if !one.back {
            orders.push(one.place);
        } else if let Some(order) = orders.pop() {
            pairs.push((one.place, order));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invoice(place: usize, back: bool, customer: &str, lines: u128) -> Candidate {
        let customer = CustomerId::new(customer).expect("a customer");
        Candidate { place, back, customer, date: None, lines }
    }

    #[test]
    fn the_latest_earlier_uncancelled_order_of_the_customer_with_equal_lines_is_cancelled() {
        let order = |place, customer, lines| invoice(place, false, customer, lines);
        let back = |place, customer, lines| invoice(place, true, customer, lines);
        let file = vec![
            back(0, "a", 1), // Nothing is earlier.
            order(1, "a", 1),
            order(2, "a", 1),
            order(3, "b", 1),
            order(4, "a", 2),
            back(5, "a", 1),
            back(6, "a", 1),
            back(7, "a", 1), // Nothing is left.
        ];
        assert_eq!(pairs(file), [(5, 2), (6, 1)]);
    }
}
