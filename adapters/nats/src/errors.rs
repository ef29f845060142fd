//! What an error of the client means to a caller: wait, or give up.

use async_nats::{ConnectError, ConnectErrorKind, jetstream::ErrorCode};
use oms_core::broker::BrokerError;

/// What errors and capabilities call this broker.
pub(crate) const NAME: &str = "nats";

/// It will not change its mind.
pub(crate) fn refused(why: impl Into<String>) -> BrokerError {
    BrokerError::Refused { broker: NAME, why: why.into() }
}

/// It may come back.
pub(crate) fn unavailable(why: impl Into<String>) -> BrokerError {
    BrokerError::Unavailable { broker: NAME, source: why.into().into() }
}

/// This process has shut it down.
pub(crate) fn closed() -> BrokerError {
    BrokerError::Closed { broker: NAME }
}

/// Sorts why there is no connection.
pub(crate) fn connecting(error: &ConnectError) -> BrokerError {
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            refused("the server does not know this user; check user, password, nkey or credentials")
        }
        ConnectErrorKind::Tls => {
            refused(format!("{error}; check ca, certificate and key, and nats or natss"))
        }
        ConnectErrorKind::ServerParse => refused("the address of the server makes no sense; write host:4222"),
        // A certificate that is not trusted comes as an error of input and output.
        ConnectErrorKind::Io if speaks_of_certificates(error) => {
            refused(format!("{error}; check ca, certificate and key"))
        }
        _ => unavailable(format!("connecting: {error}")),
    }
}

fn speaks_of_certificates(error: &ConnectError) -> bool {
    let said = format!("{error:?}");
    ["certificate", "Certificate", "TLS", "AlertReceived"].iter().any(|word| said.contains(word))
}

/// Sorts what JetStream said while `doing` something.
pub(crate) fn jetstream(error: &async_nats::jetstream::Error, doing: &str) -> BrokerError {
    let code = error.error_code();
    let passing =
        [ErrorCode::INSUFFICIENT_RESOURCES, ErrorCode::CLUSTER_NOT_AVAILABLE, ErrorCode::CLUSTER_NOT_LEADER];
    if passing.contains(&code) || error.code() >= 500 {
        return unavailable(format!("{doing}: {error}"));
    }
    refused(format!("{doing}: {error}"))
}
