//! An edited copy of a dead letter: sent once, and waited for.

use super::{
    super::output::print,
    pace::{LOOK, REST},
    show::fate,
};
use crate::{
    args::DeadLettersCommand,
    exit::{Blame, Failure},
    shop::Shop,
};
use bytes::Bytes;
use oms_core::{
    projection::Fate,
    worker::{Edit, EditError, Edited},
};
use serde::Serialize;
use std::io::Read as _;

#[derive(Serialize)]
struct Answer {
    letter: u64,
    copy: String,
    edit: u32,
    /// Whether this run sent it, or an earlier one with the same content did.
    sent: bool,
    /// What became of it so far.
    fate: String,
}

/// The body that the command line names; empty for any other command.
pub(super) fn body(command: &DeadLettersCommand) -> Result<Bytes, Failure> {
    let DeadLettersCommand::Edit { body, .. } = command else { return Ok(Bytes::new()) };
    let mut bytes = Vec::new();
    let read = if body.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(body).map(|read| bytes = read)
    };
    let unread =
        |error| Failure::input(format!("the body cannot be read: {error}; name another file")).about(body);
    read.map_err(unread)?;
    Ok(Bytes::from(bytes))
}

pub(super) async fn edit(mut shop: Shop, json: bool, edit: Edit) -> Result<(), Failure> {
    let edited = shop.oms().edit_dead_letter(&edit).await.map_err(blame)?;
    shop.run();
    let ended = tokio::time::timeout(REST, ended(&shop, edit.number, &edited)).await;
    shop.rest(REST).await?;
    let became = ended.unwrap_or(Ok(Fate::Waits))?;
    let answer = Answer {
        letter: edit.number,
        copy: edited.copy.to_string(),
        edit: edited.edit,
        sent: edited.sent,
        fate: fate(became),
    };
    print(json, &answer, || {
        let sent = if edited.sent { "was sent" } else { "was sent before, and is not sent again" };
        let became = match became {
            Fate::Handled => "it was handled".to_owned(),
            Fate::Waits => "it waits; the next run goes on with it".to_owned(),
            Fate::Letter(number) => format!("it failed, and is dead letter {number}"),
        };
        format!("copy {} of dead letter {} {sent}: {became}", answer.edit, answer.letter)
    })
}

fn blame(error: EditError) -> Failure {
    let blame = match &error {
        EditError::Store(_) => Blame::Outside,
        EditError::NoSuchLetter(_)
        | EditError::Standing { .. }
        | EditError::NoSuchGroup(_)
        | EditError::Unreadable { .. } => Blame::Input,
    };
    Failure::new(blame, error)
}

/// Waits until the copy was handled, or is a dead letter itself.
async fn ended(shop: &Shop, number: u64, edited: &Edited) -> Result<Fate, Failure> {
    loop {
        let record = shop.oms().dead_letter(number).await.map_err(Failure::outside)?;
        let copies = record.into_iter().flat_map(|record| record.copies);
        let fate = copies.filter(|copy| copy.replaced.copy == edited.copy).map(|copy| copy.fate).next();
        match fate {
            Some(fate @ (Fate::Handled | Fate::Letter(_))) => return Ok(fate),
            Some(Fate::Waits) | None => tokio::time::sleep(LOOK).await,
        }
    }
}
