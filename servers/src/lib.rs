//! Real servers for tests: installed when missing, started on loopback, disturbed on request, stopped by pid.
//!
//! ```no_run
//! // Not run: the first start downloads the server.
//! use std::path::Path;
//!
//! use oms_servers::{Kind, Server};
//!
//! let mut server = Server::start(Kind::Nats, Path::new("target/servers"), &mut |line| println!("{line}"))?;
//! println!("{} is at {}", server.kind(), server.url());
//! server.kill()?;
//! server.start_again()?;
//! # Ok::<(), oms_servers::ServerError>(())
//! ```

mod error;
mod footprint;
mod guarded;
mod install;
mod kafka;
mod kind;
mod left_data;
mod nats;
mod papers;
mod port;
mod postgres;
mod process;
mod program;
mod proxy;
mod rabbitmq;
mod rabbitmq4;
mod server;
mod step;

pub use error::ServerError;
pub use footprint::Footprint;
pub use guarded::Guarded;
pub use kind::Kind;
pub use proxy::{Proxy, Weather};
pub use server::Server;
