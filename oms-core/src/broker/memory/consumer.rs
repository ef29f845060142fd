//! A reader of one lane of the in-process broker.

use super::{
    super::{Batch, BrokerError, Consumer, Delivery, Settlement, Stale, Token},
    connection::{Connection, NAME},
    lane::{Answer, ReaderId},
};
use crate::message::{GroupLane, Limit};
use async_trait::async_trait;
use std::{
    future::poll_fn,
    sync::Arc,
    task::{Poll, Waker},
};

/// Leaves its lane when it is dropped, which releases what it has not settled.
pub(super) struct MemoryConsumer {
    connection: Arc<Connection>,
    lane: GroupLane,
    reader: ReaderId,
}

impl MemoryConsumer {
    pub(super) fn new(connection: Arc<Connection>, lane: GroupLane, reader: ReaderId) -> Self {
        Self { connection, lane, reader }
    }

    fn ask(&self, limit: Limit, waker: &Waker) -> Result<Answer, BrokerError> {
        self.connection.open()?;
        Ok(self.connection.wire().ask(&self.lane, self.reader, limit, waker))
    }

    /// Leaves the lane; nothing when the subscription was lost before.
    fn leave(&self) -> Option<usize> {
        let left = self.connection.wire().lane(&self.lane).and_then(|lane| lane.leave(self.reader));
        let (released, waker) = left?;
        if let Some(waker) = waker {
            waker.wake();
        }
        Some(released)
    }

    fn lost(&self) -> BrokerError {
        let why =
            format!("the subscription of {} was lost; declare the topology and subscribe again", self.lane);
        BrokerError::Unavailable { broker: NAME, source: why.into() }
    }
}

#[async_trait]
impl Consumer for MemoryConsumer {
    async fn next_batch(&mut self, limit: Limit) -> Result<Batch, BrokerError> {
        // Deliveries are taken in the poll that is ready, so a dropped wait has taken none.
        poll_fn(|context| match self.ask(limit, context.waker()) {
            Err(closed) => Poll::Ready(Err(closed)),
            Ok(Answer::Wait) => Poll::Pending,
            Ok(Answer::Gone) => Poll::Ready(Err(self.lost())),
            Ok(Answer::Brought(brought, caught_up)) => {
                let delivery = |(token, bytes)| Delivery { token: Token::new(token), bytes };
                let deliveries = brought.into_iter().map(delivery).collect();
                Poll::Ready(Ok(Batch { deliveries, caught_up }))
            }
        })
        .await
    }

    fn settle(&mut self, token: Token, settlement: Settlement) -> Result<(), Stale> {
        let mut wire = self.connection.wire();
        let lane = wire.lane(&self.lane).ok_or(Stale)?;
        let freed = lane.settle(self.reader, token.number(), settlement).ok_or(Stale)?;
        wire.freed(freed);
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), BrokerError> {
        self.connection.open()?;
        let reads = self.connection.wire().lane(&self.lane).is_some_and(|lane| lane.reads(self.reader));
        if reads { Ok(()) } else { Err(self.lost()) }
    }

    async fn close(self: Box<Self>) -> Result<usize, BrokerError> {
        self.leave().ok_or_else(|| self.lost())
    }
}

impl Drop for MemoryConsumer {
    fn drop(&mut self) {
        self.leave();
    }
}
