//! The check: every figure derived from the events again, and the invariants of the domain held against them.
//!
//! ```
//! use oms_core::{id::order_id, projection::{Facts, check::{ORDER_RULES, name}}};
//! let facts = Facts::new(order_id("shop", "1"));
//! for rule in ORDER_RULES {
//!     assert_eq!((rule.holds)(&facts), Ok(()), "{}", name(rule.number));
//! }
//! ```

mod books;
mod held;
mod money;
mod order;
mod run;
mod stock;
mod streams;
#[cfg(test)]
mod tests;

pub use books::{BookEntry, Books};
pub use held::Held;
pub use run::{Check, Checked, Report, Violation};
pub use stock::{Reserved, add_reserved};

use super::facts::{Facts, SkuFacts};

/// When an invariant of an order applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// After every event.
    Always,
    /// Once the order has ended.
    Ended,
}

/// An invariant of one order: a plain function over its facts.
#[derive(Clone, Copy)]
pub struct OrderRule {
    /// Its number.
    pub number: u8,
    /// When it applies.
    pub when: When,
    /// Says whether it holds.
    pub holds: fn(&Facts) -> Held,
}

/// An invariant of one SKU, beside what the reservations of all orders say of it.
#[derive(Clone, Copy)]
pub struct SkuRule {
    /// Its number.
    pub number: u8,
    /// Says whether it holds.
    pub holds: fn(&SkuFacts, Reserved) -> Held,
}

const fn always(number: u8, holds: fn(&Facts) -> Held) -> OrderRule {
    OrderRule { number, when: When::Always, holds }
}

const fn ended(number: u8, holds: fn(&Facts) -> Held) -> OrderRule {
    OrderRule { number, when: When::Ended, holds }
}

/// The invariants of an order.
pub const ORDER_RULES: [OrderRule; 14] = [
    always(1, stock::ships_only_committed),
    always(4, stock::one_hold),
    always(5, money::no_double_charge),
    always(6, money::within_what_was_taken),
    ended(7, money::keeps_what_it_should),
    ended(8, money::undone_is_refunded),
    ended(9, stock::nothing_leaks),
    always(10, order::terminal_is_final),
    always(11, order::legal_transitions),
    always(12, money::ships_only_what_is_guaranteed),
    always(13, stock::cancelled_or_shipped),
    always(14, stock::lines_add_up),
    always(15, money::total_adds_up),
    always(20, order::everything_is_readable),
];

/// The invariants of a SKU.
pub const SKU_RULES: [SkuRule; 4] = [
    SkuRule { number: 1, holds: |sku, _| stock::never_oversold(sku) },
    SkuRule { number: 2, holds: stock::ledger_balances },
    SkuRule { number: 3, holds: stock::counter_equals_reservations },
    SkuRule {
        number: 20,
        holds: |sku, _| if sku.unread.is_empty() { Ok(()) } else { Err(sku.unread.join("; ")) },
    },
];

/// The name of an invariant, for people.
#[must_use]
pub fn name(number: u8) -> &'static str {
    match number {
        1 => "never oversold",
        2 => "the stock ledger balances",
        3 => "stock counters equal the reservations",
        4 => "one hold for each order",
        5 => "no double charge",
        6 => "taken within reserved, given back within taken",
        7 => "a completed order keeps its total, an undone one nothing",
        8 => "what was charged and failed is refunded",
        9 => "no stock or parcel leaks",
        10 => "a terminal order never changes",
        11 => "only legal steps",
        12 => "nothing ships without a guaranteed payment",
        13 => "cancelled or shipped, never both",
        14 => "the lines add up",
        15 => "the total adds up",
        17 => "versions without gaps, nothing without its order",
        18 => "nothing is owed but what is buried",
        19 => "one turn for each message",
        20 => "stored states are the fold of the events",
        22 => "every order can end",
        23 => "every undo is settled or seen by a person",
        _ => "an invariant of a later release",
    }
}
