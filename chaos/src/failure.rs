//! What ends a campaign before it has an answer: no promise was broken, and none was shown to hold.

use std::error::Error;

/// A server, a store or a file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Says what to do next.
    ///
    /// ```
    /// assert_eq!(oms_chaos::Failure::new("start a server").to_string(), "start a server");
    /// ```
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None }
    }

    /// Names what failed, and why.
    pub fn of(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), source: Some(source.into()) }
    }

    /// The failure and all that caused it, on one line.
    #[must_use]
    pub fn whole(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(deeper) = cause {
            text = format!("{text}: {deeper}");
            cause = deeper.source();
        }
        text
    }
}
