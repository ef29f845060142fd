//! What the database reads for a turn, however small its tables were when it planned.
#![cfg(feature = "server")]
#![expect(clippy::expect_used, reason = "every line of this file is a test")]

mod kit;

use kit::{lane, more, open, raw, server, thing, writing};
use oms_core::{
    message::{Pack, PackId},
    store::{Ask, Consumed, End, Right, Store, Writes},
};
use std::time::Duration;

const TURNS: u64 = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_reads_no_more_rows_when_a_stream_has_grown_since_its_statements_were_planned() {
    let server = server().await;
    // All plans are made while every table is empty, and kept.
    let store = open(&server.url(), "a").await;
    // The one that is asked for lies behind the others in every index, and has a part that was fixed with its first row.
    let (grown, stream, right) = (thing("a"), thing("k"), Right::Unfenced(lane(0)));
    for version in 0..TURNS {
        let pack = PackId { sender: lane(0), position: version + 1 };
        let sent = Pack { id: pack.clone(), topic: "news".into(), lane: 0, keys: vec![7], bytes: "b".into() };
        let ask = Ask { streams: [stream.clone()].into(), ..Ask::default() };
        let mut turn = store.turn(&right, ask).await.expect("a turn");
        assert_eq!(turn.found().streams[&stream].version, version);
        let mut next = more(&stream, version);
        (next.fixed_is_new, next.next.fixed) = (version == 0, Some("fixed".into()));
        let writes = Writes { packs: vec![sent], ..writing(vec![more(&grown, version), next]) };
        turn.commit(writes).await.expect("written");
        let turn =
            store.turn(&right, Ask { packs: vec![pack.clone()], ..Ask::default() }).await.expect("a turn");
        let consumed = vec![Consumed::Owed { pack, indexes: vec![0], end: End::Handled }];
        turn.commit(Writes { consumed, ..Writes::default() }).await.expect("handled");
    }
    drop(store);
    let (read, worst) = read(&server.url()).await;
    let each = read / TURNS;
    assert!(each > 0, "the database has counted");
    assert!(each < 60, "{each} rows of indexes were read for each pair of turns, most of them of {worst}");
}

/// How many rows of indexes were read, and of which the most; a backend tells at its end, which takes a moment.
async fn read(url: &str) -> (u64, String) {
    tokio::time::sleep(Duration::from_secs(2)).await;
    let sql = "SELECT sum(idx_tup_read) OVER ()::bigint, indexrelname::text FROM pg_stat_user_indexes
        WHERE schemaname = 'a' ORDER BY idx_tup_read DESC LIMIT 1";
    let row = raw(url).await.query_one(sql, &[]).await.expect("counted");
    let all: i64 = row.get(0);
    (all.unsigned_abs(), row.get(1))
}
