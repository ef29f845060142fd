//! Options of a connection, before there is one.

use crate::{
    broker::KafkaBroker,
    errors::refused,
    mechanism::Mechanism,
    settings::{Login, OURS, Settings},
    url,
};
use oms_core::broker::{Broker, BrokerError};
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// Connects to the brokers that a URL names; see [`Builder::from_url`] and [`Builder::connect`].
///
/// # Errors
/// As those two.
pub async fn connect(url: &str) -> Result<Arc<dyn Broker>, BrokerError> {
    Builder::from_url(url)?.connect().await
}

/// Collects options, and connects.
///
/// The defaults are the safe ones: an idempotent producer that waits for all copies, offsets committed only for
/// what was acked, topics created as the brokers' own defaults say.
///
/// ```
/// use oms_kafka::{Builder, Mechanism};
/// use std::time::Duration;
/// let builder = Builder::new("kafka-1:9092,kafka-2:9092")
///     .prefix("shop-")
///     .login(Mechanism::ScramSha512, "oms", "secret")
///     .copies(3)
///     .timeout(Duration::from_secs(5))
///     .client_option("compression.type", "lz4");
/// assert!(!format!("{builder:?}").contains("secret"));
/// ```
#[derive(Clone)]
pub struct Builder {
    settings: Settings,
}

impl fmt::Debug for Builder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { servers, prefix, timeout, .. } = &self.settings;
        let mut shown = out.debug_struct("Builder");
        shown.field("servers", servers).field("prefix", prefix).field("timeout", timeout);
        shown.finish_non_exhaustive()
    }
}

impl Builder {
    /// Starts with the brokers to ask first: `host:port`, several with commas between.
    #[must_use]
    pub fn new(servers: &str) -> Self {
        Self { settings: Settings::new(servers) }
    }

    /// Reads `kafka://[user:password@]host:port[,host:port…][?option=value&…]`; the options are in the README.
    ///
    /// ```
    /// assert!(oms_kafka::Builder::from_url("kafka://127.0.0.1:9092?prefix=shop-&copies=3").is_ok());
    /// assert!(oms_kafka::Builder::from_url("kafka://127.0.0.1:9092?colour=red").is_err());
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

    /// Starts the name of every topic and group, so that several installations share a cluster.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        self.with(|settings| settings.prefix = prefix.to_owned())
    }

    /// Bounds every wait for the brokers, a publish's included; 10 s otherwise.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.timeout = timeout)
    }

    /// Says who we are.
    #[must_use]
    pub fn login(self, mechanism: Mechanism, user: &str, password: &str) -> Self {
        let login = Login { mechanism, user: user.to_owned(), password: password.to_owned() };
        self.with(|settings| settings.login = Some(login))
    }

    /// Encrypts, and checks the brokers' certificates against the system's authorities. Needs the feature `ssl`.
    #[must_use]
    pub fn tls(self) -> Self {
        self.with(|settings| {
            settings.encrypted();
        })
    }

    /// Encrypts, and checks the brokers' certificates against the authorities of this PEM file alone.
    #[must_use]
    pub fn tls_ca(self, file: impl Into<PathBuf>) -> Self {
        self.with(|settings| settings.encrypted().ca = Some(file.into()))
    }

    /// Shows the brokers a certificate of our own: PEM files of the certificate and of its key.
    #[must_use]
    pub fn tls_identity(self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        let identity = (certificate.into(), key.into());
        self.with(|settings| settings.encrypted().identity = Some(identity))
    }

    /// Makes topics with so many copies, and asks that of those that are there. From three on a confirm means
    /// most of them. The brokers' default otherwise.
    #[must_use]
    pub fn copies(self, copies: u16) -> Self {
        self.with(|settings| settings.copies = Some(copies))
    }

    /// Makes topics that keep what is published for so long. The brokers' default otherwise.
    #[must_use]
    pub fn retention(self, time: Duration) -> Self {
        self.with(|settings| settings.retention = Some(time))
    }

    /// The largest pack that is taken; 1,000,000 bytes otherwise. Topics are made, and compared, to hold it.
    #[must_use]
    pub fn max_bytes(self, bytes: usize) -> Self {
        self.with(|settings| settings.max_bytes = bytes)
    }

    /// How many packs are on their way to the brokers at most; a publish beyond waits. 10,000 otherwise.
    #[must_use]
    pub fn window(self, packs: usize) -> Self {
        self.with(|settings| settings.window = packs.max(1))
    }

    /// Sets any property of librdkafka, for all its clients here. The way out for what has no option of its own.
    ///
    /// A property on which a promise rests, such as `acks`, is refused by [`Builder::connect`].
    #[must_use]
    pub fn client_option(self, name: &str, value: &str) -> Self {
        self.with(|settings| drop(settings.client.insert(name.to_owned(), value.to_owned())))
    }

    /// Connects, and waits until a broker has answered. Needs a Tokio runtime.
    ///
    /// Dropped half-way, no connection remains.
    ///
    /// # Errors
    /// [`BrokerError::Refused`] for a wrong password, certificate or option; [`BrokerError::Unavailable`] when no
    /// broker answers within the time-out.
    pub async fn connect(self) -> Result<Arc<dyn Broker>, BrokerError> {
        let taken = self.settings.client.keys().find(|name| OURS.contains(&name.as_str()));
        if let Some(name) = taken {
            return Err(refused(format!("the client option {name} is set by this adapter; leave it out")));
        }
        Ok(Arc::new(KafkaBroker::open(self.settings).await?))
    }
}
