//! What carries messages: the broker by its URL, and how its topics are named.

use super::EVERYWHERE;
use clap::{Args, ValueEnum};
use std::{convert::Infallible, fmt, str::FromStr};

/// The URL of a message broker. It may hold a password, so nothing ever prints it whole.
///
/// ```
/// use oms_server::args::BrokerUrl;
/// let url: BrokerUrl = "amqp://me:secret@host:5672/shop".parse()?;
/// assert_eq!(url.to_string(), "amqp://host:5672/shop");
/// # Ok::<(), std::convert::Infallible>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerUrl(String);

impl BrokerUrl {
    /// The whole URL, for whoever connects.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// What stands before `://`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.0.split_once("://").map_or("", |(scheme, _)| scheme)
    }

    /// Whether it names a broker in this process, which ends with it.
    #[must_use]
    pub fn is_memory(&self) -> bool {
        self.scheme().eq_ignore_ascii_case("memory")
    }
}

impl Default for BrokerUrl {
    fn default() -> Self {
        Self("memory://".to_owned())
    }
}

impl FromStr for BrokerUrl {
    type Err = Infallible;

    /// Takes anything: what is no URL is refused by whoever connects, with an error that does not show it.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for BrokerUrl {
    /// Shows scheme, hosts and path, and neither user, password nor options.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else { return out.write_str("a URL") };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        // A password may hold an @ of its own, written badly: the last one ends it.
        let shown = rest.rsplit_once('@').map_or(rest, |(_, shown)| shown);
        write!(out, "{scheme}://{shown}")
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "BrokerUrl({self})")
    }
}

/// How the broker's topics are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Topics {
    /// One for the commands to each service, and one for each kind of event: each group is brought only what it hears
    #[default]
    PerType,
    /// One for each service: fewer topics, and more copies
    PerService,
}

/// What carries messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct WireArgs {
    /// The message broker, such as kafka://host:9092, amqp://host or nats://host [default: memory://, in this process]
    #[arg(long, global = true, value_name = "URL", env = "OMS_BROKER", hide_env_values = true, help_heading = EVERYWHERE)]
    pub broker: Option<BrokerUrl>,
    /// How its topics are named, alike in every process of an installation [default: per-type]
    #[arg(long, global = true, value_name = "HOW", help_heading = EVERYWHERE)]
    pub topics: Option<Topics>,
}

impl WireArgs {
    /// The broker that is meant.
    #[must_use]
    pub fn url(&self) -> BrokerUrl {
        self.broker.clone().unwrap_or_default()
    }

    /// How its topics are named.
    #[must_use]
    pub fn topics(&self) -> Topics {
        self.topics.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_url_shows_no_user_no_password_and_no_options() {
        let shown = |text: &str| {
            let Ok(url) = text.parse::<BrokerUrl>();
            assert!(!format!("{url} {url:?}").contains("secret"), "{url:?}");
            url.to_string()
        };
        assert_eq!(shown("kafka://a:9092,b:9092"), "kafka://a:9092,b:9092");
        assert_eq!(shown("amqps://me:secret@host/shop?password=secret"), "amqps://host/shop");
        assert_eq!(shown("nats://me:sec@ret:secret@host"), "nats://host");
        assert_eq!(shown("secret"), "a URL");
    }
}
