//! An open turn. It holds its lane, and the shared streams it loaded, within this process; turns of other processes are found out
//! when it commits, by the version of the lane and of each stream.

use crate::{
    alarm::{self, Alarm, Awaited, Look},
    book::Book,
    commit::{Job, Read, There, complete, plan},
    known::Known,
    letters,
    lock::{Guard, Locked},
    owed::{self, Open, OwedRow, Wanted},
    pipe::{params, rows},
    reads::{self, LaneRow, OfLane, Question, Reply},
    rows::{cap, digest, int, micros, pack_row, sender_of, uint},
    shared::Shared,
};
use async_trait::async_trait;
use oms_core::{
    clock::Timestamp,
    message::{Key, PackId},
    store::{
        Ask, Found, Local, LocalMessage, Owed, Rank, Right, StoreError, StreamId, Streams, Turn, Writes,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::oneshot;

struct PostgresTurn {
    store: Arc<Shared>,
    read: Read,
    there: There,
    found: Found,
    guards: Vec<Guard>,
    shared_loaded: bool,
}

/// What a turn asks of its lane.
fn question(id: i32, ask: &Ask, packs: Vec<(i64, Option<u128>)>, late: Vec<i64>) -> Question {
    let mut own = OfLane { id, packs, late, limit: ask.limit, ..OfLane::default() };
    for local in &ask.local {
        match local {
            Local::Released(seq) => own.released.push(int(*seq)),
            Local::Redriven(number) => own.redriven.push(int(*number)),
            Local::Due(stream) => own.alarms.push(stream.clone()),
        }
    }
    own.answered = ask.answered.clone();
    Question { lane: Some(own), streams: ask.streams.clone() }
}

/// Locks the lane in this process, then reads it, and checks the epoch (rule 8).
pub(crate) async fn begin(store: &Arc<Shared>, right: &Right, ask: Ask) -> Result<Box<dyn Turn>, StoreError> {
    if ask.streams.iter().any(|stream| stream.rank == Rank::Shared) {
        return Err(StoreError::Misused("shared streams are loaded last, by themselves"));
    }
    let known = &store.known;
    let lane = right.lane().clone();
    let id = known.lane_ids(std::slice::from_ref(&lane)).await?[0];
    let senders: Vec<_> = ask.packs.iter().map(|pack| pack.sender.clone()).collect();
    let senders = known.find(&senders).await?;
    let guard = store.locks.lock(Locked::Lane(id)).await;
    let mut wanted = overdue(known, id, &ask).await?;
    let (brought, strangers) = brought(&senders, &ask);
    let late = wanted.late.clone();
    let asked = question(id, &ask, brought.clone(), late.iter().copied().collect());
    let Reply { lane: told, streams } = reads::ask(&store.reader, asked).await?;
    let (mut read, parked) = lane_row(told.row, right, id)?;
    wanted.asked(brought.iter().map(|(pack, _)| *pack), told.asked);
    let duplicates = std::mem::take(&mut wanted.duplicates);
    let delivered = wanted.delivered.clone();
    let open = owed::cut(told.fill, wanted, ask.limit);
    read.book = at(known, read.revision, &open).await?;
    let mut turn = PostgresTurn {
        store: Arc::clone(store),
        found: Found {
            duplicates: duplicates.into_iter().map(|pack| read.book.pack(pack)).chain(strangers).collect(),
            parked,
            hears: Arc::clone(&read.book.hears),
            revision: uint(read.revision),
            position: read.position,
            now: Timestamp(read.now),
            standing: told.standing.clone(),
            ..Found::default()
        },
        read,
        there: There {
            parked: told.released,
            dead: told.redriven,
            effects: told.standing,
            ..There::default()
        },
        guards: vec![guard],
        shared_loaded: false,
    };
    turn.owe(open, &delivered, &late);
    turn.local(told.alarms, &ask.local).await?;
    turn.found.streams = turn.with_unclaimed(streams);
    Ok(Box::new(turn))
}

/// What has been owed to the lane for longer than the ask says.
async fn overdue(known: &Known, id: i32, ask: &Ask) -> Result<Wanted, StoreError> {
    let mut wanted = Wanted::default();
    if let Some(longer) = ask.owed_longer {
        let asked = params![id, cap(ask.limit.messages.max(1)), micros(longer), known.link.now()];
        wanted.late(&rows(&known.link.client().await?, owed::LATE, asked).await?)?;
    }
    Ok(wanted)
}

/// The rows of the packs that were delivered, with the digest of what came; and those whose sender nobody here knows: another
/// database left them.
fn brought(senders: &[Option<i32>], ask: &Ask) -> (Vec<(i64, Option<u128>)>, Vec<PackId>) {
    let (mut brought, mut strangers) = (BTreeMap::new(), Vec::new());
    for (number, (pack, sender)) in ask.packs.iter().zip(senders).enumerate() {
        match sender {
            Some(sender) => {
                _ = brought.insert(pack_row(*sender, pack.position), ask.bodies.get(number).map(digest));
            }
            None => strangers.push(pack.clone()),
        }
    }
    (brought.into_iter().collect(), strangers)
}

/// The book of a revision, with the senders of these packs in it.
pub(crate) async fn at(known: &Known, revision: i64, open: &[Open]) -> Result<Arc<Book>, StoreError> {
    let book = known.book_with(open.iter().map(|open| sender_of(open.row.pack))).await?;
    let book = if book.revision == revision { book } else { known.reload().await? };
    // It may have changed again since; the lane has then moved on with it.
    if book.revision == revision { Ok(book) } else { Err(StoreError::Conflict) }
}

/// A lane as its turn finds it, under a lease that still stands.
pub(crate) fn lane_row(
    row: Option<LaneRow>,
    right: &Right,
    id: i32,
) -> Result<(Read, BTreeSet<Key>), StoreError> {
    let row = row.ok_or(StoreError::Misused("a lane was removed"))?;
    let LaneRow { version, next: position, revision, epoch, now, parked } = row;
    let lane = right.lane().clone();
    let fenced = match right {
        Right::Fenced(lease) if int(lease.epoch) != epoch => return Err(StoreError::LostLease(lane)),
        Right::Fenced(_) => true,
        Right::Unfenced(_) => false,
    };
    let book = Arc::new(Book::default());
    Ok((Read { lane, id, version, position, revision, epoch, fenced, now, book }, parked))
}

impl PostgresTurn {
    fn owe(&mut self, open: Vec<Open>, delivered: &BTreeSet<i64>, late: &BTreeSet<i64>) {
        for Open { row, left, cut } in open {
            let OwedRow { pack, topic, marks, bytes, .. } = row;
            self.found.owed.push(Owed {
                pack: self.read.book.pack(pack),
                topic,
                left,
                cut,
                count: marks.count,
                bytes: bytes.filter(|_| !delivered.contains(&pack)),
                overdue: late.contains(&pack),
            });
            self.there.owed.insert(pack, marks);
        }
    }

    async fn local(&mut self, alarms: Vec<Alarm>, hints: &[Local]) -> Result<(), StoreError> {
        self.found.local = letters::local(hints, &self.there.parked, &self.there.dead)?;
        let own: Vec<Alarm> = alarms.into_iter().filter(|alarm| alarm.hearer == self.read.id).collect();
        if own.is_empty() {
            return Ok(());
        }
        let client = self.store.known.link.client().await?;
        let awaited = Awaited::ask(&client, &self.read.book, &own).await?;
        for alarm in own {
            if let Look::Due(deadline, firing) =
                alarm::look(&alarm, &awaited, &self.read.book, self.found.now)
            {
                let (stream, set_at) = (alarm.stream.clone(), deadline.set_at);
                self.found.local.push(LocalMessage::Due { stream, key: deadline.key, set_at, firing });
            }
            self.there.alarms.insert(alarm.stream.clone(), alarm);
        }
        Ok(())
    }

    /// Adds what only this process knows: the wishes that an undo may still withdraw.
    fn with_unclaimed(&self, mut streams: Streams) -> Streams {
        let hand = self.store.known.hand();
        let tenure = (self.read.id, self.read.epoch);
        streams.iter_mut().for_each(|(id, stream)| stream.unclaimed = hand.untold(id, tenure));
        streams
    }
}

#[async_trait]
impl Turn for PostgresTurn {
    fn found(&mut self) -> Found {
        std::mem::take(&mut self.found)
    }

    async fn load(&mut self, streams: &BTreeSet<StreamId>) -> Result<Streams, StoreError> {
        let shared = streams.iter().filter(|stream| stream.rank == Rank::Shared).cloned();
        let shared: BTreeSet<Locked> = shared.map(Locked::Stream).collect();
        if !shared.is_empty() {
            if self.shared_loaded {
                return Err(StoreError::Misused("shared streams are loaded once in a turn"));
            }
            self.shared_loaded = true;
            self.guards.extend(self.store.locks.lock_all(shared).await);
        }
        if streams.is_empty() {
            return Ok(Streams::new());
        }
        let question = Question { lane: None, streams: streams.clone() };
        let reply = reads::ask(&self.store.reader, question).await?;
        Ok(self.with_unclaimed(reply.streams))
    }

    async fn commit(self: Box<Self>, writes: Writes) -> Result<(), StoreError> {
        let Self { store, read, mut there, guards, .. } = *self;
        let known = &store.known;
        complete(known, &read, &mut there, &writes).await?;
        let tenure = (read.id, read.epoch);
        let (id, lane) = (read.id, read.lane.clone());
        let planned = {
            let hand = known.hand();
            plan(read, there, &writes, |key| hand.is_untold(key, tenure))?
        };
        let (changes, heads) = (planned.changes, planned.heads);
        let (reply, answer) = oneshot::channel();
        let learn = move |known: &Known, all_new: bool| {
            let mut hand = known.hand();
            let gone = changes_of(&writes);
            gone.for_each(|key| hand.forget(key));
            for effect in writes.effects.iter().filter(|_| all_new) {
                hand.wish(effect.key.clone(), &effect.gateway, effect.stream.clone(), tenure);
            }
            drop(hand);
            let mut known = known.heads();
            heads.into_iter().for_each(|(stream, head)| known.learn(&stream, head));
        };
        let job = Job { lane, id, changes, guards, reply, learn: Box::new(learn) };
        store.committer.ask(job, answer).await
    }
}

/// The wishes that writes end or let go of.
fn changes_of(writes: &Writes) -> impl Iterator<Item = &oms_core::gateway::EffectKey> {
    use oms_core::store::{Consumed, Then};
    let answered = writes.consumed.iter().filter_map(|one| match one {
        Consumed::Answered { effect, then: Then::Gone | Then::LetGo { .. } } => Some(effect),
        _ => None,
    });
    answered.chain(&writes.withdrawn)
}
