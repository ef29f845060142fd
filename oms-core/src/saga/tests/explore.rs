//! Every path there is: one order with abstract participants, any reordering, repeated words, cancel and time-out at any moment.

use super::world::{Move, World};
use crate::order::{Order, Phase, fixture::placed};
use std::collections::BTreeMap;

/// All worlds that can be reached, with the moves between them.
struct Explored {
    worlds: Vec<World>,
    next: Vec<Vec<usize>>,
}

fn explore(method: &str) -> Explored {
    let first = World::new(placed(method));
    let mut known = BTreeMap::from([(first.key(), 0)]);
    let mut found = Explored { worlds: vec![first], next: Vec::new() };
    while found.next.len() < found.worlds.len() {
        let world = found.worlds[found.next.len()].clone();
        let mut next = Vec::new();
        for step in world.moves() {
            let after = world.after(step);
            after.check(&world, step);
            let number = *known.entry(after.key()).or_insert(found.worlds.len());
            if number == found.worlds.len() {
                found.worlds.push(after);
            }
            next.push(number);
        }
        found.next.push(next);
    }
    found
}

fn is_over(order: &Order) -> bool {
    order.phase().is_terminal() || order.phase() == Phase::NeedsAttention
}

/// From every world an end can be reached, and no world without an end stands still.
fn ends(found: &Explored) {
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); found.worlds.len()];
    for (number, next) in found.next.iter().enumerate() {
        next.iter().for_each(|after| before[*after].push(number));
    }
    let mut reaches = vec![false; found.worlds.len()];
    let mut open: Vec<usize> =
        (0..found.worlds.len()).filter(|number| is_over(&found.worlds[*number].order)).collect();
    while let Some(number) = open.pop() {
        if !std::mem::replace(&mut reaches[number], true) {
            open.extend(&before[number]);
        }
    }
    let stuck = reaches.iter().position(|reaches| !reaches);
    assert!(stuck.is_none(), "no end from {:?}", stuck.map(|number| found.worlds[number].key()));
}

fn phases(found: &Explored) -> Vec<Phase> {
    let mut phases: Vec<Phase> = found.worlds.iter().map(|world| world.order.phase()).collect();
    phases.sort();
    phases.dedup();
    phases
}

/// Where nothing more comes by itself, it is over.
fn quiet_is_the_end(found: &Explored) {
    for world in &found.worlds {
        let moves = world.moves();
        let quiet = moves.iter().all(|step| matches!(step, Move::Cancel));
        assert!(!quiet || is_over(&world.order), "it stands still: {}", world.key());
    }
}

#[test]
fn every_path_is_safe_and_comes_to_an_end() {
    let found = explore("card");
    assert!(found.worlds.len() > 50_000, "only {} worlds were met", found.worlds.len());
    assert_eq!(phases(&found).len(), 12, "every phase of a placed order is met");
    ends(&found);
    quiet_is_the_end(&found);
}
