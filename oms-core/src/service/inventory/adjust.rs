//! Changes of stock from outside: each reference changes a SKU once.

use super::{
    change::change,
    stream::{ADJUSTMENT, stock_of},
};
use crate::{
    event::inventory::{AdjustStock, StockAdjusted, StockEvent},
    id::{Digest, MAX_ID_BYTES, Sku},
    inventory::Stock,
    service::{Aggregate, Fault, Loaded, Reaction, append},
    store::StreamId,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What was changed under one reference; nothing until then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    delta: Option<i64>,
}

impl Aggregate for Adjustment {
    const SCHEMA: u16 = 1;
    type Event = StockEvent;

    fn evolve(&mut self, event: &StockEvent) {
        match event {
            StockEvent::StockAdjusted(adjusted) => self.delta = Some(adjusted.delta),
            // Units of orders are never recorded here.
            StockEvent::UnitsTaken(_) | StockEvent::UnitsReturned(_) | StockEvent::UnitsConsumed(_) => {}
        }
    }
}

/// What whoever adjusts is answered; JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjusted {
    /// Whether it was done, now or by an earlier request of the same reference.
    pub accepted: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The stream that remembers a reference: `SKU:reference`, or a digest of both where that is long or ambiguous.
#[must_use]
pub fn adjustment_of(sku: &Sku, reference: &str) -> StreamId {
    let plain = format!("{sku}:{reference}");
    if plain.len() <= MAX_ID_BYTES && plain.matches(':').count() == 1 {
        return StreamId::keyed(ADJUSTMENT, &plain);
    }
    let digest = Digest::new("adjustment").text(sku.as_str()).text(reference).finish();
    StreamId::keyed(ADJUSTMENT, &format!("{digest:032x}"))
}

pub(super) fn hear(wish: &AdjustStock, loaded: &Loaded) -> Result<Reaction, Fault> {
    if wish.reference.trim().is_empty() {
        // The second delivery without a reference would be taken for the first one, and never counted.
        return answer(Some("the change has no reference; give it one of its own".to_owned()));
    }
    let stream = adjustment_of(&wish.sku, &wish.reference);
    let known = loaded.state::<Adjustment>(&stream)?.cloned().unwrap_or_default();
    if let Some(delta) = known.delta {
        let other = || "the reference was used for another change; give this one its own".to_owned();
        return answer((delta != wish.delta).then(other));
    }
    let stock = loaded.state::<Stock>(&stock_of(&wish.sku))?.copied().unwrap_or_default();
    if stock.adjusted(wish.delta).is_none() {
        let Stock { on_hand, taken } = stock;
        return answer(Some(format!(
            "{on_hand} units are on hand and {taken} of them taken; a change by {} does not fit",
            wish.delta
        )));
    }
    let (delta, reference, reason) = (wish.delta, wish.reference.clone(), wish.reason.clone());
    let event = StockEvent::StockAdjusted(StockAdjusted { delta, reference, reason });
    let mut reaction = answer(None)?;
    reaction.appends.push(append(stream, &known, vec![event.clone()])?);
    change(&wish.sku, event, None, loaded, &mut reaction)?;
    Ok(reaction)
}

fn answer(reason: Option<String>) -> Result<Reaction, Fault> {
    let adjusted = Adjusted { accepted: reason.is_none(), reason };
    let reply = serde_json::to_vec(&adjusted).map_err(|error| Fault::Permanent(error.to_string()))?;
    Ok(Reaction { reply: Some(Bytes::from(reply)), ..Reaction::default() })
}
