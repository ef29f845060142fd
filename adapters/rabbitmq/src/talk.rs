//! Questions about what the server has; an answer of "no" costs a channel, so a new one is opened after it.

use crate::{
    errors::{difference, is_missing, sort, unavailable},
    line::Line,
};
use lapin::{
    Channel, Error, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use oms_core::broker::BrokerError;
use tokio::time::timeout;

/// How often a quorum queue may bring a message back before it gives it up. A worker that crashes is no fault of a message, and
/// from 4.0 the server would give up after 20.
const DELIVERIES: i64 = 1_000_000;
/// A marker holds nothing. That it asks for this at all has a server before 3.10 refuse it.
const UNUSED: i64 = 60_000;

/// Something that is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// An empty queue that holds the number of lanes of a topic or group, which is named for people.
    Marker { name: String, of: String, lanes: u16 },
    /// The queue of a group's lane.
    Queue { name: String, copies: Option<u16> },
    /// The exchange of a topic.
    Exchange { name: String },
}

impl Item {
    fn name(&self) -> &str {
        match self {
            Self::Marker { name, .. } | Self::Queue { name, .. } | Self::Exchange { name } => name,
        }
    }

    fn arguments(&self) -> FieldTable {
        let mut table = FieldTable::default();
        let mut put = |name: &str, value: AMQPValue| {
            table.insert(name.into(), value);
        };
        let copies = match self {
            Self::Exchange { .. } => return table,
            Self::Marker { lanes, .. } => {
                put("x-max-length", AMQPValue::LongLongInt(i64::from(*lanes)));
                put("x-message-ttl", AMQPValue::LongLongInt(UNUSED));
                None
            }
            Self::Queue { copies, .. } => {
                put("x-single-active-consumer", AMQPValue::Boolean(true));
                put("x-delivery-limit", AMQPValue::LongLongInt(DELIVERIES));
                *copies
            }
        };
        put("x-queue-type", AMQPValue::LongString("quorum".into()));
        if let Some(copies) = copies {
            put("x-quorum-initial-group-size", AMQPValue::LongLongInt(i64::from(copies)));
        }
        table
    }
}

/// What the server says of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// What nobody has.
    pub(crate) ready: u32,
    /// One, where any reads: those that wait for the first to leave are not counted.
    pub(crate) readers: u32,
}

/// Asks on a channel of its own.
pub(crate) struct Talk<'a> {
    line: &'a Line,
    channel: Option<Channel>,
}

impl<'a> Talk<'a> {
    pub(crate) fn new(line: &'a Line) -> Self {
        Self { line, channel: None }
    }

    async fn channel(&mut self) -> Result<Channel, BrokerError> {
        if let Some(channel) = self.channel.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        let channel = self.line.channel().await?;
        Ok(self.channel.insert(channel).clone())
    }

    /// Asks within the time that settings give.
    async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, Error>>,
    ) -> Result<Result<T, Error>, BrokerError> {
        let answer = timeout(self.line.settings.timeout, question).await;
        answer.map_err(|_| unavailable("a question about the topology had no answer in time"))
    }

    async fn declare(&mut self, item: &Item, passive: bool) -> Result<Result<(), Error>, BrokerError> {
        let channel = self.channel().await?;
        let (name, arguments) = (item.name().into(), item.arguments());
        match item {
            Item::Exchange { .. } => {
                let options =
                    ExchangeDeclareOptions { passive, durable: true, ..ExchangeDeclareOptions::default() };
                self.ask(channel.exchange_declare(name, ExchangeKind::Direct, options, arguments)).await
            }
            Item::Marker { .. } | Item::Queue { .. } => {
                let options =
                    QueueDeclareOptions { passive, durable: true, ..QueueDeclareOptions::default() };
                let declared = self.ask(channel.queue_declare(name, options, arguments)).await?;
                Ok(declared.map(drop))
            }
        }
    }

    /// Whether it is there, whatever its settings are.
    pub(crate) async fn exists(&mut self, item: &Item) -> Result<bool, BrokerError> {
        match self.declare(item, true).await? {
            Ok(()) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(sort(&error, &format!("asking for {}", item.name()))),
        }
    }

    /// Makes it unless it is there; the server's words on a difference when it is there with other settings.
    pub(crate) async fn make(&mut self, item: &Item) -> Result<Option<String>, BrokerError> {
        match self.declare(item, false).await? {
            Ok(()) => Ok(None),
            Err(error) => match difference(&error) {
                Some(words) => Ok(Some(words)),
                None => Err(sort(&error, &format!("making {}", item.name()))),
            },
        }
    }

    /// Has an exchange give a queue what bears this key.
    pub(crate) async fn bind(&mut self, queue: &str, exchange: &str, key: &str) -> Result<(), BrokerError> {
        let channel = self.channel().await?;
        let options = QueueBindOptions::default();
        let bound =
            channel.queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default());
        let bound = self.ask(bound).await?;
        bound.map_err(|error| sort(&error, &format!("binding {queue} to {exchange}")))
    }

    /// What waits in a queue; `None` when there is none.
    pub(crate) async fn waiting(&mut self, queue: &str) -> Result<Option<Waiting>, BrokerError> {
        let channel = self.channel().await?;
        match self.ask(look(&channel, queue)).await? {
            Ok(waiting) => Ok(Some(waiting)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(sort(&error, &format!("asking for {queue}"))),
        }
    }
}

/// What waits in a queue, asked on a given channel: behind everything that was said there before.
pub(crate) async fn look(channel: &Channel, queue: &str) -> Result<Waiting, Error> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let found = channel.queue_declare(queue.into(), options, FieldTable::default()).await?;
    Ok(Waiting { ready: found.message_count(), readers: found.consumer_count() })
}
