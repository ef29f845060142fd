//! One dead letter: what caused it, the original, what was done with it, and what to do next.

use super::{
    super::output::print,
    list::{Letter, letter},
    text::shown,
};
use crate::{
    exit::{Blame, Failure},
    shop::Shop,
};
use oms_core::{
    projection::{Cause, Copied, Fate, LetterRecord},
    store::DeadLetterState,
};
use serde::Serialize;

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    letter: Letter,
    envelope: Outside<'a>,
    order: Option<&'a str>,
    cause: Caused,
    history: Vec<Noted<'a>>,
    copies: Vec<CopyShown<'a>>,
    next: Vec<String>,
}

#[derive(Serialize)]
struct Outside<'a> {
    id: String,
    cause: String,
    correlation: &'a str,
    topic: &'a str,
    key: &'a str,
    schema: u16,
    sent: String,
    lane: u16,
    trace: Option<&'a str>,
}

#[derive(Serialize)]
struct Caused {
    kind: &'static str,
    words: String,
    original: Option<u64>,
}

#[derive(Serialize)]
struct Noted<'a> {
    time: String,
    kind: &'a str,
    words: &'a str,
}

#[derive(Serialize)]
struct CopyShown<'a> {
    edit: u32,
    message: String,
    kind: &'a str,
    by: &'a str,
    fate: String,
    body: &'a str,
    hex: bool,
}

pub(super) async fn show(shop: &Shop, json: bool, number: u64) -> Result<(), Failure> {
    let missing = || Failure::new(Blame::Input, format!("there is no dead letter {number}; list them first"));
    let record = shop.oms().dead_letter(number).await.map_err(Failure::outside)?.ok_or_else(missing)?;
    let answer = answer(&record);
    print(json, &answer, || page(&answer, &record))
}

fn answer(record: &LetterRecord) -> Shown<'_> {
    let envelope = &record.letter.message.envelope;
    let noted = record.history.iter();
    let noted = noted.map(|one| Noted { time: one.time.to_string(), kind: &one.kind, words: &one.words });
    Shown {
        letter: letter(&record.letter),
        envelope: Outside {
            id: envelope.id.to_string(),
            cause: envelope.cause.to_string(),
            correlation: &envelope.correlation,
            topic: &envelope.topic,
            key: envelope.key.text(),
            schema: envelope.schema,
            sent: envelope.time.to_string(),
            lane: record.letter.lane.lane,
            trace: envelope.trace.as_deref(),
        },
        order: record.order.as_ref().map(|order| order.as_str()),
        cause: caused(&record.cause),
        history: noted.collect(),
        copies: record.copies.iter().map(copied).collect(),
        next: next(record),
    }
}

fn copied(copy: &Copied) -> CopyShown<'_> {
    let replaced = &copy.replaced;
    CopyShown {
        edit: replaced.edit,
        message: replaced.copy.to_string(),
        kind: &replaced.copy_kind,
        by: &replaced.by,
        fate: fate(copy.fate),
        body: &replaced.body,
        hex: replaced.hex,
    }
}

/// What became of a copy, in words.
pub(super) fn fate(fate: Fate) -> String {
    match fate {
        Fate::Waits => "waits".to_owned(),
        Fate::Letter(number) => format!("dead letter {number}"),
        Fate::Handled => "handled".to_owned(),
    }
}

fn caused(cause: &Cause) -> Caused {
    let (kind, words, original) = match cause {
        Cause::Turn { group, time, events } => {
            let events: Vec<&str> = events.iter().map(|event| &**event).collect();
            ("turn", format!("sent by {group} at {time}, with {}", events.join(", ")), None)
        }
        Cause::Answer => ("answer", "the answer of a gateway".to_owned(), None),
        Cause::Deadline => ("deadline", "a deadline that was reached".to_owned(), None),
        Cause::Copy(number) => ("copy", format!("an edited copy of dead letter {number}"), Some(*number)),
        Cause::Elsewhere => {
            ("elsewhere", "a request from outside, or a turn that recorded nothing".to_owned(), None)
        }
    };
    Caused { kind, words, original }
}

/// What to do next, as commands.
fn next(record: &LetterRecord) -> Vec<String> {
    let number = record.letter.number;
    let mut next: Vec<String> = match record.letter.state {
        DeadLetterState::Buried => vec![
            format!("oms dead-letters redrive {number}  # once what it failed for is mended"),
            format!("oms dead-letters edit {number} --body FILE  # when the message itself is wrong"),
        ],
        DeadLetterState::Redriven => {
            vec![format!("oms dead-letters show {number}  # it is being handled again; look later")]
        }
        DeadLetterState::Replaced => record.copies.iter().filter_map(failed).collect(),
        DeadLetterState::Handled => Vec::new(),
    };
    if let Cause::Copy(original) = record.cause {
        next.push(format!("oms dead-letters show {original}  # the original"));
    }
    next.extend(
        record.order.iter().map(|order| format!("oms orders show {order}  # the whole story of its order")),
    );
    next
}

fn failed(copy: &Copied) -> Option<String> {
    match copy.fate {
        Fate::Letter(number) => Some(format!("oms dead-letters show {number}  # its copy failed too")),
        Fate::Waits | Fate::Handled => None,
    }
}

fn page(answer: &Shown<'_>, record: &LetterRecord) -> String {
    let Shown { letter, envelope, .. } = answer;
    let body = &record.letter.message.body;
    let mut lines = vec![format!("dead letter {}, {} since {}", letter.number, letter.state, letter.time)];
    let mut line = |name: &str, text: String| lines.push(format!("  {name:<9} {text}"));
    line("message", format!("{} {}, schema {}", letter.kind, envelope.id, envelope.schema));
    line("of", answer.order.map_or_else(|| envelope.key.to_owned(), |order| format!("order {order}")));
    line("to", format!("{}, lane {}, on {}", letter.group, envelope.lane, envelope.topic));
    line("sent", envelope.sent.clone());
    line("cause", format!("{}; message {}", answer.cause.words, envelope.cause));
    line("error", letter.error.clone());
    line("attempts", letter.attempts.to_string());
    lines.push("history".to_owned());
    lines.extend(answer.history.iter().map(|noted| format!("  {}  {}", noted.time, noted.words)));
    for (copy, known) in answer.copies.iter().zip(&record.copies) {
        lines.push(format!(
            "copy {}, {} {} by {}: {}",
            copy.edit, copy.kind, copy.message, copy.by, copy.fate
        ));
        let text = if copy.hex { known.replaced.body.clone() } else { shown(copy.body.as_bytes()) };
        lines.push(text);
    }
    lines.push(format!("original, {} bytes", body.len()));
    lines.push(shown(body));
    if !answer.next.is_empty() {
        lines.push("next".to_owned());
        lines.extend(answer.next.iter().map(|next| format!("  {next}")));
    }
    lines.join("\n")
}
