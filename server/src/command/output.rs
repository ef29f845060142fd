//! Standard output: one JSON object for a script, or a text for a person.

use crate::{
    exit::{Blame, Failure},
    show::object,
};
use serde::Serialize;
use std::io::{ErrorKind, Write as _};

/// Prints for a script or for a person.
pub(super) fn print(
    json: bool,
    answer: &impl Serialize,
    text: impl FnOnce() -> String,
) -> Result<(), Failure> {
    let broken = |error| Failure::new(Blame::Promise, error);
    let text = if json { object(answer).map_err(broken)? } else { text() };
    match writeln!(std::io::stdout(), "{text}") {
        // Whoever read it has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Failure::outside),
    }
}
