//! What packs go over: a topic of its own with one hearer.

use bytes::Bytes;
use oms_core::{broker::Topology, id::Name, message::GroupLane};

/// How large packs are, and over how many lanes they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of a pack.
    pub bytes: usize,
    /// Lanes, taken in turns.
    pub lanes: u16,
}

/// A topic of its own with one hearer. Whoever measures makes it by the port, so that a bare client meets the very settings.
#[derive(Clone, Debug)]
pub struct Road {
    /// The topic.
    pub topic: Name,
    /// Who hears it.
    pub group: Name,
    /// Packs and lanes.
    pub shape: Shape,
    payload: Bytes,
}

impl Road {
    /// Names a road; two of one name are the same.
    #[must_use]
    pub fn new(name: &str, shape: Shape) -> Self {
        // No codec, no compression looks into it.
        let payload = (0..shape.bytes).map(|at| (at * 31 % 251) as u8).collect::<Vec<u8>>().into();
        Self { topic: name.into(), group: format!("{name}-hearer").into(), shape, payload }
    }

    /// The lane of the pack of this number.
    #[must_use]
    pub fn lane(&self, number: usize) -> u16 {
        (number % usize::from(self.shape.lanes.max(1))) as u16
    }

    /// What every pack holds.
    #[must_use]
    pub fn payload(&self) -> Bytes {
        self.payload.clone()
    }

    /// What has to be declared.
    #[must_use]
    pub fn topology(&self) -> Topology {
        let hears = [(self.group.clone(), [self.topic.clone()].into())].into();
        Topology { hears, lanes: self.shape.lanes, ..Topology::default() }
    }

    /// The lanes of the hearer.
    pub fn lanes(&self) -> impl Iterator<Item = GroupLane> + '_ {
        (0..self.shape.lanes).map(|lane| GroupLane::new(&self.group, lane))
    }
}
