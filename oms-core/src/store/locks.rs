//! Keyed locks for stores that live in one process: first come first served, held across awaits, gone when dropped.

use futures::channel::oneshot;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Queue<K> = VecDeque<oneshot::Sender<Held<K>>>;
type Table<K> = Arc<Mutex<BTreeMap<K, Queue<K>>>>;

fn open<K: Ord + Clone>(table: &Table<K>) -> MutexGuard<'_, BTreeMap<K, Queue<K>>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One lock for each key, made when it is first asked for and forgotten when the last holder leaves.
///
/// Who asks first gets it first. It names no runtime and spawns nothing. Clones share the same locks.
///
/// ```
/// use oms_core::store::locks::Locks;
/// use futures::FutureExt;
/// let locks = Locks::default();
/// let held = locks.lock("order/3").now_or_never();
/// assert_eq!((held.is_some(), locks.held()), (true, 1));
/// drop(held);
/// assert_eq!(locks.held(), 0);
/// ```
#[derive(Debug)]
pub struct Locks<K: Ord + Clone>(Table<K>);

impl<K: Ord + Clone> Default for Locks<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Ord + Clone> Clone for Locks<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Ord + Clone> Locks<K> {
    /// Waits for the lock of `key`, behind whoever asked before.
    ///
    /// Dropped half-way, it leaves the queue; a lock that was just handed to it goes to the next.
    pub async fn lock(&self, key: K) -> Held<K> {
        loop {
            let Some(turn) = self.join(&key) else { return self.hold(key) };
            // The sender lives in the table until it has sent, so this is always a lock; asking again is only for the type.
            if let Ok(held) = turn.await {
                return held;
            }
        }
    }

    /// Takes several locks in their sorted order, so that two callers cannot wait for each other.
    ///
    /// Dropped half-way, it lets go of those it has. Who holds one of these keys already waits for ever.
    pub async fn lock_all(&self, keys: BTreeSet<K>) -> Vec<Held<K>> {
        let mut all = Vec::with_capacity(keys.len());
        for key in keys {
            all.push(self.lock(key).await);
        }
        all
    }

    /// How many keys are locked now.
    #[must_use]
    pub fn held(&self) -> usize {
        open(&self.0).len()
    }

    /// Takes a free lock, giving `None`, or a place in the queue.
    fn join(&self, key: &K) -> Option<oneshot::Receiver<Held<K>>> {
        let mut table = open(&self.0);
        let Some(queue) = table.get_mut(key) else {
            table.insert(key.clone(), Queue::new());
            return None;
        };
        let (sender, receiver) = oneshot::channel();
        // Whoever stopped waiting must not pile up behind a lock that is held for long.
        queue.retain(|waiter| !waiter.is_canceled());
        queue.push_back(sender);
        Some(receiver)
    }

    fn hold(&self, key: K) -> Held<K> {
        Held { key: Some(key.clone()), name: key, table: Arc::clone(&self.0) }
    }
}

/// A lock that is held; dropping it hands it to the next in the queue.
#[derive(Debug)]
pub struct Held<K: Ord + Clone> {
    // `None` once the lock belongs to somebody else.
    key: Option<K>,
    name: K,
    table: Table<K>,
}

impl<K: Ord + Clone> Held<K> {
    /// What is locked.
    #[must_use]
    pub fn key(&self) -> &K {
        &self.name
    }
}

impl<K: Ord + Clone> Drop for Held<K> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        loop {
            let mut table = open(&self.table);
            let Some(next) = table.get_mut(&key).and_then(VecDeque::pop_front) else {
                table.remove(&key);
                return;
            };
            drop(table);
            let held = Held { key: Some(key.clone()), name: key.clone(), table: Arc::clone(&self.table) };
            match next.send(held) {
                Ok(()) => return,
                // Nobody waits there any more: the lock is still ours to give.
                Err(mut back) => back.key = None,
            }
        }
    }
}
