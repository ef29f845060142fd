//! What an error of the client means to a caller: wait, or give up.

use lapin::{Error, ErrorKind};
use oms_core::broker::BrokerError;

/// What errors and capabilities call this broker.
pub(crate) const NAME: &str = "rabbitmq";

const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;

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

/// The server's number and words for an error, where it is one of the server's.
fn said(error: &Error) -> Option<(u16, String)> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some((error.get_id(), error.get_message().to_string())),
        _ => None,
    }
}

/// Something is not there. A queue whose server is away is not found either, but it is there.
pub(crate) fn is_missing(error: &Error) -> bool {
    said(error).is_some_and(|(code, words)| {
        code == NOT_FOUND && (words.contains("no queue") || words.contains("no exchange"))
    })
}

/// Something is there with other settings; the server's words on which.
pub(crate) fn difference(error: &Error) -> Option<String> {
    said(error).and_then(|(code, words)| (code == PRECONDITION_FAILED).then_some(words))
}

/// Sorts why there is no connection.
pub(crate) fn connecting(error: &Error) -> BrokerError {
    match (said(error), error.kind()) {
        (Some((ACCESS_REFUSED, _)), _) => {
            refused("the server does not know this user or takes another password; check both")
        }
        (Some((NOT_ALLOWED, words)), _) => refused(format!(
            "{words}; check the virtual host, and that the user may enter it (rabbitmqctl set_permissions)"
        )),
        (_, ErrorKind::InvalidProtocolVersion(_)) => {
            refused("the server does not speak AMQP 0-9-1; use RabbitMQ 3.10 or later")
        }
        (_, ErrorKind::AuthProviderError(words)) => refused(format!("{words}; check how the user logs in")),
        // A certificate that is not trusted comes as an error of input and output.
        (_, ErrorKind::IOError(_)) if speaks_of_certificates(error) => {
            refused(format!("{error}; check ca, certificate and key, and amqp or amqps"))
        }
        _ => unavailable(format!("connecting: {error}")),
    }
}

/// Whether the connection ended without a word.
pub(crate) fn hung_up(error: &Error) -> bool {
    let ends = ["ConnectionReset", "ConnectionAborted", "BrokenPipe", "UnexpectedEof"];
    matches!(error.kind(), ErrorKind::IOError(_)) && speaks_of(error, &ends)
}

fn speaks_of(error: &Error, words: &[&str]) -> bool {
    let said = format!("{error:?}");
    words.iter().any(|word| said.contains(word))
}

fn speaks_of_certificates(error: &Error) -> bool {
    speaks_of(error, &["certificate", "Certificate", "AlertReceived", "InvalidContentType"])
}

/// Sorts what the server said while `doing` something.
pub(crate) fn sort(error: &Error, doing: &str) -> BrokerError {
    match said(error) {
        Some((ACCESS_REFUSED, words)) => refused(format!(
            "{doing}: {words}; give the user configure, write and read on everything that begins with the prefix"
        )),
        Some((PRECONDITION_FAILED, words)) => refused(format!("{doing}: {words}")),
        Some((NOT_FOUND, words)) if is_missing(error) => refused(format!("{doing}: {words}")),
        _ => unavailable(format!("{doing}: {error}")),
    }
}
