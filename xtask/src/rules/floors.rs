//! Which room of `oms-core` may use which: downwards always, sideways with care, upwards never.

use crate::house::{House, Reference};
use crate::violation::Violation;

const RULE: &str = "floors";

/// The floors from the ground, each with its rooms. `ARCHITECTURE.md` shows the same table.
pub(crate) const FLOORS: &[&[&str]] = &[
    &["id", "money", "clock"],
    &["event"],
    &["order", "payment", "inventory", "shipping", "notification", "message"],
    &["broker", "store", "gateway"],
    &["saga", "service", "projection"],
    &["worker"],
    &["oms"],
];

/// The rooms of the services, which meet only in `event`.
const SERVICES: &[&str] = &["order", "payment", "inventory", "shipping", "notification"];

/// The room of the suites: it may use everything, and nothing may use it.
pub(crate) const CONFORMANCE: &str = "conformance";

/// Checks every use between rooms. Circles on one floor are for the rule on circles to find.
pub(crate) fn check(house: &House) -> Vec<Violation> {
    let Some(core) = house.packages.iter().find(|package| package.name == "oms-core") else {
        return Vec::new();
    };
    let tree = house.modules_of(core);
    let mut found = Vec::new();
    for room in tree.children(&[]) {
        if floor(room).is_none() && room != CONFORMANCE {
            let advice = format!(
                "give the room `{room}` a floor: by an ADR, in xtask/src/rules/floors.rs and in ARCHITECTURE.md"
            );
            found.push(Violation::new(tree.file(&[room.to_owned()]), 1, RULE, advice));
        }
    }
    for reference in tree.references() {
        if let Some(advice) = forbidden(&reference) {
            found.push(Violation::new(&reference.file, reference.line, RULE, advice));
        }
    }
    found
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Says what to do about a use of one room by another, if it is not allowed.
fn forbidden(reference: &Reference) -> Option<String> {
    // The root belongs to no room: it declares them all and re-exports what they offer.
    let (from, to) = (reference.from.first()?.as_str(), reference.to.module.first()?.as_str());
    if from == to || from == CONFORMANCE {
        return None;
    }
    if to == CONFORMANCE {
        return Some(format!(
            "move this out of `{from}`: nobody uses `conformance` but lib.rs and the tests folder"
        ));
    }
    if SERVICES.contains(&from) && SERVICES.contains(&to) {
        return Some(format!(
            "say it as an event: `{from}` never uses `{to}`, services meet only in `event`"
        ));
    }
    let (low, high) = (floor(from)?, floor(to)?);
    let advice = "move what is shared down, or the caller up";
    (low < high).then(|| format!("{advice}: `{from}` (floor {low}) never uses `{to}` (floor {high})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: (&str, &str) = ("oms-core/Cargo.toml", "[package]\nname = \"oms-core\"");

    /// Checks a core where `room` holds `text`, and the usual rooms stand around it.
    fn with(room: &str, text: &str) -> Vec<String> {
        let path = format!("oms-core/src/{room}.rs");
        let rooms = [
            MANIFEST,
            ("oms-core/src/lib.rs", "pub use worker::Worker; use conformance::suite;"),
            ("oms-core/src/id/mod.rs", ""),
            ("oms-core/src/payment/mod.rs", "pub struct Payment;"),
            ("oms-core/src/message/mod.rs", "pub struct Message;"),
            ("oms-core/src/store/mod.rs", "pub struct Store;"),
            ("oms-core/src/worker/mod.rs", "pub struct Worker;"),
            ("oms-core/src/conformance/mod.rs", "pub fn suite() {} use crate::worker::Worker;"),
            (path.as_str(), text),
        ];
        check(&House::of(rooms)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_room_uses_lower_floors() {
        assert_eq!(with("saga", "use crate::{payment::Payment, store::Store};"), [""; 0]);
    }

    #[test]
    fn a_room_never_uses_a_higher_floor() {
        let found = with("event", "use crate::store::Store;");
        let rule =
            "move what is shared down, or the caller up: `event` (floor 1) never uses `store` (floor 3)";
        assert_eq!(found, [format!("oms-core/src/event.rs:1: floors: {rule}")]);
    }

    #[test]
    fn a_path_without_an_import_is_a_use_too() {
        assert_eq!(with("event", "fn a() -> crate::store::Store { loop {} }").len(), 1);
        assert_eq!(with("event", "fn a() { println!(\"{}\", super::store::open()); }").len(), 1);
    }

    #[test]
    fn a_re_export_at_the_root_hides_nothing() {
        assert_eq!(with("event", "use crate::Worker;").len(), 1);
    }

    #[test]
    fn unit_tests_are_bound_by_the_floors_and_rustdoc_examples_are_not() {
        assert_eq!(with("event", "#[cfg(test)] mod tests { use crate::worker::Worker; }").len(), 1);
        assert_eq!(with("event", "/// ```\n/// use oms_core::worker::Worker;\n/// ```\nstruct A;"), [""; 0]);
    }

    #[test]
    fn one_service_never_uses_another() {
        let found = with("order", "use crate::payment::Payment;");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("services meet only in `event`"), "{found:?}");
    }

    #[test]
    fn rooms_of_one_floor_may_use_each_other() {
        assert_eq!(with("broker", "use crate::store::Store;"), [""; 0]);
        assert_eq!(with("order", "use crate::message::Message;"), [""; 0]);
    }

    #[test]
    fn nobody_uses_conformance() {
        assert_eq!(with("broker", "use crate::conformance::suite;").len(), 1);
    }

    #[test]
    fn a_room_without_a_floor_is_a_violation() {
        let found = with("report", "");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("give the room `report` a floor"), "{found:?}");
    }
}
