//! What was asked for.

use lapin::ConnectionProperties;
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// Changes the client's own properties before it connects.
pub(crate) type Adjust = Arc<dyn Fn(ConnectionProperties) -> ConnectionProperties + Send + Sync>;

/// Who we are to the server.
#[derive(Clone)]
pub(crate) enum Login {
    Password(String, String),
    /// The certificate says it.
    External,
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
    /// `host` or `host:port`, asked in turns.
    pub(crate) servers: Vec<String>,
    pub(crate) vhost: String,
    pub(crate) prefix: String,
    pub(crate) timeout: Duration,
    pub(crate) login: Login,
    pub(crate) tls: Option<Tls>,
    pub(crate) copies: Option<u16>,
    pub(crate) max_bytes: usize,
    pub(crate) window: usize,
    /// In seconds.
    pub(crate) heartbeat: u16,
    pub(crate) adjust: Option<Adjust>,
}

impl Settings {
    /// The safe defaults.
    pub(crate) fn new(servers: &str) -> Self {
        Self {
            servers: servers.split(',').map(str::to_owned).collect(),
            vhost: "/".to_owned(),
            prefix: "oms".to_owned(),
            timeout: Duration::from_secs(10),
            login: Login::Password("guest".to_owned(), "guest".to_owned()),
            tls: None,
            copies: None,
            max_bytes: 1 << 20,
            window: 1_000,
            heartbeat: 10,
            adjust: None,
        }
    }

    /// The part of the settings about encryption, which is on from now.
    pub(crate) fn encrypted(&mut self) -> &mut Tls {
        self.tls.get_or_insert_default()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { servers, vhost, prefix, timeout, .. } = self;
        let mut shown = out.debug_struct("Settings");
        shown.field("servers", servers).field("vhost", vhost).field("prefix", prefix);
        shown.field("timeout", timeout).finish_non_exhaustive()
    }
}
