//! What the inventory service says to what it hears.

use super::*;
use crate::{
    clock::Timestamp,
    event::inventory::{AdjustStock, Reservation as Of, ReserveStock, StockLine},
    id::{MessageId, order_id},
    message::{Envelope, Key},
    store::Stream,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn sku(name: &str) -> Sku {
    Sku::new(name).expect("a SKU")
}

fn message(command: &InventoryCommand, key: Name) -> Message {
    let envelope = Envelope {
        id: MessageId(1),
        cause: MessageId(1),
        correlation: key.clone(),
        topic: Name::from(topic::INVENTORY_COMMANDS),
        key: Key::new(key),
        kind: Name::from(command.kind()),
        schema: InventoryCommand::SCHEMA,
        time: Timestamp(0),
        trace: None,
    };
    Message { envelope, body: command.encode().expect("encodes") }
}

/// A store in miniature: it encodes every state, so that what is fixed is given back as a real one does.
#[derive(Default)]
struct House(BTreeMap<StreamId, Stream>);

impl House {
    fn load(&self, streams: Vec<StreamId>, loaded: &mut Loaded) {
        for stream in streams {
            let row = self.0.get(&stream).cloned().unwrap_or_default();
            loaded.0.entry(stream).or_insert_with(|| Entry::new(row));
        }
    }

    fn hear(&mut self, command: &InventoryCommand, key: Name) -> Result<Reaction, Fault> {
        let message = message(command, key);
        let mut loaded = Loaded::default();
        for _ in 0..2 {
            self.load(InventoryService.streams(&message, &loaded), &mut loaded);
        }
        match InventoryService.handle(&message, &loaded) {
            Outcome::Reaction(reaction) => {
                for append in &reaction.appends {
                    let next = append.next.as_ref().expect("folded");
                    let row = self.0.entry(append.stream.clone()).or_default();
                    row.version += append.events.len() as u64;
                    row.schema = next.schema();
                    row.state = Some(next.encode().expect("encodes"));
                    row.fixed = row.fixed.take().or(next.fixed());
                }
                Ok(reaction)
            }
            Outcome::Missing(streams) => Err(Fault::Failed(format!("{streams:?} were not named"))),
            Outcome::Fault(fault) => Err(fault),
        }
    }

    fn order(&mut self, number: u8, what: fn(Of) -> InventoryCommand) -> String {
        let order = order_id("shop", &number.to_string());
        let of = Of { order: order.clone(), fields: Default::default() };
        self.hear(&what(of), order.name()).map_or_else(|fault| fault.to_string(), first)
    }

    fn reserve(&mut self, number: u8, lines: &[(&str, u32)]) -> String {
        let order = order_id("shop", &number.to_string());
        let line = |(line, (name, quantity)): (u16, &(&str, u32))| StockLine {
            line,
            sku: sku(name),
            quantity: *quantity,
            fields: Default::default(),
        };
        let lines = (0..).zip(lines).map(line).collect();
        let wish = ReserveStock { order: order.clone(), lines, fields: Default::default() };
        let heard = self.hear(&InventoryCommand::ReserveStock(wish), order.name());
        heard.map_or_else(|fault| fault.to_string(), first)
    }

    fn adjust(&mut self, name: &str, delta: i64, reference: &str) -> bool {
        let (reference, reason) = (Name::from(reference), "count".to_owned());
        let wish = AdjustStock { sku: sku(name), delta, reference, reason };
        let reply = self.hear(&InventoryCommand::AdjustStock(wish), Name::from(name));
        let reply = reply.ok().and_then(|reaction| reaction.reply).unwrap_or_default();
        serde_json::from_slice::<Adjusted>(&reply).is_ok_and(|adjusted| adjusted.accepted)
    }

    fn stock(&self, name: &str) -> Stock {
        let row = self.0.get(&stock_of(&sku(name))).and_then(|row| row.state.clone());
        row.and_then(|state| serde_json::from_slice(&state).ok()).unwrap_or_default()
    }
}

fn first(reaction: Reaction) -> String {
    let sent = reaction.outgoing.first();
    sent.map(|sent| format!("{} {}", sent.kind, String::from_utf8_lossy(&sent.body))).unwrap_or_default()
}

#[test]
fn a_sku_on_two_lines_is_summed_and_all_is_held_or_nothing() {
    let mut house = House::default();
    assert!(house.adjust("A", 5, "r1") && house.adjust("B", 1, "r1"));
    assert!(house.reserve(1, &[("A", 3), ("B", 1), ("A", 3)]).starts_with("StockRejected"));
    assert_eq!((house.stock("A").taken, house.stock("B").taken), (0, 0));
    assert!(house.reserve(2, &[("A", 3), ("B", 1), ("A", 2)]).starts_with("StockReserved"));
    assert_eq!((house.stock("A").taken, house.stock("B").taken), (5, 1));
}

#[test]
fn an_unknown_sku_and_a_lack_of_units_are_told_apart() {
    let mut house = House::default();
    house.adjust("A", 1, "r1");
    let said = house.reserve(1, &[("A", 2), ("X", 1)]);
    assert!(said.contains(r#"{"sku":"A","wanted":2,"available":1,"known":true}"#), "{said}");
    assert!(said.contains(r#"{"sku":"X","wanted":1,"available":0,"known":false}"#), "{said}");
}

#[test]
fn a_release_before_its_do_leaves_a_tombstone() {
    let mut house = House::default();
    house.adjust("A", 5, "r1");
    assert!(house.order(1, InventoryCommand::ReleaseStock).starts_with("StockReleased"));
    assert!(house.reserve(1, &[("A", 1)]).contains(r#""shortages":[]"#));
    assert_eq!(house.stock("A").taken, 0);
    assert!(house.order(1, InventoryCommand::CommitStock).starts_with("StockCommitRejected"));
}

#[test]
fn a_change_without_a_reference_is_refused_and_never_silently_dropped() {
    let mut house = House::default();
    assert!(!house.adjust("A", 5, "") && !house.adjust("A", 5, " "));
    assert_eq!(house.stock("A").on_hand, 0);
}

#[test]
fn a_change_from_outside_is_made_once_and_never_takes_what_is_taken() {
    let mut house = House::default();
    assert!(house.adjust("A", 5, "r1") && house.adjust("A", 5, "r1"));
    assert!(!house.adjust("A", 6, "r1"), "the reference was used with another change");
    house.reserve(1, &[("A", 3)]);
    assert!(!house.adjust("A", -3, "r2"));
    assert!(house.adjust("A", -2, "r3"));
    assert_eq!(house.stock("A"), Stock { on_hand: 3, taken: 3 });
}

proptest! {
    #[test]
    fn what_is_taken_is_always_the_sum_of_the_live_reservations(
        moves in prop::collection::vec((0_u8..5, 0_u8..3), 0..60),
    ) {
        let mut house = House::default();
        house.adjust("A", 5, "r1");
        for (what, order) in moves {
            let before: Vec<_> = house.0.clone().into_iter().collect();
            let act = |house: &mut House| match what {
                0 => house.reserve(order, &[("A", 1 + u32::from(order)), ("A", 1)]),
                1 => house.order(order, InventoryCommand::CommitStock),
                2 => house.order(order, InventoryCommand::ReleaseStock),
                3 => house.order(order, InventoryCommand::ConsumeStock),
                _ => house.reserve(order, &[]),
            };
            let said = act(&mut house);
            let after = house.0.clone();
            prop_assert_eq!(act(&mut house), said, "a repeated command is answered the same");
            prop_assert_eq!(&house.0, &after, "and changes nothing");
            let live = |(stream, row): (&StreamId, &Stream)| {
                let entry = Entry::new(row.clone());
                (&*stream.kind == RESERVATION)
                    .then(|| entry.state::<Reservation>().map(|held| held.live().values().sum::<u64>()).unwrap_or(0))
            };
            let sum: u64 = house.0.iter().filter_map(live).sum();
            let stock = house.stock("A");
            prop_assert_eq!(stock.taken, i64::try_from(sum).unwrap_or(-1));
            prop_assert!(stock.taken <= stock.on_hand, "{before:?}");
        }
    }
}
