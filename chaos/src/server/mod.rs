//! The broker's server as a campaign sees it: reached, killed, wiped, and started again.
//!
//! ```
//! use oms_chaos::server::{Forgetful, Server};
//! let server = Forgetful::default();
//! assert_eq!(server.name(), "memory");
//! ```

mod forgetful;
mod port;
mod real;

pub use forgetful::Forgetful;
pub use port::Server;
pub use real::Real;

use crate::{args::Kind, failure::Failure};
use std::sync::Arc;

/// Raises a server of that kind.
///
/// # Errors
/// [`Failure`] when it is not built in, or cannot be started.
pub async fn raise(kind: Kind) -> Result<Arc<dyn Server>, Failure> {
    match kind {
        Kind::Memory => Ok(Arc::new(Forgetful::default())),
        Kind::Kafka => Ok(Arc::new(Real::raise(oms_servers::Kind::Kafka).await?)),
        Kind::Nats => Ok(Arc::new(Real::raise(oms_servers::Kind::Nats).await?)),
        Kind::Rabbitmq => Ok(Arc::new(Real::raise(oms_servers::Kind::RabbitMq).await?)),
    }
}
