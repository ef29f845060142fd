//! What a campaign needs of a server.

use crate::failure::Failure;
use async_trait::async_trait;
use oms_core::broker::Broker;
use std::sync::Arc;

/// A server that can be disturbed. Calls may block only as long as the server takes; each may be repeated.
#[async_trait]
pub trait Server: Send + Sync {
    /// Its name, for people.
    fn name(&self) -> &'static str;

    /// Connects, as a process does when it starts.
    ///
    /// # Errors
    /// [`Failure`] when nobody answers.
    async fn connect(&self) -> Result<Arc<dyn Broker>, Failure>;

    /// Ends the server at once, as a power cut does.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be killed.
    async fn kill(&self) -> Result<(), Failure>;

    /// Deletes all that a killed server had on its disk.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be deleted.
    async fn wipe(&self) -> Result<(), Failure>;

    /// Starts a killed server again, and waits until it answers.
    ///
    /// # Errors
    /// [`Failure`] when it does not come up.
    async fn start(&self) -> Result<(), Failure>;
}
