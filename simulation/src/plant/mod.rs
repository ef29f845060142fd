//! Planted bugs: each is a decorator around a port or a handler, so that the production code stays as it is.

use crate::{gateway::Line, process::Process, world::World};
use oms_core::{
    broker::Broker, gateway::payment::PaymentProvider, message::Codec, oms::Builder, payment::Method,
    service::Handler, store::Store,
};
use std::sync::Arc;

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {}

impl Plant {
    /// All of them.
    pub const ALL: &'static [Plant] = &[];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {}
    }
}

/// Puts a planted bug around a process's store.
pub(crate) fn around_store(_: &Arc<World>, _: &Process, store: Arc<dyn Store>) -> Arc<dyn Store> {
    store
}

/// Puts a planted bug around a process's broker.
pub(crate) fn around_broker(_: &Arc<World>, _: usize, broker: Arc<dyn Broker>) -> Arc<dyn Broker> {
    broker
}

/// Puts a planted bug around the codec.
pub(crate) fn around_codec(_: &Arc<World>, codec: Arc<dyn Codec>) -> Arc<dyn Codec> {
    codec
}

/// Puts a planted bug around a handler.
pub(crate) fn around_handler(_: &Arc<World>, handler: Arc<dyn Handler>) -> Arc<dyn Handler> {
    handler
}

/// Puts a planted bug around a payment provider.
pub(crate) fn payment<P>(_: &Arc<World>, builder: Builder, method: Method, line: Line<P>) -> Builder
where
    Line<P>: PaymentProvider + 'static,
{
    builder.payment_method(method, line)
}
