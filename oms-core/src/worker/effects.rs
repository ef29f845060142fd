//! The calls of one gateway: claimed under the lanes' leases, made outside any transaction, never lost (rule 18).

use super::{bell::Bell, desk::InHand, metrics::add, parts::Parts};
use crate::{
    clock::Timestamp,
    gateway::{Answer, Asked, EffectKey, Gateway, NoAnswer},
    id::{MessageId, Name},
    store::{Doing, StoreError},
};
use futures::{
    FutureExt, StreamExt,
    future::{BoxFuture, Either, select},
    stream::FuturesUnordered,
};
use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// How long a door with nothing to do waits for its bell before it looks by itself.
const IDLE: Duration = Duration::from_secs(1);

/// A claimed wish on its way to its last answer.
#[derive(Clone)]
struct Errand {
    doing: Doing,
    epoch: u64,
    /// The answer the handler heard last: an equal one is not news.
    heard: Option<MessageId>,
    /// Calls since then.
    calls: u32,
}

type Called = (Errand, Result<Answer, NoAnswer>);

/// Calls one gateway, at most as often at a time as it takes, until the house drains.
pub(super) async fn call(parts: Arc<Parts>, name: Name) {
    if let (Some(gateway), Some(bell)) = (parts.gateways.get(&name).cloned(), parts.doors.get(&name)) {
        Door {
            parts: &parts,
            name,
            gateway,
            calls: FuturesUnordered::new(),
            later: BTreeMap::new(),
            count: 0,
        }
        .serve(bell)
        .await;
    }
    parts.calling.fetch_sub(1, Ordering::SeqCst);
    parts.ring_all();
}

struct Door<'a> {
    parts: &'a Parts,
    name: Name,
    gateway: Arc<dyn Gateway>,
    calls: FuturesUnordered<BoxFuture<'static, Called>>,
    /// Errands that wait until the gateway may have news, or is tried again.
    later: BTreeMap<(Timestamp, u64), Errand>,
    count: u64,
}

impl Door<'_> {
    async fn serve(&mut self, bell: &Bell) {
        let mut more = true;
        while !self.parts.draining() {
            if more {
                more = self.claim().await;
            }
            self.wake();
            let wait = self.next_wake();
            let rung = pin!(bell.wait());
            let idle = pin!(self.parts.nap(if more { Duration::ZERO } else { wait }));
            let news = select(rung, idle);
            if self.calls.is_empty() {
                let rung = matches!(news.await, Either::Left(_));
                more |= rung || self.later.is_empty();
                continue;
            }
            match select(self.calls.next(), news).await {
                Either::Left((Some(called), _)) => {
                    self.heard(called);
                    more = true;
                }
                Either::Left((None, _)) => {}
                Either::Right((woken, _)) => more |= matches!(woken, Either::Left(_)),
            }
        }
        // What was told is heard out: its answer in hand is worth more than asking again.
        while let Some(called) = self.calls.next().await {
            self.heard(called);
        }
    }

    /// Claims as many wishes as the gateway takes; true when there may be more.
    async fn claim(&mut self) -> bool {
        let room = self.gateway.at_once().max(1).saturating_sub(self.calls.len());
        if room == 0 {
            return false;
        }
        let leases = self.parts.leases();
        let claimed = match self.parts.store.claim(&leases, &self.name, room).await {
            Ok(claimed) => claimed,
            Err(StoreError::LostLease(_)) => return false,
            Err(error) => {
                tracing::warn!(%error, gateway = %self.name, "wishes cannot be claimed");
                add(&self.parts.tally.outages, 1);
                self.parts.nap(self.parts.options.outage.wait(self.parts.owner, 3)).await;
                return true;
            }
        };
        let full = claimed.len() == room;
        for doing in claimed {
            let epoch = leases.iter().find(|lease| lease.lane == doing.lane).map_or(0, |lease| lease.epoch);
            self.start(Errand { doing, epoch, heard: None, calls: 0 });
        }
        full && self.calls.len() < self.gateway.at_once().max(1)
    }

    fn start(&mut self, mut errand: Errand) {
        errand.calls += 1;
        add(&self.parts.tally.calls, 1);
        let gateway = Arc::clone(&self.gateway);
        self.calls.push(
            async move {
                let answer = one_call(gateway.as_ref(), &errand.doing).await;
                (errand, answer)
            }
            .boxed(),
        );
    }

    /// Starts what has waited long enough, as far as the gateway takes it. A lane that changed hands is no longer ours.
    fn wake(&mut self) {
        let now = self.parts.clock.now();
        while self.calls.len() < self.gateway.at_once().max(1) {
            let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= now) else { return };
            let errand = entry.remove();
            let lease = self.parts.desk(&errand.doing.lane).and_then(|desk| desk.lease());
            if lease.is_some_and(|lease| lease.epoch == errand.epoch) {
                self.start(errand);
            }
        }
    }

    fn next_wake(&self) -> Duration {
        let room = self.calls.len() < self.gateway.at_once().max(1);
        let first = self.later.first_key_value().filter(|_| room).map(|((time, _), _)| *time);
        first.map_or(IDLE, |time| time.since(self.parts.clock.now())).min(IDLE)
    }

    fn heard(&mut self, (mut errand, answer): Called) {
        errand.doing.maybe_told = true;
        match answer {
            Ok(answer) => self.answered(errand, answer),
            Err(error) => {
                tracing::debug!(%error, key = %errand.doing.effect.key, calls = errand.calls, "no answer");
                add(&self.parts.tally.unanswered, 1);
                let seed = seed(&errand.doing.effect.key);
                let wait = self.parts.options.outage.wait(seed, errand.calls);
                self.put_off(errand, wait);
            }
        }
    }

    fn answered(&mut self, mut errand: Errand, answer: Answer) {
        let id = answer.id(&errand.doing.effect.key);
        let again = answer.again;
        if (errand.heard != Some(id) || again.is_none())
            && let Some(desk) = self.parts.desk(&errand.doing.lane)
        {
            desk.answer(InHand { effect: errand.doing.effect.clone(), answer, calls: errand.calls });
            errand.heard = Some(id);
            errand.calls = 0;
        }
        if let Some(wait) = again {
            self.put_off(errand, wait);
        }
    }

    fn put_off(&mut self, errand: Errand, wait: Duration) {
        self.count += 1;
        self.later.insert((self.parts.clock.now().after(wait), self.count), errand);
    }
}

fn seed(key: &EffectKey) -> u128 {
    crate::id::Digest::new("effect").text(&key.order).text(&key.step).number(key.attempt.into()).finish()
}

/// One call: what may have been told is asked about first, and told again only when the gateway never heard of it.
async fn one_call(gateway: &dyn Gateway, doing: &Doing) -> Result<Answer, NoAnswer> {
    let asked = if doing.maybe_told { gateway.ask(&doing.effect).await? } else { Asked::NotKnown };
    match asked {
        Asked::Known(answer) => Ok(answer),
        Asked::NotKnown => gateway.tell(&doing.effect).await,
    }
}
