//! How a database is opened.

use crate::error::OpenError;
use deadpool_postgres::Pool;
use oms_core::clock::Clock;
use std::{fmt, path::PathBuf, str::FromStr, sync::Arc, time::Duration};
use tokio_postgres::{Config, config::SslMode};

/// The longest name of a schema.
const MAX_SCHEMA: usize = 48;

/// How many connections the store needs at a time.
pub(crate) const LEAST: usize = 3;

/// How a database is opened.
///
/// ```
/// use oms_postgres::Options;
/// let options = Options::from_url("postgres://shop:secret@127.0.0.1/orders?schema=shop&connections=4")?;
/// assert!(!format!("{options:?}").contains("secret"));
/// assert!(Options::from_url("postgres://127.0.0.1/orders?colour=red").is_err());
/// # Ok::<(), oms_postgres::OpenError>(())
/// ```
#[derive(Clone)]
pub struct Options {
    pub(crate) config: Config,
    pub(crate) schema: String,
    pub(crate) connections: usize,
    pub(crate) timeout: Duration,
    pub(crate) authorities: Option<PathBuf>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) pool: Option<Pool>,
}

impl fmt::Debug for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_struct("Options");
        shown.field("hosts", &self.config.get_hosts()).field("database", &self.config.get_dbname());
        shown.field("schema", &self.schema).field("connections", &self.connections).finish_non_exhaustive()
    }
}

impl Options {
    /// Reads `postgres://[user[:password]@]host[:port]/database[?option=value&…]`. Beside the client's own options (`sslmode`,
    /// `application_name`, `connect_timeout`, …) there are `schema` (otherwise `oms`), `connections` (8), `timeout` in seconds
    /// (10), and `ca`, a PEM file of the only authorities that are believed, which encrypts.
    ///
    /// # Errors
    /// [`OpenError::Address`] and [`OpenError::Schema`].
    pub fn from_url(url: &str) -> Result<Self, OpenError> {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let mut options = Self {
            config: Config::new(),
            schema: "oms".to_owned(),
            connections: 8,
            timeout: Duration::from_secs(10),
            authorities: None,
            clock: None,
            pool: None,
        };
        let mut rest = Vec::new();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let bad = || OpenError::Address(format!("the value of {name} makes no sense"));
            match name {
                "schema" => options = options.schema(value)?,
                "connections" => options.connections = value.parse().map_err(|_| bad())?,
                "timeout" => options.timeout = Duration::from_secs(value.parse().map_err(|_| bad())?),
                "ca" => options.authorities = Some(value.into()),
                _ => rest.push(option),
            }
        }
        let url = if rest.is_empty() { place.to_owned() } else { format!("{place}?{}", rest.join("&")) };
        // What the client says of a URL could show its password.
        let unread = |error| {
            let why = crate::error::whole(&error);
            let why = if why.contains("unknown option") { why } else { "it cannot be read".to_owned() };
            OpenError::Address(why)
        };
        options.config = Config::from_str(&url).map_err(unread)?;
        if options.config.get_hosts().is_empty() {
            return Err(OpenError::Address("it names no host".to_owned()));
        }
        let most = options.connections;
        Ok(options.connections(most))
    }

    /// Takes connections from a pool that the user has already, in the schema `oms`; at least 3 of them at a time. A connection has
    /// the store's settings while the store has it, and its own when it goes back; that costs one more round trip for each use.
    #[must_use]
    pub fn over(pool: Pool) -> Self {
        Self {
            config: Config::new(),
            schema: "oms".to_owned(),
            connections: pool.status().max_size,
            timeout: Duration::from_secs(10),
            authorities: None,
            clock: None,
            pool: Some(pool),
        }
    }

    /// Keeps everything in this schema, so that several shops share a database; `oms` otherwise.
    ///
    /// # Errors
    /// [`OpenError::Schema`].
    pub fn schema(mut self, name: &str) -> Result<Self, OpenError> {
        if !is_plain(name) {
            return Err(OpenError::Schema(name.to_owned()));
        }
        name.clone_into(&mut self.schema);
        Ok(self)
    }

    /// How many connections are open at most; at least 3; a pool of the user's own has its own number. A call that finds none free waits for one, up to the time-out.
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most.max(LEAST);
        self
    }

    /// Lives by another clock than the database's. For tests: processes that share a store share its clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Whether the connection is encrypted if it can be.
    pub(crate) fn encrypts(&self) -> bool {
        self.authorities.is_some() || self.config.get_ssl_mode() == SslMode::Require
    }
}

/// Whether a name needs no quotes, and is short enough.
pub(crate) fn is_plain(name: &str) -> bool {
    let plain = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_';
    let begins = name.starts_with(|one: char| one.is_ascii_lowercase());
    begins && name.len() <= MAX_SCHEMA && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_how_and_no_refusal_shows_the_password() {
        let options =
            Options::from_url("postgres://me:se%20cret@one:1/shop?schema=a_1&timeout=3&sslmode=require");
        let options = options.unwrap();
        assert_eq!((options.schema.as_str(), options.timeout.as_secs()), ("a_1", 3));
        assert!(options.encrypts());
        for url in [
            "postgres://me:secret@",
            "postgres://me:secret@one:port/shop",
            "postgres://me:secret@one/shop?schema=Shop",
            "postgres://me:secret@one/shop?schema=a;b",
            "postgres://me:secret@one/shop?connections=many",
            "postgres://me:secret@one/shop?colour=red",
            "mysql://me:secret@one/shop",
        ] {
            let error = Options::from_url(url).err().unwrap();
            assert!(!format!("{error} {error:?}").contains("secret"), "{url}: {error}");
        }
    }
}
