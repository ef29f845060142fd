//! `oms orders show --version|--at` and `oms orders diff`: an order as it was, and what changed.

use crate::{
    command::output::print,
    exit::{Blame, Failure},
    shop::Shop,
    show::{figures, table},
};
use oms_core::{
    id::OrderId,
    projection::{Difference, Moment, Past},
};
use serde_json::Value;

pub(super) async fn show(shop: &Shop, json: bool, order: &OrderId, moment: Moment) -> Result<(), Failure> {
    let past = shop.oms().order_at(order, moment).await.map_err(Failure::outside)?;
    let past = match past {
        Some(past) => past,
        None => return Err(never(shop, order, moment).await?),
    };
    print(json, &past, || shown(&past))
}

pub(super) async fn diff(
    shop: &Shop,
    json: bool,
    order: &OrderId,
    from: u64,
    to: Option<u64>,
) -> Result<(), Failure> {
    let to = match to {
        Some(to) => to,
        None => newest(shop, order).await?,
    };
    for version in [from, to] {
        let moment = Moment::Version(version);
        if shop.oms().order_at(order, moment).await.map_err(Failure::outside)?.is_none() {
            return Err(never(shop, order, moment).await?);
        }
    }
    let (from, to) = (Moment::Version(from), Moment::Version(to));
    let found = shop.oms().order_changes(order, from, to).await.map_err(Failure::outside)?;
    match found {
        Some(found) => print(json, &found, || changed(&found)),
        None => Err(never(shop, order, to).await?),
    }
}

async fn newest(shop: &Shop, order: &OrderId) -> Result<u64, Failure> {
    let facts = shop.oms().facts(order).await.map_err(Failure::outside)?;
    Ok(facts.orders.len() as u64)
}

/// Says why the order never was as it is asked for.
async fn never(shop: &Shop, order: &OrderId, moment: Moment) -> Result<Failure, Failure> {
    let newest = newest(shop, order).await?;
    let text = match moment {
        Moment::Version(version) => {
            format!("order {order} has no version {version}; its versions are 1 to {newest}")
        }
        Moment::Time(time) => format!("order {order} was not placed at {time}; show its story for its times"),
    };
    Ok(Failure::new(Blame::Input, text))
}

fn shown(past: &Past) -> String {
    format!("version {} at {}\n{}", past.version, past.time, past.story)
}

fn changed(found: &Difference) -> String {
    let heading = format!("order {}: version {} to {}", found.order, found.from, found.to);
    if found.changes.is_empty() && found.entries.is_empty() {
        return format!("{heading}: nothing changed");
    }
    let changes = found
        .changes
        .iter()
        .map(|change| (change.field.clone(), format!("{} -> {}", words(&change.from), words(&change.to))));
    let entries = found.entries.iter().map(|entry| {
        [entry.time.to_string(), entry.service.to_string(), entry.kind.to_string(), entry.words.clone()]
    });
    let happened = table(&["time", "service", "event", "what happened"], entries);
    format!("{heading}\n{}\n{happened}", figures(changes))
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
