//! Options of a connection, before there is one.

use crate::{
    broker::RabbitBroker,
    errors::refused,
    settings::{Login, Settings},
    url,
};
use oms_core::broker::{Broker, BrokerError};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Connects to the server that a URL names; see [`Builder::from_url`] and [`Builder::connect`].
///
/// # Errors
/// As those two.
pub async fn connect(url: &str) -> Result<Arc<dyn Broker>, BrokerError> {
    Builder::from_url(url)?.connect().await
}

/// Collects options, and connects.
///
/// The defaults are the safe ones: quorum queues, persistent messages, confirmed and mandatory publishes.
///
/// ```
/// use oms_rabbitmq::Builder;
/// use std::time::Duration;
/// let builder = Builder::new("rabbit-1:5672,rabbit-2:5672")
///     .prefix("shop")
///     .password("oms", "secret")
///     .copies(3)
///     .timeout(Duration::from_secs(5));
/// assert!(!format!("{builder:?}").contains("secret"));
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    settings: Settings,
}

impl Builder {
    /// Starts with the servers to ask first: `host` or `host:port`, several with commas between.
    #[must_use]
    pub fn new(servers: &str) -> Self {
        Self { settings: Settings::new(servers) }
    }

    /// Reads `amqp[s]://[user:password@]host[:port][,host[:port]…][/vhost][?option=value&…]`; the options are in the README.
    ///
    /// ```
    /// assert!(oms_rabbitmq::Builder::from_url("amqp://127.0.0.1:5672/shop?prefix=shop").is_ok());
    /// assert!(oms_rabbitmq::Builder::from_url("amqp://127.0.0.1:5672?colour=red").is_err());
    /// ```
    ///
    /// # Errors
    /// [`BrokerError::Refused`] when it is no such URL, or names an option that is not known.
    pub fn from_url(url: &str) -> Result<Self, BrokerError> {
        url::parse(url).map(|settings| Self { settings }).map_err(refused)
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Starts the name of every exchange and queue, so that several installations share a server; `oms` otherwise.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        self.with(|settings| settings.prefix = prefix.to_owned())
    }

    /// Bounds every wait for the server, a publish's included; 10 s otherwise.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.timeout = timeout)
    }

    /// Names the virtual host; `/` otherwise.
    #[must_use]
    pub fn vhost(self, vhost: &str) -> Self {
        self.with(|settings| settings.vhost = vhost.to_owned())
    }

    /// Says who we are, by user and password.
    #[must_use]
    pub fn password(self, user: &str, password: &str) -> Self {
        self.with(|settings| settings.login = Login::Password(user.to_owned(), password.to_owned()))
    }

    /// Has the certificate of [`Builder::tls_identity`] say who we are (the mechanism EXTERNAL).
    #[must_use]
    pub fn external(self) -> Self {
        self.with(|settings| settings.login = Login::External)
    }

    /// Encrypts, and checks the server's certificate against the system's authorities.
    #[must_use]
    pub fn tls(self) -> Self {
        self.with(|settings| {
            settings.encrypted();
        })
    }

    /// Encrypts, and trusts the authorities of this PEM file too.
    #[must_use]
    pub fn tls_ca(self, file: impl Into<PathBuf>) -> Self {
        self.with(|settings| settings.encrypted().ca = Some(file.into()))
    }

    /// Shows the server a certificate of our own: PEM files of the certificate and of its key.
    #[must_use]
    pub fn tls_identity(self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        let identity = (certificate.into(), key.into());
        self.with(|settings| settings.encrypted().identity = Some(identity))
    }

    /// Makes queues with so many copies, in a cluster of at least as many servers; the server's default otherwise. From three on
    /// a confirm means most of them.
    #[must_use]
    pub fn copies(self, copies: u16) -> Self {
        self.with(|settings| settings.copies = Some(copies.max(1)))
    }

    /// The largest pack, in bytes; 1 MiB otherwise. What is larger is rejected for good before it is sent; a server may be set to
    /// take less than 16 MiB.
    #[must_use]
    pub fn max_bytes(self, bytes: usize) -> Self {
        self.with(|settings| settings.max_bytes = bytes)
    }

    /// How many packs of one publish are on their way to the server at most. 1,000 otherwise.
    #[must_use]
    pub fn window(self, packs: usize) -> Self {
        self.with(|settings| settings.window = packs.max(1))
    }

    /// After how many seconds of silence either side asks whether the other is there; it gives up after twice that. 10 otherwise.
    #[must_use]
    pub fn heartbeat(self, seconds: u16) -> Self {
        self.with(|settings| settings.heartbeat = seconds.max(1))
    }

    /// Escape hatch: changes any property of the client just before it connects, for what has no option of its own.
    #[must_use]
    pub fn client_properties(
        self,
        adjust: impl Fn(lapin::ConnectionProperties) -> lapin::ConnectionProperties + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| settings.adjust = Some(Arc::new(adjust)))
    }

    /// Connects, and waits until the server has answered. Needs a Tokio runtime, on which its tasks live.
    ///
    /// Dropped half-way, no connection remains.
    ///
    /// # Errors
    /// [`BrokerError::Refused`] for a wrong password, virtual host, certificate or option; [`BrokerError::Unavailable`] when no
    /// server answers within the time-out.
    pub async fn connect(self) -> Result<Arc<dyn Broker>, BrokerError> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(refused("there is no Tokio runtime here; connect within one"));
        }
        Ok(Arc::new(RabbitBroker::open(self.settings).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn without_a_runtime_there_is_an_error_and_no_panic() {
        let connected = connect("amqp://host").now_or_never();
        assert!(matches!(connected, Some(Err(BrokerError::Refused { why, .. })) if why.contains("runtime")));
    }
}
