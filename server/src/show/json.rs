//! One JSON object on standard output, by names that scripts may rely on.

use super::{blow::BlowAnswer, ports::HealthAnswer};
use oms_core::{
    order::Phase,
    projection::{Reason, Stuck, Sums, check::Checked, story::Story},
};
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf};

/// What `import --json` prints. Its names never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportAnswer {
    /// Invoices of the file that are orders.
    pub orders: u64,
    /// Rows of the file, bad ones included.
    pub rows: u64,
    /// Invoices that cancel or give back.
    pub cancellation_invoices: u64,
    /// Those that cancel a whole order.
    pub cancellations_matched: u64,
    /// The sum of the orders, in minor units.
    pub gross_minor: i64,
    /// Orders that this run placed.
    pub placed: u64,
    /// Orders that an earlier run had placed.
    pub already_known: u64,
    /// How many orders of the file stand where.
    pub by_status: BTreeMap<String, u64>,
    /// Rows that became nothing.
    pub refused_rows: u64,
    /// The file that lists them, and the returns.
    pub report: PathBuf,
}

/// What `check --json` prints. Its names never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckAnswer {
    /// Orders in the database.
    pub orders: u64,
    /// How many rules were checked.
    pub invariants_checked: u64,
    /// Every rule that is broken, in words.
    pub violations: Vec<String>,
    /// Ever taken, in minor units.
    pub captured_minor: i128,
    /// Ever given back, in minor units.
    pub refunded_minor: i128,
    /// Kept, in minor units.
    pub kept_minor: i128,
    /// Over id, lines, status, money and units of all orders.
    pub summary_hash: String,
    /// Orders that will not end by themselves.
    pub stuck: Vec<StuckAnswer>,
    /// How the store, the broker and the gateways are.
    pub health: HealthAnswer,
    /// With `--audit`, how many rows of events were held against the hash they were written with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audited_rows: Option<u64>,
}

/// An order that will not end by itself, as `check --json` and `orders list --stuck --json` print it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StuckAnswer {
    /// The order.
    pub order: String,
    /// The phase it is stuck in.
    pub phase: Phase,
    /// Why.
    pub reason: Reason,
    /// Why, in words.
    pub words: String,
    /// Since when.
    pub since: String,
}

impl StuckAnswer {
    /// Names a stuck order.
    #[must_use]
    pub fn of(stuck: &Stuck) -> Self {
        let Stuck { order, phase, reason, since } = stuck;
        let (words, since) = (reason.to_string(), since.to_string());
        Self { order: order.to_string(), phase: *phase, reason: reason.clone(), words, since }
    }

    /// The cells of a table: order, phase, since when, and why.
    #[must_use]
    pub fn cells(&self) -> [String; 4] {
        [self.order.clone(), format!("{:?}", self.phase), self.since.clone(), self.words.clone()]
    }
}

/// What `demo --json` prints: what an import does, and the figures of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DemoAnswer {
    /// What became of the file.
    #[serde(flatten)]
    pub import: ImportAnswer,
    /// Money by currency, over the whole database.
    pub money: BTreeMap<String, Sums>,
    /// Units held and not committed.
    pub units_held: u128,
    /// Units committed and not gone.
    pub units_committed: u128,
    /// Units gone for good.
    pub units_shipped: u128,
    /// What this run cost; `None` when it placed nothing.
    pub cost: Option<Cost>,
    /// Deliveries of this run that nobody owed.
    pub duplicates_suppressed: u64,
    /// How many rules were checked.
    pub invariants_checked: u64,
    /// Each of them, by number.
    pub invariants: Vec<Checked>,
    /// Every rule that is broken, in words.
    pub violations: Vec<String>,
    /// Over id, lines, status, money and units of all orders.
    pub summary_hash: String,
    /// What befell the house in mid-run, if something did.
    pub blow: Option<BlowAnswer>,
    /// The story of an order that failed after stock was held or money reserved.
    pub story: Option<Story>,
}

/// What a run cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// From the first order placed to the last one ended.
    pub seconds: f64,
    /// Orders placed in that time, for each second.
    pub orders_per_second: f64,
    /// Rows written by commits, for each order placed; notices and all.
    pub rows_per_order: f64,
    /// Commits that wrote them.
    pub commits: u64,
}

/// One JSON object on one line.
///
/// # Errors
/// What `serde_json` says; never for the answers above.
pub fn object(answer: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::PortAnswer;

    fn port() -> PortAnswer {
        PortAnswer { standing: "ok", since: None, tries: None, error: None, next: None }
    }

    fn stuck() -> StuckAnswer {
        StuckAnswer {
            order: "o".to_owned(),
            phase: Phase::Confirmed,
            reason: Reason::NothingInFlight,
            words: "w".to_owned(),
            since: "t".to_owned(),
        }
    }

    #[test]
    fn the_names_that_scripts_rely_on_never_change() {
        let by_status = BTreeMap::from([("completed".to_owned(), 1)]);
        let import = ImportAnswer {
            orders: 1,
            rows: 2,
            cancellation_invoices: 3,
            cancellations_matched: 4,
            gross_minor: 5,
            placed: 6,
            already_known: 7,
            by_status,
            refused_rows: 8,
            report: PathBuf::from("r.csv"),
        };
        let expected = "{\"orders\":1,\"rows\":2,\"cancellation_invoices\":3,\"cancellations_matched\":4,\
                        \"gross_minor\":5,\"placed\":6,\"already_known\":7,\"by_status\":{\"completed\":1},\
                        \"refused_rows\":8,\"report\":\"r.csv\"}";
        assert_eq!(object(&import).expect("it is JSON"), expected);
        let check = CheckAnswer {
            orders: 1,
            invariants_checked: 2,
            violations: vec!["a".to_owned()],
            captured_minor: 3,
            refunded_minor: 4,
            kept_minor: -1,
            summary_hash: "ff".to_owned(),
            stuck: vec![stuck()],
            health: HealthAnswer {
                ok: true,
                store: port(),
                broker: port(),
                gateways: BTreeMap::new(),
                lanes: 1,
                held: 0,
                backlog: None,
                taken: 0,
            },
            audited_rows: None,
        };
        let expected = "{\"orders\":1,\"invariants_checked\":2,\"violations\":[\"a\"],\"captured_minor\":3,\
                        \"refunded_minor\":4,\"kept_minor\":-1,\"summary_hash\":\"ff\",\"stuck\":[{\"order\":\"o\",\"phase\":\"confirmed\",\
                        \"reason\":{\"kind\":\"nothing_in_flight\"},\"words\":\"w\",\"since\":\"t\"}],\
                        \"health\":{\"ok\":true,\"store\":{\"standing\":\"ok\",\"since\":null,\"tries\":null,\"error\":null,\"next\":null},\
                        \"broker\":{\"standing\":\"ok\",\"since\":null,\"tries\":null,\"error\":null,\"next\":null},\"gateways\":{},\
                        \"lanes\":1,\"held\":0,\"backlog\":null,\"taken\":0}}";
        assert_eq!(object(&check).expect("it is JSON"), expected);
    }
}
