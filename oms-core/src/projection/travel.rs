//! Time travel: an order as it was, and what changed between two moments of its life, by plain functions over its history.

use super::{
    facts::Facts,
    story::{Entry, Story, in_order, recorded},
    summary::OrderSummary,
};
use crate::{
    clock::Timestamp,
    id::OrderId,
    store::{Recorded, Store, StoreError},
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// A moment in an order's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// When its own stream had this version: 1 when it was placed. Of the other services it holds what the story tells
    /// before that.
    Version(u64),
    /// At this time; what was recorded in that microsecond is in it.
    Time(Timestamp),
}

/// An order as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Past {
    /// The version of the order's own stream then.
    pub version: u64,
    /// When the newest event of it was recorded.
    pub time: Timestamp,
    /// The order at a glance, as it was.
    pub summary: OrderSummary,
    /// The story until then; what was in flight is not known any more.
    pub story: Story,
}

/// One figure or word of an order that is another than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its name in the summary, such as `status` or `funds.captured`.
    pub field: String,
    /// What it was.
    pub from: Value,
    /// What it became.
    pub to: Value,
}

/// What changed between two moments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The order.
    pub order: OrderId,
    /// The version it began at.
    pub from: u64,
    /// The version it ended at.
    pub to: u64,
    /// What is another than before.
    pub changes: Vec<Change>,
    /// What happened in between.
    pub entries: Vec<Entry>,
}

/// The order as it was at `moment`, from everything recorded of it in any order; `None` when it was not placed yet, or never
/// had that version.
///
/// ```
/// use oms_core::{id::order_id, projection::{Moment, as_it_was}};
/// assert!(as_it_was(&order_id("shop", "1"), Vec::new(), Moment::Version(1)).is_none());
/// ```
#[must_use]
pub fn as_it_was(order: &OrderId, recorded: Vec<Recorded>, moment: Moment) -> Option<Past> {
    let until = until(recorded, moment)?;
    let mut facts = Facts::new(order.clone());
    until.iter().for_each(|each| facts.add(each));
    facts.placed()?;
    let own = until.iter().filter(|each| &*each.stream.kind == "order");
    let version = own.map(|each| each.version).max()?;
    let summary = OrderSummary::of(&facts);
    let story = Story::new(order.clone(), summary.status, until, Vec::new());
    Some(Past { version, time: facts.newest, summary, story })
}

/// What changed of an order from one moment to another, whichever is the earlier; `None` when one of them is no moment of its
/// life.
#[must_use]
pub fn changes(order: &OrderId, recorded: &[Recorded], from: Moment, to: Moment) -> Option<Difference> {
    let at = |moment| as_it_was(order, recorded.to_vec(), moment);
    let (before, after) = (at(from)?, at(to)?);
    let (older, newer) = if before.story.entries.len() <= after.story.entries.len() {
        (&before.story.entries, &after.story.entries)
    } else {
        (&after.story.entries, &before.story.entries)
    };
    let entries = newer.get(older.len()..).unwrap_or_default().to_vec();
    let changes = compared(&before.summary, &after.summary);
    Some(Difference { order: order.clone(), from: before.version, to: after.version, changes, entries })
}

/// Reads an order as it was; `None` as [`as_it_was`] says.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn past(store: &dyn Store, order: &OrderId, moment: Moment) -> Result<Option<Past>, StoreError> {
    Ok(as_it_was(order, recorded(store, order).await?, moment))
}

/// Reads what changed of an order; `None` as [`changes`] says.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn difference(
    store: &dyn Store,
    order: &OrderId,
    from: Moment,
    to: Moment,
) -> Result<Option<Difference>, StoreError> {
    Ok(changes(order, &recorded(store, order).await?, from, to))
}

/// What the story tells until a moment; `None` when the order never had that version.
fn until(recorded: Vec<Recorded>, moment: Moment) -> Option<Vec<Recorded>> {
    let mut told: Vec<Recorded> = in_order(recorded).into_iter().map(|(each, _)| each).collect();
    match moment {
        Moment::Version(version) => {
            let last =
                told.iter().position(|each| &*each.stream.kind == "order" && each.version == version)?;
            told.truncate(last + 1);
        }
        Moment::Time(time) => told.retain(|each| each.time <= time),
    }
    Some(told)
}

fn compared(before: &OrderSummary, after: &OrderSummary) -> Vec<Change> {
    let flat = |summary: &OrderSummary| {
        let mut fields = Vec::new();
        // A summary is always an object: what could not be written would show as no field at all.
        flatten("", serde_json::to_value(summary).unwrap_or_default(), &mut fields);
        fields
    };
    let (before, after) = (flat(before), flat(after));
    let of = |fields: &[(String, Value)], name: &str| {
        fields.iter().find(|(field, _)| field == name).map_or(Value::Null, |(_, value)| value.clone())
    };
    let mut seen = BTreeSet::new();
    let names = before.iter().chain(&after).map(|(name, _)| name).filter(|name| seen.insert((*name).clone()));
    let changes =
        names.map(|name| Change { field: name.clone(), from: of(&before, name), to: of(&after, name) });
    changes.filter(|change| change.from != change.to).collect()
}

fn flatten(path: &str, value: Value, fields: &mut Vec<(String, Value)>) {
    let Value::Object(inner) = value else {
        fields.push((path.to_owned(), value));
        return;
    };
    for (name, value) in inner {
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        flatten(&path, value, fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::public::Status,
        projection::fixture::{cancelled, completed, order, streams},
    };

    /// The streams of a fixture, a second apart, each cause sent by nobody.
    fn history() -> Vec<Recorded> {
        let mut all: Vec<Recorded> = streams(&completed()).concat();
        all.sort_by_key(|each| (each.version, each.stream.clone()));
        for (seconds, each) in (0..).zip(&mut all) {
            each.time = each.time.after(std::time::Duration::from_secs(seconds));
        }
        all
    }

    fn status(moment: Moment) -> Option<Status> {
        as_it_was(&order(), history(), moment).map(|past| past.summary.status)
    }

    #[test]
    fn an_order_is_shown_as_it_was_at_each_version_and_never_at_one_that_it_did_not_have() {
        let seen: Vec<_> = (0..=10).map(|version| status(Moment::Version(version))).collect();
        assert_eq!(seen[0], None);
        assert_eq!(seen[1], Some(Status::Pending));
        assert_eq!(seen[4], Some(Status::Confirmed));
        assert_eq!(seen[5], Some(Status::Shipped));
        assert_eq!(seen[9], Some(Status::Completed));
        assert_eq!(seen[10], None);
    }

    #[test]
    fn an_order_at_a_time_holds_what_was_recorded_until_then() {
        let history = history();
        for each in &history {
            let past = as_it_was(&order(), history.clone(), Moment::Time(each.time)).expect("placed");
            let until: Vec<_> = history.iter().filter(|one| one.time <= each.time).collect();
            assert_eq!((past.story.entries.len(), past.time), (until.len(), each.time));
        }
        assert_eq!(status(Moment::Time(Timestamp(0))), None, "before it was placed");
        assert_eq!(status(Moment::Time(Timestamp(i64::MAX))), Some(Status::Completed));
    }

    #[test]
    fn the_newest_version_is_the_order_as_it_is() {
        for facts in [completed(), cancelled()] {
            let newest = Moment::Version(facts.orders.len() as u64);
            let past = as_it_was(&order(), streams(&facts).concat(), newest).expect("it has it");
            assert_eq!(past.summary.status, facts.status());
        }
    }

    #[test]
    fn a_difference_names_each_field_that_changed_and_what_happened_in_between() {
        let (placed, newest) = (Moment::Version(1), Moment::Version(9));
        let found = changes(&order(), &history(), placed, newest).expect("both were");
        let of = |name: &str| found.changes.iter().find(|change| change.field == name);
        let status = of("status").expect("it changed");
        assert_eq!((&status.from, &status.to), (&Value::from("pending"), &Value::from("completed")));
        assert_eq!(of("funds.captured").map(|change| change.to.clone()), Some(Value::from(1_530)));
        assert!(of("customer").is_none() && of("total_minor").is_none());
        let told = |kind: &str| found.entries.iter().any(|entry| &*entry.kind == kind);
        assert!(told("OrderCompleted") && told("PaymentCaptured") && !told("OrderPlaced"));
        let back = changes(&order(), &history(), newest, placed).expect("both were");
        assert_eq!((back.from, back.to, back.entries), (9, 1, found.entries));
        assert!(changes(&order(), &history(), placed, placed).expect("it was").changes.is_empty());
    }
}
