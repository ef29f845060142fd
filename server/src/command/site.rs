//! Where a command finds the house: its store and its broker.

use crate::{
    args::{Cli, StoreUrl, WireArgs},
    exit::Failure,
};
use std::path::Path;

/// A store and a broker, as the command line names them.
pub(super) struct Site {
    pub(super) store: StoreUrl,
    pub(super) wire: WireArgs,
}

impl Site {
    pub(super) fn of(cli: &Cli) -> Result<Self, Failure> {
        let store = cli.store().map_err(|why| Failure::input(format!("--store: {why}")))?;
        Ok(Self { store, wire: cli.wire.clone() })
    }

    /// The database, for people and for the names of the files beside it.
    pub(super) fn db(&self) -> &Path {
        self.store.beside()
    }
}
