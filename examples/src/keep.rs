//! The store of an example on PostgreSQL: the one that the command line or the environment names, else one on this machine.

use crate::failure::Failure;
use oms_postgres::{OpenError, PostgresStore};

/// Opens the store that the first argument names, else `OMS_STORE`, else `default`.
///
/// # Errors
/// [`Failure::NotThere`] when no server answers: it says how to start one. [`Failure::Other`] for anything else.
pub async fn keep(default: &str) -> Result<PostgresStore, Failure> {
    let named = std::env::args().nth(1).or_else(|| std::env::var("OMS_STORE").ok());
    match oms_postgres::open(named.as_deref().unwrap_or(default)).await {
        Ok(store) => Ok(store),
        Err(error @ OpenError::Unreachable(_)) => {
            Err(Failure::NotThere { server: "postgres", variable: "OMS_STORE", source: error.into() })
        }
        Err(error) => Err(Failure::Other(error.into())),
    }
}
