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
    Ok(match kind.server() {
        None => Arc::new(Forgetful::default()),
        Some(kind) => Arc::new(Real::raise(kind).await?),
    })
}
