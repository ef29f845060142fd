//! How a run ends: the exit codes that scripts may rely on.

use crate::source::SourceError;
use std::{error::Error, fmt, path::Path, process::ExitCode};

/// Who is to blame, and so which exit code it is. 0 is a run that did what it was asked, refused rows included;
/// a run that was interrupted has not done it, and counts as stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// A promise of ours is broken: exit code 1.
    Promise,
    /// The input or the command line: exit code 2.
    Input,
    /// Something outside is unavailable: exit code 3.
    Outside,
}

impl Blame {
    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Blame::Promise => 1,
            Blame::Input => 2,
            Blame::Outside => 3,
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// Who is to blame.
    pub blame: Blame,
    source: Box<dyn Error + Send + Sync>,
}

impl Failure {
    /// Blames somebody for an error, which may be a plain text.
    ///
    /// ```
    /// use oms_server::exit::{Blame, Failure};
    /// let failure = Failure::new(Blame::Input, "the file is empty");
    /// assert_eq!((failure.code(), failure.to_string().as_str()), (2, "the file is empty"));
    /// ```
    pub fn new(blame: Blame, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { blame, source: source.into() }
    }

    /// Blames the input or the command line.
    pub fn input(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Blame::Input, source)
    }

    /// Blames what is outside: the disk, the database, another process.
    pub fn outside(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Blame::Outside, source)
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.blame.code()
    }

    /// Names the file that it is about.
    ///
    /// ```
    /// use oms_server::exit::Failure;
    /// let failure = Failure::outside("it is full").about("orders.db".as_ref());
    /// assert_eq!((failure.code(), failure.to_string().as_str()), (3, "orders.db: it is full"));
    /// ```
    #[must_use]
    pub fn about(self, file: &Path) -> Self {
        self.named(file.display())
    }

    /// Names what it is about.
    #[must_use]
    pub fn named(self, what: impl fmt::Display) -> Self {
        Self::new(self.blame, format!("{what}: {self}"))
    }
}

impl From<&Failure> for ExitCode {
    fn from(failure: &Failure) -> Self {
        Self::from(failure.code())
    }
}

impl fmt::Display for Failure {
    /// The error and all that caused it, on one line.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.source)?;
        let mut cause = self.source.source();
        while let Some(deeper) = cause {
            write!(out, ": {deeper}")?;
            cause = deeper.source();
        }
        Ok(())
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let blame = if error.is_outside() { Blame::Outside } else { Blame::Input };
        Self::new(blame, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io, path::PathBuf};

    #[test]
    fn a_missing_file_is_the_input_and_a_failing_disk_is_outside() {
        let source = || io::Error::other("no such thing");
        let open = Failure::from(SourceError::Open { path: PathBuf::from("a.csv"), source: source() });
        assert_eq!(open.code(), 2);
        assert!(open.to_string().ends_with("permissions: no such thing"), "{open}");
        assert_eq!(Failure::from(SourceError::Read { line: 7, source: source() }).code(), 3);
    }
}
