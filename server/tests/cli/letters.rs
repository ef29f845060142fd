//! A message that can never be handled: put aside, shown, the order it stops named, and tried again once.

use crate::kit::Desk;
use async_trait::async_trait;
use bytes::Bytes;
use oms_core::{
    gateway::{Answer, Asked, Effect, Gateway, NoAnswer, Repeats},
    id::order_id,
    order::NewOrder,
};
use oms_server::import::PRINCIPAL;
use serde_json::json;
use std::{sync::Arc, time::Duration};

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
fn bury(desk: &Desk) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let broker = oms_broker::connect("memory://").await.expect("a broker");
        let store = oms_sqlite::open(desk.path("a.db")).expect("it opens");
        let builder = oms_broker::builder(broker, store).gateway("card", Arc::new(Babbling));
        let oms = builder.build().await.expect("it is built");
        let placed = oms.place(order(), PRINCIPAL, "1").await.expect("it is placed");
        assert_eq!(placed.id, order_id(PRINCIPAL, "1"));
        let buried = async {
            while oms.count().await.expect("it counts").buried == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        oms.clone().run(buried, Duration::from_secs(5)).await;
    });
}

#[test]
fn a_dead_letter_is_shown_with_the_order_that_it_stops_and_redriven_once() {
    let desk = Desk::new();
    bury(&desk);
    let letters = desk.done("--db a.db dead-letters list --json");
    let letter = &letters["dead_letters"][0];
    assert_eq!(
        (&letter["number"], &letter["group"], &letter["state"]),
        (&json!(1), &json!("payment"), &json!("buried"))
    );
    assert!(desk.oms("--db a.db dead-letters show 1").out.contains("fine, thanks"));
    let stuck = desk.done("--db a.db orders list --stuck --json");
    let one = &stuck["stuck"][0];
    assert_eq!(one["order"], json!(order_id(PRINCIPAL, "1")));
    assert_eq!((&one["reason"]["kind"], &one["reason"]["number"]), (&json!("dead_letter"), &json!(1)));
    let text = desk.oms("--db a.db orders list --stuck").out;
    assert!(text.contains("dead letter 1: payment gave up"), "{text}");
    let attempts = letter["attempts"].as_u64();
    let redriven = desk.done("--db a.db dead-letters redrive --all --json");
    assert_eq!(redriven, json!({ "redriven": 1, "buried_again": 1 }), "nonsense stays nonsense");
    let letters = desk.done("--db a.db dead-letters list --json");
    assert_eq!(letters["dead_letters"].as_array().map(Vec::len), Some(1), "it is the same letter");
    assert!(letters["dead_letters"][0]["attempts"].as_u64() > attempts, "{letters}");
    assert_eq!(desk.done("--db a.db dead-letters redrive 9 --json")["redriven"], 0);
    assert_eq!(
        desk.done("--db a.db check --json")["violations"],
        json!([]),
        "a stuck order breaks no promise"
    );
    let missing = desk.oms("--db a.db dead-letters show 9");
    assert_eq!(missing.code, Some(2));
}
