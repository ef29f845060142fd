//! Physical lines: bounded, numbered, UTF-8.

use super::SourceError;
use std::{
    collections::VecDeque,
    io::{BufRead, Read},
};

/// The longest line that is read, in bytes.
pub(super) const MAX_LINE_BYTES: u64 = 1 << 20;

/// One line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    pub(super) text: String,
    /// Whether a line end follows; without one the file may have been cut here.
    pub(super) ended: bool,
}

/// Lines of a file, of which some may be given back.
pub(super) struct Lines<R> {
    input: R,
    number: u64,
    offset: u64,
    returned: VecDeque<Line>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, number: 0, offset: 0, returned: VecDeque::new() }
    }

    /// Reads the next line.
    pub(super) fn next(&mut self) -> Result<Option<Line>, SourceError> {
        if let Some(line) = self.returned.pop_front() {
            return Ok(Some(line));
        }
        let line = self.number + 1;
        let mut bytes = Vec::new();
        let mut bounded = (&mut self.input).take(MAX_LINE_BYTES + 1);
        bounded.read_until(b'\n', &mut bytes).map_err(|source| SourceError::Read { line, source })?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.len() as u64 > MAX_LINE_BYTES {
            return Err(SourceError::LongLine { line, limit: MAX_LINE_BYTES });
        }
        let start = self.offset;
        self.offset += bytes.len() as u64;
        self.number = line;
        let text = String::from_utf8(bytes).map_err(|error| SourceError::Encoding {
            line,
            byte: start + error.utf8_error().valid_up_to() as u64,
        })?;
        let text = if start == 0 { text.trim_start_matches('\u{feff}') } else { &text };
        let whole = text.strip_suffix('\n');
        let (ended, text) = (whole.is_some(), whole.unwrap_or(text));
        let text = text.strip_suffix('\r').unwrap_or(text).to_owned();
        Ok(Some(Line { number: line, text, ended }))
    }

    /// Gives lines back, to be read again in their order.
    pub(super) fn give_back(&mut self, lines: Vec<Line>) {
        for line in lines.into_iter().rev() {
            self.returned.push_front(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_is_not_utf_8_is_named_by_line_and_place() {
        let mut lines = Lines::new(&b"ok\nCaf\xe9\n"[..]);
        assert_eq!(lines.next().ok().flatten().map(|line| line.text), Some("ok".to_owned()));
        assert!(matches!(lines.next(), Err(SourceError::Encoding { line: 2, byte: 6 })));
    }

    #[test]
    fn a_byte_order_mark_and_carriage_returns_are_no_content() {
        let mut lines = Lines::new("\u{feff}a\r\nb".as_bytes());
        let line = |number, text: &str, ended| Some(Line { number, text: text.to_owned(), ended });
        assert_eq!(lines.next().ok(), Some(line(1, "a", true)));
        assert_eq!(lines.next().ok(), Some(line(2, "b", false)));
        assert_eq!(lines.next().ok(), Some(None));
    }

    #[test]
    fn a_file_without_line_ends_is_not_read_into_memory() {
        let mut lines = Lines::new(std::io::BufReader::new(std::io::repeat(b'x')));
        assert!(matches!(lines.next(), Err(SourceError::LongLine { line: 1, .. })));
    }
}
