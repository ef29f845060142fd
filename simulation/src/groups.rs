//! Who hears: the services, a user's own groups, and which process serves whom.

use crate::{fault::Fault, world::World};

/// The group that hears from the beginning.
pub(crate) const HEARER: &str = "hearer";
/// The group that is added in mid-run.
pub(crate) const LATE: &str = "late";
/// The group that is removed in mid-run.
pub(crate) const BRIEF: &str = "brief";

/// The topics that hearers outside the store may read.
pub(crate) const PUBLIC_TOPICS: [&str; 2] = ["order.placed", "order.completed"];

/// The five services, in the order of the processes that serve them when they are apart.
const SERVICES: [&str; 5] = ["order", "inventory", "payment", "shipping", "notification"];

/// The groups of a user's own that a process which boots now brings.
pub(crate) fn hearers(world: &World) -> Vec<&'static str> {
    let mut groups = vec![HEARER];
    if world.plan.rates.of(Fault::GroupAdded) > 0 && world.late_hears() {
        groups.push(LATE);
    }
    if world.plan.rates.of(Fault::GroupRemoved) > 0 && !world.book().is_removed(BRIEF) {
        groups.push(BRIEF);
    }
    groups
}

/// Every service is served by one process or by two; a user's hearers by all.
pub(crate) fn served(world: &World, place: usize) -> Vec<&'static str> {
    let count = world.processes.len();
    let by = |number: usize| {
        number % count == place || (number + 1).is_multiple_of(3) && (number + 1) % count == place
    };
    let services = SERVICES.iter().enumerate().filter(|(number, _)| by(*number)).map(|(_, name)| *name);
    services.chain(hearers(world)).collect()
}
