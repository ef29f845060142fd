//! Stories, told from recorded events.

use super::*;
use crate::{
    clock::Timestamp,
    event::{
        incident::{IncidentEvent, MessageBuried},
        notification::{Notice, NotificationEvent},
    },
    id::MessageId,
    message::GroupLane,
    projection::fixture::{self, cancelled, completed, order, recorded, streams},
};

fn told(recorded: Vec<Recorded>) -> Story {
    Story::new(order(), Status::Completed, recorded, Vec::new())
}

#[test]
fn a_story_says_in_words_what_was_held_paid_and_undone() {
    let story = told(streams(&cancelled()).concat());
    let words: Vec<&str> = story.entries.iter().map(|entry| entry.words.as_str()).collect();
    for said in [
        "accepted from 17850: 2 lines, 7 units, 15.30 GBP, by card; asked inventory to hold the stock",
        "held 1 line, 6 units",
        "15.30 GBP is reserved at the provider",
        "customer wants it cancelled: changed my mind",
        "was asked to stop the parcel",
        "15.30 GBP is let go again",
        "gave 6 units back",
    ] {
        assert!(words.contains(&said), "{said:?} is missing in {words:#?}");
    }
}

#[test]
fn within_one_moment_an_event_stands_after_the_one_that_caused_it() {
    let facts = completed();
    let mut placed = recorded("order", 1, &facts.orders[0]);
    let mut held = recorded("reservation", 1, &facts.stock[0]);
    let mut answered = recorded("order", 2, &facts.orders[1]);
    placed.cause = MessageId(1);
    held.cause = MessageId::caused("order", placed.cause, 2);
    answered.cause = MessageId::caused("inventory", held.cause, 0);
    let story = told(vec![answered, held, placed]);
    let kinds: Vec<&str> = story.entries.iter().map(|entry| &*entry.kind).collect();
    assert_eq!(kinds, ["OrderPlaced", "StockReserved", "OrderStockHeld"]);
    let because: Vec<_> = story.entries.iter().map(|entry| entry.because).collect();
    assert_eq!(because, [None, Some(0), Some(1)]);
}

#[test]
fn within_one_moment_a_gateways_answer_stands_after_the_wish_and_a_notice_last() {
    let facts = completed();
    let mut placed = recorded("order", 1, &facts.orders[0]);
    let mut asked = recorded("payment", 1, &facts.payments[0]);
    let mut answered = recorded("payment", 2, &facts.payments[1]);
    let mut heard = recorded("order", 2, &facts.orders[2]);
    let notice = Notice { order: order(), template: Name::from("order_confirmation"), reason: None };
    let mut sent = recorded("notification", 1, &NotificationEvent::NotificationSent(notice));
    placed.cause = MessageId(9);
    asked.cause = MessageId::caused("order", placed.cause, 0);
    // An answer from outside names no message that anybody sent.
    (answered.cause, sent.cause) = (MessageId(1), MessageId(2));
    heard.cause = MessageId::caused("payment", answered.cause, 0);
    let story = told(vec![sent, heard, answered, asked, placed]);
    let kinds: Vec<&str> = story.entries.iter().map(|entry| &*entry.kind).collect();
    let wanted = [
        "OrderPlaced",
        "PaymentRequested",
        "PaymentAuthorized",
        "OrderPaymentAuthorized",
        "NotificationSent",
    ];
    assert_eq!(kinds, wanted);
}

#[test]
fn a_story_goes_by_time_before_all_else() {
    let mut all = streams(&completed()).concat();
    all[0].time = Timestamp(1_700_000_000_000_000);
    let story = told(all);
    assert_eq!(story.entries.last().map(|entry| &*entry.kind), Some("OrderPlaced"));
}

#[test]
fn a_dead_letter_and_an_event_that_cannot_be_read_have_their_place() {
    let buried = IncidentEvent::MessageBuried(MessageBuried {
        group: Name::from("payment"),
        kind: Name::from("RequestPayment"),
        message: MessageId(7),
        error: "no".to_owned(),
        attempts: 3,
    });
    let mut strange = recorded("payment", 1, &completed().payments[0]);
    strange.event.schema = 99;
    let story = told(vec![recorded("incident", 1, &buried), strange]);
    let words: Vec<&str> = story.entries.iter().map(|entry| entry.words.as_str()).collect();
    assert_eq!(words[0], "gave up RequestPayment after 3 attempts, it is a dead letter now: no");
    assert!(words[1].starts_with("cannot be read here: "), "{words:?}");
}

#[test]
fn what_still_runs_stands_at_the_end_of_the_page() {
    let lane = GroupLane::new("payment", 0);
    let key = crate::gateway::EffectKey::new(order().as_str(), "authorise", 2);
    let effect = Waiting::Effect { lane, key, gateway: Name::from("card"), claimed: true };
    let story = Story::new(order(), Status::Pending, streams(&fixture::confirmed()).concat(), vec![effect]);
    let page = story.to_string();
    let last = page.lines().last().unwrap_or_default();
    assert!(last.ends_with("waits for the answer of card to authorise (attempt 2)"), "{page}");
    assert!(page.contains("     +0.0 ms  order      OrderPlaced          "), "{page}");
}

#[test]
fn a_story_becomes_json_for_scripts() {
    let story = told(streams(&completed()).concat());
    let json = serde_json::to_value(&story).expect("serialises");
    assert_eq!(json["status"], "completed");
    assert_eq!(json["entries"][0]["kind"], "OrderPlaced");
}
