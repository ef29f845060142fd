//! What is said at the socket: one line of JSON for a call, and one for its answer.

use oms_core::{gateway::EffectKey, id::Name};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// Which provider is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Who {
    Card,
    Upi,
    Carrier,
    Notifier,
}

/// One call.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) who: Who,
    /// Whether it only asks what became of the wish.
    pub(super) asks: bool,
    pub(super) key: EffectKey,
    pub(super) request: Value,
}

/// One answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    /// What the provider reports.
    Reported { report: Value, event: Option<Name>, again: Option<Duration> },
    /// It was never told this wish.
    NeverHeard,
    /// The outcome is unknown.
    Nothing(String),
}
