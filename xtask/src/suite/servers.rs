//! The servers that run during one step.

use std::path::Path;

use oms_servers::{Kind, Server, ServerError};

use crate::servers::folder;

/// The servers that were started for a step; they stop when this is dropped.
pub(crate) struct Servers {
    started: Vec<Server>,
}

impl Servers {
    /// Starts what the environment has no address of.
    ///
    /// # Errors
    /// [`ServerError`], when one cannot be installed or does not answer.
    pub(crate) fn start(root: &Path, kinds: &[Kind]) -> Result<Self, ServerError> {
        let started = missing(kinds, |variable| std::env::var_os(variable).is_some());
        let start = |kind| Server::start(kind, &folder(root), &mut |line| println!("== {line}"));
        Ok(Self { started: started.into_iter().map(start).collect::<Result<_, _>>()? })
    }

    /// Gives the variables in which the tests find them.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.started.iter().map(|server| (server.kind().variable(), server.url()))
    }
}

fn missing(kinds: &[Kind], is_set: impl Fn(&str) -> bool) -> Vec<Kind> {
    kinds.iter().copied().filter(|kind| !is_set(kind.variable())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_whose_address_is_given_is_not_started() {
        let given = |variable: &str| variable == "OMS_TEST_KAFKA";
        assert_eq!(missing(&[Kind::Kafka, Kind::Nats], given), [Kind::Nats]);
    }
}
