//! The parts that the loops share: ports, settings, desks and bells.

use super::{
    bell::Bell,
    desk::Desk,
    metrics::Tally,
    options::Options,
    vital::{DoorVitals, Vitals},
    watch::{Watch, Watches},
};
use crate::{
    broker::{Broker, BrokerError, Topology},
    clock::{Clock, Timestamp},
    gateway::Gateway,
    id::{IdSource, Name, StreamId},
    message::{Codec, GroupLane},
    projection::model::{Library, Projection, ReadModels},
    service::Handler,
    store::{Lease, Store, Writes},
};
use futures::{
    FutureExt,
    channel::oneshot,
    future::{BoxFuture, Either, Shared, select},
    lock::Mutex,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// The longest pause between two tries while the house drains.
const DRAIN_PAUSE: Duration = Duration::from_millis(20);

/// The sender's name of what is placed.
pub(super) const PLACE: &str = "place";

/// Everything the loops share.
pub struct Parts {
    /// Where events, states and what is owed are kept.
    pub store: Arc<dyn Store>,
    /// What carries packs.
    pub broker: Arc<dyn Broker>,
    /// The only source of time.
    pub clock: Arc<dyn Clock>,
    /// Turns packs into bytes and back.
    pub codec: Arc<dyn Codec>,
    /// The services and the user's own hearers.
    pub handlers: Vec<Arc<dyn Handler>>,
    /// The doors to the outside world, by name.
    pub gateways: BTreeMap<Name, Arc<dyn Gateway>>,
    /// The settings.
    pub options: Options,
    /// Who hears what, as the store has it.
    pub topology: Topology,
    /// What is counted.
    pub tally: Tally,
    pub(super) owner: u128,
    pub(super) desks: Vec<Arc<Desk>>,
    places: BTreeMap<GroupLane, usize>,
    pub(super) relay: Bell,
    pub(super) due: Bell,
    /// When the due loop looks next, in microseconds; an earlier alarm wakes it.
    pub(super) next_look: AtomicI64,
    pub(super) doors: BTreeMap<Name, Bell>,
    pub(super) watches: Watches,
    /// The read models that this process keeps, if it keeps any.
    pub library: Option<Library>,
    /// The bell of each model's loop, by the model's name.
    pub(super) readers: BTreeMap<&'static str, Bell>,
    pub(super) calling: AtomicUsize,
    pub(super) released: AtomicUsize,
    pub(super) vitals: Vitals,
    declared: Mutex<bool>,
    stop: std::sync::Mutex<Option<oneshot::Sender<()>>>,
    stopped: Shared<BoxFuture<'static, ()>>,
}

/// What a user hands in to have [`Parts`] made.
pub struct Supplies {
    /// See [`Parts::store`].
    pub store: Arc<dyn Store>,
    /// See [`Parts::broker`].
    pub broker: Arc<dyn Broker>,
    /// See [`Parts::clock`].
    pub clock: Arc<dyn Clock>,
    /// Names this process among others.
    pub ids: Arc<dyn IdSource>,
    /// See [`Parts::codec`].
    pub codec: Arc<dyn Codec>,
    /// See [`Parts::handlers`].
    pub handlers: Vec<Arc<dyn Handler>>,
    /// See [`Parts::gateways`].
    pub gateways: BTreeMap<Name, Arc<dyn Gateway>>,
    /// See [`Parts::options`].
    pub options: Options,
    /// The groups whose loops run in this process; `None` for all. The others are served elsewhere.
    pub served: Option<BTreeSet<Name>>,
    /// Where read models are kept, and which; `None` for none.
    pub models: Option<Shelves>,
}

/// Where read models are kept, and which.
pub type Shelves = (Arc<dyn ReadModels>, Vec<Arc<dyn Projection>>);

impl Parts {
    /// Joins the supplies under the topology of the whole installation, as the store registered it.
    #[must_use]
    pub fn new(supplies: Supplies, topology: Topology) -> Self {
        let Supplies { store, broker, clock, ids, codec, handlers, gateways, options, served, models } =
            supplies;
        let groups = handlers.iter().map(|handler| handler.group());
        let groups = groups.filter(|group| served.as_ref().is_none_or(|served| served.contains(group)));
        let lanes = groups.chain([Name::from(PLACE)]).flat_map(|group| {
            (0..options.lanes)
                .map(move |lane| Arc::new(Desk::new(GroupLane { group: Name::clone(&group), lane })))
        });
        let desks: Vec<Arc<Desk>> = lanes.collect();
        let places = (0..).zip(&desks).map(|(place, desk)| (desk.lane.clone(), place)).collect();
        let doors: BTreeMap<Name, Bell> =
            gateways.keys().map(|name| (Name::clone(name), Bell::default())).collect();
        let (stop, stopped) = oneshot::channel();
        let library = models.map(|(models, projections)| {
            let store = Arc::clone(&store);
            Library { store, models, projections, lanes: options.lanes }
        });
        let projections = library.iter().flat_map(|library| &library.projections);
        let readers = projections.map(|one| (one.name(), Bell::default())).collect();
        let knows = doors.keys().map(|name| (Name::clone(name), DoorVitals::default()));
        let vitals = Vitals { doors: knows.collect(), ..Vitals::default() };
        Self {
            owner: ids.next(),
            calling: AtomicUsize::new(doors.len()),
            released: AtomicUsize::new(0),
            vitals,
            relay: Bell::default(),
            due: Bell::default(),
            next_look: AtomicI64::new(i64::MAX),
            watches: Watches::default(),
            library,
            readers,
            declared: Mutex::new(false),
            stop: std::sync::Mutex::new(Some(stop)),
            stopped: stopped.map(|_| ()).boxed().shared(),
            tally: Tally::default(),
            store,
            broker,
            clock,
            codec,
            handlers,
            gateways,
            options,
            topology,
            desks,
            places,
            doors,
        }
    }

    /// Asks all loops to finish what they have begun, and to end.
    pub fn drain(&self) {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.ring_all();
    }

    /// How many deliveries were given back to the broker when the lanes closed.
    #[must_use]
    pub fn released(&self) -> usize {
        self.released.load(Ordering::Relaxed)
    }

    /// Wakes the loop that looks for local work: somebody outside the loops has made some.
    pub fn look(&self) {
        self.due.ring();
    }

    /// Wakes all that look for what has been placed.
    pub fn wake(&self) {
        self.relay.ring();
        self.due.ring();
        self.tell_readers();
    }

    /// Watches a stream for events of these kinds from now on, for whoever looks at it again and again.
    pub fn watch(&self, stream: StreamId, kinds: &'static [&'static str]) -> Watch<'_> {
        self.watches.watch(stream, kinds, self.clock.as_ref())
    }

    /// Wakes the due loop when `alarm` comes before it would look by itself; called after the commit that set it.
    pub(super) fn wake_for(&self, alarm: Option<Timestamp>) {
        if alarm.is_some_and(|alarm| alarm.0 < self.next_look.load(Ordering::SeqCst)) {
            self.due.ring();
        }
    }

    pub(super) fn ring_all(&self) {
        self.desks.iter().for_each(|desk| desk.bell.ring());
        self.doors.values().for_each(Bell::ring);
        self.relay.ring();
        self.due.ring();
        self.tell_readers();
    }

    /// Wakes the loops that keep read models: the log has grown.
    pub(super) fn tell_readers(&self) {
        self.readers.values().for_each(Bell::ring);
    }

    /// Asks the loop of a model to look at once: somebody waits for what it has not read.
    pub fn hurry(&self, model: &str) {
        if let Some(bell) = self.readers.get(model) {
            bell.ring();
        }
    }

    pub(super) fn draining(&self) -> bool {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Waits for `time`, or until the house drains.
    pub(super) async fn nap(&self, time: Duration) {
        if self.draining() {
            // What is still to be brought home is tried often, for the drain has a deadline.
            self.clock.sleep(time.min(DRAIN_PAUSE)).await;
        } else {
            select(self.clock.sleep(time), self.stopped.clone()).await;
        }
    }

    /// Waits a little for others, longer after each conflict; gives how many there were with this one.
    pub(super) async fn yield_to_others(&self, conflicts: u32) -> u32 {
        self.nap(self.options.outage.wait(self.owner, conflicts + 1)).await;
        conflicts + 1
    }

    /// Waits for `bell`, at most `time`; a house that begins to drain rings all bells.
    pub(super) async fn listen(&self, bell: &Bell, time: Duration) {
        let time = if self.draining() { time.min(DRAIN_PAUSE) } else { time };
        let ring = pin!(bell.wait());
        match select(ring, self.clock.sleep(time)).await {
            Either::Left(((), _)) | Either::Right(((), _)) => {}
        }
    }

    pub(super) fn desk(&self, lane: &GroupLane) -> Option<&Arc<Desk>> {
        self.desks.get(self.place(lane)?)
    }

    /// The place of a lane's desk among all.
    pub(super) fn place(&self, lane: &GroupLane) -> Option<usize> {
        self.places.get(lane).copied()
    }

    /// The leases this process holds now, as far as it knows.
    pub(super) fn leases(&self) -> Vec<Lease> {
        self.desks.iter().filter_map(|desk| desk.lease()).collect()
    }

    /// Declares the whole topology at the broker, once until [`Parts::undeclare`] (rule 4).
    pub(super) async fn declare(&self) -> Result<(), BrokerError> {
        let mut declared = self.declared.lock().await;
        if !*declared {
            self.broker.declare(&self.topology).await?;
            *declared = true;
        }
        Ok(())
    }

    /// Notes that the broker was away: what it knew may be gone.
    pub(super) async fn undeclare(&self) {
        *self.declared.lock().await = false;
    }
}

/// The first moment at which one of these rows wants to be looked at.
pub(super) fn first_alarm(now: Timestamp, writes: &Writes) -> Option<Timestamp> {
    // Both are sorted by stream, as the draft was.
    let written = writes.streams.iter().filter(|write| writes.alarms.binary_search(&write.stream).is_ok());
    written.filter_map(|write| write.next.deadline.as_ref()).map(|deadline| now.after(deadline.delay)).min()
}
