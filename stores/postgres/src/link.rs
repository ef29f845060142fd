//! Connections: as many as are allowed, made when they are needed, each with the settings that statements count on.

use crate::{
    error::{OpenError, sort, whole},
    lent::{Lent, Setting},
    options::{LEAST, Options},
};
use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use oms_core::{clock::Clock, store::StoreError};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::time::timeout;
use tokio_postgres::{NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A way to the database.
pub(crate) struct Link {
    pool: Pool,
    /// Settings that a connection of the user's own pool is given.
    theirs: Option<Setting>,
    clock: Option<Arc<dyn Clock>>,
    /// How long anybody waits for an answer.
    patience: Duration,
    schema: String,
    /// The patience, in the words of the database.
    words: String,
}

impl Link {
    /// Makes no connection yet.
    pub(crate) fn new(options: &Options) -> Result<Self, OpenError> {
        let (pool, theirs) = match &options.pool {
            Some(pool) if pool.status().max_size < LEAST => {
                let few = pool.status().max_size;
                let why = format!(
                    "the pool has {few} connections at most, and the store needs {LEAST}: make it larger"
                );
                return Err(OpenError::Other(why));
            }
            Some(pool) => (pool.clone(), Some(settings(options))),
            None => (Self::pool(options)?, None),
        };
        let (schema, words) = (options.schema.clone(), format!("{}ms", options.timeout.as_millis()));
        Ok(Self { pool, theirs, clock: options.clock.clone(), patience: options.timeout, schema, words })
    }

    fn pool(options: &Options) -> Result<Pool, OpenError> {
        let mut config = options.config.clone();
        if config.get_application_name().is_none() {
            config.application_name("oms");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(options.timeout);
        }
        let ours = settings(options);
        let own = ours.names.iter().zip(&ours.values).map(|(name, value)| format!("-c {name}={value}"));
        let own = own.collect::<Vec<_>>().join(" ");
        let given = config.get_options().map(|given| format!("{given} {own}")).unwrap_or(own);
        config.options(given);
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = if options.encrypts() {
            config.ssl_mode(SslMode::Require);
            Manager::from_config(config, tls(options.authorities.as_deref())?, recycling)
        } else {
            Manager::from_config(config, NoTls, recycling)
        };
        let patience = Some(options.timeout);
        let timeouts = Timeouts { wait: patience, create: patience, recycle: patience };
        Pool::builder(manager)
            .max_size(options.connections)
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| OpenError::Other(error.to_string()))
    }

    /// A connection that nobody else uses until it is dropped.
    pub(crate) async fn client(&self) -> Result<Lent, StoreError> {
        let object = timeout(self.patience, self.pool.get()).await.map_err(StoreError::unavailable)?;
        let object = object.map_err(|error| StoreError::unavailable(whole(&error)))?;
        self.lend(object).await
    }

    async fn lend(&self, object: Object) -> Result<Lent, StoreError> {
        match &self.theirs {
            None => Ok(Lent::new(object, self.patience)),
            Some(ours) => Lent::dressed(object, self.patience, ours).await,
        }
    }

    /// The first connection, with what is wrong with it.
    pub(crate) async fn first(&self) -> Result<Lent, OpenError> {
        let late = |_| OpenError::Unreachable("there was no connection in time".to_owned());
        let object = timeout(self.patience, self.pool.get()).await.map_err(late)?;
        let object = object.map_err(|error| match error {
            PoolError::Backend(error) => sort(&error),
            other => OpenError::Unreachable(whole(&other)),
        })?;
        self.lend(object).await.map_err(|error| OpenError::Other(error.to_string()))
    }

    /// Where statements of ours find their tables, and how long they wait for a lock, within a transaction that is not ours.
    pub(crate) fn inside(&self) -> [&str; 2] {
        [&self.schema, &self.words]
    }

    /// The time that is given to statements; `None` has them ask the database's clock.
    pub(crate) fn now(&self) -> Option<i64> {
        self.clock.as_ref().map(|clock| clock.now().0)
    }
}

/// What statements count on. Every row is looked up by an index, whatever the planner believes of tables that were empty when it
/// looked: a plan that reads them whole would stay until the next analysis, while they grow. Who stops in the middle of a transaction loses it after three seconds.
fn settings(options: &Options) -> Setting {
    let timeout = options.timeout.as_millis().to_string();
    let all = [
        ("search_path", options.schema.as_str()),
        ("jit", "off"),
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_mergejoin", "off"),
        ("enable_hashjoin", "off"),
        ("enable_material", "off"),
        ("idle_in_transaction_session_timeout", "3000"),
        ("statement_timeout", &timeout),
    ];
    let (names, values) = all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).unzip();
    Setting { names, values }
}

fn tls(authorities: Option<&Path>) -> Result<MakeRustlsConnect, OpenError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = authorities {
        let bad = |why: String| OpenError::Authorities { path: path.to_owned(), why };
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| bad(error.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| bad(error.to_string()))?;
            roots.add(certificate).map_err(|error| bad(error.to_string()))?;
        }
    } else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::Other(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
