//! The relay: publishes each sender's packs in order, and moves its cursor when they are confirmed (rules 10, 11).

use super::{metrics::add, parts::Parts};
use crate::{
    broker::{BrokerError, Publish},
    id::Name,
    message::{GroupLane, Limit, Pack, PackId},
    store::{PublicPack, StoreError},
};
use futures::future::{Either, select};
use std::{collections::BTreeSet, pin::pin, sync::Arc, time::Duration};

/// How long an idle relay waits for its bell before it looks by itself.
const IDLE: Duration = Duration::from_secs(1);
/// How often bodies without owed rows are collected, and how many at a time (rule 1).
const COLLECT: (Duration, usize) = (Duration::from_secs(10), 1_000);
/// How many packs ahead of a cursor are remembered; more are told again.
const AHEAD: usize = 4_096;

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
            Ok(Round::Busy) => failures = 0,
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

/// Asks a broker that was away whether it is back, unless something comes to be sent: with nothing to send, nobody else would
/// find out.
async fn probe(parts: &Parts) {
    let known = &parts.vitals.broker;
    if !known.is_away() {
        return;
    }
    let news = pin!(parts.listen(&parts.relay, IDLE));
    match select(parts.broker.probe(), news).await {
        Either::Left((Ok(()), _)) => known.well(),
        Either::Left((Err(error), _)) => known.away(parts.clock.now(), &error, IDLE),
        Either::Right(((), _)) => parts.relay.ring(),
    }
}

enum Round {
    /// There is nothing more to send.
    Idle,
    /// There may be more.
    Busy,
    /// The broker took nothing, or not all: wait before the next. Says why, where that is an outage.
    Held(Option<String>),
}

/// How far each sender's lane was relayed.
#[derive(Default)]
struct Cursors {
    /// Desk by desk: the epoch under which a position was read, and the position; `None` for lanes that are not ours.
    known: Vec<Option<(u64, u64)>>,
    /// Packs that were rejected for good once. A broker that was wiped rejects everything until it is declared again, so
    /// that is done first, and only a second rejection is believed.
    doubted: BTreeSet<PackId>,
    /// Packs that the broker has, behind one of the same sender that it did not take: they are not told again.
    ahead: BTreeSet<PackId>,
}

impl Cursors {
    /// Reads the cursors of lanes that were gained; a broker that dies with its process is told everything again.
    async fn refresh(&mut self, parts: &Parts) -> Result<(), StoreError> {
        self.known.resize(parts.desks.len(), None);
        let mut gained = Vec::new();
        for ((place, desk), known) in parts.desks.iter().enumerate().zip(&mut self.known) {
            let epoch = desk.epoch();
            *known = known.filter(|(read_under, _)| Some(*read_under) == epoch);
            if known.is_none() {
                gained.extend(epoch.map(|epoch| (place, epoch)));
            }
        }
        if gained.is_empty() {
            return Ok(());
        }
        let lanes: Vec<GroupLane> =
            gained.iter().map(|(place, _)| parts.desks[*place].lane.clone()).collect();
        let saved = if parts.broker.capabilities().outlives_process {
            parts.store.cursors(&lanes).await?
        } else {
            vec![0; lanes.len()]
        };
        for ((place, epoch), position) in gained.into_iter().zip(saved) {
            self.known[place] = Some((epoch, position));
        }
        Ok(())
    }
}

/// Our lanes, each with the position up to which it was relayed.
fn after(parts: &Parts, known: &[Option<(u64, u64)>]) -> Vec<(GroupLane, u64)> {
    let all = parts.desks.iter().zip(known);
    all.filter_map(|(desk, known)| known.map(|(_, position)| (desk.lane.clone(), position))).collect()
}

async fn round(parts: &Parts, cursors: &mut Cursors) -> Result<Round, StoreError> {
    cursors.refresh(parts).await?;
    let limit = Limit { messages: parts.options.batch.messages * 8, ..parts.options.batch };
    let packs = parts.store.unsent(&after(parts, &cursors.known), limit).await?;
    if packs.is_empty() {
        cursors.doubted.clear();
        return Ok(Round::Idle);
    }
    let more = is_half(&packs, limit);
    let names: Vec<(PackId, Name)> =
        packs.iter().map(|pack| (pack.id.clone(), Name::clone(&pack.topic))).collect();
    let news = packs.into_iter().filter(|pack| !cursors.ahead.contains(&pack.id)).collect();
    let answers = match publish(parts, news).await {
        Ok(answers) => answers,
        Err(error) => {
            // It may come back without what it had.
            cursors.ahead.clear();
            return Ok(Round::Held(Some(error.to_string())));
        }
    };
    let told = heed(parts, cursors, names, answers).await;
    save(parts, &told.moved, &told.public).await?;
    // Not before the store knows: what hearers outside are owed is settled only there, and is sent again otherwise.
    cursors.known = told.moved;
    cursors.ahead = told.ahead;
    if told.held.is_empty() {
        parts.vitals.broker.well();
    }
    Ok(match (told.held.is_empty(), more) {
        (false, _) => Round::Held(told.why),
        (true, true) => Round::Busy,
        // What was committed since then has rung the bell.
        (true, false) => Round::Idle,
    })
}

/// What the answers of one publish come to.
struct Told {
    /// How far each lane was relayed now.
    moved: Vec<Option<(u64, u64)>>,
    /// Lanes, by place, of which something was not taken.
    held: BTreeSet<usize>,
    /// What the broker has behind that.
    ahead: BTreeSet<PackId>,
    public: Vec<PublicPack>,
    why: Option<String>,
}

async fn heed(
    parts: &Parts,
    cursors: &mut Cursors,
    names: Vec<(PackId, Name)>,
    answers: Vec<Publish>,
) -> Told {
    let moved = cursors.known.clone();
    let (held, ahead, public) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    let mut told = Told { moved, held, ahead, public, why: None };
    let mut answers = answers.into_iter();
    for (pack, topic) in names {
        let known = cursors.ahead.contains(&pack);
        // Taken before anything else, so that each answer stays beside its pack.
        let answer = if known { Publish::Confirmed } else { answers.next().unwrap_or(Publish::Unknown) };
        let Some(place) = parts.place(&pack.sender) else { continue };
        let rejected = match believed(parts, cursors, &pack, answer).await {
            Ok(rejected) => rejected,
            Err(outage) => {
                told.why = outage.or(told.why);
                told.held.insert(place);
                continue;
            }
        };
        if !known {
            count(parts, &pack, rejected.as_ref());
            let settled = PublicPack { pack: pack.clone(), rejected };
            told.public.extend(Some(settled).filter(|_| parts.topology.public.contains(&topic)));
        }
        if told.held.contains(&place) {
            told.ahead.extend(Some(pack).filter(|_| told.ahead.len() < AHEAD));
        } else if let Some((_, position)) = &mut told.moved[place] {
            *position = pack.position.max(*position);
        }
    }
    told
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

/// Whether these may be cut off by the limit.
fn is_half(packs: &[Pack], limit: Limit) -> bool {
    let messages: usize = packs.iter().map(|pack| pack.keys.len()).sum();
    let bytes: usize = packs.iter().map(|pack| pack.bytes.len()).sum();
    messages > limit.messages / 2 || bytes > limit.bytes / 2
}

/// Tells the store how far a broker that outlives this process was told, and what became of public packs.
async fn save(parts: &Parts, moved: &[Option<(u64, u64)>], public: &[PublicPack]) -> Result<(), StoreError> {
    if !parts.broker.capabilities().outlives_process && public.is_empty() {
        return Ok(());
    }
    parts.store.sent(&after(parts, moved), public).await
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
