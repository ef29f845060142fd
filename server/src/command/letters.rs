//! `oms dead-letters`: messages that could not be handled.

use super::{open::existing, output::print};
use crate::{
    args::DeadLettersCommand,
    exit::{Blame, Failure},
    show::table,
};
use oms_core::store::{DeadLetter, DeadLetterState, Pick};
use serde::Serialize;
use std::{path::Path, time::Duration};

/// How long redriven messages, and what follows from them, may take; what takes longer goes on with the next run.
const REST: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct Letter {
    number: u64,
    group: String,
    kind: String,
    key: String,
    attempts: u32,
    state: &'static str,
    time: String,
    error: String,
    body: String,
}

#[derive(Serialize)]
struct Letters {
    dead_letters: Vec<Letter>,
}

#[derive(Serialize)]
struct Redriven {
    redriven: usize,
}

pub(super) async fn run(db: &Path, json: bool, command: DeadLettersCommand) -> Result<(), Failure> {
    let mut shop = existing(db).await?;
    match command {
        DeadLettersCommand::List { after, limit } => {
            let found = shop
                .oms()
                .dead_letters(&Pick::Everything, after, limit as usize)
                .await
                .map_err(Failure::outside)?;
            let answer = Letters { dead_letters: found.iter().map(letter).collect() };
            print(json, &answer, || {
                let cells = |one: &Letter| {
                    [
                        one.number.to_string(),
                        one.group.clone(),
                        one.kind.clone(),
                        one.key.clone(),
                        one.state.to_owned(),
                        one.error.clone(),
                    ]
                };
                table(
                    &["number", "group", "message", "key", "state", "error"],
                    answer.dead_letters.iter().map(cells),
                )
            })
        }
        DeadLettersCommand::Show { number } => {
            let pick = Pick::Numbers(vec![number]);
            let found = shop.oms().dead_letters(&pick, 0, 1).await.map_err(Failure::outside)?;
            let missing =
                || Failure::new(Blame::Input, format!("there is no dead letter {number}; list them first"));
            let one = letter(found.first().ok_or_else(missing)?);
            print(json, &one, || {
                let Letter { number, group, kind, key, attempts, state, time, error, body } = &one;
                format!(
                    "dead letter {number}, {state}\n{kind} for {key}, to {group}\ntried {attempts} times, last at {time}\n{error}\n{body}"
                )
            })
        }
        DeadLettersCommand::Redrive { number, all: _ } => {
            let pick = number.map_or(Pick::Everything, |number| Pick::Numbers(vec![number]));
            let redriven = shop.oms().redrive(&pick).await.map_err(Failure::outside)?;
            shop.run();
            shop.rest(REST).await?;
            print(json, &Redriven { redriven }, || format!("{redriven} dead letters are handled again"))
        }
    }
}

fn letter(one: &DeadLetter) -> Letter {
    let envelope = &one.message.envelope;
    Letter {
        number: one.number,
        group: one.lane.group.to_string(),
        kind: envelope.kind.to_string(),
        key: envelope.correlation.to_string(),
        attempts: one.attempts,
        state: match one.state {
            DeadLetterState::Buried => "buried",
            DeadLetterState::Redriven => "redriven",
            DeadLetterState::Handled => "handled",
        },
        time: one.time.to_string(),
        error: one.error.to_string(),
        body: String::from_utf8_lossy(&one.message.body).into_owned(),
    }
}
