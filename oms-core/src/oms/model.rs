//! Read models: what they list and sum up, and waiting until they have read what was written.

use super::system::Oms;
use crate::{
    id::StreamId,
    projection::model::{AskError, Figures, Library, Listing, OrderQuery, has_read, list_orders, sums},
};
use futures::future::{Either, select};
use std::{collections::BTreeMap, pin::pin, time::Duration};

/// How long whoever waits for a version waits between two looks: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(320));

impl Oms {
    /// The read models of this house and where they are kept; `None` when it keeps none.
    #[must_use]
    pub fn library(&self) -> Option<&Library> {
        self.parts.library.as_ref()
    }

    /// The orders that a query wants, at most `limit`, as far as the model `orders` has read.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn list_orders(&self, query: &OrderQuery, limit: usize) -> Result<Listing, AskError> {
        list_orders(self.shelves()?, query, limit).await
    }

    /// The sums of a read model, by name: money by currency and day, orders by phase, the funnel by day.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn sums(&self, model: &str) -> Result<BTreeMap<String, Figures>, AskError> {
        sums(self.shelves()?, model).await
    }

    /// Waits until a read model holds a stream up to this version, for at most `time`; says whether it does. So whoever wrote
    /// reads what he wrote. May be dropped at any await.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn wait_until_read(
        &self,
        model: &str,
        stream: &StreamId,
        version: u64,
        time: Duration,
    ) -> Result<bool, AskError> {
        let library = self.shelves()?;
        let end = pin!(self.parts.clock.sleep(time));
        let reads = pin!(async {
            let mut pause = PAUSE.0;
            while !has_read(library, model, stream, version).await? {
                self.parts.hurry(model);
                self.parts.clock.sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
            Ok(true)
        });
        match select(reads, end).await {
            Either::Left((read, _)) => read,
            Either::Right(_) => has_read(library, model, stream, version).await,
        }
    }

    fn shelves(&self) -> Result<&Library, AskError> {
        self.parts.library.as_ref().ok_or(AskError::NoModels)
    }
}
