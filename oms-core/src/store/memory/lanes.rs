//! The lanes that a store has met, numbered, so that rows are found and compared by numbers instead of names.

use crate::{id::Table, message::GroupLane};

/// Gives each lane a number, for as long as the store lives.
#[derive(Default)]
pub(super) struct Lanes {
    numbers: Table<GroupLane, usize>,
    names: Vec<GroupLane>,
}

impl Lanes {
    /// The number of a lane that was met before.
    pub(super) fn find(&self, lane: &GroupLane) -> Option<usize> {
        self.numbers.get(lane).copied()
    }

    /// The number of a lane.
    pub(super) fn number(&mut self, lane: &GroupLane) -> usize {
        if let Some(number) = self.find(lane) {
            return number;
        }
        self.numbers.insert(lane.clone(), self.names.len());
        self.names.push(lane.clone());
        self.names.len() - 1
    }

    /// All lanes, with their numbers, in the order of their numbers.
    pub(super) fn names(&self) -> impl Iterator<Item = (usize, &GroupLane)> {
        self.names.iter().enumerate()
    }

    /// The name of a numbered lane.
    pub(super) fn name(&self, number: usize) -> &GroupLane {
        &self.names[number]
    }
}
