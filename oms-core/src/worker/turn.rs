//! One turn: read behind the lane's lock, decide, write in one commit.

use super::{
    batch::Batch,
    bell::Bell,
    decide::{Outlook, Wanted, decide},
    draft::Draft,
    incident,
    memory::Memory,
    metrics::add,
    origin::Origin,
    parts::{Parts, first_alarm},
    seal::{SealError, seal},
    states::Written,
    work::{Work, works},
};
use crate::{
    clock::Timestamp,
    gateway::EffectKey,
    id::{MessageId, Name, Rank, StreamId},
    message::PackId,
    service::{Entry, Handler, Loaded},
    store::{Ask, Found, Local, Right, StoreError, Stream, Turn},
};
use bytes::Bytes;
use std::{collections::BTreeSet, sync::Arc};

/// What a turn has done.
#[derive(Default)]
pub(super) struct Done {
    /// Delivered packs with nothing left to handle: to be acked.
    pub(super) finished: BTreeSet<PackId>,
    /// The answers that this turn did not get to: whose, and which.
    pub(super) unanswered: BTreeSet<(EffectKey, MessageId)>,
    /// The hints that this turn did not get to.
    pub(super) unseen: BTreeSet<Local>,
    /// Whether something overdue was found: there may be more.
    pub(super) overdue: bool,
    /// Whether a work was found that this turn did not get to.
    pub(super) more: bool,
    /// What a request was answered.
    pub(super) reply: Option<Bytes>,
    /// Whether messages were put aside or released: the due loop must look.
    pub(super) moved: bool,
    /// Whether anything was decided; a turn that only asks for more streams decides nothing.
    pub(super) decided: bool,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum TurnError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("what {works} messages cause can never be written: {error}")]
    Refused {
        error: String,
        works: usize,
        /// The work, if it was the only one.
        alone: Option<Origin>,
    },
}

/// Runs one turn of `right`'s lane, sending in the name of `sender`.
///
/// Dropped at any await nothing is lost: what it had in hand is still owed.
#[tracing::instrument(
    name = "turn",
    level = "debug",
    skip_all,
    fields(group = %right.lane().group, lane = right.lane().lane, owed, duplicates, handled, parked, buried, packs)
)]
pub(super) async fn turn(
    parts: &Parts,
    handler: &dyn Handler,
    sender: &Name,
    right: &Right,
    batch: &Batch<'_>,
    memory: &mut Memory,
) -> Result<Done, TurnError> {
    let mut open = parts.store.turn(right, ask(handler, batch, &memory.wanted)).await?;
    let mut found = open.found();
    let mut all = works(parts.codec.as_ref(), batch, &mut found);
    let condemned = foremost(&mut all, batch);
    // The store bounds what is owed; answers and local work count as well (rule 21).
    let count = all.len().min(batch.limit.messages.max(1));
    let bound = parts.options.streams;
    let (loaded, count) = load(open.as_mut(), handler, &all[..count], &mut found, memory, bound).await?;
    let works = &all[..count];
    let mut draft = Draft::new(sender, handler, &mut found, loaded);
    let outlook = match condemned {
        Some(error) => condemn(works, error, &mut draft),
        None => decide(handler, works, &mut draft, &mut memory.wanted, &parts.options.retry),
    };
    // Who asks from outside is told at once; a dead letter would only fill the store for them.
    if let Some(buried) = draft.buried.first().filter(|_| !batch.requests.is_empty()) {
        return Err(TurnError::Refused { error: buried.error.to_string(), works: 1, alone: None });
    }
    let (decided, rest) = all.split_at(outlook.decided);
    let mut done = done(decided, rest, &found, &draft);
    done.reply = draft.reply.take();
    let count = Count::of(decided, outlook.handled, batch, &found, &draft);
    if !draft.is_empty() {
        let written = write(parts, open, right, draft, found.position, done.moved).await;
        let (wake, states) = written.map_err(|error| refused(error, decided))?;
        wake.ring(parts);
        memory.states.keep(states);
        add(&parts.tally.turns, 1);
    }
    count.note(parts);
    Ok(done)
}

/// Brings the condemned work to the front, if it is still there, and gives its error.
fn foremost<'a>(works: &mut [Work], batch: &'a Batch<'_>) -> Option<&'a str> {
    let (origin, error) = batch.condemned.as_ref()?;
    let place = works.iter().position(|work| work.origin == *origin)?;
    works[..=place].rotate_right(1);
    Some(error)
}

/// Loads and records incidents, seals, commits; says whom that concerns, and which states it wrote.
async fn write(
    parts: &Parts,
    mut open: Box<dyn Turn>,
    right: &Right,
    mut draft: Draft,
    position: u64,
    moved: bool,
) -> Result<(Wake, Vec<(StreamId, Written)>), TurnError> {
    let incidents = incident::streams(&draft);
    if !incidents.is_empty() {
        let loaded = open.load(&incidents).await?;
        draft.loaded.0.extend(loaded.into_iter().map(|(stream, state)| (stream, Entry::new(state))));
        incident::record(&mut draft).map_err(serde_error)?;
    }
    let gateways: BTreeSet<Name> = draft.effects.iter().map(|effect| Name::clone(&effect.gateway)).collect();
    let now = draft.now;
    let (writes, states) = seal(draft, right.lane(), position, parts.codec.as_ref(), &parts.options)?;
    let alarm = first_alarm(now, &writes);
    let watchers = parts.watches.concerned(&writes.streams);
    let wake = Wake { packs: !writes.packs.is_empty(), due: moved, alarm, gateways, watchers };
    open.commit(writes).await?;
    Ok((wake, states))
}

/// Says of a refusal whether it can only be the work of one.
fn refused(error: TurnError, decided: &[Work]) -> TurnError {
    match error {
        TurnError::Store(StoreError::Refused(_)) | TurnError::Seal(_) => {
            let alone = if let [work] = decided { Some(work.origin.clone()) } else { None };
            TurnError::Refused { error: error.to_string(), works: decided.len(), alone }
        }
        TurnError::Store(_) | TurnError::Refused { .. } => error,
    }
}

fn serde_error(error: crate::event::WireError) -> TurnError {
    TurnError::Store(StoreError::refused(error))
}

fn ask(handler: &dyn Handler, batch: &Batch<'_>, wanted: &Wanted) -> Ask {
    let known = Loaded::default();
    let delivered = batch.delivered.iter().flat_map(|delivered| &delivered.messages);
    let named = delivered.chain(&batch.requests).flat_map(|message| handler.streams(message, &known));
    let streams = named.chain(wanted.streams.iter().cloned()).filter(|stream| stream.rank == Rank::Keyed);
    // Of two that have one name the first counts, here and when they are handled.
    let mut names = BTreeSet::new();
    let first: Vec<_> = batch.delivered.iter().filter(|delivered| names.insert(&delivered.pack)).collect();
    Ask {
        packs: first.iter().map(|delivered| delivered.pack.clone()).collect(),
        bodies: first.iter().map(|delivered| delivered.bytes.clone()).collect(),
        owed_longer: batch.overdue,
        local: batch.local.clone(),
        answered: batch.answers.iter().map(|hand| hand.effect.key.clone()).collect(),
        streams: streams.collect(),
        limit: batch.limit,
    }
}

/// Loads what the works need: keyed streams first; with them known, shared ones, once and sorted (rule 14). Says how many
/// of the works, from the front, fit under the bound on streams; the rest comes again in the next turn (rule 21).
pub(super) async fn load(
    open: &mut dyn Turn,
    handler: &dyn Handler,
    works: &[Work],
    found: &mut Found,
    memory: &Memory,
    bound: usize,
) -> Result<(Loaded, usize), StoreError> {
    let first = std::mem::take(&mut found.streams);
    let entry = |(id, stream): (StreamId, Stream)| {
        let entry = memory.states.entry(&id, stream);
        (id, entry)
    };
    let mut loaded = Loaded(first.into_iter().map(entry).collect());
    let mut named = named(handler, works, &loaded);
    let mut fits = works.len();
    for rank in [Rank::Keyed, Rank::Shared] {
        let is_missing = |stream: &&StreamId| stream.rank == rank && loaded.get(stream).is_none();
        let mut missing: BTreeSet<&StreamId> = memory.wanted.streams.iter().filter(is_missing).collect();
        for (place, streams) in named[..fits].iter().enumerate() {
            let more: BTreeSet<&StreamId> = streams.iter().filter(is_missing).collect();
            if place > 0 && missing.len() + more.difference(&missing).count() > bound {
                fits = place;
                break;
            }
            missing.extend(more);
        }
        if missing.is_empty() {
            continue;
        }
        let missing = missing.into_iter().cloned().collect();
        let more = open.load(&missing).await?;
        loaded.0.extend(more.into_iter().map(entry));
        if rank == Rank::Keyed {
            // What was loaded may name shared streams.
            named = self::named(handler, &works[..fits], &loaded);
        }
    }
    Ok((loaded, fits))
}

/// The streams that each work needs, as far as can be told by those in hand.
fn named(handler: &dyn Handler, works: &[Work], loaded: &Loaded) -> Vec<Vec<StreamId>> {
    let streams = |work: &Work| match work.unreadable {
        None => handler.streams(&work.message, loaded),
        Some(_) => Vec::new(),
    };
    works.iter().map(streams).collect()
}

fn condemn(works: &[Work], error: &str, draft: &mut Draft) -> Outlook {
    let Some(work) = works.first() else { return Outlook::default() };
    draft.bury(work, error, work.attempts + 1);
    Outlook { decided: 1, handled: 0 }
}

fn done(decided: &[Work], rest: &[Work], found: &Found, draft: &Draft) -> Done {
    let mut done = Done { more: !rest.is_empty(), decided: !decided.is_empty(), ..Done::default() };
    let mut unfinished: BTreeSet<&PackId> =
        found.owed.iter().filter(|owed| owed.cut).map(|owed| &owed.pack).collect();
    for work in rest {
        match &work.origin {
            Origin::Owed { pack, .. } => _ = unfinished.insert(pack),
            Origin::Released { seq } => _ = done.unseen.insert(Local::Released(*seq)),
            Origin::Redriven { number } => _ = done.unseen.insert(Local::Redriven(*number)),
            Origin::Due { stream, .. } => _ = done.unseen.insert(Local::Due(stream.clone())),
            Origin::Answered { effect, .. } => {
                done.unanswered.insert((effect.clone(), work.message.envelope.id));
            }
            Origin::Request => {}
        }
    }
    let owed = found.owed.iter().map(|owed| &owed.pack);
    done.finished =
        owed.chain(&found.duplicates).filter(|pack| !unfinished.contains(pack)).cloned().collect();
    done.overdue = found.owed.iter().any(|owed| owed.overdue && !owed.left.is_empty());
    let released = |work: &Work| matches!(work.origin, Origin::Released { .. } | Origin::Redriven { .. });
    done.moved = !draft.parked.is_empty() || decided.iter().any(released);
    done
}

/// What a turn has done, in numbers; noted only once it is durable.
struct Count {
    taken: usize,
    duplicates: usize,
    handled: usize,
    parked: usize,
    buried: usize,
}

impl Count {
    fn of(decided: &[Work], handled: usize, batch: &Batch<'_>, found: &Found, draft: &Draft) -> Self {
        let overdue: BTreeSet<&PackId> =
            found.owed.iter().filter(|owed| owed.overdue).map(|owed| &owed.pack).collect();
        let taken = decided.iter().filter(|work| match &work.origin {
            Origin::Owed { pack, .. } => overdue.contains(pack),
            Origin::Released { .. } | Origin::Redriven { .. } | Origin::Due { .. } => false,
            Origin::Answered { .. } | Origin::Request => false,
        });
        let duplicates: BTreeSet<&PackId> = found.duplicates.iter().collect();
        let repeated = batch.delivered.iter().filter(|delivered| duplicates.contains(&delivered.pack));
        let span = tracing::Span::current();
        span.record("owed", decided.len());
        span.record("packs", draft.outgoing.len());
        Self {
            taken: taken.count(),
            duplicates: repeated.count(),
            handled,
            parked: draft.parked.len(),
            buried: draft.buried.len(),
        }
    }

    fn note(&self, parts: &Parts) {
        add(&parts.tally.taken, self.taken);
        add(&parts.tally.duplicates, self.duplicates);
        add(&parts.tally.handled, self.handled);
        add(&parts.tally.parked, self.parked);
        add(&parts.tally.buried, self.buried);
        let span = tracing::Span::current();
        span.record("duplicates", self.duplicates);
        span.record("handled", self.handled);
        span.record("parked", self.parked);
        span.record("buried", self.buried);
    }
}

/// Whom a commit concerns.
struct Wake {
    packs: bool,
    due: bool,
    alarm: Option<Timestamp>,
    gateways: BTreeSet<Name>,
    watchers: Vec<Arc<Bell>>,
}

impl Wake {
    fn ring(self, parts: &Parts) {
        if self.packs {
            parts.relay.ring();
        }
        if self.due {
            parts.due.ring();
        }
        parts.wake_for(self.alarm);
        self.watchers.iter().for_each(|bell| bell.ring());
        parts.tell_readers();
        self.gateways.iter().filter_map(|gateway| parts.doors.get(gateway)).for_each(Bell::ring);
    }
}
