//! Many dead letters: a page of them, or all by what they have in common.

use super::{super::output::print, text::hex};
use crate::{
    exit::Failure,
    shop::Shop,
    show::{grouped, table},
};
use oms_core::{
    projection::LetterCause,
    store::{DeadLetter, Pick, Seek},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A dead letter as scripts see it.
#[derive(Serialize)]
pub(super) struct Letter {
    pub(super) number: u64,
    pub(super) group: String,
    pub(super) kind: String,
    key: String,
    message: String,
    pub(super) attempts: u32,
    pub(super) state: &'static str,
    pub(super) time: String,
    pub(super) error: String,
    /// The original bytes, where they are text.
    body: Option<String>,
    /// The original bytes in hexadecimal digits, where they are no text.
    body_hex: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Letters {
    pub(super) dead_letters: Vec<Letter>,
    pub(super) next: Option<u64>,
}

#[derive(Serialize)]
struct SummaryLine<'a> {
    group: &'a str,
    kind: &'a str,
    cause: &'a str,
    letters: u64,
    states: BTreeMap<&'static str, u64>,
    first: u64,
    oldest: String,
    newest: String,
}

pub(super) fn letter(one: &DeadLetter) -> Letter {
    let envelope = &one.message.envelope;
    let text = std::str::from_utf8(&one.message.body).ok();
    Letter {
        number: one.number,
        group: one.lane.group.to_string(),
        kind: envelope.kind.to_string(),
        key: envelope.correlation.to_string(),
        message: envelope.id.to_string(),
        attempts: one.attempts,
        state: one.state.name(),
        time: one.time.to_string(),
        error: one.error.to_string(),
        body: text.map(str::to_owned),
        body_hex: text.is_none().then(|| hex(&one.message.body)),
    }
}

/// Where a page begins.
pub(super) fn seek(newest: bool, after: Option<u64>) -> Seek {
    match (newest, after) {
        (false, None) => Seek::OLDEST,
        (false, Some(after)) => Seek::After(after),
        (true, None) => Seek::NEWEST,
        (true, Some(after)) => Seek::Before(after),
    }
}

pub(super) async fn list(
    shop: &Shop,
    json: bool,
    pick: &Pick,
    seek: Seek,
    limit: usize,
) -> Result<(), Failure> {
    let page = shop.oms().dead_letters(pick, seek, limit).await.map_err(Failure::outside)?;
    let next = page.next.map(|(Seek::After(number) | Seek::Before(number))| number);
    let answer = Letters { dead_letters: page.letters.iter().map(letter).collect(), next };
    print(json, &answer, || {
        let next = next.map(|next| next.to_string());
        super::super::orders::more(rows(&answer.dead_letters), next.as_deref())
    })
}

/// A table of letters.
pub(super) fn rows(letters: &[Letter]) -> String {
    let cells = |one: &Letter| {
        let Letter { number, group, kind, key, state, time, error, .. } = one;
        let [group, kind, key, time, error] = [group, kind, key, time, error].map(String::clone);
        [number.to_string(), group, kind, key, (*state).to_owned(), time, error]
    };
    table(&["number", "group", "message", "key", "state", "since", "error"], letters.iter().map(cells))
}

pub(super) async fn summary(shop: &Shop, json: bool, pick: &Pick) -> Result<(), Failure> {
    let causes = shop.oms().dead_letter_causes(pick).await.map_err(Failure::outside)?;
    let states_of = |one: &LetterCause| -> Vec<(&'static str, u64)> {
        one.states.iter().map(|(state, count)| (state.name(), *count)).collect()
    };
    let answer: Vec<_> = causes
        .iter()
        .map(|one| SummaryLine {
            group: &one.group,
            kind: &one.kind,
            cause: &one.cause,
            letters: one.letters,
            states: states_of(one).into_iter().collect(),
            first: one.first,
            oldest: one.oldest.to_string(),
            newest: one.newest.to_string(),
        })
        .collect();
    print(json, &serde_json::json!({ "causes": answer }), || {
        let cells = |one: &LetterCause| {
            let states: Vec<String> = states_of(one)
                .into_iter()
                .map(|(state, count)| format!("{} {state}", grouped(count.into())))
                .collect();
            let [group, kind] = [&one.group, &one.kind].map(|name| name.to_string());
            let (letters, newest) = (grouped(one.letters.into()), one.newest.to_string());
            [letters, group, kind, states.join(", "), one.first.to_string(), newest, one.cause.clone()]
        };
        table(
            &["letters", "group", "message", "of them", "first", "newest", "cause"],
            causes.iter().map(cells),
        )
    })
}
