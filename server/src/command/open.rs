//! Opening a database: the store, the broker in this process, and the ledger beside it.

use crate::{
    args::WorldArgs,
    exit::{Blame, Failure},
    ledger::Ledger,
    shop::Shop,
    world::World,
};
use oms_sqlite::{OpenError, SqliteStore};
use std::{path::Path, sync::Arc};

/// Opens a database, or makes an empty one with the world of `first` and the command line.
pub(super) async fn open(db: &Path, first: World, args: &WorldArgs) -> Result<(Shop, World), Failure> {
    // Before the database is touched: what is refused leaves nothing behind.
    let known = World::read(db).map_err(Failure::input)?;
    let world = known.unwrap_or_else(|| first.with(args));
    world.agrees(db, args).map_err(Failure::input)?;
    let store = oms_sqlite::open(db).map_err(blame)?;
    if known.is_none() {
        world.write(db).map_err(Failure::outside)?;
    }
    Ok((shop(db, store, world).await?, world))
}

/// Opens a database that must be there, in the world of its first run.
pub(super) async fn existing(db: &Path) -> Result<Shop, Failure> {
    if !db.exists() {
        let text =
            format!("there is no database {}; import a file first, or name another with --db", db.display());
        return Err(Failure::input(text));
    }
    let world = World::read(db).map_err(Failure::input)?.unwrap_or_default();
    shop(db, oms_sqlite::open(db).map_err(blame)?, world).await
}

async fn shop(db: &Path, store: SqliteStore, world: World) -> Result<Shop, Failure> {
    let ledger = Ledger::open(&Ledger::place(db)).map_err(Failure::outside)?;
    let broker = oms_broker::connect("memory://").await.map_err(Failure::outside)?;
    let store = Arc::new(store);
    Shop::open(broker, (Arc::<SqliteStore>::clone(&store), store), ledger, world).await
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
