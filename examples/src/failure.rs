//! Why an example does not run.

use std::{error::Error, fmt};

/// Why an example does not run.
pub enum Failure {
    /// No server answers.
    NotThere {
        /// What `cargo xtask servers` calls it.
        server: &'static str,
        /// The environment variable that names another.
        variable: &'static str,
        /// What its client said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The house or its broker said no.
    Other(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere { server, variable, .. } => write!(
                out,
                "no {server} server answers; `cargo xtask servers up {server}` starts one and prints its URL, which goes behind \
                 `--` or into {variable}"
            ),
            Self::Other(error) => error.fmt(out),
        }
    }
}

impl fmt::Debug for Failure {
    /// What a program that returns it prints: the words and every cause.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)?;
        let mut cause: Option<&dyn Error> = match self {
            Self::NotThere { source, .. } => Some(source.as_ref()),
            Self::Other(error) => error.source(),
        };
        while let Some(deeper) = cause {
            write!(out, ": {deeper}")?;
            cause = deeper.source();
        }
        Ok(())
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}
