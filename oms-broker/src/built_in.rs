//! The brokers on servers that this build has.

use oms_core::broker::{Broker, BrokerError};
use std::sync::Arc;

/// Connects through the adapter that a feature builds in; `None` when this build lacks it.
pub(crate) async fn connect(feature: &str, url: &str) -> Option<Result<Arc<dyn Broker>, BrokerError>> {
    match (feature, url) {
        #[cfg(feature = "kafka")]
        ("kafka", url) => Some(oms_kafka::connect(url).await),
        #[cfg(feature = "nats")]
        ("nats", url) => Some(oms_nats::connect(url).await),
        #[cfg(feature = "rabbitmq")]
        ("rabbitmq", url) => Some(oms_rabbitmq::connect(url).await),
        _ => None,
    }
}

/// Which features of an adapter this build has.
#[cfg(test)]
pub(crate) fn features() -> Vec<&'static str> {
    let all = [
        ("kafka", cfg!(feature = "kafka")),
        ("nats", cfg!(feature = "nats")),
        ("rabbitmq", cfg!(feature = "rabbitmq")),
    ];
    all.into_iter().filter(|(_, has)| *has).map(|(feature, _)| feature).collect()
}
