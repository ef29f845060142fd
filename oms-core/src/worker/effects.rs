//! The calls of one gateway: claimed under the lanes' leases, made outside any transaction, never lost (rule 18).

use super::{bell::Bell, desk::InHand, metrics::add, parts::Parts, vital::DoorVitals};
use crate::{
    clock::Timestamp,
    gateway::{Answer, Asked, EffectKey, Gateway, NoAnswer},
    id::{MessageId, Name},
    message::GroupLane,
    store::{Doing, Lease, StoreError},
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
    /// The answer the handler heard last: an equal one is not news.
    heard: Option<MessageId>,
    /// Calls since then.
    calls: u32,
    /// When its call began.
    begun: Timestamp,
}

type Called = (Errand, Result<Answer, NoAnswer>);

/// Calls one gateway, at most as often at a time as it takes, until the house drains.
pub(super) async fn call(parts: Arc<Parts>, name: Name) {
    let known = parts.vitals.doors.get(&name);
    if let (Some(gateway), Some(bell), Some(known)) =
        (parts.gateways.get(&name).cloned(), parts.doors.get(&name), known)
    {
        Door {
            parts: &parts,
            name,
            gateway,
            calls: FuturesUnordered::new(),
            later: BTreeMap::new(),
            held: BTreeMap::new(),
            claiming: Vec::new(),
            failures: 0,
            count: 0,
            begun: BTreeMap::new(),
            known,
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
    /// The wishes of all errands, each with its lane and the epoch under which it was claimed last.
    held: BTreeMap<EffectKey, (GroupLane, u64)>,
    /// The lanes of a claim whose answer is not known.
    claiming: Vec<GroupLane>,
    failures: u32,
    count: u64,
    /// When the calls began that are not answered, and how many began then.
    begun: BTreeMap<Timestamp, u32>,
    known: &'a DoorVitals,
}

impl Drop for Door<'_> {
    /// What it held is claimed in the store by this process, and would not be given out again under the same epoch.
    fn drop(&mut self) {
        let lanes = self.held.values().map(|(lane, _)| lane).chain(&self.claiming);
        lanes.filter_map(|lane| self.parts.desk(lane)).for_each(|desk| desk.doubt());
    }
}

impl Door<'_> {
    async fn serve(&mut self, bell: &Bell) {
        let mut retries_first = false;
        while !self.parts.draining() {
            // In turns, so that neither new wishes nor those that are tried again starve the others.
            retries_first = !retries_first;
            if retries_first {
                self.wake();
            }
            self.claim().await;
            self.wake();
            let wait = self.next_wake();
            let news = pin!(self.parts.listen(bell, wait));
            if self.calls.is_empty() {
                news.await;
            } else if let Either::Left((Some(called), _)) = select(self.calls.next(), news).await {
                self.heard(called);
                // Whatever else has been answered by now is heard before the store is asked for more.
                while let Some(Some(called)) = self.calls.next().now_or_never() {
                    self.heard(called);
                }
            }
        }
        // What was told is heard out: its answer in hand is worth more than asking again.
        while let Some(called) = self.calls.next().await {
            self.heard(called);
        }
    }

    /// Claims as many wishes as the gateway takes.
    async fn claim(&mut self) {
        let room = self.room();
        let leases = self.parts.leases();
        if room == 0 || leases.is_empty() {
            return;
        }
        self.claiming = leases.iter().map(|lease| lease.lane.clone()).collect();
        let claimed = self.parts.store.claim(&leases, &self.name, room).await;
        let lanes = std::mem::take(&mut self.claiming);
        let error = match claimed {
            Ok(claimed) => {
                self.failures = 0;
                self.known.store.well();
                claimed.into_iter().for_each(|doing| self.begin(doing, &leases));
                return;
            }
            Err(error) => error,
        };
        self.failures += 1;
        tracing::warn!(%error, gateway = %self.name, "wishes cannot be claimed");
        if let StoreError::LostLease(lost) = &error {
            // Without it the others can be claimed.
            let lease = leases.iter().find(|lease| lease.lane == *lost);
            lease.zip(self.parts.desk(lost)).into_iter().for_each(|(lease, desk)| desk.lose(lease));
        } else {
            add(&self.parts.tally.outages, 1);
            let wait = self.parts.options.outage.wait(self.parts.owner, self.failures);
            self.known.store.away(self.parts.clock.now(), &error, wait);
            lanes.iter().filter_map(|lane| self.parts.desk(lane)).for_each(|desk| desk.doubt());
        }
    }

    fn room(&self) -> usize {
        self.gateway.at_once().max(1).saturating_sub(self.calls.len())
    }

    /// Begins an errand; one that is under way since an earlier epoch goes on under this one.
    fn begin(&mut self, doing: Doing, leases: &[Lease]) {
        let epoch = leases.iter().find(|lease| lease.lane == doing.lane).map_or(0, |lease| lease.epoch);
        if self.held.insert(doing.effect.key.clone(), (doing.lane.clone(), epoch)).is_none() {
            self.start(Errand { doing, heard: None, calls: 0, begun: Timestamp::default() });
        }
    }

    fn start(&mut self, mut errand: Errand) {
        errand.calls += 1;
        errand.begun = self.parts.clock.now();
        *self.begun.entry(errand.begun).or_default() += 1;
        self.watch();
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

    /// Starts what has waited long enough, as far as the gateway takes it. A lane that changed hands is no longer ours; one
    /// whose lease is lost may still come back as it was.
    fn wake(&mut self) {
        let now = self.parts.clock.now();
        while self.room() > 0 {
            let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= now) else { return };
            let errand = entry.remove();
            let key = &errand.doing.effect.key;
            let lease = self.parts.desk(&errand.doing.lane).and_then(|desk| desk.lease());
            let held = self.held.get(key).map(|(_, epoch)| *epoch);
            match lease {
                Some(lease) if Some(lease.epoch) == held => self.start(errand),
                Some(_) => _ = self.held.remove(key),
                None => self.put_off(errand, IDLE),
            }
        }
    }

    fn next_wake(&self) -> Duration {
        let first = self.later.first_key_value().filter(|_| self.room() > 0).map(|((time, _), _)| *time);
        let wait = first.map_or(IDLE, |time| time.since(self.parts.clock.now())).min(IDLE);
        if self.failures == 0 {
            return wait;
        }
        // An outage is not waited out by calling again at once.
        self.parts.options.outage.wait(self.parts.owner, self.failures)
    }

    fn heard(&mut self, (mut errand, answer): Called) {
        errand.doing.maybe_told = true;
        if let Some(calls) = self.begun.get_mut(&errand.begun) {
            *calls -= 1;
        }
        self.begun.retain(|_, calls| *calls > 0);
        self.watch();
        match answer {
            Ok(answer) => {
                self.known.gateway.well();
                self.answered(errand, answer);
            }
            Err(error) => {
                tracing::debug!(%error, key = %errand.doing.effect.key, calls = errand.calls, "no answer");
                add(&self.parts.tally.unanswered, 1);
                let seed = seed(&errand.doing.effect.key);
                let wait = self.parts.options.outage.wait(seed, errand.calls);
                self.known.gateway.away(self.parts.clock.now(), &error.source, wait);
                self.put_off(errand, wait);
            }
        }
    }

    /// Says since when the oldest call is not answered, if there is one.
    fn watch(&self) {
        let oldest = self.begun.first_key_value().map_or(i64::MAX, |(begun, _)| begun.0);
        self.known.oldest.store(oldest, Ordering::Relaxed);
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
        match again {
            Some(wait) => self.put_off(errand, wait),
            None => _ = self.held.remove(&errand.doing.effect.key),
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
