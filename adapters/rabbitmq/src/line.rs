//! A connection that is made anew when it is lost.

use crate::{
    errors::{closed, connecting, hung_up, refused, unavailable},
    settings::{Login, Settings, Tls},
};
use lapin::{
    Channel, Connection, ConnectionProperties,
    tcp::{OwnedIdentity, OwnedTLSConfig},
    uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo, SASLMechanism},
};
use oms_core::broker::BrokerError;
use std::{
    error::Error,
    fs, io,
    path::Path,
    sync::{
        Arc, Mutex as SyncMutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

/// How long a server that could not be reached is left alone.
const PAUSE: Duration = Duration::from_millis(200);

/// How often a server that hangs up on a certificate of ours is asked: what it says is lost about every second time.
const HANG_UPS: u32 = 16;

/// How long it is left alone before that.
const BREATH: Duration = Duration::from_millis(20);

/// Why an attempt to connect came to nothing.
enum Attempt {
    /// The connection ended without a word.
    HungUp(BrokerError),
    Failed(BrokerError),
}

impl From<BrokerError> for Attempt {
    fn from(error: BrokerError) -> Self {
        Self::Failed(error)
    }
}

/// A connection, and how to have another. The client's own recovery stays off: it takes refusals for losses, and goes on handing
/// out what can no longer be settled.
pub(crate) struct Line {
    pub(crate) settings: Arc<Settings>,
    purpose: &'static str,
    live: Mutex<Option<Arc<Connection>>>,
    /// When the last attempt failed, and how.
    failed: SyncMutex<Option<(Instant, String)>>,
    closed: AtomicBool,
}

impl Line {
    pub(crate) fn new(settings: &Arc<Settings>, purpose: &'static str) -> Self {
        Self {
            settings: Arc::clone(settings),
            purpose,
            live: Mutex::default(),
            failed: SyncMutex::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Says [`BrokerError::Closed`] after a shutdown.
    pub(crate) fn check(&self) -> Result<(), BrokerError> {
        if self.closed.load(Ordering::Acquire) { Err(closed()) } else { Ok(()) }
    }

    /// The connection; a new one when there is none, or it was lost.
    pub(crate) async fn get(&self) -> Result<Arc<Connection>, BrokerError> {
        self.check()?;
        let mut live = self.live.lock().await;
        if let Some(connection) = live.as_ref().filter(|connection| connection.status().connected()) {
            return Ok(Arc::clone(connection));
        }
        if live.take().is_some() {
            tracing::warn!(purpose = self.purpose, "the connection to RabbitMQ was lost; another is made");
        }
        if let Some(why) = self.failed_just_now() {
            return Err(unavailable(why));
        }
        let made = self.connect().await;
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) =
            made.as_ref().err().and_then(Error::source).map(|why| (Instant::now(), why.to_string()));
        let connection = Arc::new(made?);
        // A shutdown that came meanwhile finds it here, or has us find that it came.
        self.check()?;
        *live = Some(Arc::clone(&connection));
        Ok(connection)
    }

    fn failed_just_now(&self) -> Option<String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.as_ref().filter(|(at, _)| at.elapsed() < PAUSE).map(|(_, why)| why.clone())
    }

    /// Opens a channel of its own.
    pub(crate) async fn channel(&self) -> Result<Channel, BrokerError> {
        let connection = self.get().await?;
        channel(&connection, self.settings.timeout).await
    }

    async fn connect(&self) -> Result<Connection, BrokerError> {
        let mut last = None;
        for server in &self.settings.servers {
            match self.reach(server).await {
                Ok(connection) => return Ok(connection),
                Err(error @ BrokerError::Refused { .. }) => return Err(error),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| refused("no server is named; write amqp://host:5672")))
    }

    /// A server that does not trust our certificate says so and hangs up; the system often drops what it said. Asked once
    /// more, it says it again.
    async fn reach(&self, server: &str) -> Result<Connection, BrokerError> {
        let shows = self.settings.tls.as_ref().is_some_and(|tls| tls.identity.is_some());
        let mut tries = if shows { HANG_UPS } else { 1 };
        loop {
            tries -= 1;
            match self.attempt(server).await {
                Err(Attempt::HungUp(_)) if tries > 0 => sleep(BREATH).await,
                Err(Attempt::HungUp(error) | Attempt::Failed(error)) => return Err(error),
                Ok(connection) => return Ok(connection),
            }
        }
    }

    async fn attempt(&self, server: &str) -> Result<Connection, Attempt> {
        let settings = &self.settings;
        let mut properties =
            ConnectionProperties::default().with_connection_name(format!("oms {}", self.purpose).into());
        if let Some(adjust) = &settings.adjust {
            properties = adjust(properties);
        }
        let runtime =
            lapin::runtime::default_runtime().map_err(|error| Attempt::Failed(refused(error.to_string())))?;
        let (uri, tls) = (uri(settings, server)?, tls(settings)?);
        let reached =
            timeout(settings.timeout, Connection::connect_uri_with_config(uri, properties, tls, runtime))
                .await;
        reached.map_err(|_| unavailable(format!("{server} did not answer in time")))?.map_err(|error| {
            let sorted = connecting(&error);
            if hung_up(&error) { Attempt::HungUp(sorted) } else { Attempt::Failed(sorted) }
        })
    }

    /// Closes; whether it was open.
    pub(crate) async fn close(&self) -> bool {
        let first = !self.closed.swap(true, Ordering::AcqRel);
        if let Some(connection) = self.live.lock().await.take() {
            let closing = connection.close(200, "the process leaves".into());
            let _ = timeout(self.settings.timeout, closing).await;
        }
        first
    }
}

/// Opens a channel.
pub(crate) async fn channel(connection: &Connection, patience: Duration) -> Result<Channel, BrokerError> {
    let opened = timeout(patience, connection.create_channel()).await;
    let opened = opened.map_err(|_| unavailable("opening a channel took too long"))?;
    opened.map_err(|error| unavailable(format!("opening a channel: {error}")))
}

fn uri(settings: &Settings, server: &str) -> Result<AMQPUri, BrokerError> {
    let encrypted = settings.tls.is_some();
    let usual = if encrypted { 5_671 } else { 5_672 };
    let (host, port) = match server.rsplit_once(':') {
        // A bracketed address of version 6 has colons of its own.
        Some((host, port)) if !port.contains(']') => (
            host,
            port.parse()
                .map_err(|_| refused(format!("the port of {server} makes no sense; write host:5672")))?,
        ),
        Some(_) | None => (server, usual),
    };
    let (username, password, mechanism) = match &settings.login {
        Login::Password(user, password) => (user.clone(), password.clone(), SASLMechanism::Plain),
        Login::External => (String::new(), String::new(), SASLMechanism::External),
    };
    Ok(AMQPUri {
        scheme: if encrypted { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username, password },
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
        },
        vhost: settings.vhost.clone(),
        query: AMQPQueryString {
            heartbeat: Some(settings.heartbeat),
            auth_mechanism: Some(mechanism),
            ..AMQPQueryString::default()
        },
    })
}

fn tls(settings: &Settings) -> Result<OwnedTLSConfig, BrokerError> {
    let Some(Tls { ca, identity }) = &settings.tls else { return Ok(OwnedTLSConfig::default()) };
    let read = |path: &Path| {
        let unreadable = |error: io::Error| refused(format!("{} cannot be read: {error}", path.display()));
        fs::read(path).map_err(unreadable)
    };
    let cert_chain = match ca {
        Some(path) => Some(String::from_utf8_lossy(&read(path)?).into_owned()),
        None => None,
    };
    let identity = match identity {
        Some((certificate, key)) => Some(OwnedIdentity::PKCS8 { pem: read(certificate)?, key: read(key)? }),
        None => None,
    };
    Ok(OwnedTLSConfig { identity, cert_chain })
}
