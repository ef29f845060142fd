//! Reaching the broker that a command line names.

use crate::{
    args::{BrokerUrl, Topics, WireArgs},
    exit::{Blame, Failure},
};
use oms_broker::{ConnectError, RandomIds, SystemClock};
use oms_core::{
    broker::{Broker, BrokerError, MemoryBroker, PerService, Topology},
    clock::Clock,
    oms::Oms,
    store::MemoryStore,
    worker::Options,
};
use std::sync::Arc;

/// Connects to the broker.
pub(super) async fn connect(wire: &WireArgs) -> Result<Arc<dyn Broker>, Failure> {
    let url = wire.url();
    let broker = oms_broker::connect(url.secret()).await.map_err(|error| unconnected(&url, error))?;
    Ok(named(broker, wire.topics()))
}

/// A broker whose topics are named as was asked for.
pub(super) fn named(broker: Arc<dyn Broker>, topics: Topics) -> Arc<dyn Broker> {
    match topics {
        Topics::PerType => broker,
        Topics::PerService => Arc::new(PerService::new(broker)),
    }
}

/// Creates what is missing at the broker, so that a run begins only where it can be heard.
pub(super) async fn declare(
    broker: &dyn Broker,
    topology: &Topology,
    url: &BrokerUrl,
) -> Result<(), Failure> {
    broker.declare(topology).await.map_err(|error| refused(url, error))
}

/// What a house of the five services declares: asked of one that keeps nothing, so that no store is touched for it.
pub(super) async fn whole(options: Options) -> Result<Topology, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Arc::new(MemoryStore::new(Arc::clone(&clock)));
    let broker = Arc::new(MemoryBroker::default());
    let built = Oms::builder(broker, store, clock, Arc::new(RandomIds::default())).options(options).build();
    Ok(built.await.map_err(Failure::input)?.topology().clone())
}

/// A broker that refuses is told wrong things; one that does not answer may come back.
pub(super) fn refused(url: &BrokerUrl, error: BrokerError) -> Failure {
    let blame = match &error {
        BrokerError::Refused { .. } => Blame::Input,
        BrokerError::Unavailable { .. } | BrokerError::Closed { .. } => Blame::Outside,
    };
    Failure::new(blame, error).named(url)
}

fn unconnected(url: &BrokerUrl, error: ConnectError) -> Failure {
    match error {
        ConnectError::Broker(error) => refused(url, error),
        ConnectError::NotBuiltIn { feature, .. } => {
            let how =
                format!("{error}; `cargo oms-all` is such a build, or install one with --features {feature}");
            Failure::input(how)
        }
        ConnectError::Malformed { .. } | ConnectError::UnknownScheme { .. } => Failure::input(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_refuses_is_bad_input_and_one_that_is_away_is_outside() {
        let Ok(url) = "nats://me:secret@host".parse::<BrokerUrl>();
        let refusal = BrokerError::Refused { broker: "nats", why: "the password is wrong".to_owned() };
        let refusal = refused(&url, refusal);
        assert_eq!(refusal.code(), 2);
        assert_eq!(refusal.to_string(), "nats://host: the nats broker refuses: the password is wrong");
        let away = BrokerError::Unavailable { broker: "nats", source: "connection refused".into() };
        let away = refused(&url, away);
        assert_eq!((away.code(), away.to_string().contains("secret")), (3, false));
    }
}
