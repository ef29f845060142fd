//! One day: twelve orders by card, UPI and cash, one of them cancelled, and one for more than there is.

use crate::{
    failure::Failure,
    loyalty::{KIND, Loyalty, Points},
};
use oms_broker::{
    Broker, CustomerId, OrderId, Sku,
    oms_core::{
        event::{inventory::AdjustStock, payment::PaymentChoice, shipping::Address},
        id::Name,
        money::{Currency, Money},
        oms::Oms,
        order::{NewLine, NewOrder},
        service::Entry,
        store::{MemoryStore, Store},
    },
};
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

/// What became of the day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Orders by status.
    pub by_status: BTreeMap<String, u32>,
    /// Money kept, in pence.
    pub kept_minor: i128,
    /// Loyalty points given.
    pub points: i64,
    /// Invariants that do not hold; none.
    pub violations: usize,
    /// The story of the order that was cancelled.
    pub story: String,
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (status, count) in &self.by_status {
            writeln!(out, "{status:>10}  {count}")?;
        }
        writeln!(out, "{:>10}  {} pence", "kept", self.kept_minor)?;
        writeln!(out, "{:>10}  {}", "points", self.points)?;
        writeln!(out, "{:>10}  {}\n\n{}", "broken", self.violations, self.story)
    }
}

/// Plays the day over a broker, on a store in memory, and says what became of it.
///
/// # Errors
/// Whatever the house says when it cannot be built, placed with or asked.
pub async fn day(broker: Arc<dyn Broker>) -> Result<Day, Failure> {
    day_on(broker, MemoryStore::new(Arc::new(oms_broker::SystemClock))).await
}

/// As [`day`], on this store. Played again on one that lasts, it places nothing twice, and comes to the same.
///
/// # Errors
/// As [`day`].
pub async fn day_on(broker: Arc<dyn Broker>, store: impl Store + Clone + 'static) -> Result<Day, Failure> {
    let oms = oms_broker::builder(broker, store.clone()).handler(Loyalty).build().await?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let house = oms.clone().run(async { _ = stopped.await }, Duration::from_secs(5));
    let (_, day) = tokio::join!(house, async {
        let day = play(&oms, &store).await;
        drop(stop);
        day
    });
    day
}

async fn play(oms: &Oms, store: &impl Store) -> Result<Day, Failure> {
    let sku = Sku::new("85123A")?;
    let reason = "received".to_owned();
    oms.adjust_stock(AdjustStock { sku, delta: 40, reference: Name::from("delivery-1"), reason }).await?;
    let mut orders = Vec::new();
    for number in 0..12 {
        let method = ["card", "upi", "cod"][number % 3];
        let quantity = if number == 11 { 1_000 } else { 3 };
        // The first order waits with its dispatch, so that it can be cancelled however quick the house is.
        let order = basket(method, quantity, number == 0)?;
        orders.push(oms.place(order, "shop", &format!("basket-{number}")).await?.id);
    }
    oms.cancel(&orders[0], "customer", "found it cheaper").await?;
    let mut day = Day { story: String::new(), ..Day::default() };
    for order in &orders {
        let ended = oms.wait_until_settled(order).await?;
        *day.by_status.entry(format!("{:?}", ended.status).to_lowercase()).or_default() += 1;
        day.kept_minor += ended.funds.kept();
    }
    at_rest(oms).await?;
    for order in &orders {
        day.points += points(store, order).await?;
    }
    day.violations = oms.check(None, true).await?.violations.len();
    day.story = oms.story(&orders[0]).await?.to_string();
    Ok(day)
}

fn basket(method: &str, quantity: u32, hold_dispatch: bool) -> Result<NewOrder, Failure> {
    let currency = Currency::new("GBP")?;
    let unit_price = Money::parse("2.55", currency)?;
    let sku = Sku::new("85123A")?;
    let name = "WHITE HANGING HEART T-LIGHT HOLDER".to_owned();
    let line = NewLine { sku, name, quantity, unit_price, stocked: true, fields: Default::default() };
    Ok(NewOrder {
        customer: CustomerId::new("17850")?,
        currency,
        lines: vec![line],
        address: Address { country: "United Kingdom".to_owned(), ..Address::default() },
        payment: PaymentChoice { method: Name::from(method), token: None },
        stated_total: None,
        hold_dispatch,
        fields: Default::default(),
    })
}

/// Waits until nothing is in flight: an order ends before the last of its notices.
async fn at_rest(oms: &Oms) -> Result<(), Failure> {
    loop {
        let counts = oms.count().await?;
        if counts.owed + counts.parked + counts.effects == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn points(store: &impl Store, order: &OrderId) -> Result<i64, Failure> {
    let streams = store.streams(KIND, None, 100).await?;
    let mine = streams.into_iter().find(|(stream, _)| *stream.id == *order.as_str());
    Ok(mine.map_or(Ok(0), |(_, stream)| Entry::new(stream).state::<Points>().map(|points| points.0))?)
}
