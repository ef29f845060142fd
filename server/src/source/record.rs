//! CSV records: fields between commas, quotes as RFC 4180 has them, line ends inside quotes.

use super::{
    SourceError,
    line::{Line, Lines},
};
use std::io::BufRead;

/// The longest record, in lines; a quote that is open for longer was never closed.
const MAX_RECORD_LINES: usize = 100;

/// One record of a CSV file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The line on which it starts, from 1.
    pub(super) line: u64,
    pub(super) fields: Vec<String>,
}

/// A record that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: u64,
    /// What could be read of it.
    pub(super) fields: Vec<String>,
    pub(super) reason: String,
}

/// Reads the next record of `width` fields, or of any number when it is `None`. Blank lines are skipped.
///
/// A quote that is never closed spoils its own line only: the lines after it are read for themselves.
pub(super) fn next<R: BufRead>(
    lines: &mut Lines<R>,
    width: Option<usize>,
) -> Result<Option<Result<Record, Broken>>, SourceError> {
    let first = loop {
        match lines.next()? {
            None => return Ok(None),
            Some(line) if line.text.trim().is_empty() => {}
            Some(line) => break line,
        }
    };
    let (line, mut text, mut ended) = (first.number, first.text.clone(), first.ended);
    let mut rest: Vec<Line> = Vec::new();
    loop {
        let split = split(&text);
        let fits = split.stray.is_none() && width.is_none_or(|width| width == split.fields.len());
        if split.open.is_none() && (fits || rest.is_empty()) {
            let reason = misfit(&split, width, ended);
            return Ok(Some(match reason.filter(|_| !fits) {
                None => Ok(Record { line, fields: split.fields }),
                Some(reason) => Err(Broken { line, fields: split.fields, reason }),
            }));
        }
        let more = if rest.len() < MAX_RECORD_LINES && split.open.is_some() { lines.next()? } else { None };
        let Some(more) = more else {
            lines.give_back(rest);
            return Ok(Some(Err(unclosed(&first))));
        };
        text.push('\n');
        text.push_str(&more.text);
        ended = more.ended;
        rest.push(more);
    }
}

fn misfit(split: &Split, width: Option<usize>, ended: bool) -> Option<String> {
    if let Some(column) = split.stray {
        return Some(format!(
            "text follows the closing quote in column {column}; double the quotes inside a text"
        ));
    }
    // The last line of a file that has no line end may have been cut.
    let cut = if ended { "" } else { "; the file seems to be cut off here" };
    width.map(|width| format!("the row has {} of {width} columns{cut}", split.fields.len()))
}

fn unclosed(first: &Line) -> Broken {
    let alone = split(&first.text);
    let column = alone.open.unwrap_or(alone.fields.len());
    let reason = format!("the quote in column {column} is never closed; close or remove it");
    Broken { line: first.number, fields: alone.fields, reason }
}

struct Split {
    fields: Vec<String>,
    /// The column, from 1, whose quote is still open at the end.
    open: Option<usize>,
    /// The first column, from 1, in which text follows a closed quote.
    stray: Option<usize>,
}

fn split(text: &str) -> Split {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let (mut quoted, mut fresh, mut closed, mut stray) = (false, true, false, None);
    let mut chars = text.chars().peekable();
    while let Some(one) = chars.next() {
        match one {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted => (quoted, closed) = (false, true),
            // Only at the start of a field: an inch sign in the middle is text.
            '"' if fresh => quoted = true,
            ',' if !quoted => {
                fields.push(std::mem::take(&mut field));
                (fresh, closed) = (true, false);
                continue;
            }
            other => {
                if closed && stray.is_none() {
                    stray = Some(fields.len() + 1);
                }
                field.push(other);
            }
        }
        fresh = false;
    }
    fields.push(field);
    let open = quoted.then_some(fields.len());
    Split { fields, open, stray }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, width: usize) -> Vec<Result<Vec<String>, (u64, String)>> {
        let mut lines = Lines::new(text.as_bytes());
        let mut records = Vec::new();
        while let Some(record) = next(&mut lines, Some(width)).expect("it is UTF-8") {
            records.push(record.map(|one| one.fields).map_err(|broken| (broken.line, broken.reason)));
        }
        records
    }

    fn fields(texts: &[&str]) -> Result<Vec<String>, (u64, String)> {
        Ok(texts.iter().map(|&text| text.to_owned()).collect())
    }

    #[test]
    fn quotes_hold_commas_quotes_and_line_ends_together() {
        let text = "a,\"b, \"\"c\"\"\nd\"\n12\" PLATE,\"\"\n";
        assert_eq!(all(text, 2), [fields(&["a", "b, \"c\"\nd"]), fields(&["12\" PLATE", ""])]);
    }

    #[test]
    fn a_quote_that_is_never_closed_spoils_its_own_line_only() {
        let read = all("a,\"b\nc,d\ne,f\n", 2);
        let reason = "the quote in column 2 is never closed; close or remove it".to_owned();
        assert_eq!(read, [Err((1, reason)), fields(&["c", "d"]), fields(&["e", "f"])]);
    }

    #[test]
    fn a_stray_quote_does_not_swallow_the_rows_up_to_the_next_one() {
        let read = all("a,\"b\nc,d\ne,\"f\"\n", 2);
        assert!(matches!(&read[0], Err((1, reason)) if reason.contains("never closed")));
        assert_eq!(read[1..], [fields(&["c", "d"]), fields(&["e", "f"])]);
    }

    #[test]
    fn text_behind_a_closing_quote_is_refused() {
        let read = all("a,\"b\"c\nd,e\n", 2);
        assert!(matches!(&read[0], Err((1, reason)) if reason.contains("closing quote in column 2")));
        assert_eq!(read[1], fields(&["d", "e"]));
    }

    #[test]
    fn half_a_row_at_the_end_is_broken_and_says_so() {
        let read = all("a,b\nc", 2);
        let reason = "the row has 1 of 2 columns; the file seems to be cut off here".to_owned();
        assert_eq!(read[1], Err((2, reason)));
    }
}
