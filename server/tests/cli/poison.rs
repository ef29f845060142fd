//! A provider whose answers nobody understands, and the databases it leaves behind.

use crate::kit::{Desk, Ended};
use async_trait::async_trait;
use bytes::Bytes;
use oms_core::{
    gateway::{Answer, Asked, Effect, Gateway, NoAnswer, Repeats},
    id::order_id,
    order::NewOrder,
};
use oms_server::import::PRINCIPAL;
use serde_json::{Value, json};
use std::{io::Write as _, process::Stdio, sync::Arc, time::Duration};

/// A provider that answers what nobody understands.
struct Babbling;

fn nonsense() -> Answer {
    Answer { provider_event: None, body: Bytes::from_static(b"fine, thanks"), again: None }
}

#[async_trait]
impl Gateway for Babbling {
    fn repeats(&self) -> Repeats {
        Repeats::Deduplicated
    }

    fn at_once(&self) -> usize {
        1
    }

    async fn tell(&self, _: &Effect) -> Result<Answer, NoAnswer> {
        Ok(nonsense())
    }

    async fn ask(&self, _: &Effect) -> Result<Asked, NoAnswer> {
        Ok(Asked::Known(nonsense()))
    }
}

fn order() -> NewOrder {
    let order = json!({
        "customer": "c", "currency": "GBP",
        "lines": [{ "sku": "A", "quantity": 1, "stocked": false, "unit_price": { "minor": 100, "currency": "GBP" } }],
        "address": { "name": "", "street": [], "city": "", "postal_code": "", "country": "France" },
        "payment": { "method": "card", "token": null },
    });
    serde_json::from_value(order).expect("an order")
}

/// Leaves a database in which the answer to one order's payment is a dead letter.
pub(crate) fn bury(desk: &Desk) {
    bury_many(desk, 1);
}

/// Leaves a database in which the answers to so many orders' payments are dead letters.
pub(crate) fn bury_many(desk: &Desk, count: u64) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let broker = oms_broker::connect("memory://").await.expect("a broker");
        let store = oms_sqlite::open(desk.path("a.db")).expect("it opens");
        let builder = oms_broker::builder(broker, store).gateway("card", Arc::new(Babbling));
        let oms = builder.build().await.expect("it is built");
        for number in 1..=count {
            let key = number.to_string();
            let placed = oms.place(order(), PRINCIPAL, &key).await.expect("it is placed");
            assert_eq!(placed.id, order_id(PRINCIPAL, &key));
        }
        let buried = async {
            while oms.count().await.expect("it counts").buried < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        oms.clone().run(buried, Duration::from_secs(5)).await;
    });
}

/// Runs a command with something on its standard input.
pub(crate) fn given(desk: &Desk, line: &str, input: &[u8]) -> Ended {
    let mut child = desk.command(line).stdin(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("it listens").write_all(input).expect("it reads");
    child.wait_with_output().expect("it ends").into()
}

/// What the provider should have said to the first order.
pub(crate) fn answer(report: &Value) -> Vec<u8> {
    let order = order_id(PRINCIPAL, "1");
    let body = json!({
        "effect": { "order": order, "step": "authorise", "attempt": 1 },
        "stream": { "rank": "Keyed", "kind": "payment", "id": order },
        "gateway": "card", "settled": true, "calls": 1,
        "answer": report,
    });
    body.to_string().into_bytes()
}
