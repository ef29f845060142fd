//! From a URL to a broker.

use crate::built_in;
use oms_core::broker::{Broker, BrokerError, MemoryBroker};
use std::sync::Arc;

/// A kind of broker that a URL may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// What the URL begins with, before `://`.
    pub name: &'static str,
    /// The broker, for people.
    pub broker: &'static str,
    /// The feature that builds it in; nothing where it is always there.
    pub feature: Option<&'static str>,
}

const fn scheme(name: &'static str, broker: &'static str, feature: Option<&'static str>) -> Scheme {
    Scheme { name, broker, feature }
}

/// Every scheme that is known, built in or not.
///
/// ```
/// assert!(oms_broker::SCHEMES.iter().any(|scheme| scheme.name == "memory" && scheme.feature.is_none()));
/// ```
pub const SCHEMES: &[Scheme] = &[
    scheme("memory", "the in-process broker", None),
    scheme("kafka", "Apache Kafka", Some("kafka")),
    scheme("amqp", "RabbitMQ", Some("rabbitmq")),
    scheme("amqps", "RabbitMQ", Some("rabbitmq")),
    scheme("nats", "NATS JetStream", Some("nats")),
    scheme("natss", "NATS JetStream", Some("nats")),
];

/// Why there is no broker behind a URL. No text shows what stands behind the scheme: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It is no URL, or has a part that its scheme does not take.
    #[error("this is no broker URL: {why}; write one such as memory:// or kafka://host:9092")]
    Malformed {
        /// What is wrong with it.
        why: &'static str,
    },
    /// Nobody here knows the scheme.
    #[error("{scheme}:// is no broker that is known here; use one of {known}")]
    UnknownScheme {
        /// What the URL begins with.
        scheme: String,
        /// What it may begin with.
        known: String,
    },
    /// The broker is known, but was not built in.
    #[error(
        "{scheme}:// needs {broker}, and this build of oms-broker lacks the feature {feature:?}; use a build that has it, or memory://"
    )]
    NotBuiltIn {
        /// What the URL begins with.
        scheme: &'static str,
        /// The broker, for people.
        broker: &'static str,
        /// What to enable.
        feature: &'static str,
    },
    /// The broker itself said no.
    #[error("the broker cannot be used")]
    Broker(#[from] BrokerError),
}

/// Connects to the broker that `url` names.
///
/// `memory://` starts a broker in this process, a new one with each call; it takes no host and no options. The others
/// are read by their adapters, and need a Tokio runtime.
/// Dropped half-way, no connection remains.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), oms_broker::ConnectError> {
/// let broker = oms_broker::connect("memory://").await?;
/// assert_eq!(broker.capabilities().name, "memory");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ConnectError::Malformed`], [`ConnectError::UnknownScheme`], [`ConnectError::NotBuiltIn`]: another URL, or
/// another build, is needed. [`ConnectError::Broker`]: as the broker says.
pub async fn connect(url: &str) -> Result<Arc<dyn Broker>, ConnectError> {
    let (scheme, rest) = parse(url)?;
    if let Some(feature) = scheme.feature {
        let missing = ConnectError::NotBuiltIn { scheme: scheme.name, broker: scheme.broker, feature };
        return Ok(built_in::connect(feature, url).await.ok_or(missing)??);
    }
    if !rest.is_empty() {
        return Err(ConnectError::Malformed { why: "memory:// takes no host, path or options" });
    }
    Ok(Arc::new(MemoryBroker::default()))
}

fn parse(url: &str) -> Result<(&'static Scheme, &str), ConnectError> {
    let malformed = |why| ConnectError::Malformed { why };
    let (name, rest) = url.split_once("://").ok_or_else(|| malformed("it has no ://"))?;
    let letters = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    if !letters || !name.chars().all(allowed) {
        return Err(malformed("what stands before :// is no scheme"));
    }
    if rest.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err(malformed("it has white space or a control character"));
    }
    let known = |scheme: &&Scheme| scheme.name.eq_ignore_ascii_case(name);
    let unknown =
        || ConnectError::UnknownScheme { scheme: name.to_ascii_lowercase(), known: known_schemes() };
    SCHEMES.iter().find(known).map(|scheme| (scheme, rest)).ok_or_else(unknown)
}

fn known_schemes() -> String {
    let names: Vec<String> = SCHEMES.iter().map(|scheme| format!("{}://", scheme.name)).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn error(url: &str) -> ConnectError {
        connect(url).now_or_never().unwrap().err().unwrap()
    }

    #[test]
    fn memory_is_always_there_and_each_url_starts_its_own() {
        let one = connect("memory://").now_or_never().unwrap().unwrap();
        let two = connect("MEMORY://").now_or_never().unwrap().unwrap();
        assert_eq!(one.capabilities().name, "memory");
        assert!(!Arc::ptr_eq(&one, &two));
    }

    #[test]
    fn a_broker_that_is_not_built_in_names_its_feature() {
        for (url, wanted) in [
            ("kafka://host:9092", "kafka"),
            ("amqp://host", "rabbitmq"),
            ("amqps://host/shop", "rabbitmq"),
            ("nats://host", "nats"),
        ]
        .into_iter()
        .filter(|(_, feature)| !built_in::features().contains(feature))
        {
            let error = error(url);
            assert!(
                matches!(&error, ConnectError::NotBuiltIn { feature, .. } if *feature == wanted),
                "{error}"
            );
            assert!(error.to_string().contains(&format!("the feature {wanted:?}")), "{error}");
        }
    }

    #[test]
    fn an_unknown_scheme_lists_those_that_are_known() {
        let error = error("redis://host");
        assert!(matches!(&error, ConnectError::UnknownScheme { scheme, .. } if scheme == "redis"));
        assert!(error.to_string().contains("memory://, kafka://, amqp://"), "{error}");
    }

    #[test]
    fn what_is_no_url_is_malformed() {
        for url in ["", "memory", "://", "1st://", "me mory://", "memory://host", "nats://a b", "kafka://a\n"]
        {
            assert!(matches!(error(url), ConnectError::Malformed { .. }), "{url:?}");
        }
    }

    #[test]
    fn no_error_shows_a_password() {
        for url in
            ["amqp://me:secret@host", "redis://me:secret@host", "memory://secret", "secret", "x://secret y"]
        {
            let error = error(url);
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }
}
