//! Where answers to publishes come in: one subscription of ours for all, so that an answer that never comes leaves nothing.

use crate::errors::unavailable;
use async_nats::{Client, Message, StatusCode, Subscriber};
use futures::StreamExt;
use oms_core::{
    broker::{BrokerError, Publish},
    id::Name,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    sync::{Notify, Semaphore},
    task::AbortHandle,
};

/// The answers of one call; what has none yet is unknown.
pub(crate) struct Call {
    state: Mutex<State>,
    pub(crate) done: Notify,
}

struct State {
    outcomes: Vec<Option<Publish>>,
    open: usize,
    /// How many of them the server answered.
    answered: usize,
}

impl Call {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes one answer; whether it was the first for its pack.
    fn note(&self, at: usize, outcome: Publish) -> bool {
        let mut state = self.lock();
        let Some(place @ None) = state.outcomes.get_mut(at) else { return false };
        *place = Some(outcome);
        state.open -= 1;
        state.answered += 1;
        if state.open == 0 {
            self.done.notify_one();
        }
        true
    }

    /// What is known now.
    pub(crate) fn outcomes(&self) -> Vec<Publish> {
        self.lock().outcomes.iter().map(|one| one.clone().unwrap_or(Publish::Unknown)).collect()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.lock().open == 0
    }
}

struct Desk {
    calls: Mutex<BTreeMap<u64, Arc<Call>>>,
    window: Semaphore,
}

impl Desk {
    fn calls(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Call>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, message: &Message) {
        let mut tokens = message.subject.rsplit('.');
        let at = tokens.next().and_then(|token| token.parse().ok());
        let number = tokens.next().and_then(|token| token.parse().ok());
        let (Some(at), Some(number)) = (at, number) else { return };
        let call = self.calls().get(&number).map(Arc::clone);
        if call.is_some_and(|call| call.note(at, outcome(message))) {
            self.window.add_permits(1);
        }
    }
}

/// Where answers come in.
pub(crate) struct Answers {
    inbox: String,
    window: u32,
    desk: Arc<Desk>,
    numbers: AtomicU64,
    reader: AbortHandle,
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Answers {
    pub(crate) async fn open(client: &Client, window: usize) -> Result<Self, BrokerError> {
        let inbox = client.new_inbox();
        let subscribed = client.subscribe(format!("{inbox}.*.*")).await;
        let subscriber = subscribed.map_err(|error| unavailable(format!("subscribing: {error}")))?;
        let desk = Arc::new(Desk { calls: Mutex::default(), window: Semaphore::new(window) });
        let reader = tokio::spawn(read(subscriber, Arc::clone(&desk))).abort_handle();
        let window = u32::try_from(window).unwrap_or(u32::MAX);
        Ok(Self { inbox, window, desk, numbers: AtomicU64::new(0), reader })
    }

    /// Waits until nothing is on its way to the server.
    pub(crate) async fn finished(&self) {
        drop(self.desk.window.acquire_many(self.window).await);
    }

    /// Starts a call of so many packs.
    pub(crate) fn call(&self, packs: usize) -> Ticket<'_> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let state = Mutex::new(State { outcomes: vec![None; packs], open: packs, answered: 0 });
        let call = Arc::new(Call { state, done: Notify::new() });
        self.desk.calls().insert(number, Arc::clone(&call));
        Ticket { answers: self, number, call, sent: 0 }
    }
}

async fn read(mut subscriber: Subscriber, desk: Arc<Desk>) {
    while let Some(message) = subscriber.next().await {
        desk.take(&message);
    }
}

/// One call, whose end gives back its part of the window.
pub(crate) struct Ticket<'a> {
    answers: &'a Answers,
    number: u64,
    pub(crate) call: Arc<Call>,
    sent: usize,
}

impl Ticket<'_> {
    /// Where the answer for one pack is to go; waits for room in the window.
    pub(crate) async fn send(&mut self, at: usize) -> String {
        if let Ok(permit) = self.answers.desk.window.acquire().await {
            permit.forget();
            self.sent += 1;
        }
        format!("{}.{}.{at}", self.answers.inbox, self.number)
    }

    /// Answers for a pack that is not sent.
    pub(crate) fn refuse(&self, at: usize, why: String) {
        self.call.note(at, Publish::Rejected { for_good: true, why: Name::from(why) });
        let mut state = self.call.lock();
        state.answered = state.answered.saturating_sub(1);
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.answers.desk.calls().remove(&self.number);
        // What was sent and has no answer; answers that come from now on find no place.
        let mut state = self.call.lock();
        state.outcomes.clear();
        self.answers.desk.window.add_permits(self.sent.saturating_sub(state.answered));
    }
}

/// What became of a pack, when the server answers this.
fn outcome(message: &Message) -> Publish {
    let rejected = |for_good, why: String| Publish::Rejected { for_good, why: Name::from(why) };
    if message.status == Some(StatusCode::NO_RESPONDERS) {
        return rejected(false, GONE.to_owned());
    }
    if message.payload.starts_with(b"{\"stream\":") {
        return Publish::Confirmed;
    }
    let answer: serde_json::Value = match serde_json::from_slice(&message.payload) {
        Ok(answer) => answer,
        Err(_) => return Publish::Unknown,
    };
    let Some(error) = answer.get("error") else { return Publish::Confirmed };
    let said = error.get("description").and_then(serde_json::Value::as_str).unwrap_or("no reason given");
    // 10054: larger than the stream takes.
    let for_good = error.get("err_code").and_then(serde_json::Value::as_u64) == Some(10_054);
    rejected(for_good, format!("the server does not take it: {said}"))
}

/// What is said when nobody stores a subject that was declared.
pub(crate) const GONE: &str = "the stream of this topic is gone; declare the topology again";
