//! One connection: the publisher, a client for each group that is used, and the topics as they are known.

use crate::{
    ends::{Topic, Topics},
    errors::{closed, sort, unavailable},
    group::Group,
    notices::Notices,
    publisher::Publisher,
    settings::Settings,
    topology::{Found, Shape},
};
use oms_core::{
    broker::{BrokerError, Topology},
    id::Name,
};
use rdkafka::producer::Producer;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub(crate) struct Connection {
    pub(crate) settings: Settings,
    pub(crate) notices: Arc<Notices>,
    pub(crate) publisher: Publisher,
    topics: Mutex<Arc<Topics>>,
    groups: Mutex<BTreeMap<Name, Arc<Group>>>,
    closed: AtomicBool,
    /// The topology that was declared last, and how much had broken by then.
    pub(crate) declared: Arc<tokio::sync::Mutex<Option<(Topology, u64)>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    /// Makes the publisher; asks nobody yet.
    pub(crate) fn open_with(settings: Settings) -> Result<Self, BrokerError> {
        let notices = Arc::default();
        let publisher = Publisher::open(&settings, &notices)?;
        Ok(Self {
            settings,
            notices,
            publisher,
            topics: Mutex::default(),
            groups: Mutex::default(),
            closed: AtomicBool::new(false),
            declared: Arc::default(),
        })
    }

    pub(crate) fn open(&self) -> Result<(), BrokerError> {
        if self.closed.load(Ordering::SeqCst) { Err(closed()) } else { Ok(()) }
    }

    /// Closes; says whether it was open.
    pub(crate) fn close(&self) -> bool {
        !self.closed.swap(true, Ordering::SeqCst)
    }

    pub(crate) fn topics(&self) -> Arc<Topics> {
        Arc::clone(&lock(&self.topics))
    }

    /// The client of a group, made when it is first needed. Blocks a little.
    pub(crate) fn group(&self, name: &Name) -> Result<Arc<Group>, BrokerError> {
        let mut groups = lock(&self.groups);
        // Asked behind the lock: a shutdown at this moment would miss a group that is made after it.
        self.open()?;
        if let Some(group) = groups.get(name) {
            return Ok(Arc::clone(group));
        }
        let group = Arc::new(Group::open(&self.settings, name, &self.notices)?);
        groups.insert(Name::clone(name), Arc::clone(&group));
        Ok(group)
    }

    /// All groups that were used, to be closed.
    pub(crate) fn take_groups(&self) -> Vec<Arc<Group>> {
        std::mem::take(&mut *lock(&self.groups)).into_values().collect()
    }

    /// Asks the cluster which topics of ours there are, and remembers them. Blocks.
    pub(crate) fn look(&self, timeout: Duration) -> Result<Found, BrokerError> {
        let live = self.publisher.live();
        let producer = live.get().ok_or_else(closed)?;
        let metadata = producer.client().fetch_metadata(None, timeout).map_err(|error| {
            let refusal = self.notices.refusal().map(crate::errors::refused);
            let last = || self.notices.last().map(|last| unavailable(format!("{error}: {last}")));
            refusal.or_else(last).unwrap_or_else(|| sort(&error, "asking for topics"))
        })?;
        self.notices.forget();
        let mut found = Found::new();
        for topic in metadata.topics() {
            let name = topic.name().strip_prefix(self.settings.prefix.as_str());
            let Some(name) = name.filter(|name| !name.is_empty() && !topic.name().starts_with("__")) else {
                continue;
            };
            let copies = topic.partitions().iter().map(|one| one.replicas().len()).min().unwrap_or(0);
            let lanes = topic.partitions().len();
            found.insert(Name::from(name), Shape { lanes, copies, ..Shape::default() });
        }
        self.remember(&found);
        Ok(found)
    }

    /// Keeps what is known of topics that are still the same.
    fn remember(&self, found: &Found) {
        let mut topics = lock(&self.topics);
        let same =
            |name: &Name, lanes| topics.get(name).filter(|topic| topic.lanes() == lanes).map(Arc::clone);
        let wire = |name: &Name| format!("{}{name}", self.settings.prefix);
        let fresh = found.iter().map(|(name, shape)| {
            let known = same(name, shape.lanes);
            (Name::clone(name), known.unwrap_or_else(|| Arc::new(Topic::new(wire(name), shape.lanes))))
        });
        let fresh: Topics = fresh.collect();
        *topics = Arc::new(fresh);
    }

    /// Forgets how far publishes were confirmed: after a wipe offsets begin anew.
    pub(crate) fn forget_ends(&self) {
        *lock(&self.topics) = Arc::default();
    }
}
