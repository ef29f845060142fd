//! One connection to a server: its client, what is known of the topology, and when it was lost.

use crate::{
    answers::Answers,
    errors::{closed, connecting, jetstream, refused, unavailable},
    names,
    settings::{Login, Settings},
};
use async_nats::{
    Client, ConnectOptions, Event,
    jetstream::{self, Context, context::ContextBuilder, response::Response},
};
use oms_core::{
    broker::{BrokerError, Topology},
    id::Name,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    sync::{Mutex as AsyncMutex, watch},
    time::timeout,
};

/// What all calls share.
pub(crate) struct Connection {
    pub(crate) settings: Settings,
    pub(crate) client: Client,
    pub(crate) context: Context,
    pub(crate) answers: Answers,
    pub(crate) max_bytes: usize,
    /// Whether anything was declared here; held while declaring, so that two do not at once.
    pub(crate) declared: AsyncMutex<bool>,
    losses: watch::Sender<u64>,
    /// What the server forbade last; it says so to nobody in particular, and leaves the question without an answer.
    forbidden: watch::Receiver<Option<String>>,
    lanes: Mutex<BTreeMap<Name, u16>>,
    closed: AtomicBool,
}

impl Connection {
    pub(crate) async fn open(settings: Settings) -> Result<Self, BrokerError> {
        if let Some(why) = names::nonsense(&Topology { lanes: 1, ..Topology::default() }, &settings.prefix) {
            return Err(refused(why));
        }
        let losses = watch::Sender::new(0);
        let (forbid, forbidden) = watch::channel(None);
        let options = options(&settings, losses.clone(), forbid).await?;
        let late = |_| unavailable("no server answered in time");
        let reached = timeout(settings.timeout, options.connect(addresses(&settings))).await;
        let client = reached.map_err(late)?.map_err(|error| connecting(&error))?;
        if !client.is_server_compatible(2, 10, 0) {
            let version = client.server_info().version;
            return Err(refused(format!("the server is version {version}; use nats-server 2.10 or later")));
        }
        let context = ContextBuilder::new().timeout(settings.timeout).build(client.clone());
        let answers = Answers::open(&client, settings.window).await?;
        let max_bytes = client.max_payload();
        let connection = Self {
            settings,
            client,
            context,
            answers,
            max_bytes,
            declared: AsyncMutex::new(false),
            losses,
            forbidden,
            lanes: Mutex::default(),
            closed: AtomicBool::new(false),
        };
        connection
            .ask("INFO", &json!({}))
            .await?
            .map_err(|error| jetstream(&error, "asking for JetStream"))?;
        Ok(connection)
    }

    /// Asks JetStream's own interface.
    pub(crate) async fn ask(
        &self,
        subject: &str,
        question: &Value,
    ) -> Result<Result<Value, jetstream::Error>, BrokerError> {
        let mut forbidden = self.forbidden.clone();
        forbidden.mark_unchanged();
        let asked = self.context.request::<_, _, Response<Value>>(subject.to_owned(), question);
        let asked = tokio::select! {
            biased;
            asked = asked => asked,
            said = forbidden.wait_for(Option::is_some) => {
                let said = said.ok().and_then(|said| said.clone()).unwrap_or_default();
                return Err(refused(format!(
                    "{said}; give the user publish and subscribe on $JS.API.>, $JS.ACK.>, _INBOX.> and the prefix"
                )));
            }
        };
        match asked {
            Ok(Response::Ok(answer)) => Ok(Ok(answer)),
            Ok(Response::Err { error }) => Ok(Err(error)),
            Err(error) if error.to_string().contains("no responders") => Err(refused(
                "the server has no JetStream for this user; start it with -js, or allow $JS.API.>",
            )),
            Err(error) => Err(unavailable(format!("asking {subject}: {error}"))),
        }
    }

    /// Says [`BrokerError::Closed`] after a shutdown.
    pub(crate) fn check(&self) -> Result<(), BrokerError> {
        if self.closed.load(Ordering::Acquire) { Err(closed()) } else { Ok(()) }
    }

    /// Closes; whether it was open.
    pub(crate) fn close(&self) -> bool {
        let first = !self.closed.swap(true, Ordering::AcqRel);
        self.lost();
        first
    }

    /// Ends every subscription: what is declared is no longer known.
    pub(crate) fn lost(&self) {
        self.known().clear();
        self.losses.send_modify(|losses| *losses += 1);
    }

    pub(crate) fn losses(&self) -> watch::Receiver<u64> {
        self.losses.subscribe()
    }

    /// Topics that are known, with their lanes.
    pub(crate) fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<Name, u16>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn addresses(settings: &Settings) -> Vec<String> {
    let scheme = if settings.tls.is_some() { "tls" } else { "nats" };
    settings.servers.iter().map(|server| format!("{scheme}://{server}")).collect()
}

async fn options(
    settings: &Settings,
    losses: watch::Sender<u64>,
    forbid: watch::Sender<Option<String>>,
) -> Result<ConnectOptions, BrokerError> {
    let mut options = ConnectOptions::new().name("oms").connection_timeout(settings.timeout);
    options = options.event_callback(move |event| {
        match event {
            Event::Disconnected => {
                tracing::warn!("the connection to NATS is lost; readers subscribe again");
                losses.send_modify(|losses| *losses += 1);
            }
            Event::ServerError(error)
                if error.to_string().to_lowercase().contains("permissions violation") =>
            {
                tracing::warn!(%error, "NATS");
                forbid.send_replace(Some(error.to_string()));
            }
            other => tracing::info!(event = %other, "NATS"),
        }
        async {}
    });
    options = match settings.login.clone() {
        Login::Nobody => options,
        Login::Password(user, password) => options.user_and_password(user, password),
        Login::Token(token) => options.token(token),
        Login::Nkey(seed) => options.nkey(seed.trim().to_owned()),
        Login::NkeyFile(file) => {
            let unreadable = |error| refused(format!("{} cannot be read: {error}", file.display()));
            options.nkey(std::fs::read_to_string(&file).map_err(unreadable)?.trim().to_owned())
        }
        Login::Credentials(file) => options
            .credentials_file(&file)
            .await
            .map_err(|error| refused(format!("the file of credentials cannot be read: {error}")))?,
    };
    if let Some(tls) = settings.tls.clone() {
        options = options.require_tls(true);
        if let Some(ca) = tls.ca {
            options = options.add_root_certificates(ca);
        }
        if let Some((certificate, key)) = tls.identity {
            options = options.add_client_certificate(certificate, key);
        }
    }
    Ok(match &settings.adjust {
        Some(adjust) => adjust(options),
        None => options,
    })
}

/// Shared by everything that lives on one connection.
pub(crate) type Shared = Arc<Connection>;
