//! What the suite asks of whoever wants a store to be checked.

use crate::{
    conformance::stage::VirtualClock,
    store::{Store, StoreError},
};
use async_trait::async_trait;
use futures::future::BoxFuture;
use std::sync::Arc;

/// Gives the suite stores to look at.
///
/// ```
/// use oms_core::{conformance::{Stage, VirtualClock, store::{Harness, Outcome, checks}}, store::*};
/// use futures::future::{BoxFuture, FutureExt, ready};
/// use std::sync::Arc;
/// struct Memory(VirtualClock);
/// #[async_trait::async_trait]
/// impl Harness for Memory {
///     async fn fresh(&self) -> Result<Arc<dyn Store>, StoreError> {
///         Ok(Arc::new(MemoryStore::new(Arc::new(self.0.clone()))))
///     }
///     async fn reopen(&self, store: Arc<dyn Store>) -> Result<Arc<dyn Store>, StoreError> { Ok(store) }
///     fn clock(&self) -> VirtualClock { self.0.clone() }
///     fn pause(&self) -> BoxFuture<'static, ()> { ready(()).boxed() }
/// }
/// let stage = Stage::default();
/// let outcome = stage.run(checks()[0].run(&Memory(stage.clock())));
/// assert_eq!(outcome, Ok(Outcome::Passed));
/// ```
#[async_trait]
pub trait Harness: Send + Sync {
    /// Opens an empty store that lives by [`Harness::clock`].
    ///
    /// # Errors
    /// When it cannot be opened: the check fails.
    async fn fresh(&self) -> Result<Arc<dyn Store>, StoreError>;

    /// Drops `store` and opens the same again, as after a kill. Called only where it
    /// [survives one](crate::store::StoreCapabilities::survives_kill).
    ///
    /// # Errors
    /// When it cannot be opened: the check fails.
    async fn reopen(&self, store: Arc<dyn Store>) -> Result<Arc<dyn Store>, StoreError>;

    /// The clock of its stores.
    fn clock(&self) -> VirtualClock;

    /// Waits, in real time, for as long as a call takes that waits for nobody. Dropped, it has no effect.
    fn pause(&self) -> BoxFuture<'static, ()>;
}
