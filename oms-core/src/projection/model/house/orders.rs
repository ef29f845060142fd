//! Orders at a glance: listed by time, by customer and by status, and counted by status.

use crate::{
    clock::Timestamp,
    event::{
        Wire, WireError, inventory::InventoryEvent, order::OrderEvent, payment::PaymentEvent, public::Status,
    },
    id::{CustomerId, Name, OrderId},
    money::Currency,
    projection::{
        Course, Funds, OrderSummary, SOURCE_FIELD, Units,
        model::{contract::Model, day::sortable, port::Marks, shares::Shares},
    },
    store::Recorded,
};
use serde::{Deserialize, Serialize};

/// What was placed, as far as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placing {
    /// When.
    pub time: Timestamp,
    /// The source's own number, from the own field [`SOURCE_FIELD`].
    pub source: Option<String>,
    /// Who buys.
    pub customer: CustomerId,
    /// The currency of all amounts.
    pub currency: Currency,
    /// What is due, in minor units.
    pub total_minor: i64,
    /// How many lines it has.
    pub lines: usize,
}

/// An order in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedOrder {
    /// What was placed; `None` while that event is missing.
    pub placing: Option<Placing>,
    /// Where it stands.
    pub course: Course,
    /// Its money.
    pub funds: Funds,
    /// Its units.
    pub units: Units,
    /// When the newest of its events was recorded.
    pub changed: Timestamp,
}

impl ListedOrder {
    /// The order at a glance; the same that its whole history gives.
    #[must_use]
    pub fn summary(&self, order: OrderId) -> OrderSummary {
        let placing = self.placing.as_ref();
        OrderSummary {
            order,
            source: placing.and_then(|placing| placing.source.clone()),
            customer: placing.map(|placing| placing.customer.clone()),
            status: self.course.status(),
            phase: self.course.phase(),
            currency: placing.map(|placing| placing.currency),
            total_minor: placing.map_or(0, |placing| placing.total_minor),
            funds: self.funds,
            kept_minor: self.funds.kept(),
            units: self.units,
            lines: placing.map_or(0, |placing| placing.lines),
            needs_attention: self.course.attention().map(str::to_owned),
        }
    }

    fn hear(&mut self, event: &OrderEvent, time: Timestamp) {
        if let (None, OrderEvent::OrderPlaced(placed)) = (&self.placing, event) {
            self.placing = Some(Placing {
                time,
                source: placed.fields.get(SOURCE_FIELD).map(str::to_owned),
                customer: placed.customer.clone(),
                currency: placed.currency,
                total_minor: placed.total.minor,
                lines: placed.lines.len(),
            });
        }
        self.course.apply(event);
    }
}

/// What all marks of orders placed at `time` or later are greater than, behind the prefix of their list.
fn mark(list: &str, time: Timestamp, id: &str) -> Name {
    Name::from(format!("{list}\u{1f}{}\u{1f}{id}", sortable(time)))
}

/// The mark and prefix of the list of all orders by time, and where it begins at `since`.
#[must_use]
pub fn by_time(since: Timestamp) -> (usize, String, Name) {
    (0, "\u{1f}".to_owned(), mark("", since, ""))
}

/// The mark and prefix of a customer's orders by time, and where they begin at `since`.
#[must_use]
pub fn by_customer(customer: &CustomerId, since: Timestamp) -> (usize, String, Name) {
    (1, format!("{}\u{1f}", customer.as_str()), mark(customer.as_str(), since, ""))
}

/// The mark and prefix of the orders of a status by time, and where they begin at `since`.
#[must_use]
pub fn by_status(status: Status, since: Timestamp) -> (usize, String, Name) {
    (2, format!("{}\u{1f}", status.name()), mark(status.name(), since, ""))
}

/// The model `orders`: a row for each order, and the sums `all` and one for each status.
#[derive(Clone, Copy, Debug, Default)]
pub struct OrderModel;

impl Model for OrderModel {
    type State = ListedOrder;
    const NAME: &'static str = "orders";
    const SHAPE: u32 = 1;
    const KINDS: &'static [&'static str] = &["order", "payment", "reservation"];
    const GROUPS: &'static [&'static str] = &["place", "order", "payment", "inventory"];

    fn apply(&self, _: &Name, state: &mut ListedOrder, recorded: &Recorded) -> Result<(), WireError> {
        let event = &recorded.event;
        match &*recorded.stream.kind {
            "order" => {
                state.hear(&OrderEvent::decode(&event.kind, event.schema, &event.body)?, recorded.time);
            }
            "payment" => state.funds.add(&PaymentEvent::decode(&event.kind, event.schema, &event.body)?),
            _ => state.units.apply(&InventoryEvent::decode(&event.kind, event.schema, &event.body)?),
        }
        state.changed = state.changed.max(recorded.time);
        Ok(())
    }

    fn marks(&self, id: &Name, state: &ListedOrder) -> Marks {
        let Some(placing) = &state.placing else { return Marks::default() };
        let in_list = |list: &str| Some(mark(list, placing.time, id));
        [in_list(""), in_list(placing.customer.as_str()), in_list(state.course.status().name())]
    }

    fn share(&self, _: &Name, state: &ListedOrder, shares: &mut Shares) {
        if state.placing.is_some() {
            shares.add("all", "orders", 1);
            shares.add(state.course.status().name(), "orders", 1);
        }
    }
}
