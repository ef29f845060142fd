//! What one group is owed of one pack: the mark of each place.

use crate::{clock::Timestamp, id::Name, store::End};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Left,
    Parked,
    Buried,
    Handled,
}

/// An owed row; it goes when every place is handled.
pub(super) struct Row {
    pub(super) topic: Name,
    pub(super) since: Timestamp,
    /// The place of its pack among all packs.
    pub(super) order: u64,
    marks: Vec<Mark>,
    left: usize,
    handled: usize,
}

impl Row {
    /// Owes all places of a pack of `count` messages.
    pub(super) fn new(topic: Name, since: Timestamp, order: u64, count: usize) -> Self {
        Self { topic, since, order, marks: vec![Mark::Left; count], left: count, handled: 0 }
    }

    fn mark(&self, index: u16) -> Mark {
        self.marks.get(usize::from(index)).copied().unwrap_or(Mark::Handled)
    }

    /// Whether a place is neither handled, parked nor buried.
    pub(super) fn is_left(&self, index: u16) -> bool {
        self.mark(index) == Mark::Left
    }

    /// Whether a place is still to be handled, parked included, buried not.
    pub(super) fn waits(&self, index: u16) -> bool {
        matches!(self.mark(index), Mark::Left | Mark::Parked)
    }

    /// Whether a place was not handled, buried included.
    pub(super) fn stands(&self, index: u16) -> bool {
        self.mark(index) != Mark::Handled
    }

    /// How many places are left.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// How many are parked or buried.
    pub(super) fn marked(&self) -> usize {
        self.marks.len() - self.left - self.handled
    }

    /// The places that are left, in order.
    pub(super) fn places(&self) -> impl Iterator<Item = u16> {
        (0..).zip(&self.marks).filter(|(_, mark)| **mark == Mark::Left).map(|(index, _)| index)
    }

    /// Ends a place that was left, parked or buried.
    pub(super) fn end(&mut self, index: u16, end: End) {
        let Some(mark) = self.marks.get_mut(usize::from(index)) else { return };
        let next = match end {
            End::Handled => Mark::Handled,
            End::Parked => Mark::Parked,
            End::Buried => Mark::Buried,
        };
        let before = std::mem::replace(mark, next);
        self.left -= usize::from(before == Mark::Left);
        self.handled =
            self.handled + usize::from(next == Mark::Handled) - usize::from(before == Mark::Handled);
    }

    /// Whether nothing of it is left, parked or buried.
    pub(super) fn is_done(&self) -> bool {
        self.handled == self.marks.len()
    }
}
