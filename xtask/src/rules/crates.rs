//! The lists of foreign crates that the rules speak of.

/// The message broker and database clients, as Rust writes them: no public signature may show one.
pub(crate) const CLIENTS: &[&str] = &["rdkafka", "lapin", "async_nats", "sqlx"];

/// What `oms-core` may depend on, dev-dependencies included. An addition needs an ADR.
pub(crate) const CORE_MAY_USE: &[&str] = &[
    "async-trait",
    "bytes",
    "futures",
    "proptest",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "time",
    "tracing",
];

/// What `oms-core` may never depend on or mention, whatever an ADR says: clients, runtimes, web, randomness.
pub(crate) const NEVER_IN_CORE: &[(&str, &str)] = &[
    ("tokio", "a runtime: return a future, the caller runs it"),
    ("tokio-util", "a runtime: return a future, the caller runs it"),
    ("async-std", "a runtime: return a future, the caller runs it"),
    ("async-io", "a runtime: return a future, the caller runs it"),
    ("smol", "a runtime: return a future, the caller runs it"),
    ("futures-timer", "a clock: time comes from the Clock port"),
    ("rdkafka", "a client: it belongs in adapters/kafka"),
    ("lapin", "a client: it belongs in adapters/rabbitmq"),
    ("async-nats", "a client: it belongs in adapters/nats"),
    ("sqlx", "a client: it belongs in stores/postgres"),
    ("tokio-postgres", "a client: it belongs in stores/postgres"),
    ("postgres", "a client: it belongs in stores/postgres"),
    ("diesel", "a client: it belongs in a store"),
    ("rusqlite", "a client: it belongs in stores/sqlite"),
    ("mongodb", "a client: it belongs in stores/mongodb"),
    ("redis", "a client: it belongs in a store"),
    ("axum", "a web crate: it belongs in server"),
    ("actix-web", "a web crate: it belongs in server"),
    ("warp", "a web crate: it belongs in server"),
    ("tower", "a web crate: it belongs in server"),
    ("hyper", "a web crate: it belongs in server"),
    ("reqwest", "a web crate: it belongs in server"),
    ("tonic", "a web crate: it belongs in server"),
    ("async-graphql", "a web crate: it belongs in server"),
    ("rand", "randomness: draw from IdSource or a seed that is passed in"),
    ("fastrand", "randomness: draw from IdSource or a seed that is passed in"),
    ("getrandom", "randomness: draw from IdSource or a seed that is passed in"),
    ("uuid", "randomness: ids come from IdSource"),
];

/// Says why `crate_name`, as Cargo writes it, may never be in core; nothing if it may.
pub(crate) fn why_never_in_core(crate_name: &str) -> Option<&'static str> {
    NEVER_IN_CORE.iter().find(|(name, _)| *name == crate_name).map(|(_, why)| *why)
}
