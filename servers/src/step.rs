//! One program of an installation, run to its end.

use std::process::{Command, Stdio};

use crate::error::tail;
use crate::{Kind, ServerError};

/// Runs one program of an installation to its end.
///
/// # Errors
/// [`ServerError::Missing`] or [`ServerError::Install`].
pub(crate) fn run(kind: Kind, command: &mut Command) -> Result<(), ServerError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(source) => return Err(ServerError::Missing { kind, program, source }),
    };
    if output.status.success() {
        return Ok(());
    }
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(ServerError::Install { kind, program, said: tail(&said) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failed_program_said_is_told() {
        let error = run(Kind::Nats, Command::new("sh").args(["-c", "echo no such wheel >&2; exit 3"]));
        assert!(error.unwrap_err().to_string().contains("no such wheel"));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(Kind::Nats, &mut Command::new("no-such-program-anywhere"));
        assert!(matches!(error, Err(ServerError::Missing { program, .. }) if program.starts_with("no-such")));
    }
}
