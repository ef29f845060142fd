//! Opening a house: the store, the broker, and the ledger beside the store.

use super::{
    connect::{connect, declare, whole},
    site::Site,
};
use crate::{
    args::{StoreUrl, WorldArgs},
    exit::{Blame, Failure},
    ledger::Ledger,
    shop::{Kept, Shop},
    world::World,
};
use oms_core::broker::{Broker, MemoryBroker};
use oms_sqlite::{OpenError, SqliteStore};
use std::sync::Arc;

/// Opens a store, or makes an empty one with the world of `first` and the command line, over the broker that is named.
pub(super) async fn open(site: &Site, first: World, args: &WorldArgs) -> Result<(Shop, World), Failure> {
    serving(site, first, args, &[]).await
}

/// As [`open`], for a process that serves these groups only; all where none is named.
pub(super) async fn serving(
    site: &Site,
    first: World,
    args: &WorldArgs,
    groups: &[&str],
) -> Result<(Shop, World), Failure> {
    let broker = connect(&site.wire).await?;
    made(site, first, args, broker, groups).await
}

/// As [`open`], over a broker that is there already.
pub(super) async fn over(
    site: &Site,
    first: World,
    args: &WorldArgs,
    broker: Arc<dyn Broker>,
) -> Result<(Shop, World), Failure> {
    made(site, first, args, broker, &[]).await
}

async fn made(
    site: &Site,
    first: World,
    args: &WorldArgs,
    broker: Arc<dyn Broker>,
    groups: &[&str],
) -> Result<(Shop, World), Failure> {
    // Before the store is touched: what is refused leaves nothing behind.
    let known = World::read(site.db()).map_err(Failure::input)?;
    let world = known.unwrap_or_else(|| first.with(args));
    world.agrees(site.db(), args).map_err(Failure::input)?;
    declare(broker.as_ref(), &whole(world.options()).await?, &site.wire.url()).await?;
    let store = store(&site.store).await?;
    if known.is_none() {
        world.write(site.db()).map_err(Failure::outside)?;
    }
    Ok((shop(site, store, world, broker, groups).await?, world))
}

/// Refuses a store that only one process can have to what needs others beside it.
pub(super) fn must_share(site: &Site, what: &str) -> Result<(), Failure> {
    match &site.store {
        StoreUrl::Sqlite(path) => {
            let text = format!(
                "{what} needs a store that several processes share, and an SQLite file belongs to one; \
                 name one with --store postgres://user@host/database"
            );
            Err(Failure::input(text).about(path))
        }
        StoreUrl::Postgres { .. } => Ok(()),
    }
}

/// Opens a store that must be there, to be asked: no broker is needed for that.
pub(super) async fn existing(site: &Site) -> Result<Shop, Failure> {
    existing_over(site, Arc::new(MemoryBroker::default())).await
}

/// Opens a store that must be there, over the broker that is named, to have its loops run.
pub(super) async fn working(site: &Site) -> Result<Shop, Failure> {
    let broker = connect(&site.wire).await?;
    let shop = existing_over(site, Arc::clone(&broker)).await?;
    declare(broker.as_ref(), shop.oms().topology(), &site.wire.url()).await?;
    Ok(shop)
}

/// As [`existing`], over a broker that is there already.
pub(super) async fn existing_over(site: &Site, broker: Arc<dyn Broker>) -> Result<Shop, Failure> {
    if let StoreUrl::Sqlite(path) = &site.store
        && !path.exists()
    {
        let path = path.display();
        let text = format!("there is no database {path}; import a file first, or name another with --db");
        return Err(Failure::input(text));
    }
    let world = World::read(site.db()).map_err(Failure::input)?.unwrap_or_default();
    shop(site, store(&site.store).await?, world, broker, &[]).await
}

async fn shop(
    site: &Site,
    kept: Kept,
    world: World,
    broker: Arc<dyn Broker>,
    groups: &[&str],
) -> Result<Shop, Failure> {
    let place = Ledger::place(site.db());
    let ledger = match &site.store {
        StoreUrl::Sqlite(_) => Ledger::open(&place),
        // The simulated world is one, however many processes call it.
        StoreUrl::Postgres { .. } => Ledger::share(&place),
    };
    let ledger = ledger.map_err(Failure::outside)?;
    Shop::open(broker, kept, ledger, world, groups).await
}

async fn store(url: &StoreUrl) -> Result<Kept, Failure> {
    match url {
        StoreUrl::Sqlite(path) => {
            let store = Arc::new(oms_sqlite::open(path).map_err(blame)?);
            Ok((Arc::<SqliteStore>::clone(&store), store))
        }
        StoreUrl::Postgres { secret, .. } => shared(url, secret).await,
    }
}

#[cfg(feature = "postgres")]
async fn shared(url: &StoreUrl, secret: &str) -> Result<Kept, Failure> {
    let failed = |error: oms_postgres::OpenError| {
        let away = matches!(error, oms_postgres::OpenError::Unreachable(_));
        Failure::new(if away { Blame::Outside } else { Blame::Input }, error).named(url)
    };
    let store = Arc::new(oms_postgres::open(secret).await.map_err(failed)?);
    Ok((Arc::<oms_postgres::PostgresStore>::clone(&store), store))
}

/// Holds every event against the hash it was written with: how many rows were read, and what is not as it was written.
pub(super) async fn audit(url: &StoreUrl) -> Result<(u64, Vec<String>), Failure> {
    match url {
        StoreUrl::Sqlite(path) => {
            let text = "an SQLite file keeps no hashes to audit; only a PostgreSQL store does";
            Err(Failure::input(text).about(path))
        }
        StoreUrl::Postgres { secret, .. } => audit_shared(url, secret).await,
    }
}

#[cfg(feature = "postgres")]
async fn audit_shared(url: &StoreUrl, secret: &str) -> Result<(u64, Vec<String>), Failure> {
    let input = |error: oms_postgres::OpenError| Failure::input(error).named(url);
    let store = oms_postgres::open(secret).await.map_err(input)?;
    let mut bar = None;
    let mut progress =
        |done, all| bar.get_or_insert_with(|| crate::show::Progress::new("audited", all)).reach(done);
    let audit = store.audit(&mut progress).await.map_err(Failure::outside)?;
    Ok((audit.rows, audit.broken.iter().map(ToString::to_string).collect()))
}

#[cfg(not(feature = "postgres"))]
async fn audit_shared(url: &StoreUrl, secret: &str) -> Result<(u64, Vec<String>), Failure> {
    shared(url, secret).await.map(|_| (0, Vec::new()))
}

#[cfg(not(feature = "postgres"))]
async fn shared(url: &StoreUrl, _: &str) -> Result<Kept, Failure> {
    let text = "this build of oms keeps orders in SQLite files only; build it with the feature postgres (cargo oms-all)";
    Err(Failure::input(text).named(url))
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
