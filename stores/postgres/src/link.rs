//! Connections: as many as are allowed, made when they are needed, each with the settings that statements count on.

use crate::{
    error::{OpenError, sort, whole},
    lent::Lent,
    options::Options,
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
use tokio_postgres::{NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A way to the database.
pub(crate) struct Link {
    pool: Pool,
    clock: Option<Arc<dyn Clock>>,
    /// How long anybody waits for an answer.
    patience: Duration,
}

impl Link {
    /// Makes no connection yet.
    pub(crate) fn new(options: &Options) -> Result<Self, OpenError> {
        let mut config = options.config.clone();
        if config.get_application_name().is_none() {
            config.application_name("oms");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(options.timeout);
        }
        // Every statement is answered by an index, whatever the planner believes of tables that were empty when it looked. Who stops
        // in the middle of a transaction loses it after three seconds.
        let own = format!(
            "-c search_path={} -c jit=off -c plan_cache_mode=force_generic_plan -c enable_seqscan=off \
             -c idle_in_transaction_session_timeout=3000 -c statement_timeout={}",
            options.schema,
            options.timeout.as_millis()
        );
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
        let pool = Pool::builder(manager)
            .max_size(options.connections)
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| OpenError::Other(error.to_string()))?;
        Ok(Self { pool, clock: options.clock.clone(), patience: options.timeout })
    }

    /// A connection that nobody else uses until it is dropped.
    pub(crate) async fn client(&self) -> Result<Lent, StoreError> {
        let object = self.pool.get().await.map_err(|error| StoreError::unavailable(whole(&error)))?;
        Ok(Lent::new(object, self.patience))
    }

    /// The first connection, with what is wrong with it.
    pub(crate) async fn first(&self) -> Result<Object, OpenError> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => sort(&error),
            other => OpenError::Unreachable(whole(&other)),
        })
    }

    /// The time that is given to statements; `None` has them ask the database's clock.
    pub(crate) fn now(&self) -> Option<i64> {
        self.clock.as_ref().map(|clock| clock.now().0)
    }
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
