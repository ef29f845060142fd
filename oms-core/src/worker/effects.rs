//! The calls of one gateway: claimed under the lanes' leases, made outside any transaction, never lost (rule 18).

use super::{
    bell::Bell,
    desk::InHand,
    errands::Errands,
    metrics::{add, level},
    parts::Parts,
    vital::DoorVitals,
};
use crate::{
    clock::Timestamp,
    gateway::{Answer, Asked, EffectKey, Gateway, NoAnswer},
    id::Name,
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

/// What was called, when, and what came of it.
type Called = (Timestamp, Doing, Result<Answer, NoAnswer>);

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
            errands: Errands::default(),
            claiming: Vec::new(),
            look: true,
            looked: Timestamp::default(),
            next: None,
            noted: 0,
            failures: 0,
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
    errands: Errands,
    /// The lanes of a claim whose answer is not known.
    claiming: Vec<GroupLane>,
    /// Whether there may be more to claim than the last claim gave.
    look: bool,
    /// When that was.
    looked: Timestamp,
    /// When the next wish is due, as the last claim said.
    next: Option<Timestamp>,
    /// How many wishes it holds, as the metrics know it.
    noted: usize,
    failures: u32,
    /// When the calls began that are not answered, and how many began then.
    begun: BTreeMap<Timestamp, u32>,
    known: &'a DoorVitals,
}

impl Drop for Door<'_> {
    /// What it held is claimed in the store by this process, and would not be given out again under the same epoch.
    fn drop(&mut self) {
        let lanes = self.errands.lanes().chain(&self.claiming);
        lanes.filter_map(|lane| self.parts.desk(lane)).for_each(|desk| desk.doubt());
        level(&self.parts.tally.held, &mut self.noted, 0);
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
            let now = self.parts.clock.now();
            let due = self.next.is_some_and(|next| next <= now);
            // Another process may have wished here, which rings nothing.
            self.look |= bell.take() || due || now.since(self.looked) >= IDLE;
            // Who cannot let go must not take more.
            if self.part().await && self.look {
                self.claim().await;
            }
            self.wake();
            level(&self.parts.tally.held, &mut self.noted, self.errands.len());
            let wait = self.next_wake();
            let news = pin!(self.parts.listen(bell, wait));
            if self.calls.is_empty() {
                news.await;
                self.look = true;
            } else if let Either::Left((Some(called), _)) = select(self.calls.next(), news).await {
                self.heard(called);
                // Whatever else has been answered by now is heard before the store is asked for more.
                while let Some(Some(called)) = self.calls.next().now_or_never() {
                    self.heard(called);
                }
            } else {
                self.look = true;
            }
        }
        // What was told is heard out: its answer in hand is worth more than asking again.
        while let Some(called) = self.calls.next().await {
            self.heard(called);
        }
        self.part().await;
    }

    /// Lets go of what waits too long to be held; false when the store could not be told.
    async fn part(&mut self) -> bool {
        let partings = self.errands.partings(self.parts);
        if !partings.is_empty()
            && let Err(error) = self.parts.store.postpone(&partings).await
        {
            tracing::warn!(%error, gateway = %self.name, "wishes that wait cannot be let go of");
            self.store_is_away(&error);
            return false;
        }
        self.errands.parted();
        true
    }

    /// Claims as many wishes as the gateway takes.
    async fn claim(&mut self) {
        let room = self.room();
        let leases = self.parts.leases();
        if room == 0 || leases.is_empty() {
            return;
        }
        self.claiming = leases.iter().map(|lease| lease.lane.clone()).collect();
        let now = self.parts.clock.now();
        let claimed = self.parts.store.claim(&leases, &self.name, room).await;
        let lanes = std::mem::take(&mut self.claiming);
        let error = match claimed {
            Ok(claimed) => {
                self.failures = 0;
                self.known.store.well();
                self.next = claimed.next.map(|next| now.after(next));
                (self.look, self.looked) = (claimed.doings.len() >= room, now);
                claimed.doings.into_iter().for_each(|doing| self.begin(doing, &leases));
                return;
            }
            Err(error) => error,
        };
        tracing::warn!(%error, gateway = %self.name, "wishes cannot be claimed");
        if let StoreError::LostLease(lost) = &error {
            // Without it the others can be claimed.
            self.failures += 1;
            let lease = leases.iter().find(|lease| lease.lane == *lost);
            lease.zip(self.parts.desk(lost)).into_iter().for_each(|(lease, desk)| desk.lose(lease));
        } else {
            self.store_is_away(&error);
            lanes.iter().filter_map(|lane| self.parts.desk(lane)).for_each(|desk| desk.doubt());
        }
    }

    fn store_is_away(&mut self, error: &StoreError) {
        self.failures += 1;
        add(&self.parts.tally.outages, 1);
        let wait = self.parts.options.outage.wait(self.parts.owner, self.failures);
        self.known.store.away(self.parts.clock.now(), error, wait);
    }

    fn room(&self) -> usize {
        self.gateway.at_once().max(1).saturating_sub(self.calls.len())
    }

    /// Begins an errand; one that is under way since an earlier epoch goes on under this one.
    fn begin(&mut self, doing: Doing, leases: &[Lease]) {
        let Some(lease) = leases.iter().find(|lease| lease.lane == doing.lane) else { return };
        if self.errands.take(&doing, lease) {
            self.start(doing);
        }
    }

    fn start(&mut self, mut doing: Doing) {
        doing.calls += 1;
        add(&self.parts.tally.calls, 1);
        let begun = self.parts.clock.now();
        *self.begun.entry(begun).or_default() += 1;
        self.watch();
        let gateway = Arc::clone(&self.gateway);
        self.calls.push(
            async move {
                let answer = one_call(gateway.as_ref(), &doing).await;
                (begun, doing, answer)
            }
            .boxed(),
        );
    }

    /// Starts what has waited long enough, as far as the gateway takes it. A lane that changed hands is no longer ours; one
    /// whose lease is lost may still come back as it was.
    fn wake(&mut self) {
        let now = self.parts.clock.now();
        while self.room() > 0 {
            let Some(doing) = self.errands.next(now) else { return };
            let key = &doing.effect.key;
            let lease = self.parts.desk(&doing.lane).and_then(|desk| desk.lease());
            let held = self.errands.lease(key).map(|lease| lease.epoch);
            match lease {
                Some(lease) if Some(lease.epoch) == held => self.start(doing),
                Some(_) => self.errands.forget(key),
                None => self.errands.put_off(doing, now.after(IDLE)),
            }
        }
    }

    fn next_wake(&self) -> Duration {
        if self.failures > 0 {
            // An outage is not waited out by calling again at once.
            return self.parts.options.outage.wait(self.parts.owner, self.failures);
        }
        let next = self.errands.first().into_iter().chain(self.next).min().filter(|_| self.room() > 0);
        let wait = next.map_or(IDLE, |time| time.since(self.parts.clock.now())).min(IDLE);
        // Never at once: a store that says so is asked again a little later.
        wait.max(Duration::from_millis(1))
    }

    fn heard(&mut self, (begun, mut doing, answer): Called) {
        doing.maybe_told = true;
        if let Some(calls) = self.begun.get_mut(&begun) {
            *calls -= 1;
        }
        self.begun.retain(|_, calls| *calls > 0);
        self.watch();
        match answer {
            Ok(answer) => {
                self.known.gateway.well();
                self.answered(doing, answer);
            }
            Err(error) => {
                tracing::debug!(%error, key = %doing.effect.key, calls = doing.calls, "no answer");
                add(&self.parts.tally.unanswered, 1);
                let wait = self.parts.options.outage.wait(seed(&doing.effect.key), doing.calls);
                self.known.gateway.away(self.parts.clock.now(), &error.source, wait);
                self.wait(doing, wait);
            }
        }
    }

    /// Says since when the oldest call is not answered, if there is one.
    fn watch(&self) {
        let oldest = self.begun.first_key_value().map_or(i64::MAX, |(begun, _)| begun.0);
        self.known.oldest.store(oldest, Ordering::Relaxed);
    }

    /// Lays news on the lane's desk. Its commit also lets go of a wish that waits for long; equal reports are heard once.
    fn answered(&mut self, mut doing: Doing, answer: Answer) {
        let id = answer.id(&doing.effect.key);
        let again = answer.again;
        let kept = again.is_some_and(|wait| self.errands.keeps(wait));
        let news = doing.heard != Some(id) || again.is_none();
        if news && let Some(desk) = self.parts.desk(&doing.lane) {
            desk.answer(InHand { effect: doing.effect.clone(), answer, id, calls: doing.calls, kept });
            doing.heard = Some(id);
            doing.calls = 0;
        }
        match again {
            Some(wait) if kept || !news => self.wait(doing, wait),
            Some(_) | None => self.errands.forget(&doing.effect.key),
        }
    }

    /// Holds a wish until it is called again, or lets go of it.
    fn wait(&mut self, doing: Doing, wait: Duration) {
        let time = self.parts.clock.now().after(wait);
        if self.errands.keeps(wait) {
            self.errands.put_off(doing, time);
        } else {
            self.errands.part(doing, time);
        }
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
