//! The relay: publishes each sender's packs in order, and moves its cursor when they are confirmed (rules 10, 11).

use super::{metrics::add, parts::Parts};
use crate::{
    broker::{BrokerError, Publish},
    id::Name,
    message::{GroupLane, Limit, Pack, PackId},
    store::{PublicPack, StoreError},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How long an idle relay waits for its bell before it looks by itself.
const IDLE: Duration = Duration::from_secs(1);
/// How often bodies without owed rows are collected, and how many at a time (rule 1).
const COLLECT: (Duration, usize) = (Duration::from_secs(10), 1_000);

/// Publishes what the lanes of this process have sent, until the house drains.
pub(super) async fn relay(parts: Arc<Parts>) {
    let mut cursors = Cursors::default();
    let mut failures = 0;
    let mut collected = parts.clock.now();
    while !parts.draining() {
        if parts.clock.now().since(collected) >= COLLECT.0 {
            collected = parts.clock.now();
            if let Err(error) = parts.store.collect(COLLECT.1).await {
                tracing::debug!(%error, "bodies that nobody is owed are collected later");
            }
        }
        let round = round(&parts, &mut cursors).await;
        if round.is_ok() {
            parts.vitals.relay.well();
        }
        match round {
            Ok(Round::Idle) => {
                failures = 0;
                probe(&parts).await;
                parts.listen(&parts.relay, IDLE).await;
            }
            Ok(Round::Busy) => {
                failures = 0;
                parts.vitals.broker.well();
            }
            Ok(Round::Held(why)) => {
                failures += 1;
                let wait = parts.options.outage.wait(parts.owner, failures);
                if let Some(why) = why {
                    parts.vitals.broker.away(parts.clock.now(), &why, wait);
                }
                parts.nap(wait).await;
            }
            Err(error) => {
                tracing::warn!(%error, "the relay cannot read what is to be sent");
                failures += 1;
                add(&parts.tally.outages, 1);
                let wait = parts.options.outage.wait(parts.owner, failures);
                parts.vitals.relay.away(parts.clock.now(), &error, wait);
                parts.nap(wait).await;
            }
        }
    }
}

/// Asks a broker that was away whether it is back: with nothing to send, nobody else would find out.
async fn probe(parts: &Parts) {
    let known = &parts.vitals.broker;
    if !known.is_away() {
        return;
    }
    match parts.broker.probe().await {
        Ok(()) => known.well(),
        Err(error) => known.away(parts.clock.now(), &error, IDLE),
    }
}

enum Round {
    /// Nothing to send.
    Idle,
    /// Something was sent.
    Busy,
    /// The broker took nothing, or not all: wait before the next. Says why, where that is an outage.
    Held(Option<String>),
}

#[derive(Default)]
struct Cursors {
    /// The cursor of each sender's lane, with the epoch under which it was read.
    known: BTreeMap<GroupLane, (u64, u64)>,
    /// Packs that were rejected for good once. A broker that was wiped rejects everything until it is declared again, so
    /// that is done first, and only a second rejection is believed.
    doubted: BTreeSet<PackId>,
}

impl Cursors {
    /// Reads the cursors of lanes that were gained; a broker that dies with its process is told everything again.
    async fn refresh(&mut self, parts: &Parts) -> Result<(), StoreError> {
        let leases = parts.leases();
        self.known.retain(|lane, (epoch, _)| {
            leases.iter().any(|lease| lease.lane == *lane && lease.epoch == *epoch)
        });
        let gained: Vec<_> =
            leases.into_iter().filter(|lease| !self.known.contains_key(&lease.lane)).collect();
        if gained.is_empty() {
            return Ok(());
        }
        let lanes: Vec<GroupLane> = gained.iter().map(|lease| lease.lane.clone()).collect();
        let saved = if parts.broker.capabilities().outlives_process {
            parts.store.cursors(&lanes).await?
        } else {
            vec![0; lanes.len()]
        };
        self.known.extend(gained.into_iter().zip(saved).map(|(lease, at)| (lease.lane, (lease.epoch, at))));
        Ok(())
    }

    fn after(&self) -> BTreeMap<GroupLane, u64> {
        self.known.iter().map(|(lane, (_, position))| (lane.clone(), *position)).collect()
    }

    fn follow(&mut self, moved: BTreeMap<GroupLane, u64>) {
        for (lane, position) in moved {
            if let Some((_, at)) = self.known.get_mut(&lane) {
                *at = position;
            }
        }
    }
}

async fn round(parts: &Parts, cursors: &mut Cursors) -> Result<Round, StoreError> {
    cursors.refresh(parts).await?;
    let limit = Limit { messages: parts.options.batch.messages * 8, ..parts.options.batch };
    let mut moved = cursors.after();
    let after: Vec<_> = moved.iter().map(|(lane, position)| (lane.clone(), *position)).collect();
    let packs = parts.store.unsent(&after, limit).await?;
    if packs.is_empty() {
        return Ok(Round::Idle);
    }
    let names: Vec<(PackId, Name)> =
        packs.iter().map(|pack| (pack.id.clone(), Name::clone(&pack.topic))).collect();
    let answers = match publish(parts, packs).await {
        Ok(answers) => answers,
        Err(error) => return Ok(Round::Held(Some(error.to_string()))),
    };
    let (mut held, mut why) = (BTreeSet::new(), None);
    let mut public = Vec::new();
    for ((pack, topic), answer) in names.into_iter().zip(answers) {
        let rejected = match believed(parts, cursors, &pack, answer).await {
            Ok(rejected) => rejected,
            Err(outage) => {
                why = outage.or(why);
                held.insert(pack.sender);
                continue;
            }
        };
        count(parts, &pack, rejected.as_ref());
        if parts.topology.public.contains(&topic) {
            public.push(PublicPack { pack: pack.clone(), rejected });
        }
        if !held.contains(&pack.sender)
            && let Some(position) = moved.get_mut(&pack.sender)
        {
            *position = pack.position.max(*position);
        }
    }
    if parts.broker.capabilities().outlives_process || !public.is_empty() {
        let saved: Vec<_> = moved.iter().map(|(lane, position)| (lane.clone(), *position)).collect();
        parts.store.sent(&saved, &public).await?;
    }
    // Not before the store knows: what hearers outside are owed is settled only there, and is sent again otherwise.
    cursors.follow(moved);
    Ok(if held.is_empty() { Round::Busy } else { Round::Held(why) })
}

/// Whether a pack is done with, and why the broker will never take it; an error keeps it for the next round, and says why
/// where that is an outage.
async fn believed(
    parts: &Parts,
    cursors: &mut Cursors,
    pack: &PackId,
    answer: Publish,
) -> Result<Option<Name>, Option<String>> {
    let outage = match answer {
        Publish::Confirmed => return Ok(None),
        Publish::Rejected { for_good: true, why } if cursors.doubted.remove(pack) => return Ok(Some(why)),
        Publish::Rejected { for_good: true, .. } => {
            parts.undeclare().await;
            cursors.doubted.insert(pack.clone());
            return Err(None);
        }
        Publish::Rejected { for_good: false, why } => format!("it takes nothing for now: {why}"),
        Publish::Unknown => "it confirms nothing".to_owned(),
    };
    add(&parts.tally.unconfirmed, 1);
    Err(Some(outage))
}

fn count(parts: &Parts, pack: &PackId, rejected: Option<&Name>) {
    match rejected {
        None => add(&parts.tally.published, 1),
        Some(why) => {
            add(&parts.tally.rejected, 1);
            tracing::warn!(%pack, %why, "the broker will never take this pack; its hearers take it from the store");
        }
    }
}

/// Publishes, declaring first what must be declared.
async fn publish(parts: &Parts, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
    let tried = match parts.declare().await {
        Ok(()) => parts.broker.publish(packs).await,
        Err(error) => Err(error),
    };
    if let Err(error) = &tried {
        tracing::warn!(%error, "the broker is away; what is owed is taken from the store meanwhile");
        add(&parts.tally.outages, 1);
        parts.undeclare().await;
    }
    tried
}
