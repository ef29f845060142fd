//! What must hold when everything is over, whatever the test did.

use crate::house::World;
use oms_core::{
    clock::Clock as _,
    event::public::Status,
    id::OrderId,
    oms::Oms,
    projection::{OrderSummary, Shelf, check::Report},
};
use std::time::Duration;

/// Longer than any window of these tests.
const AT_MOST: Duration = Duration::from_secs(15 * 60);

impl World {
    /// Waits until nothing is owed, parked or wished, and every order has ended; then every promise must hold.
    pub(crate) async fn rest(&self, oms: &Oms) -> Report {
        let clock = self.stage.clock();
        let end = clock.now().after(AT_MOST);
        loop {
            if self.idle(oms).await {
                let report = oms.check(Some(&self.books()), true).await.expect("checks");
                if report.in_flight == 0 {
                    self.audit(oms, &report).await;
                    return report;
                }
            }
            if clock.now() > end {
                let stories = unended(oms).await;
                panic!("not at rest: {:?}\n{stories}", oms.count().await);
            }
            clock.sleep(Duration::from_millis(200)).await;
        }
    }

    pub(crate) async fn idle(&self, oms: &Oms) -> bool {
        let count = oms.count().await.expect("counts");
        count.owed + count.parked + count.effects == 0
    }

    async fn audit(&self, oms: &Oms, report: &Report) {
        assert_eq!(report.violations, []);
        assert_eq!(report.stuck, []);
        assert_eq!(oms.count().await.expect("counts").buried, 0, "no dead letters");
        assert_eq!(
            oms.waiting(None, 10).await.expect("waiting"),
            [],
            "nothing is left over, not even a deadline"
        );
        for (key, times) in self.ledger().done {
            assert_eq!(times, 1, "how often {key} was done");
        }
    }

    /// Waits for rest, and gives the order's end.
    pub(crate) async fn end(&self, oms: &Oms, order: &OrderId) -> OrderSummary {
        self.rest(oms).await;
        oms.order(order).await.expect("reads").expect("was placed")
    }

    /// Waits for rest; the order must have ended so, and its story must say all of `said`, in this order.
    pub(crate) async fn ends(
        &self,
        oms: &Oms,
        order: &OrderId,
        status: Status,
        said: &[&str],
    ) -> OrderSummary {
        let summary = self.end(oms, order).await;
        says(oms, order, said).await;
        assert_eq!(summary.status, status);
        let kept = if status == Status::Completed { summary.total_minor.into() } else { 0 };
        assert_eq!(summary.kept_minor, kept);
        summary
    }
}

async fn unended(oms: &Oms) -> String {
    let page = oms.orders(None, 1_000).await.expect("reads");
    let mut text = String::new();
    for order in page.orders.iter().filter(|order| !order.phase.is_terminal()).take(3) {
        text += &oms.story(&order.order).await.expect("a story").to_string();
    }
    text
}

/// The kinds of all events in an order's story.
pub(crate) async fn kinds(oms: &Oms, order: &OrderId) -> Vec<String> {
    let story = oms.story(order).await.expect("a story");
    story.entries.iter().map(|entry| entry.kind.to_string()).collect()
}

/// The story must say all of `said`, in this order; other events may lie between.
pub(crate) async fn says(oms: &Oms, order: &OrderId, said: &[&str]) {
    let story = oms.story(order).await.expect("a story");
    let mut entries = story.entries.iter();
    for kind in said {
        assert!(
            entries.any(|entry| &*entry.kind == *kind),
            "{kind} is missing, or out of order, in\n{story}"
        );
    }
}

/// The story must say none of these.
pub(crate) async fn never_says(oms: &Oms, order: &OrderId, unsaid: &[&str]) {
    let kinds = kinds(oms, order).await;
    let said: Vec<&&str> = unsaid.iter().filter(|kind| kinds.iter().any(|each| each == *kind)).collect();
    assert_eq!(said, Vec::<&&str>::new(), "{kinds:?}");
}

/// What is on the shelf of a SKU.
pub(crate) async fn shelf(oms: &Oms, name: &str) -> Shelf {
    let page = oms.stock(None, 1_000).await.expect("reads");
    page.shelves.into_iter().find(|(sku, _)| sku.as_str() == name).expect("is known").1
}
