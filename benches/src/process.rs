//! Other processes: those of this bench that measure one thing, and the command that a user starts.

use crate::fault::Fault;
use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Runs a program to its end, and gives what it wrote.
pub(crate) fn output(program: &Path, arguments: &[String]) -> Result<String, Fault> {
    let done = Command::new(program).args(arguments).stderr(Stdio::inherit()).output();
    let done = done.map_err(|error| Fault::place(program, error))?;
    if !done.status.success() {
        return Err(Fault::void(format!("{} ended with {}", program.display(), done.status)));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Runs a program, and gives the time from its start to the first line that it writes, or to its end when it writes none.
pub(crate) fn first_word(program: &Path, arguments: &[String]) -> Result<Duration, Fault> {
    let place = |error| Fault::place(program, error);
    let start = Instant::now();
    let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().map_err(place)?;
    let mut waited = None;
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line).map_err(place)?;
        waited = (!line.is_empty()).then(|| start.elapsed());
        // A program whose words nobody reads would wait for ever.
        output.read_to_end(&mut Vec::new()).map_err(place)?;
    }
    let status = child.wait().map_err(place)?;
    if !status.success() {
        return Err(Fault::void(format!("{} ended with {status}", program.display())));
    }
    Ok(waited.unwrap_or_else(|| start.elapsed()))
}

/// Runs a program to its end, and gives the time it took.
pub(crate) fn whole(program: &Path, arguments: &[String]) -> Result<Duration, Fault> {
    let start = Instant::now();
    output(program, arguments)?;
    Ok(start.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> [String; 2] {
        ["-c".to_owned(), script.to_owned()]
    }

    #[test]
    fn the_first_line_is_timed_and_not_the_end() {
        let sh = Path::new("sh");
        let first = first_word(sh, &shell("echo accepted; sleep 0.3")).unwrap();
        assert!(first < Duration::from_millis(250), "{first:?}");
        assert!(whole(sh, &shell("sleep 0.3")).unwrap() >= Duration::from_millis(300));
    }

    #[test]
    fn a_program_that_fails_gives_no_figure() {
        assert!(first_word(Path::new("sh"), &shell("echo accepted; exit 3")).is_err());
        assert!(output(Path::new("sh"), &shell("exit 3")).is_err());
    }
}
