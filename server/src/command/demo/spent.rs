//! What the lives of a demo's house have spent and met.

use crate::{exit::Failure, shop::Shop};

/// Counted since a life began: a store that is opened again counts from nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    pub(super) rows: u64,
    pub(super) commits: u64,
    pub(super) duplicates: u64,
    pub(super) outages: u64,
}

impl Spent {
    /// What a life has counted so far.
    pub(super) async fn of(shop: &Shop) -> Result<Self, Failure> {
        let counts = shop.oms().count().await.map_err(Failure::outside)?;
        let metrics = shop.oms().metrics();
        Ok(Self {
            rows: counts.rows_written,
            commits: counts.commits,
            duplicates: metrics.duplicates,
            outages: metrics.outages,
        })
    }

    /// Adds another life.
    pub(super) fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.commits += other.commits;
        self.duplicates += other.duplicates;
        self.outages += other.outages;
    }

    /// What was spent since an earlier moment of the same life.
    pub(super) fn since(self, earlier: Self) -> Self {
        Self { rows: self.rows - earlier.rows, commits: self.commits - earlier.commits, ..self }
    }
}
