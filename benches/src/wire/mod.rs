//! Packs over a broker: through the port, and beside it by the broker's bare client.
//!
//! ```
//! use oms_benches::wire::{Road, Shape};
//! let road = Road::new("bench", Shape { bytes: 256, lanes: 8 });
//! assert_eq!((road.lane(9), road.payload().len()), (1, 256));
//! ```

mod carry;
mod contest;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "nats")]
mod nats;
mod port;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
mod road;
mod run;

pub use carry::{BATCH, Reader, UNSETTLED, WRITERS, Wire};
pub use contest::Contest;
pub use port::Port;
pub use road::{Road, Shape};
pub use run::{Act, Journey, measure};
