//! `oms dead-letters`: messages that could not be handled.

use super::{open::existing, output::print};
use crate::{
    args::DeadLettersCommand,
    exit::{Blame, Failure},
    shop::Shop,
    show::table,
};
use oms_core::store::{DeadLetter, DeadLetterState, Pick};
use serde::Serialize;
use std::{path::Path, time::Duration};

/// How long redriven messages, and what follows from them, may take; what takes longer goes on with the next run.
const REST: Duration = Duration::from_secs(10);

/// How long to wait between two looks at them.
const LOOK: Duration = Duration::from_millis(10);
/// How many are looked at with one call.
const PAGE: usize = 500;

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
    /// How many of them failed again; `None` when some are still being tried.
    buried_again: Option<usize>,
}

pub(super) async fn run(db: &Path, json: bool, command: DeadLettersCommand) -> Result<(), Failure> {
    let shop = existing(db).await?;
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
            redrive(shop, json, &number.map_or(Pick::Everything, |number| Pick::Numbers(vec![number]))).await
        }
    }
}

async fn redrive(mut shop: Shop, json: bool, pick: &Pick) -> Result<(), Failure> {
    let redriven = shop.oms().redrive(pick).await.map_err(Failure::outside)?;
    shop.run();
    let tried = tokio::time::timeout(REST, tried(&shop, pick)).await;
    shop.rest(REST).await?;
    let buried_again = tried.ok().transpose()?;
    print(json, &Redriven { redriven, buried_again }, || match buried_again {
        Some(0) => format!("{redriven} tried again, and handled"),
        Some(buried) => format!("{redriven} tried again; {buried} failed again, and are buried"),
        None => format!("{redriven} are being tried again; the next run goes on with them"),
    })
}

/// Waits until all that was asked for has been handled or buried again; gives how many are buried.
async fn tried(shop: &Shop, pick: &Pick) -> Result<usize, Failure> {
    let (mut after, mut buried) = (0, 0);
    loop {
        let page = shop.oms().dead_letters(pick, after, PAGE).await.map_err(Failure::outside)?;
        let Some(last) = page.last() else { return Ok(buried) };
        if page.iter().any(|one| one.state == DeadLetterState::Redriven) {
            tokio::time::sleep(LOOK).await;
        } else {
            after = last.number;
            buried += page.iter().filter(|one| one.state == DeadLetterState::Buried).count();
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
