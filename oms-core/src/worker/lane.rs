//! The loop of one lane: brings what a broker delivers and what lies on the desk into turns, and settles after the commit.

use super::{
    batch::{Batch, Delivered},
    bell::Bell,
    desk::{Desk, InHand, Papers},
    memory::Memory,
    metrics::add,
    origin::Origin,
    parts::Parts,
    turn::{Done, TurnError, turn},
};
use crate::{
    broker::{BrokerError, Consumer, Delivery, Settlement, Token},
    id::Name,
    message::Limit,
    service::Handler,
    store::{Local, Right, StoreError},
};
use futures::future::{Either, select};
use std::{
    collections::{BTreeSet, VecDeque},
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// How long an idle lane waits for its bell before it looks at its lease by itself.
const IDLE: Duration = Duration::from_secs(60);

/// Serves one lane until the house drains.
pub(super) async fn serve(parts: Arc<Parts>, handler: Arc<dyn Handler>, desk: Arc<Desk>) {
    let batch = parts.options.batch;
    let mut lane = Lane {
        parts: &parts,
        handler: handler.as_ref(),
        group: handler.group(),
        desk: &desk,
        consumer: None,
        hand: VecDeque::new(),
        memory: Memory::default(),
        limit: batch,
        failures: 0,
        condemned: None,
    };
    while !lane.is_done() {
        lane.step().await;
    }
    lane.close().await;
    desk.close();
}

struct Lane<'a> {
    parts: &'a Parts,
    handler: &'a dyn Handler,
    group: Name,
    desk: &'a Desk,
    consumer: Option<Box<dyn Consumer>>,
    /// Delivered and not settled.
    hand: VecDeque<(Token, Delivered)>,
    memory: Memory,
    limit: Limit,
    failures: u32,
    condemned: Option<(Origin, String)>,
}

impl Lane<'_> {
    /// Whether the loop may end: the house drains, no gateway is being called, and no answer is in hand.
    fn is_done(&self) -> bool {
        // In this order: the last call lays its answer on the desk before it is counted as ended.
        self.parts.draining() && self.parts.calling.load(Ordering::SeqCst) == 0 && !self.desk.has_answers()
    }

    fn has_work(&self, papers: &Papers) -> bool {
        !self.hand.is_empty()
            || !papers.answers.is_empty()
            || !papers.local.is_empty()
            || papers.overdue.is_some()
    }

    async fn step(&mut self) {
        let lease = self.desk.lease();
        if lease.is_none() {
            self.leave().await;
        }
        if self.parts.draining() {
            // Intake has stopped; only what is in hand is still brought home.
            self.desk.forget();
        }
        let papers = self.desk.papers();
        match lease {
            Some(lease) if self.has_work(&papers) => self.work(Right::Fenced(lease), papers).await,
            None if !papers.answers.is_empty() => {
                let papers = Papers { answers: papers.answers, ..Papers::default() };
                self.work(Right::Unfenced(self.desk.lane.clone()), papers).await;
            }
            Some(_) if !self.parts.draining() => self.listen().await,
            Some(_) | None => idle(self.parts, self.desk).await,
        }
    }

    /// Waits for deliveries or the bell; subscribes first where that is not done.
    async fn listen(&mut self) {
        if self.consumer.is_none()
            && let Err(error) = self.subscribe().await
        {
            self.wait_for_broker(&error).await;
            return;
        }
        let Some(mut consumer) = self.consumer.take() else { return };
        let brought = match select(pin!(self.desk.bell.wait()), consumer.next_batch(self.limit)).await {
            Either::Left(((), _)) => None,
            Either::Right((brought, _)) => Some(brought),
        };
        self.consumer = Some(consumer);
        match brought {
            None => {}
            Some(Ok(batch)) => {
                self.failures = 0;
                self.desk.rest(batch.caught_up);
                for delivery in batch.deliveries {
                    self.receive(delivery);
                }
            }
            Some(Err(error)) => {
                tracing::warn!(%error, lane = %self.desk.lane, "the subscription was lost");
                add(&self.parts.tally.outages, 1);
                self.lose();
                self.parts.undeclare().await;
                self.wait_for_broker(&error).await;
            }
        }
    }

    /// Waits before the next try, longer each time; what is owed is taken from the store meanwhile.
    async fn wait_for_broker(&mut self, error: &BrokerError) {
        self.failures += 1;
        let wait = self.parts.options.outage.wait(u128::from(self.desk.lane.lane), self.failures);
        self.desk.broker.away(self.parts.clock.now(), error, wait);
        self.parts.listen(&self.desk.bell, wait).await;
    }

    async fn subscribe(&mut self) -> Result<(), BrokerError> {
        let subscribed = match self.parts.declare().await {
            Ok(()) => self.parts.broker.subscribe(&self.desk.lane, self.parts.options.batch).await,
            Err(error) => Err(error),
        };
        match subscribed {
            Ok(consumer) => {
                self.consumer = Some(consumer);
                self.desk.broker.well();
                Ok(())
            }
            Err(error) => {
                // A lane that cannot hear is quiet: what it is owed is taken from the store.
                self.desk.rest(true);
                tracing::warn!(%error, lane = %self.desk.lane, "the lane cannot be subscribed to");
                // A broker that was wiped has forgotten the topology as well.
                self.parts.undeclare().await;
                Err(error)
            }
        }
    }

    /// Decodes a delivery; what is no pack of ours is acked and forgotten, for what is owed lies in the store.
    fn receive(&mut self, Delivery { token, bytes }: Delivery) {
        match self.parts.codec.decode(&bytes) {
            Ok((pack, messages)) => self.hand.push_back((token, Delivered { pack, bytes, messages })),
            Err(error) => {
                add(&self.parts.tally.foreign, 1);
                tracing::warn!(%error, lane = %self.desk.lane, "a delivery is no pack of ours");
                self.settle(token, Settlement::Ack);
            }
        }
    }

    fn settle(&mut self, token: Token, settlement: Settlement) {
        if let Some(consumer) = &mut self.consumer
            && consumer.settle(token, settlement).is_err()
        {
            tracing::debug!(lane = %self.desk.lane, "a settlement came too late");
        }
    }

    async fn work(&mut self, right: Right, papers: Papers) {
        let batch = Batch {
            delivered: self.hand.iter().map(|(_, one)| one).collect(),
            local: papers.local.into_iter().take(self.limit.messages).collect(),
            answers: papers.answers,
            requests: Vec::new(),
            overdue: papers.overdue,
            limit: self.limit,
            condemned: self.condemned.clone(),
        };
        let done = turn(self.parts, self.handler, &self.group, &right, &batch, &mut self.memory).await;
        let Batch { local, answers, .. } = batch;
        match done {
            Ok(done) => self.finish(&done, &local, &answers),
            Err(error) => self.recover(error, &right).await,
        }
    }

    fn finish(&mut self, done: &Done, asked: &[Local], answers: &[InHand]) {
        self.failures = 0;
        self.desk.store.well();
        self.condemned = None;
        // A turn that only asked for more streams says nothing of a batch that was refused: it stays halved, or the two
        // would take turns for ever.
        if done.decided {
            self.limit = self.parts.options.batch;
        }
        let name = |hand: &InHand| (hand.effect.key.clone(), hand.id);
        let answered = answers.iter().filter(|hand| !done.unanswered.contains(&name(hand)));
        let answered: BTreeSet<_> = answered.map(|hand| (name(hand), hand.kept)).collect();
        self.tell_doors(answers);
        self.desk.sweep(
            |local| done.unseen.contains(local) || !asked.contains(local),
            |hand| !answered.contains(&(name(hand), hand.kept)),
            done.overdue,
        );
        // Ack after the commit: a crash in between repeats the message, never loses it.
        let hand = std::mem::take(&mut self.hand);
        for (token, delivered) in hand {
            if done.finished.contains(&delivered.pack) {
                self.settle(token, Settlement::Ack);
            } else {
                self.hand.push_back((token, delivered));
            }
        }
    }

    /// A wish that was let go of is due again at some time, which its door learns when it looks.
    fn tell_doors(&self, answers: &[InHand]) {
        let gone = answers.iter().filter(|hand| hand.answer.again.is_some() && !hand.kept);
        let doors: BTreeSet<&Name> = gone.map(|hand| &hand.effect.gateway).collect();
        doors.into_iter().filter_map(|name| self.parts.doors.get(name)).for_each(Bell::ring);
    }

    /// What a failed turn means for the next one; never a message's fault but in the end (rule 20).
    async fn recover(&mut self, error: TurnError, right: &Right) {
        let said = error.to_string();
        match error {
            TurnError::Store(StoreError::Conflict) => {
                add(&self.parts.tally.conflicts, 1);
                self.limit.messages = (self.limit.messages / 2).max(1);
                self.pause(None).await;
                return;
            }
            TurnError::Store(StoreError::LostLease(_)) => {
                if let Right::Fenced(lease) = right {
                    self.desk.lose(lease);
                }
                return;
            }
            TurnError::Refused { error, works, alone } => {
                if self.halve(error, works, alone) {
                    return;
                }
            }
            TurnError::Store(StoreError::Refused(_)) | TurnError::Seal(_) => {
                tracing::warn!(error = said, lane = %self.desk.lane, "nothing can be read for the turn; it starts again");
            }
            TurnError::Store(StoreError::Unavailable(_) | StoreError::Unfit(_) | StoreError::Misused(_)) => {
                tracing::warn!(error = said, lane = %self.desk.lane, "the turn starts again");
            }
        }
        add(&self.parts.tally.outages, 1);
        self.pause(Some(&said)).await;
    }

    /// Waits before the turn starts again, longer each time; `outage` says what the store said, where that is one.
    async fn pause(&mut self, outage: Option<&str>) {
        self.failures += 1;
        let wait = self.parts.options.outage.wait(u128::from(self.desk.lane.lane), self.failures);
        match outage {
            Some(error) => self.desk.store.away(self.parts.clock.now(), &error, wait),
            None => self.desk.store.well(),
        }
        self.parts.nap(wait).await;
    }

    /// A batch that is refused is halved, until the bad message stands alone and is buried. False when it cannot even be
    /// buried: then there is nothing to do but to wait for the store.
    fn halve(&mut self, error: String, works: usize, alone: Option<Origin>) -> bool {
        tracing::warn!(error, lane = %self.desk.lane, works, "the batch is refused");
        let Some(origin) = alone else {
            self.limit.messages = (works / 2).max(1);
            return true;
        };
        let buried = self.condemned.as_ref().is_none_or(|(condemned, _)| *condemned != origin);
        self.condemned = Some((origin, format!("the store refuses what this message causes: {error}")));
        buried
    }

    /// Gives back what is in hand and leaves the broker: the lane is someone else's now.
    async fn leave(&mut self) {
        // How they are is its next owner's to find out.
        self.desk.store.well();
        self.desk.broker.well();
        let hand = std::mem::take(&mut self.hand);
        for (token, _) in hand {
            self.settle(token, Settlement::Release);
            self.parts.released.fetch_add(1, Ordering::Relaxed);
        }
        self.desk.forget();
        if let Some(consumer) = self.consumer.take() {
            match consumer.close().await {
                Ok(released) => {
                    self.parts.released.fetch_add(released, Ordering::Relaxed);
                }
                Err(error) => {
                    tracing::debug!(%error, lane = %self.desk.lane, "the lane was not closed cleanly")
                }
            }
        }
    }

    fn lose(&mut self) {
        self.consumer = None;
        self.hand.clear();
        self.desk.rest(true);
    }

    async fn close(&mut self) {
        self.leave().await;
    }
}

/// Waits for the bell: the lane is someone else's, or the house drains and gateways still have to answer.
async fn idle(parts: &Parts, desk: &Desk) {
    let time = if parts.draining() { Duration::from_millis(5) } else { IDLE };
    select(pin!(desk.bell.wait()), parts.clock.sleep(time)).await;
}
