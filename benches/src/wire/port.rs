//! The port, as the house uses it.

use super::{
    carry::{Reader, UNSETTLED, Wire},
    road::Road,
};
use crate::fault::Fault;
use async_trait::async_trait;
use oms_core::{
    broker::{Broker, Consumer, Publish, Settlement},
    message::{GroupLane, Limit, Pack, PackId},
};
use std::{ops::Range, sync::Arc};

/// What a reader takes at a time, and may hold.
const WINDOW: Limit = Limit { messages: UNSETTLED, bytes: 16 << 20 };

/// Any broker behind the port.
pub struct Port(pub Arc<dyn Broker>);

#[async_trait]
impl Wire for Port {
    async fn batch(&self, road: &Road, writer: usize, numbers: Range<usize>) -> Result<(), Fault> {
        let sender = GroupLane::new("sender", writer as u16);
        let pack = |number: usize| Pack {
            id: PackId { sender: sender.clone(), position: number as u64 },
            topic: road.topic.clone(),
            lane: road.lane(number),
            keys: Vec::new(),
            bytes: road.payload(),
        };
        let answers = self.0.publish(numbers.map(pack).collect()).await.map_err(Fault::measured)?;
        match answers.into_iter().find(|answer| *answer != Publish::Confirmed) {
            Some(answer) => Err(Fault::void(format!("a pack was not confirmed: {answer:?}"))),
            None => Ok(()),
        }
    }

    async fn readers(&self, road: &Road) -> Result<Vec<Box<dyn Reader>>, Fault> {
        let mut all: Vec<Box<dyn Reader>> = Vec::new();
        for lane in road.lanes() {
            all.push(Box::new(Lane(self.0.subscribe(&lane, WINDOW).await.map_err(Fault::measured)?)));
        }
        Ok(all)
    }
}

struct Lane(Box<dyn Consumer>);

#[async_trait]
impl Reader for Lane {
    async fn read(&mut self) -> Result<usize, Fault> {
        loop {
            let batch = self.0.next_batch(WINDOW).await.map_err(Fault::measured)?;
            let count = batch.deliveries.len();
            for delivery in batch.deliveries {
                self.0.settle(delivery.token, Settlement::Ack).map_err(Fault::measured)?;
            }
            if count > 0 {
                return Ok(count);
            }
        }
    }

    async fn finish(mut self: Box<Self>) -> Result<(), Fault> {
        self.0.flush().await.map_err(Fault::measured)?;
        self.0.close().await.map(drop).map_err(Fault::measured)
    }
}
