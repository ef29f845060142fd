//! An open turn. It holds its lane, and the shared streams it loaded, within this process; turns of other processes are found out
//! when it commits, by the version of the lane and of each stream.

use crate::{
    alarm::{self, Alarm, Awaited, Look},
    book::Book,
    commit::{Job, Read, STANDING, There, complete, key, plan, standing},
    known::Known,
    letters::{self, asides},
    lock::{Guard, Locked},
    owed::{self, Open, OwedRow, Wanted},
    pipe::{Answers, Steps, params, rows},
    rows::{Columns, cap, int, micros, pack_row, sender_of, uint},
    shared::Shared,
    streams,
};
use async_trait::async_trait;
use bytes::Bytes;
use oms_core::{
    clock::Timestamp,
    message::PackId,
    store::{
        Ask, Found, Local, LocalMessage, Owed, Rank, Right, StoreError, StreamId, Streams, Turn, Writes,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::oneshot;

/// A lane as a turn finds it: its version and next position, the revision of the hearers, the epoch of its lease, the time.
pub(crate) const LANE: &str =
    "SELECT lane.version, lane.next, meta.revision, lease.epoch, moment($2) FROM lane CROSS JOIN meta
    JOIN lease ON lease.lane = lane.id WHERE lane.id = $1";

struct PostgresTurn {
    store: Arc<Shared>,
    read: Read,
    there: There,
    found: Found,
    guards: Vec<Guard>,
    shared_loaded: bool,
}

/// Where the answers to a turn's questions lie.
struct Asked {
    steps: Steps,
    lane: usize,
    parked: usize,
    owed: Option<usize>,
    fill: Option<usize>,
    released: Option<usize>,
    redriven: Option<usize>,
    alarms: Option<usize>,
    standing: Option<usize>,
    streams: Option<usize>,
}

impl Asked {
    fn new(known: &Known, lane: i32, ask: &Ask, packs: &[i64], late: &[i64]) -> Self {
        let mut steps = Steps::default();
        let (mut seqs, mut numbers, mut due) = (Vec::new(), Vec::new(), Vec::new());
        for local in &ask.local {
            match local {
                Local::Released(seq) => seqs.push(int(*seq)),
                Local::Redriven(number) => numbers.push(int(*number)),
                Local::Due(stream) => due.push(stream.clone()),
            }
        }
        let now = known.link.now();
        let wanted: Vec<i64> = packs.iter().chain(late).copied().collect();
        let (most, bytes) = (cap(ask.limit.messages.max(1)), cap(ask.limit.bytes));
        let any = !wanted.is_empty();
        Self {
            lane: steps.push(LANE, params![lane, now]),
            parked: steps.push(letters::PARKED_KEYS, params![lane]),
            owed: steps.push_if(!packs.is_empty(), owed::ASKED, || params![lane, packs.to_vec()]),
            fill: steps.push_if(any, owed::FILL, || params![lane, wanted, most, bytes, packs.to_vec()]),
            released: steps.push_if(!seqs.is_empty(), letters::RELEASED, || params![lane, seqs, now]),
            redriven: steps.push_if(!numbers.is_empty(), letters::LETTERS, || params![lane, numbers]),
            alarms: steps.push_if(!due.is_empty(), alarm::OF_STREAMS, || streams::asked(&due)),
            standing: steps.push_if(!ask.answered.is_empty(), STANDING, || standing(lane, &ask.answered)),
            streams: steps.push_if(!ask.streams.is_empty(), streams::NEWEST, || streams::asked(&ask.streams)),
            steps,
        }
    }
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
    let client = known.link.client().await?;
    let mut wanted = Wanted::default();
    if let Some(longer) = ask.owed_longer {
        let asked = params![id, cap(ask.limit.messages.max(1)), micros(longer), known.link.now()];
        wanted.late(&rows(&client, owed::LATE, asked).await?)?;
    }
    let (brought, strangers) = brought(&senders, &ask);
    let packs: Vec<i64> = brought.keys().copied().collect();
    let late: Vec<i64> = wanted.late.iter().copied().collect();
    let asked = Asked::new(known, id, &ask, &packs, &late);
    let answers = asked.steps.snapshot(&client).await?;
    // Whoever holds a connection must not wait for another: all could be held that way.
    drop(client);
    let (mut read, revision) = lane_row(&answers, asked.lane, right, id)?;
    wanted.asked(&brought, answers.of_some(asked.owed))?;
    let duplicates = std::mem::take(&mut wanted.duplicates);
    let (late, delivered) = (wanted.late.clone(), wanted.delivered.clone());
    let open = owed::cut(answers.of_some(asked.fill), wanted, ask.limit)?;
    read.book = at(known, revision, &open).await?;
    let mut turn = PostgresTurn {
        store: Arc::clone(store),
        found: Found {
            duplicates: duplicates.into_iter().map(|pack| read.book.pack(pack)).chain(strangers).collect(),
            parked: letters::keys(answers.of(asked.parked))?,
            hears: Arc::clone(&read.book.hears),
            revision: uint(revision),
            position: read.position,
            now: Timestamp(read.now),
            ..Found::default()
        },
        read,
        there: There::default(),
        guards: vec![guard],
        shared_loaded: false,
    };
    turn.owe(open, &delivered, &late);
    turn.local(&asked, &answers, &ask.local).await?;
    turn.fill(&asked, &answers, &ask.streams)?;
    Ok(Box::new(turn))
}

/// Packs that were delivered, by their rows, with their bytes.
type Brought<'a> = BTreeMap<i64, Option<&'a Bytes>>;

/// The rows of the packs that were delivered; and those whose sender nobody here knows: another database left them.
fn brought<'a>(senders: &[Option<i32>], ask: &'a Ask) -> (Brought<'a>, Vec<PackId>) {
    let (mut brought, mut strangers) = (Brought::new(), Vec::new());
    for (number, (pack, sender)) in ask.packs.iter().zip(senders).enumerate() {
        match sender {
            Some(sender) => _ = brought.insert(pack_row(*sender, pack.position), ask.bodies.get(number)),
            None => strangers.push(pack.clone()),
        }
    }
    (brought, strangers)
}

/// The book of a revision, with the senders of these packs in it.
pub(crate) async fn at(known: &Known, revision: i64, open: &[Open]) -> Result<Arc<Book>, StoreError> {
    let book = known.book_with(open.iter().map(|open| sender_of(open.row.pack))).await?;
    let book = if book.revision == revision { book } else { known.reload().await? };
    // It may have changed again since; the lane has then moved on with it.
    if book.revision == revision { Ok(book) } else { Err(StoreError::Conflict) }
}

pub(crate) fn lane_row(
    answers: &Answers,
    place: usize,
    right: &Right,
    id: i32,
) -> Result<(Read, i64), StoreError> {
    let missing = || StoreError::Misused("a lane was removed");
    let row = answers.of(place).first().ok_or_else(missing)?;
    let mut row = Columns::of(row);
    let (version, position, revision) = (row.get()?, row.number()?, row.get()?);
    let (epoch, now): (i64, i64) = (row.get()?, row.get()?);
    let lane = right.lane().clone();
    let fenced = match right {
        Right::Fenced(lease) if int(lease.epoch) != epoch => return Err(StoreError::LostLease(lane)),
        Right::Fenced(_) => true,
        Right::Unfenced(_) => false,
    };
    let book = Arc::new(Book::default());
    Ok((Read { lane, id, version, position, epoch, fenced, now, book }, revision))
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

    async fn local(&mut self, asked: &Asked, answers: &Answers, hints: &[Local]) -> Result<(), StoreError> {
        self.there.parked = asides(answers.of_some(asked.released))?;
        self.there.dead = asides(answers.of_some(asked.redriven))?;
        self.found.local = letters::local(hints, &self.there.parked, &self.there.dead)?;
        let alarms: Vec<Alarm> =
            answers.of_some(asked.alarms).iter().map(alarm::read).collect::<Result<_, _>>()?;
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

    /// Adds the wishes that still stand, and the streams.
    fn fill(
        &mut self,
        asked: &Asked,
        answers: &Answers,
        streams: &BTreeSet<StreamId>,
    ) -> Result<(), StoreError> {
        for row in answers.of_some(asked.standing) {
            self.there.effects.insert(key(row)?);
        }
        self.found.standing = self.there.effects.clone();
        let rows = answers.of_some(asked.streams);
        let mut loaded = streams::loaded(rows, streams, &mut self.store.known.heads())?;
        self.mark_unclaimed(&mut loaded);
        self.found.streams = loaded;
        Ok(())
    }

    /// Adds what only this process knows: the wishes that an undo may still withdraw.
    fn mark_unclaimed(&self, streams: &mut Streams) {
        let hand = self.store.known.hand();
        let tenure = (self.read.id, self.read.epoch);
        streams.iter_mut().for_each(|(id, stream)| stream.unclaimed = hand.untold(id, tenure));
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
        let known = &self.store.known;
        let client = known.link.client().await?;
        let found = rows(&client, streams::NEWEST, streams::asked(streams)).await?;
        let mut loaded = streams::loaded(&found, streams, &mut known.heads())?;
        self.mark_unclaimed(&mut loaded);
        Ok(loaded)
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
                hand.wish(effect.key.clone(), effect.stream.clone(), tenure);
            }
            drop(hand);
            let mut known = known.heads();
            heads.into_iter().for_each(|(stream, head)| known.learn(&stream, head));
        };
        let job = Job { lane, id, changes, guards, reply, learn: Box::new(learn) };
        store.committer.commit(job, answer).await
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
