//! Opening a database: the store, the broker in this process, and the ledger beside it.

use crate::{
    exit::{Blame, Failure},
    ledger::Ledger,
    shop::{Shop, World},
};
use oms_sqlite::OpenError;
use std::{path::Path, sync::Arc};

/// Opens a database, or makes an empty one.
pub(super) async fn open(db: &Path, world: World) -> Result<Shop, Failure> {
    let store = oms_sqlite::open(db).map_err(blame)?;
    let ledger = Ledger::open(&Ledger::place(db)).map_err(Failure::outside)?;
    let broker = oms_broker::connect("memory://").await.map_err(Failure::outside)?;
    Shop::open(broker, Arc::new(store), ledger, world).await
}

/// Opens a database that must be there.
pub(super) async fn existing(db: &Path) -> Result<Shop, Failure> {
    if !db.exists() {
        let text =
            format!("there is no database {}; import a file first, or name another with --db", db.display());
        return Err(Failure::new(Blame::Input, text));
    }
    open(db, World::default()).await
}

fn blame(error: OpenError) -> Failure {
    let blame = match &error {
        OpenError::NotADatabase(_)
        | OpenError::Foreign { .. }
        | OpenError::Newer { .. }
        | OpenError::Directory(_)
        | OpenError::NoDirectory(_)
        | OpenError::NoPermission(_) => Blame::Input,
        OpenError::Locked { .. } | OpenError::Full(_) | OpenError::Damaged { .. } | OpenError::Io { .. } => {
            Blame::Outside
        }
    };
    Failure::new(blame, error)
}
