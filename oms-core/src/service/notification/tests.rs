//! What the notification service says to what it hears.

use super::*;
use crate::{
    clock::Timestamp,
    gateway::EffectKey,
    id::MessageId,
    message::{Envelope, Key},
    service::EFFECT_ANSWERED,
};
use bytes::Bytes;

fn message(kind: &str, body: String) -> Message {
    let envelope = Envelope {
        id: MessageId(1),
        cause: MessageId(1),
        correlation: Name::from("o-1"),
        topic: Name::from("order.completed"),
        key: Key::new(Name::from("o-1")),
        kind: Name::from(kind),
        schema: 1,
        time: Timestamp(0),
        trace: None,
    };
    Message { envelope, body: Bytes::from(body) }
}

fn completed() -> Message {
    let total = r#"{"minor":500,"currency":"GBP"}"#;
    let about = r#""order":"o-1","customer":"c-1","method":"card","status":"completed""#;
    message("OrderCompleted", format!(r#"{{{about},"total":{total}}}"#))
}

fn heard(message: &Message, entry: &Entry) -> Reaction {
    let stream = StreamId::keyed(KIND, "o-1");
    let loaded = Loaded([(stream, entry.clone())].into());
    match NotificationService.handle(message, &loaded) {
        Outcome::Reaction(reaction) => reaction,
        Outcome::Missing(streams) => panic!("{streams:?} is missing"),
        Outcome::Fault(fault) => panic!("{fault}"),
    }
}

#[test]
fn a_notice_is_recorded_when_answered_and_never_sent_again() {
    let mut entry = Entry::default();
    let wished = heard(&completed(), &entry);
    assert!(wished.appends.is_empty(), "nothing has happened yet");
    assert_eq!(wished.effects[0].key, EffectKey::new("o-1", "order_completed", 1));

    let body = r#"{"effect":{"order":"o-1","step":"order_completed","attempt":1},"stream":{"rank":"Keyed","kind":"notification","id":"o-1"},"gateway":"notifier","answer":{"report":"failed","reason":"full"},"settled":true,"calls":1}"#;
    let answer = message(EFFECT_ANSWERED, body.to_owned());
    let mut told = heard(&answer, &entry);
    let append = told.appends.remove(0);
    assert_eq!(&*append.events[0].kind, "NotificationFailed");

    entry.advance(1, append.next.expect("folded"));
    assert!(heard(&answer, &entry).appends.is_empty());
    assert!(heard(&completed(), &entry).effects.is_empty());
}
