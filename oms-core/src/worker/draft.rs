//! A draft: what the messages of one batch have changed so far, in memory, before anything is sealed or written.

use super::{origin::Origin, work::Work};
use crate::{
    clock::Timestamp,
    event::incident::{IncidentEvent, MessageBuried, MessageRedriven},
    gateway::{Effect, EffectKey},
    id::{MessageId, Name, StreamId},
    message::{Envelope, Key, Message},
    service::{Append, DueIn, Fault, Handler, Loaded, Outgoing, Reaction, State},
    store::{Buried, Consumed, End, Event, Found, Parked},
};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// What has happened to one stream in this batch.
#[derive(Default)]
pub(super) struct Change {
    pub(super) expected: u64,
    pub(super) events: Vec<Event>,
    pub(super) causes: Vec<MessageId>,
    /// The deadline it shall have from now on, if that changed.
    pub(super) deadline: Option<Option<Watch>>,
}

/// A deadline as a handler set it, with its message by its place among the draft's outgoing ones.
#[derive(Clone)]
pub(super) struct Watch {
    pub(super) delay: Duration,
    pub(super) waits_for: Option<(usize, Name)>,
    pub(super) key: Name,
    pub(super) set_at: u64,
}

/// Everything a batch has decided so far.
pub(super) struct Draft {
    /// Who sends: the ids of what goes out are minted in this name.
    pub(super) group: Name,
    /// Who hears the deadlines that are set.
    pub(super) hearer: Name,
    pub(super) now: Timestamp,
    pub(super) loaded: Loaded,
    pub(super) changes: BTreeMap<StreamId, Change>,
    pub(super) outgoing: Vec<Message>,
    pub(super) effects: Vec<Effect>,
    pub(super) withdrawn: Vec<EffectKey>,
    pub(super) consumed: Vec<Consumed>,
    pub(super) parked: Vec<Parked>,
    pub(super) buried: Vec<Buried>,
    /// What is to be recorded of messages given up or redriven: by key, cause and event.
    pub(super) incidents: Vec<(Name, MessageId, IncidentEvent)>,
    pub(super) reply: Option<Bytes>,
    /// The kinds it may append to.
    owns: Vec<Name>,
    parked_keys: BTreeSet<Key>,
    hears: Arc<BTreeMap<Name, BTreeSet<Name>>>,
}

impl Draft {
    pub(super) fn new(sender: &Name, handler: &dyn Handler, found: &mut Found, loaded: Loaded) -> Self {
        Self {
            group: Name::clone(sender),
            hearer: handler.group(),
            now: found.now,
            loaded,
            changes: BTreeMap::new(),
            outgoing: Vec::new(),
            effects: Vec::new(),
            withdrawn: Vec::new(),
            consumed: Vec::new(),
            parked: Vec::new(),
            buried: Vec::new(),
            incidents: Vec::new(),
            reply: None,
            owns: handler.owns(),
            parked_keys: std::mem::take(&mut found.parked),
            hears: Arc::clone(&found.hears),
        }
    }

    /// Whether there is nothing to commit.
    pub(super) fn is_empty(&self) -> bool {
        self.consumed.is_empty()
            && self.changes.is_empty()
            && self.outgoing.is_empty()
            && self.effects.is_empty()
            && self.withdrawn.is_empty()
            && self.parked.is_empty()
            && self.buried.is_empty()
    }

    /// Whether earlier messages of this key are put aside, in the store or by this batch (rule 9).
    pub(super) fn is_parked(&self, key: &Key) -> bool {
        self.parked_keys.contains(key)
    }

    /// Whether an earlier message of this batch has replaced or cleared the deadline that `work` is the firing of: the
    /// commit does away with it, and nobody is late any more.
    pub(super) fn has_moved_on(&self, work: &Work) -> bool {
        let Origin::Due { stream, .. } = &work.origin else { return false };
        self.changes.get(stream).is_some_and(|change| change.deadline.is_some())
    }

    /// Takes a reaction in whole, or says why it cannot be: nothing of it is taken then.
    pub(super) fn take(
        &mut self,
        handler: &dyn Handler,
        work: &Work,
        reaction: Reaction,
    ) -> Result<(), Fault> {
        let steps = self.checked(handler, &reaction)?;
        let cause = &work.message.envelope;
        let places = self.send(cause, reaction.outgoing);
        for (append, states) in reaction.appends.into_iter().zip(steps) {
            self.advance(append, states, cause.id);
        }
        for (stream, due) in reaction.deadlines {
            self.watch(&stream, due, cause, &places);
        }
        reaction.effects.into_iter().for_each(|effect| self.wish(effect));
        reaction.withdrawn.into_iter().for_each(|key| self.withdraw(key));
        self.reply = reaction.reply.or(self.reply.take());
        if matches!(work.origin, Origin::Redriven { .. }) {
            self.incident(work, |group| {
                IncidentEvent::MessageRedriven(MessageRedriven {
                    group,
                    kind: Name::clone(&cause.kind),
                    message: cause.id,
                    attempts: work.attempts,
                })
            });
        }
        self.consumed.extend(work.consumed(End::Handled));
        Ok(())
    }

    fn checked(&self, handler: &dyn Handler, reaction: &Reaction) -> Result<Vec<Arc<dyn State>>, Fault> {
        let deadlines = reaction.deadlines.iter().map(|(stream, _)| stream);
        if let Some(stray) =
            deadlines.into_iter().find(|stream| !reaction.appends.iter().any(|one| one.stream == **stream))
        {
            return Err(Fault::Permanent(format!("a deadline of {stray}, which was not appended to")));
        }
        let named: BTreeSet<&StreamId> = reaction.appends.iter().map(|append| &append.stream).collect();
        if named.len() < reaction.appends.len() {
            return Err(Fault::Permanent("a stream was appended to twice; join its events".to_owned()));
        }
        // The store would call it a conflict, again and again.
        let unclaimed =
            |key: &&EffectKey| !self.loaded.0.values().any(|entry| entry.stream.unclaimed.contains(key));
        if let Some(claimed) = reaction.withdrawn.iter().find(unclaimed) {
            return Err(Fault::Permanent(format!("{claimed} was withdrawn, and is not among the unclaimed")));
        }
        let step = |append: &Append| {
            let stream = &append.stream;
            if !self.owns.contains(&stream.kind) {
                return Err(Fault::Permanent(format!("{} may not append to {stream}", self.group)));
            }
            let Some(entry) = self.loaded.get(stream) else {
                return Err(Fault::Permanent(format!("{stream} was appended to and never named")));
            };
            if append.events.is_empty() {
                return Err(Fault::Permanent(format!("nothing was appended to {stream}")));
            }
            if let Some(next) = &append.next {
                return Ok(Arc::clone(next));
            }
            let mut now = entry.clone();
            for event in &append.events {
                let next = handler.evolve(stream, &now, event)?;
                now.advance(now.stream.version + 1, next);
            }
            now.typed().cloned().ok_or_else(|| Fault::Permanent(format!("{stream} did not evolve")))
        };
        reaction.appends.iter().map(step).collect()
    }

    /// Stamps and keeps what somebody hears; gives the place of each outgoing message, if it has one.
    fn send(&mut self, cause: &Envelope, outgoing: Vec<Outgoing>) -> Vec<Option<usize>> {
        let mut places = Vec::with_capacity(outgoing.len());
        for (index, Outgoing { topic, key, kind, schema, body }) in outgoing.into_iter().enumerate() {
            if !self.hears.values().any(|topics| topics.contains(&topic)) {
                places.push(None);
                continue;
            }
            let id = MessageId::caused(&self.group, cause.id, index);
            let correlation = Name::clone(&cause.correlation);
            let (time, trace) = (self.now, cause.trace.clone());
            let envelope =
                Envelope { id, cause: cause.id, correlation, topic, key, kind, schema, time, trace };
            places.push(Some(self.outgoing.len()));
            self.outgoing.push(Message { envelope, body });
        }
        places
    }

    pub(super) fn advance(&mut self, append: Append, next: Arc<dyn State>, cause: MessageId) {
        let entry = self.loaded.0.entry(append.stream.clone()).or_default();
        let version = entry.stream.version;
        let fresh = || Change { expected: version, ..Change::default() };
        let change = self.changes.entry(append.stream).or_insert_with(fresh);
        change.causes.extend(append.events.iter().map(|_| cause));
        entry.advance(version + append.events.len() as u64, next);
        change.events.extend(append.events);
    }

    fn watch(&mut self, stream: &StreamId, due: Option<DueIn>, cause: &Envelope, places: &[Option<usize>]) {
        let set_at = self.loaded.get(stream).map_or(0, |entry| entry.stream.version);
        let Some(change) = self.changes.get_mut(stream) else { return };
        change.deadline = Some(due.map(|due| Watch {
            delay: due.delay,
            waits_for: due.waits_for.and_then(|(index, group)| Some(((*places.get(index)?)?, group))),
            key: Name::clone(cause.key.text()),
            set_at,
        }));
    }

    fn wish(&mut self, effect: Effect) {
        if let Some(entry) = self.loaded.0.get_mut(&effect.stream) {
            // Nobody can claim it before this batch commits, so a later message of the batch may still withdraw it.
            entry.stream.unclaimed.push(effect.key.clone());
        }
        self.effects.push(effect);
    }

    fn withdraw(&mut self, key: EffectKey) {
        for entry in self.loaded.0.values_mut() {
            entry.stream.unclaimed.retain(|unclaimed| *unclaimed != key);
        }
        let before = self.effects.len();
        self.effects.retain(|effect| effect.key != key);
        if self.effects.len() == before {
            self.withdrawn.push(key);
        }
    }

    fn incident(&mut self, work: &Work, event: impl FnOnce(Name) -> IncidentEvent) {
        let envelope = &work.message.envelope;
        self.incidents.push((Name::clone(envelope.key.text()), envelope.id, event(Name::clone(&self.group))));
    }

    /// Puts a message aside; those of its key that follow queue behind it.
    pub(super) fn park(&mut self, work: &Work, error: &str, attempts: u32, next: Option<Duration>) {
        let again = match work.origin {
            Origin::Released { seq } => Some(seq),
            _ => None,
        };
        self.parked_keys.insert(work.message.envelope.key.clone());
        self.parked.push(Parked {
            again,
            message: work.message.clone(),
            origin: work.owed(),
            error: Name::from(error),
            attempts,
            next,
        });
        self.consumed.extend(work.consumed(End::Parked));
    }

    /// Gives a message up; its key goes on.
    pub(super) fn bury(&mut self, work: &Work, error: &str, attempts: u32) {
        let again = match work.origin {
            Origin::Redriven { number } => Some(number),
            _ => None,
        };
        self.incident(work, |group| {
            IncidentEvent::MessageBuried(MessageBuried {
                group,
                kind: Name::clone(&work.message.envelope.kind),
                message: work.message.envelope.id,
                error: error.to_owned(),
                attempts,
            })
        });
        self.buried.push(Buried {
            message: work.message.clone(),
            origin: work.owed(),
            error: Name::from(error),
            attempts,
            again,
        });
        self.consumed.extend(work.consumed(End::Buried));
    }
}
