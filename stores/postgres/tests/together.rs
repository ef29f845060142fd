//! Turns that come together share round trips, and nothing else: what is wrong with one is no trouble of the others.
#![cfg(feature = "server")]
#![expect(clippy::expect_used, reason = "every line of this file is a test")]

mod kit;

use futures::future::join_all;
use kit::{lane, more, open, raw, server, thing, writing};
use oms_core::{
    id::StreamId,
    store::{Ask, Right, Store, StoreError},
};
use oms_postgres::PostgresStore;
use std::time::Duration;

/// Lanes of one schema, which has four.
const LANES: u16 = 4;

/// Appends one event to a stream in each lane, all at once.
async fn append(store: &PostgresStore, stream: impl Fn(u16) -> StreamId) -> Vec<Result<(), StoreError>> {
    let turns = (0..LANES).map(|number| {
        let (stream, right) = (stream(number), Right::Unfenced(lane(number)));
        async move {
            let ask = Ask { streams: [stream.clone()].into(), ..Ask::default() };
            let mut turn = store.turn(&right, ask).await?;
            let version = turn.found().streams[&stream].version;
            turn.commit(writing(vec![more(&stream, version)])).await
        }
    });
    join_all(turns).await
}

#[tokio::test]
async fn a_question_that_the_database_refuses_is_refused_to_its_turn_alone() {
    let server = server().await;
    let store = open(&server.url(), "a").await;
    for _ in 0..5 {
        // No text of PostgreSQL holds such a letter.
        let name = |number: u16| if number == 2 { "a\0b".to_owned() } else { format!("s{number}") };
        let done = append(&store, |number| thing(&name(number))).await;
        let refused: Vec<usize> = (0..done.len()).filter(|number| done[*number].is_err()).collect();
        assert_eq!(refused, [2], "{done:?}");
        assert!(matches!(done[2], Err(StoreError::Refused(_))), "{done:?}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_stops_its_stream_alone() {
    let server = server().await;
    let store = open(&server.url(), "a").await;
    let stream = |number: u16| thing(&format!("s{number}"));
    assert!(append(&store, stream).await.iter().all(Result::is_ok));
    let damage = "SET session_replication_role = replica; UPDATE a.event SET deadline = 'nonsense' WHERE stream = 's1'";
    raw(&server.url()).await.batch_execute(damage).await.expect("damaged");
    let done = append(&store, stream).await;
    let stopped: Vec<usize> = (0..done.len()).filter(|number| done[*number].is_err()).collect();
    assert_eq!(stopped, [1], "{done:?}");
    let why = done[1].as_ref().err().map(ToString::to_string).unwrap_or_default();
    assert!(why.contains("thing/s1"), "{why}");
}

#[tokio::test]
async fn turns_that_come_together_cost_the_database_fewer_transactions_than_turns_that_come_alone() {
    let server = server().await;
    let url = server.url();
    let count = async |schema: &str, together: bool| {
        let store = open(&url, schema).await;
        let before = transactions(&url).await;
        for round in 0..50 {
            let stream = |number: u16| thing(&format!("s{number}-{round}"));
            if together {
                assert!(append(&store, stream).await.iter().all(Result::is_ok));
                continue;
            }
            for number in 0..LANES {
                let right = Right::Unfenced(lane(number));
                let ask = Ask { streams: [stream(number)].into(), ..Ask::default() };
                let turn = store.turn(&right, ask).await.expect("a turn");
                turn.commit(writing(vec![more(&stream(number), 0)])).await.expect("written");
            }
        }
        drop(store);
        transactions(&url).await - before
    };
    let (alone, together) = (count("alone", false).await, count("together", true).await);
    // One read and one commit each; four turns at once take two or three of each between them.
    assert!(alone >= 400, "{alone} transactions for 200 turns alone");
    assert!(together * 10 < alone * 8, "{together} transactions together, {alone} alone");
}

/// The transactions of the database so far; a backend tells at its end, which takes a moment.
async fn transactions(url: &str) -> i64 {
    tokio::time::sleep(Duration::from_secs(2)).await;
    let sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
    raw(url).await.query_one(sql, &[]).await.expect("counted").get(0)
}
