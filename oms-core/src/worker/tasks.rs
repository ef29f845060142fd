//! The loops of a house, each a named future.

use super::{due, effects, lane, lease, parts::Parts, reader, relay};
use crate::id::Name;
use futures::{FutureExt, future::BoxFuture};
use std::sync::Arc;

/// One loop, to be driven by whoever runs the house: core spawns nothing (rule 23).
///
/// The future ends when [`Parts::drain`] was called and the loop has finished what it had begun. Dropped at any await it
/// loses nothing: what it had in hand is still owed, and found again.
pub struct Task {
    /// Which loop: `lease`, `relay`, `due`, `effects/GATEWAY`, `turns/GROUP/LANE` or `projection/MODEL`.
    pub name: String,
    /// The loop.
    pub future: BoxFuture<'static, ()>,
}

/// The loops of a house, each a future of its own (rule 23).
#[must_use]
pub fn tasks(parts: &Arc<Parts>) -> Vec<Task> {
    let task = |name: String, future: BoxFuture<'static, ()>| Task { name, future };
    let mut all = vec![
        task("lease".to_owned(), lease::keep(Arc::clone(parts)).boxed()),
        task("relay".to_owned(), relay::relay(Arc::clone(parts)).boxed()),
        task("due".to_owned(), due::watch(Arc::clone(parts)).boxed()),
    ];
    for name in parts.gateways.keys() {
        let calls = effects::call(Arc::clone(parts), Name::clone(name));
        all.push(task(format!("effects/{name}"), calls.boxed()));
    }
    for handler in &parts.handlers {
        for desk in parts.desks.iter().filter(|desk| desk.lane.group == handler.group()) {
            let turns = lane::serve(Arc::clone(parts), Arc::clone(handler), Arc::clone(desk));
            all.push(task(format!("turns/{}", desk.lane), turns.boxed()));
        }
    }
    for (library, projection) in parts
        .library
        .iter()
        .flat_map(|library| library.projections.iter().map(move |projection| (library, projection)))
    {
        let name = format!("projection/{}", projection.name());
        let reads = reader::follow(Arc::clone(parts), library.clone(), Arc::clone(projection));
        all.push(task(name, reads.boxed()));
    }
    all
}
