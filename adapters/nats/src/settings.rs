//! What was asked for.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// Changes the client's own options before it connects.
pub(crate) type Adjust = Arc<dyn Fn(async_nats::ConnectOptions) -> async_nats::ConnectOptions + Send + Sync>;

/// Who we are to the server.
#[derive(Clone, Default)]
pub(crate) enum Login {
    #[default]
    Nobody,
    Password(String, String),
    Token(String),
    Nkey(String),
    NkeyFile(PathBuf),
    Credentials(PathBuf),
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
    pub(crate) servers: Vec<String>,
    pub(crate) prefix: String,
    pub(crate) timeout: Duration,
    pub(crate) lease: Duration,
    pub(crate) login: Login,
    pub(crate) tls: Option<Tls>,
    pub(crate) copies: usize,
    pub(crate) window: usize,
    pub(crate) adjust: Option<Adjust>,
}

impl Settings {
    pub(crate) fn new(servers: &str) -> Self {
        Self {
            servers: servers.split(',').map(str::to_owned).collect(),
            prefix: "oms".to_owned(),
            timeout: Duration::from_secs(10),
            lease: Duration::from_secs(30),
            login: Login::Nobody,
            tls: None,
            copies: 1,
            window: 1_000,
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
        let Settings { servers, prefix, timeout, copies, .. } = self;
        let mut shown = out.debug_struct("Settings");
        shown.field("servers", servers).field("prefix", prefix).field("timeout", timeout);
        shown.field("copies", copies).finish_non_exhaustive()
    }
}
