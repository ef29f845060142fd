//! A broker, and the two that carry over it.

use super::carry::Wire;
#[cfg(feature = "kafka")]
use super::kafka;
#[cfg(feature = "nats")]
use super::nats;
#[cfg(feature = "rabbitmq")]
use super::rabbitmq;
use crate::fault::Fault;
use oms_core::broker::{Broker, Confirm};
use std::sync::Arc;

/// What is measured of one broker.
pub struct Contest {
    /// The broker's name.
    pub broker: &'static str,
    /// What a confirm means there.
    pub confirm: &'static str,
    /// The port, which makes the roads of both.
    pub ours: Arc<dyn Broker>,
    /// The client itself, where there is one.
    pub bare: Option<Arc<dyn Wire>>,
}

impl Contest {
    /// Connects to the broker at `url`, twice.
    ///
    /// # Errors
    /// [`Fault::Measured`], as connecting says.
    pub async fn open(url: &str) -> Result<Self, Fault> {
        let ours = oms_broker::connect(url).await.map_err(Fault::measured)?;
        let can = ours.capabilities();
        Ok(Self { broker: can.name, confirm: meaning(can.confirm), ours, bare: bare(url).await? })
    }
}

/// A confirm, in the words of the report.
fn meaning(confirm: Confirm) -> &'static str {
    match confirm {
        Confirm::Memory => "D0 memory",
        Confirm::PageCache => "D1 page cache",
        Confirm::Fsync => "D2 disk",
        Confirm::Quorum => "D2 disk of most servers",
    }
}

/// The client itself; the in-process broker has none.
async fn bare(url: &str) -> Result<Option<Arc<dyn Wire>>, Fault> {
    let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
    let address = rest.split(['?', '/']).next().unwrap_or_default();
    match scheme {
        #[cfg(feature = "kafka")]
        "kafka" => Ok(Some(Arc::new(kafka::Bare::open(address)?))),
        #[cfg(feature = "nats")]
        "nats" => Ok(Some(Arc::new(nats::Bare::open(address).await?))),
        #[cfg(feature = "rabbitmq")]
        "amqp" => Ok(Some(Arc::new(rabbitmq::Bare::open(url).await?))),
        "memory" => Ok(None),
        other => Err(Fault::void(format!("nobody knows the bare client of {other}://{address}"))),
    }
}
