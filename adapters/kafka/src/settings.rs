//! What was asked for, and what each of librdkafka's clients is told of it.

use crate::mechanism::Mechanism;
use rdkafka::{ClientConfig, config::RDKafkaLogLevel};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// Properties on which a promise of the port rests; nobody else sets them.
pub(crate) const OURS: &[&str] = &[
    "acks",
    "allow.auto.create.topics",
    "auto.offset.reset",
    "bootstrap.servers",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "message.max.bytes",
    "message.timeout.ms",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "request.required.acks",
    "transactional.id",
];

/// A Kafka record, its key and its place in a batch take at most so much beside the pack.
const RECORD: usize = 512;
/// The largest batch that librdkafka makes of small packs, unless one pack is larger.
const BATCH: usize = 1_000_000;

/// Who we are to the brokers.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) mechanism: Mechanism,
    pub(crate) user: String,
    pub(crate) password: String,
}

/// How the connection is encrypted; paths to PEM files.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    pub(crate) ca: Option<PathBuf>,
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
}

/// Everything a [`crate::Builder`] collects.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) servers: String,
    pub(crate) prefix: String,
    pub(crate) timeout: Duration,
    pub(crate) login: Option<Login>,
    pub(crate) tls: Option<Tls>,
    pub(crate) copies: Option<u16>,
    pub(crate) retention: Option<Duration>,
    pub(crate) max_bytes: usize,
    pub(crate) window: usize,
    pub(crate) client: BTreeMap<String, String>,
}

fn millis(time: Duration) -> String {
    time.as_millis().max(1).to_string()
}

impl Settings {
    /// The safe defaults.
    pub(crate) fn new(servers: &str) -> Self {
        Self {
            servers: servers.to_owned(),
            prefix: String::new(),
            timeout: Duration::from_secs(10),
            login: None,
            tls: None,
            copies: None,
            retention: None,
            max_bytes: 1_000_000,
            window: 10_000,
            client: BTreeMap::new(),
        }
    }

    /// The part about encryption, which there is from now on.
    pub(crate) fn encrypted(&mut self) -> &mut Tls {
        self.tls.get_or_insert_with(Tls::default)
    }

    /// What a topic must take in one record batch.
    pub(crate) fn batch_bytes(&self) -> usize {
        (self.max_bytes + RECORD).max(BATCH)
    }

    fn common(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set_log_level(RDKafkaLogLevel::Info)
            .set("bootstrap.servers", &self.servers)
            .set("client.id", "oms")
            .set("allow.auto.create.topics", "false")
            .set("socket.keepalive.enable", "true")
            .set("socket.connection.setup.timeout.ms", millis(self.timeout.max(Duration::from_secs(1))))
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000");
        let (tls, sasl) = (self.tls.is_some(), self.login.is_some());
        let protocol = match (tls, sasl) {
            (false, false) => "plaintext",
            (true, false) => "ssl",
            (false, true) => "sasl_plaintext",
            (true, true) => "sasl_ssl",
        };
        config.set("security.protocol", protocol);
        if let Some(login) = &self.login {
            config
                .set("sasl.mechanism", login.mechanism.name())
                .set("sasl.username", &login.user)
                .set("sasl.password", &login.password);
        }
        if let Some(tls) = &self.tls {
            if let Some(ca) = &tls.ca {
                config.set("ssl.ca.location", ca.to_string_lossy());
            }
            if let Some((certificate, key)) = &tls.identity {
                config
                    .set("ssl.certificate.location", certificate.to_string_lossy())
                    .set("ssl.key.location", key.to_string_lossy());
            }
        }
        config
    }

    fn finish(&self, mut config: ClientConfig) -> ClientConfig {
        for (name, value) in &self.client {
            config.set(name, value);
        }
        config
    }

    /// For the one client that publishes.
    pub(crate) fn producer(&self) -> ClientConfig {
        let mut config = self.common();
        let largest = self.max_bytes + RECORD;
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "1")
            .set("message.timeout.ms", millis(self.timeout))
            .set("message.max.bytes", largest.max(BATCH).to_string())
            .set("queue.buffering.max.messages", self.window.to_string())
            .set("queue.buffering.max.kbytes", "65536")
            // How long a topic that a broker does not know is believed to be on its way.
            .set("topic.metadata.propagation.max.ms", "3000");
        self.finish(config)
    }

    /// For the client that makes and compares topics.
    pub(crate) fn admin(&self) -> ClientConfig {
        self.finish(self.common())
    }

    /// For the client that reads for one group.
    pub(crate) fn consumer(&self, group: &str) -> ClientConfig {
        let mut config = self.common();
        config
            .set("group.id", group)
            // Nobody joins the group; this is how long a commit waits for a coordinator that is away.
            .set("session.timeout.ms", "2000")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            // Where a committed offset is gone, whatever is still there was not heard.
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "100")
            // Each lane has a queue of its own; these bound one lane of one topic.
            .set("queued.min.messages", "2000")
            .set("queued.max.messages.kbytes", "1024")
            .set("fetch.queue.backoff.ms", "5")
            // A topic that was just made has leaders that do not know it yet.
            .set("fetch.error.backoff.ms", "50")
            .set("fetch.message.max.bytes", self.batch_bytes().to_string());
        self.finish(config)
    }
}
