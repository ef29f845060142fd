//! The broker of an example: the one that the command line or the environment names, else one on this machine.

use crate::failure::Failure;
use oms_broker::{Broker, ConnectError};
use std::{sync::Arc, time::Duration};

/// The environment variable that names the broker.
const VARIABLE: &str = "OMS_BROKER";

/// How long a server may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// Connects to the broker that the first argument names, else `OMS_BROKER`, else to `default`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), oms_examples::Failure> {
/// let broker = oms_examples::connect_to("memory://").await?;
/// assert_eq!(broker.capabilities().name, "memory");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Failure::NotThere`] when no server answers: it says how to start one. [`Failure::Other`] for anything else.
pub async fn connect(default: &str) -> Result<Arc<dyn Broker>, Failure> {
    let named = std::env::args().nth(1).or_else(|| std::env::var(VARIABLE).ok());
    connect_to(named.as_deref().unwrap_or(default)).await
}

/// Connects to the broker that `url` names, and asks it whether it takes a publish.
///
/// # Errors
/// As [`connect`].
pub async fn connect_to(url: &str) -> Result<Arc<dyn Broker>, Failure> {
    let asked = async {
        let broker = oms_broker::connect(url).await?;
        broker.probe().await?;
        Ok(broker)
    };
    match tokio::time::timeout(ANSWER, asked).await {
        Ok(Ok(broker)) => Ok(broker),
        Ok(Err(ConnectError::Broker(oms_broker::BrokerError::Unavailable { source, .. }))) => {
            Err(Failure::NotThere { server: server(url), variable: VARIABLE, source })
        }
        Ok(Err(error)) => Err(Failure::Other(error.into())),
        Err(_) => {
            let source = "it did not answer in time".into();
            Err(Failure::NotThere { server: server(url), variable: VARIABLE, source })
        }
    }
}

/// What `cargo xtask servers` calls the server of a URL.
fn server(url: &str) -> &'static str {
    let known = oms_broker::SCHEMES.iter().find(|scheme| url.starts_with(&format!("{}://", scheme.name)));
    known.and_then(|scheme| scheme.feature).unwrap_or("nats")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_not_there_is_named_as_it_is_started() {
        for (url, name) in [("kafka://a:1", "kafka"), ("amqps://a", "rabbitmq"), ("nats://a", "nats")] {
            let failure = Failure::NotThere {
                server: server(url),
                variable: VARIABLE,
                source: "connection refused".into(),
            };
            let text = format!("{failure:?}");
            assert!(text.contains(&format!("cargo xtask servers up {name}")), "{text}");
        }
    }
}
