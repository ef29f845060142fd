//! A database that is set back to an older copy of itself, while the broker is not.
#![cfg(feature = "server")]
#![expect(clippy::expect_used, reason = "every line of this file is a test")]

mod kit;

use bytes::Bytes;
use kit::{blocking, commit, lane, more, open, server, thing, version, writing};
use oms_core::{
    message::{GroupLane, Pack, PackId},
    store::{Ask, Consumed, End, Found, Right, Store, Writes},
};
use oms_postgres::PostgresStore;
use oms_servers::Server;
use std::{path::Path, process::Command, time::Duration};
use tempfile::TempDir;

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().expect("cp is there");
    assert!(copied.success(), "{} is copied to {}", from.display(), to.display());
}

/// Stops the server, does something to its data, and starts it again.
async fn stopped(mut server: Server, act: impl FnOnce(&Path) + Send + 'static) -> Server {
    blocking(move || {
        server.stop()?;
        act(server.data());
        server.start_again()?;
        Ok(server)
    })
    .await
}

fn sender() -> GroupLane {
    GroupLane::new("place", 0)
}

fn id(position: u64) -> PackId {
    PackId { sender: sender(), position }
}

async fn send(store: &PostgresStore, position: u64, bytes: &'static str) {
    let (topic, bytes) = ("news".into(), Bytes::from_static(bytes.as_bytes()));
    let pack = Pack { id: id(position), topic, lane: 0, keys: vec![7], bytes };
    commit(store, &sender(), Writes { packs: vec![pack], ..Writes::default() }).await.expect("sent");
}

/// What a worker finds when the broker brings these bytes under this name.
async fn brought(store: &PostgresStore, position: u64, bytes: &'static str) -> Found {
    let bodies = vec![Bytes::from_static(bytes.as_bytes())];
    let ask = Ask { packs: vec![id(position)], bodies, ..Ask::default() };
    store.turn(&Right::Unfenced(lane(0)), ask).await.expect("a turn").found()
}

fn names(found: &Found) -> Vec<u64> {
    found.owed.iter().map(|owed| owed.pack.position).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_older_copy_was_restored_nothing_is_handled_that_is_not_owed_and_all_that_is() {
    let (server, kept) = (server().await, TempDir::new().expect("a folder"));
    let store = open(&server.url(), "a").await;
    commit(&store, &lane(1), writing(vec![more(&thing("k"), 0)])).await.expect("written");
    send(&store, 1, "before the copy").await;
    let place = kept.path().to_owned();
    let server = stopped(server, move |data| copy(data, &place)).await;

    commit(&store, &lane(1), writing(vec![more(&thing("k"), 1)])).await.expect("written");
    send(&store, 2, "after the copy").await;
    assert_eq!(
        names(&brought(&store, 2, "after the copy").await),
        [1, 2],
        "it is owed until the copy is back"
    );
    drop(store);

    let place = kept.path().to_owned();
    let server = stopped(server, move |data| {
        for entry in std::fs::read_dir(data).expect("its data").flatten() {
            let path = entry.path();
            let gone = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
            gone.expect("it is removed");
        }
        copy(&place, data);
    })
    .await;

    // Another process: whoever restores a copy stops those that know what came after it.
    let store = open(&server.url(), "a").await;
    assert_eq!(version(&store, &thing("k")).await, 1, "it is the older copy");
    let found = brought(&store, 2, "after the copy").await;
    assert!(!names(&found).contains(&2) && found.duplicates == [id(2)], "the store owes no such pack");
    send(&store, 2, "after the restore").await;
    let found = brought(&store, 2, "after the copy").await;
    assert!(
        !names(&found).contains(&2) && found.duplicates == [id(2)],
        "what is owed by that name is another"
    );

    let ask = Ask { owed_longer: Some(Duration::ZERO), ..Ask::default() };
    let mut turn = store.turn(&Right::Unfenced(lane(0)), ask).await.expect("a turn");
    let owed = turn.found().owed;
    let bytes: Vec<_> = owed.iter().map(|owed| owed.bytes.clone().expect("from the store")).collect();
    assert_eq!(bytes, ["before the copy", "after the restore"]);
    let handled = |pack| Consumed::Owed { pack, indexes: vec![0], end: End::Handled };
    let consumed = owed.into_iter().map(|owed| handled(owed.pack)).collect();
    turn.commit(Writes { consumed, ..Writes::default() }).await.expect("handled");
    assert_eq!(store.count().await.expect("counted").owed, 0);
}
