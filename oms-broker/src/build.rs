//! The short way to a house: the system's clock and random owner names are filled in.

use crate::{RandomIds, SystemClock};
use oms_core::{
    broker::Broker,
    oms::{Builder, Oms},
    store::Store,
};
use std::sync::Arc;

/// Starts to build a system over a broker and a store, on the clock of the operating system and of tokio.
pub fn builder(broker: Arc<dyn Broker>, store: impl Store + 'static) -> Builder {
    Oms::builder(broker, Arc::new(store), Arc::new(SystemClock), Arc::new(RandomIds::default()))
}
