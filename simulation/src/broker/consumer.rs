//! A reader of the broker, watched: it acks nothing that would be lost by that.

use crate::{codec::pack_of, world::World};
use async_trait::async_trait;
use oms_core::{
    broker::{Batch, BrokerError, Consumer, Settlement, Stale, Token},
    message::{GroupLane, Limit, PackId},
};
use std::{collections::BTreeMap, sync::Arc};

/// A reader of one lane.
pub(super) struct SimConsumer {
    inside: Box<dyn Consumer>,
    world: Arc<World>,
    lane: GroupLane,
    flying: BTreeMap<u64, PackId>,
}

impl SimConsumer {
    pub(super) fn new(inside: Box<dyn Consumer>, world: Arc<World>, lane: GroupLane) -> Self {
        Self { inside, world, lane, flying: BTreeMap::new() }
    }
}

#[async_trait]
impl Consumer for SimConsumer {
    async fn next_batch(&mut self, limit: Limit) -> Result<Batch, BrokerError> {
        let batch = self.inside.next_batch(limit).await?;
        for delivery in &batch.deliveries {
            if let Some(pack) = pack_of(&self.world, &delivery.bytes) {
                self.flying.insert(delivery.token.number(), pack);
            }
        }
        Ok(batch)
    }

    fn settle(&mut self, token: Token, settlement: Settlement) -> Result<(), Stale> {
        if let Some(pack) = self.flying.remove(&token.number())
            && settlement == Settlement::Ack
            && self.world.book().is_owed(&self.lane.group, &pack)
        {
            self.world.wrong(format!("{} acked {pack}, and is still owed some of it", self.lane));
        }
        self.inside.settle(token, settlement)
    }

    async fn flush(&mut self) -> Result<(), BrokerError> {
        self.inside.flush().await
    }

    async fn close(self: Box<Self>) -> Result<usize, BrokerError> {
        self.inside.close().await
    }
}
