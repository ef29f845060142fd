//! How the store, the broker and the gateways are, for people and scripts.

use oms_core::oms::{Health, Outage, Standing};
use serde::Serialize;
use std::collections::BTreeMap;

/// How one port is. Its names never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PortAnswer {
    /// `ok` or `away`.
    pub standing: &'static str,
    /// Since when it is away.
    pub since: Option<String>,
    /// How often it was tried since.
    pub tries: Option<u64>,
    /// What it said last.
    pub error: Option<String>,
    /// When it is tried next.
    pub next: Option<String>,
}

/// How a process and its ports are. Its names never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthAnswer {
    /// Whether everything answers.
    pub ok: bool,
    /// The store.
    pub store: PortAnswer,
    /// The broker.
    pub broker: PortAnswer,
    /// Each gateway, by name.
    pub gateways: BTreeMap<String, PortAnswer>,
    /// The lanes of this process.
    pub lanes: usize,
    /// How many of them it holds: none while it runs no loops.
    pub held: usize,
    /// Packs that wait for the loops.
    pub backlog: Option<u64>,
    /// Messages that were taken from the store, because no broker brought them.
    pub taken: u64,
}

impl HealthAnswer {
    /// Names what is known.
    #[must_use]
    pub fn of(health: &Health) -> Self {
        let gateways = health.gateways.iter().map(|(name, standing)| (name.to_string(), port(standing)));
        Self {
            ok: health.is_ok(),
            store: port(&health.store),
            broker: port(&health.broker),
            gateways: gateways.collect(),
            lanes: health.lanes,
            held: health.held,
            backlog: health.backlog,
            taken: health.taken,
        }
    }
}

fn port(standing: &Standing) -> PortAnswer {
    match standing {
        Standing::Ok => PortAnswer { standing: "ok", since: None, tries: None, error: None, next: None },
        Standing::Away(Outage { since, tries, error, next }) => PortAnswer {
            standing: "away",
            since: Some(since.to_string()),
            tries: Some(*tries),
            error: Some(error.clone()),
            next: next.map(|next| next.to_string()),
        },
    }
}

/// A row for each port.
#[must_use]
pub fn ports(health: &Health) -> Vec<(String, String)> {
    let fixed = [("store", &health.store), ("broker", &health.broker)];
    let fixed = fixed.map(|(name, standing)| (name.to_owned(), standing.to_string()));
    let gateways = health.gateways.iter();
    let gateways = gateways.map(|(name, standing)| (format!("gateway {name}"), standing.to_string()));
    fixed.into_iter().chain(gateways).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use oms_core::clock::Timestamp;

    #[test]
    fn an_outage_is_named_with_its_beginning_its_tries_and_its_next_try() {
        let (since, next) = (Timestamp(0), Some(Timestamp(1_000_000)));
        let broker = Standing::Away(Outage { since, tries: 3, error: "no route".to_owned(), next });
        let health = Health {
            store: Standing::Ok,
            broker,
            gateways: BTreeMap::from([("card".into(), Standing::Ok)]),
            lanes: 4,
            held: 4,
            backlog: Some(2),
            taken: 1,
        };
        let away = "away since 1970-01-01T00:00:00Z, 3 tries: no route; tried again at 1970-01-01T00:00:01Z";
        let rows = [("store", "ok"), ("broker", away), ("gateway card", "ok")];
        assert_eq!(ports(&health), rows.map(|(name, text)| (name.to_owned(), text.to_owned())));
        let answer = serde_json::to_string(&HealthAnswer::of(&health)).expect("it is JSON");
        let expected = "\"broker\":{\"standing\":\"away\",\"since\":\"1970-01-01T00:00:00Z\",\"tries\":3,\
                        \"error\":\"no route\",\"next\":\"1970-01-01T00:00:01Z\"}";
        assert!(answer.starts_with("{\"ok\":false") && answer.contains(expected), "{answer}");
    }
}
