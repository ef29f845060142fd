//! The server side of the broker, which all processes share.

use crate::lock::locked;
use oms_core::{
    broker::{Broker as _, MemoryBroker, Topology},
    clock::Timestamp,
    message::{Pack, PackId},
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// The most packs that are kept for a replay.
const KEPT: usize = 400;

#[derive(Default)]
struct State {
    server: Arc<MemoryBroker>,
    topology: Topology,
    away_until: Option<Timestamp>,
    log: Vec<Pack>,
    outside: BTreeSet<PackId>,
    forgot: bool,
    seen: BTreeSet<PackId>,
}

/// The server: replaced as a whole when it is swapped.
#[derive(Default)]
pub(crate) struct Wire(Mutex<State>);

impl Wire {
    /// The server as it is now.
    pub(crate) fn server(&self) -> Arc<MemoryBroker> {
        Arc::clone(&locked(&self.0).server)
    }

    /// A connection of its own to the server.
    pub(crate) fn connect(&self) -> MemoryBroker {
        locked(&self.0).server.another()
    }

    /// Whether it is away at this time.
    pub(crate) fn is_away(&self, now: Timestamp) -> bool {
        locked(&self.0).away_until.is_some_and(|until| now < until)
    }

    /// Whether it never comes back.
    pub(crate) fn is_dead(&self) -> bool {
        self.is_away(Timestamp(i64::MAX - 1))
    }

    /// Takes it away until then.
    pub(crate) fn leave(&self, until: Timestamp) {
        let mut state = locked(&self.0);
        state.away_until = state.away_until.max(Some(until));
        state.forgot = true;
        let server = Arc::clone(&state.server);
        drop(state);
        server.wipe();
    }

    /// Is back from where it was.
    pub(crate) fn come_back(&self) {
        locked(&self.0).away_until = None;
    }

    /// Keeps what was declared, for the one who declares all but one group later.
    pub(crate) fn declared(&self, topology: &Topology) {
        locked(&self.0).topology = topology.clone();
    }

    /// Forgets every pack and the topology.
    pub(crate) fn wipe(&self) {
        let mut state = locked(&self.0);
        state.forgot = true;
        let server = Arc::clone(&state.server);
        drop(state);
        server.wipe();
    }

    /// Is another server from now on.
    pub(crate) fn swap(&self) {
        self.wipe();
        locked(&self.0).server = Arc::default();
    }

    /// Forgets everything, and is declared again by somebody who does not know of one group.
    pub(crate) async fn lose_a_queue(&self, choose: impl FnOnce(usize) -> usize) {
        self.wipe();
        let (server, mut topology) = {
            let state = locked(&self.0);
            (Arc::clone(&state.server), state.topology.clone())
        };
        let lost = topology.hears.keys().nth(choose(topology.hears.len())).cloned();
        if let Some(lost) = lost {
            topology.hears.remove(&lost);
            // Topics that only it had heard are there, and lead nowhere.
            let _ = server.declare(&topology).await;
        }
    }

    /// Notes packs that were really stored.
    pub(crate) fn stored(&self, packs: &[Pack], public: impl Fn(&Pack) -> bool) {
        let mut state = locked(&self.0);
        let outside: Vec<PackId> =
            packs.iter().filter(|pack| public(pack)).map(|pack| pack.id.clone()).collect();
        state.outside.extend(outside);
        let room = KEPT.saturating_sub(state.log.len());
        state.log.extend(packs.iter().take(room).cloned());
    }

    /// Notes that packs were published; gives how many of them had been before.
    pub(crate) fn published(&self, packs: &[Pack]) -> usize {
        let mut state = locked(&self.0);
        packs.iter().filter(|pack| !state.seen.insert(pack.id.clone())).count()
    }

    /// What was stored since the beginning.
    pub(crate) fn log(&self) -> Vec<Pack> {
        locked(&self.0).log.clone()
    }

    /// What hearers outside have read.
    pub(crate) fn outside(&self) -> BTreeSet<PackId> {
        locked(&self.0).outside.clone()
    }

    /// Whether it ever forgot what it had stored.
    pub(crate) fn forgot(&self) -> bool {
        locked(&self.0).forgot
    }
}
