//! A toy gateway: it writes down every call, and answers as it was told to.

use async_trait::async_trait;
use bytes::Bytes;
use oms_core::{
    clock::Clock,
    conformance::VirtualClock,
    gateway::{Answer, Asked, Effect, Gateway, NoAnswer, Repeats},
    id::Name,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

/// What a call comes to.
#[derive(Clone, Debug)]
pub(crate) enum Come {
    /// Done and said so.
    Settled(&'static str),
    /// Said, and more is to come after this many milliseconds.
    More(&'static str, u64),
    /// Done, and the answer lost.
    Lost,
    /// Not done, nothing said.
    Nothing,
    /// This takes so many milliseconds first.
    Slow(u64),
}

#[derive(Default)]
struct Book {
    calls: Vec<String>,
    /// What comes next of each step; its last entry stays.
    plan: BTreeMap<String, VecDeque<Come>>,
    done: BTreeMap<String, u32>,
    running: usize,
    most: usize,
}

#[derive(Clone)]
pub(crate) struct Door {
    clock: VirtualClock,
    at_once: usize,
    book: Arc<Mutex<Book>>,
}

impl Door {
    pub(crate) fn new(clock: VirtualClock, at_once: usize) -> Self {
        Self { clock, at_once, book: Arc::default() }
    }

    pub(crate) fn plan(&self, step: &str, comes: impl IntoIterator<Item = Come>) {
        self.book.lock().unwrap().plan.insert(step.to_owned(), comes.into_iter().collect());
    }

    /// Every call, as `tell KEY` or `ask KEY`.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.book.lock().unwrap().calls.clone()
    }

    /// How often a wish was carried out in the world.
    pub(crate) fn done(&self, key: &str) -> u32 {
        self.book.lock().unwrap().done.get(key).copied().unwrap_or(0)
    }

    /// The most calls that ran at a time.
    pub(crate) fn most(&self) -> usize {
        self.book.lock().unwrap().most
    }

    fn next(&self, step: &str) -> Come {
        let mut book = self.book.lock().unwrap();
        let Some(plan) = book.plan.get_mut(step) else { return Come::Settled("yes") };
        if plan.len() > 1 { plan.pop_front().unwrap() } else { plan[0].clone() }
    }

    async fn come(&self, verb: &str, effect: &Effect) -> Result<Asked, NoAnswer> {
        let key = effect.key.to_string();
        {
            let mut book = self.book.lock().unwrap();
            book.calls.push(format!("{verb} {key}"));
            book.running += 1;
            book.most = book.most.max(book.running);
        }
        let _running = Running(self);
        if verb == "ask" && self.done(&key) == 0 {
            return Ok(Asked::NotKnown);
        }
        let mut come = self.next(&effect.key.step);
        // A provider that deduplicates does it once, however often it is told, and before it answers.
        if verb == "tell" && !matches!(come, Come::Nothing) {
            self.book.lock().unwrap().done.insert(key, 1);
        }
        if let Come::Slow(time) = come {
            self.clock.sleep(Duration::from_millis(time)).await;
            come = self.next(&effect.key.step);
        }
        let answer = |said: &str, again| Answer {
            provider_event: None,
            body: Bytes::from(serde_json::to_vec(said).unwrap()),
            again,
        };
        match come {
            Come::Settled(said) => Ok(Asked::Known(answer(said, None))),
            Come::More(said, wait) => Ok(Asked::Known(answer(said, Some(Duration::from_millis(wait))))),
            Come::Lost | Come::Nothing | Come::Slow(_) => {
                Err(NoAnswer { gateway: Name::from("door"), source: "the line is dead".into() })
            }
        }
    }
}

struct Running<'a>(&'a Door);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.book.lock().unwrap().running -= 1;
    }
}

#[async_trait]
impl Gateway for Door {
    fn repeats(&self) -> Repeats {
        Repeats::Deduplicated
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    async fn tell(&self, effect: &Effect) -> Result<Answer, NoAnswer> {
        match self.come("tell", effect).await? {
            Asked::Known(answer) => Ok(answer),
            Asked::NotKnown => Err(NoAnswer { gateway: Name::from("door"), source: "?".into() }),
        }
    }

    async fn ask(&self, effect: &Effect) -> Result<Asked, NoAnswer> {
        self.come("ask", effect).await
    }
}
