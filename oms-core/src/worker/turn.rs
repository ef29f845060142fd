//! One turn: read behind the lane's lock, decide, write in one commit.

use super::{
    batch::Batch,
    decide::{Outlook, Wanted, decide},
    draft::Draft,
    incident,
    metrics::add,
    parts::{Parts, first_alarm},
    seal::{SealError, seal},
    work::{Origin, Work, works},
};
use crate::{
    clock::Timestamp,
    gateway::EffectKey,
    id::{Name, Rank, StreamId},
    message::PackId,
    service::{Entry, Handler, Loaded},
    store::{Ask, Found, Right, StoreError, Turn},
};
use bytes::Bytes;
use std::collections::BTreeSet;

/// What a turn has done.
#[derive(Default)]
pub(super) struct Done {
    /// Delivered packs with nothing left to handle: to be acked.
    pub(super) finished: Vec<PackId>,
    /// The wishes whose answers this turn did not get to.
    pub(super) unanswered: BTreeSet<EffectKey>,
    /// Whether something was found that this turn did not get to.
    pub(super) more: bool,
    /// What a request was answered.
    pub(super) reply: Option<Bytes>,
    /// Whether messages were put aside or released: the due loop must look.
    pub(super) moved: bool,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum TurnError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Seal(#[from] SealError),
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
    wanted: &mut Wanted,
) -> Result<Done, TurnError> {
    let mut open = parts.store.turn(right, ask(handler, batch, wanted)).await?;
    let mut found = open.found();
    let works = works(parts.codec.as_ref(), batch, &mut found);
    let loaded = load(open.as_mut(), handler, &works, &mut found, wanted).await?;
    let mut draft = Draft::new(sender, handler, &mut found, loaded);
    let outlook = match &batch.condemned {
        Some(error) => condemn(&works, error, &mut draft),
        None => decide(handler, &works, &mut draft, wanted, &parts.options.retry, &parts.tally),
    };
    let incidents = incident::streams(&draft);
    if !incidents.is_empty() {
        let loaded = open.load(&incidents).await?;
        draft.loaded.0.extend(loaded.into_iter().map(|(stream, state)| (stream, Entry::new(state))));
        incident::record(&mut draft).map_err(serde_error)?;
    }
    let done = done(&works, &outlook, batch, &found, &draft);
    note(parts, &works, &outlook, &found, &draft);
    let gateways: BTreeSet<Name> = draft.effects.iter().map(|effect| Name::clone(&effect.gateway)).collect();
    let reply = draft.reply.take();
    if draft.is_empty() {
        return Ok(Done { reply, ..done });
    }
    let writes = seal(draft, right.lane(), found.position, parts.codec.as_ref(), &parts.options)?;
    let alarm = first_alarm(found.now, &writes);
    let wake = Wake { packs: !writes.packs.is_empty(), due: done.moved, alarm, gateways };
    open.commit(writes).await?;
    add(&parts.tally.turns, 1);
    wake.ring(parts);
    Ok(Done { reply, ..done })
}

fn serde_error(error: crate::event::WireError) -> TurnError {
    TurnError::Store(StoreError::refused(error))
}

fn ask(handler: &dyn Handler, batch: &Batch<'_>, wanted: &Wanted) -> Ask {
    let known = Loaded::default();
    let delivered = batch.delivered.iter().flat_map(|delivered| &delivered.messages);
    let named = delivered.chain(&batch.requests).flat_map(|message| handler.streams(message, &known));
    let streams = named.chain(wanted.streams.iter().cloned()).filter(|stream| stream.rank == Rank::Keyed);
    Ask {
        packs: batch.delivered.iter().map(|delivered| delivered.pack.clone()).collect(),
        owed_longer: batch.overdue,
        local: batch.local.clone(),
        answered: batch.answers.iter().map(|hand| hand.effect.key.clone()).collect(),
        streams: streams.collect(),
        limit: batch.limit,
    }
}

/// Loads what the works need: keyed streams first; with them known, shared ones, once and sorted (rule 14).
async fn load(
    open: &mut dyn Turn,
    handler: &dyn Handler,
    works: &[Work],
    found: &mut Found,
    wanted: &Wanted,
) -> Result<Loaded, StoreError> {
    let first = std::mem::take(&mut found.streams);
    let mut loaded = Loaded(first.into_iter().map(|(stream, state)| (stream, Entry::new(state))).collect());
    for rank in [Rank::Keyed, Rank::Shared] {
        let readable = works.iter().filter(|work| work.unreadable.is_none());
        let named = readable.flat_map(|work| handler.streams(&work.message, &loaded));
        let named = named.chain(wanted.streams.iter().cloned());
        let missing: BTreeSet<StreamId> =
            named.filter(|stream| stream.rank == rank && loaded.get(stream).is_none()).collect();
        if !missing.is_empty() {
            let more = open.load(&missing).await?;
            loaded.0.extend(more.into_iter().map(|(stream, state)| (stream, Entry::new(state))));
        }
    }
    Ok(loaded)
}

fn condemn(works: &[Work], error: &str, draft: &mut Draft) -> Outlook {
    let Some(work) = works.first() else { return Outlook::default() };
    draft.bury(work, error, work.attempts + 1);
    Outlook { decided: 1, handled: 0 }
}

fn done(works: &[Work], outlook: &Outlook, batch: &Batch<'_>, found: &Found, draft: &Draft) -> Done {
    let (decided, rest) = works.split_at(outlook.decided);
    let unfinished: BTreeSet<&PackId> = rest.iter().filter_map(|work| owed_pack(work)).collect();
    let owed = found.owed.iter().map(|owed| &owed.pack);
    let finished = owed.chain(&found.duplicates).filter(|pack| !unfinished.contains(pack)).cloned().collect();
    let unanswered = rest.iter().filter_map(|work| match &work.origin {
        Origin::Answered { effect, .. } => Some(effect.clone()),
        Origin::Owed { .. } | Origin::Released { .. } | Origin::Redriven { .. } => None,
        Origin::Due { .. } | Origin::Request => None,
    });
    let released = |work: &Work| matches!(work.origin, Origin::Released { .. } | Origin::Redriven { .. });
    let given = batch.delivered.len();
    let seen = found.duplicates.len()
        + batch.delivered.iter().filter(|one| found.owed.iter().any(|owed| owed.pack == one.pack)).count();
    Done {
        finished,
        unanswered: unanswered.collect(),
        more: !rest.is_empty() || seen < given,
        reply: None,
        moved: !draft.parked.is_empty() || decided.iter().any(released),
    }
}

fn owed_pack(work: &Work) -> Option<&PackId> {
    match &work.origin {
        Origin::Owed { pack, .. } => Some(pack),
        Origin::Released { .. } | Origin::Redriven { .. } | Origin::Due { .. } => None,
        Origin::Answered { .. } | Origin::Request => None,
    }
}

fn note(parts: &Parts, works: &[Work], outlook: &Outlook, found: &Found, draft: &Draft) {
    let taken = found.owed.iter().filter(|owed| owed.overdue).map(|owed| owed.left.len()).sum();
    add(&parts.tally.taken, taken);
    add(&parts.tally.duplicates, found.duplicates.len());
    add(&parts.tally.handled, outlook.handled);
    let span = tracing::Span::current();
    span.record("owed", works.len());
    span.record("duplicates", found.duplicates.len());
    span.record("handled", outlook.handled);
    span.record("parked", draft.parked.len());
    span.record("buried", draft.buried.len());
    span.record("packs", draft.outgoing.len());
}

/// Whom a commit concerns.
struct Wake {
    packs: bool,
    due: bool,
    alarm: Option<Timestamp>,
    gateways: BTreeSet<Name>,
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
        self.gateways.iter().filter_map(|gateway| parts.doors.get(gateway)).for_each(super::bell::Bell::ring);
    }
}
