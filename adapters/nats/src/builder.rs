//! Options of a connection, before there is one.

use crate::{
    broker::NatsBroker,
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
/// The defaults are the safe ones: file storage, acknowledged publishes, explicit acks.
///
/// ```
/// use oms_nats::Builder;
/// use std::time::Duration;
/// let builder = Builder::new("nats-1:4222,nats-2:4222")
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
    /// Starts with the servers to ask first: `host:port`, several with commas between.
    #[must_use]
    pub fn new(servers: &str) -> Self {
        Self { settings: Settings::new(servers) }
    }

    /// Reads `nats[s]://[user:password@]host:port[,host:port…][?option=value&…]`; the options are in the README.
    ///
    /// ```
    /// assert!(oms_nats::Builder::from_url("nats://127.0.0.1:4222?prefix=shop&copies=3").is_ok());
    /// assert!(oms_nats::Builder::from_url("nats://127.0.0.1:4222?colour=red").is_err());
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

    /// Starts the name of every subject and stream, so that several installations share a server; `oms` otherwise.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        self.with(|settings| settings.prefix = prefix.to_owned())
    }

    /// Bounds every wait for the server, a publish's included; 10 s otherwise.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.timeout = timeout)
    }

    /// After how long the server delivers again what a killed process held, at least 1 s; 30 s otherwise. A turn
    /// may take longer: its lease is renewed.
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        self.with(|settings| settings.lease = lease.max(Duration::from_secs(1)))
    }

    /// Says who we are, by user and password.
    #[must_use]
    pub fn password(self, user: &str, password: &str) -> Self {
        self.with(|settings| settings.login = Login::Password(user.to_owned(), password.to_owned()))
    }

    /// Says who we are, by the seed of an nkey.
    #[must_use]
    pub fn nkey(self, seed: &str) -> Self {
        self.with(|settings| settings.login = Login::Nkey(seed.to_owned()))
    }

    /// Says who we are, by a file with the seed of an nkey.
    #[must_use]
    pub fn nkey_file(self, file: impl Into<PathBuf>) -> Self {
        self.with(|settings| settings.login = Login::NkeyFile(file.into()))
    }

    /// Says who we are, by a file of credentials.
    #[must_use]
    pub fn credentials(self, file: impl Into<PathBuf>) -> Self {
        self.with(|settings| settings.login = Login::Credentials(file.into()))
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

    /// Makes streams with so many copies, and asks that of those that are there; 1 otherwise. From three on a
    /// confirm means most of them.
    #[must_use]
    pub fn copies(self, copies: usize) -> Self {
        self.with(|settings| settings.copies = copies.max(1))
    }

    /// How many packs are on their way to the server at most; a publish beyond waits. 1,000 otherwise.
    #[must_use]
    pub fn window(self, packs: usize) -> Self {
        self.with(|settings| settings.window = packs.max(1))
    }

    /// Escape hatch: changes any option of the client just before it connects, for what has no option of its own.
    #[must_use]
    pub fn client_options(
        self,
        adjust: impl Fn(async_nats::ConnectOptions) -> async_nats::ConnectOptions + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| settings.adjust = Some(Arc::new(adjust)))
    }

    /// Connects, and waits until the server has answered. Needs a Tokio runtime, on which its tasks live.
    ///
    /// Dropped half-way, no connection remains.
    ///
    /// # Errors
    /// [`BrokerError::Refused`] for a wrong password, certificate, option, or a server without JetStream or older
    /// than 2.10; [`BrokerError::Unavailable`] when no server answers within the time-out.
    pub async fn connect(self) -> Result<Arc<dyn Broker>, BrokerError> {
        Ok(Arc::new(NatsBroker::open(self.settings).await?))
    }
}
