//! The broker's server as a campaign sees it: reached, killed, wiped, and started again.
//!
//! ```
//! use oms_chaos::server::{Forgetful, Server};
//! let server = Forgetful::default();
//! assert_eq!(server.name(), "memory");
//! ```

mod forgetful;
mod port;

pub use forgetful::Forgetful;
pub use port::Server;

use crate::{args::Kind, failure::Failure};
use std::sync::Arc;

/// Raises a server of that kind.
///
/// # Errors
/// [`Failure`] when it is not built in, or cannot be started.
pub async fn raise(kind: Kind) -> Result<Arc<dyn Server>, Failure> {
    match kind {
        Kind::Memory => Ok(Arc::new(Forgetful::default())),
        Kind::Kafka | Kind::Rabbitmq | Kind::Nats => Err(Failure::new("this broker cannot be raised yet")),
    }
}
