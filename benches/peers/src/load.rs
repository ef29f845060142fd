//! How much is done in a while, in rounds that follow each other.

use crate::peer::Peer;
use anyhow::Result;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How large a run is.
#[derive(Clone, Copy)]
pub struct Scale {
    pub rounds: usize,
    pub time: Duration,
}

impl Scale {
    pub fn full() -> Self {
        Self { rounds: 5, time: Duration::from_secs(3) }
    }

    pub fn quick() -> Self {
        Self { rounds: 2, time: Duration::from_millis(500) }
    }
}

/// What one peer did in each round.
pub struct Measured {
    pub name: &'static str,
    rates: Vec<f64>,
}

impl Measured {
    pub fn new(name: &'static str) -> Self {
        Self { name, rates: Vec::new() }
    }

    pub fn add(&mut self, rate: f64) {
        self.rates.push(rate);
        self.rates.sort_by(f64::total_cmp);
    }

    pub fn median(&self) -> f64 {
        self.rates.get(self.rates.len() / 2).copied().unwrap_or(0.0)
    }

    pub fn best(&self) -> f64 {
        self.rates.last().copied().unwrap_or(0.0)
    }

    pub fn rounds(&self) -> usize {
        self.rates.len()
    }
}

/// Has so many workers append for a while, each to a stream of its own, after one append that is not counted; gives how many a second.
pub async fn rate<P: Peer>(peer: &Arc<P>, workers: usize, time: Duration) -> Result<f64> {
    let mut streams = Vec::with_capacity(workers);
    for worker in 0..workers {
        let mut stream = peer.stream(worker);
        peer.append(&mut stream).await?;
        streams.push(stream);
    }
    let begun = Instant::now();
    let working = streams.into_iter().map(|mut stream| {
        let peer = Arc::clone(peer);
        tokio::spawn(async move {
            let mut done = 0_u32;
            while begun.elapsed() < time {
                peer.append(&mut stream).await?;
                done += 1;
            }
            anyhow::Ok(done)
        })
    });
    let mut done = 0_u32;
    for worker in working.collect::<Vec<_>>() {
        done += worker.await??;
    }
    Ok(f64::from(done) / begun.elapsed().as_secs_f64())
}

/// Measures each of these peers in each round, one after the other.
macro_rules! rates {
    ($scale:expr, $workers:expr; $($peer:ident),*) => {{
        let mut measured = [$($crate::load::Measured::new($crate::peer::Peer::name(&*$peer))),*];
        for round in 1..=$scale.rounds {
            eprintln!("{} workers, round {round} of {}", $workers, $scale.rounds);
            let rates = [$($crate::load::rate(&$peer, $workers, $scale.time).await?),*];
            measured.iter_mut().zip(rates).for_each(|(measured, rate)| measured.add(rate));
        }
        measured
    }};
}
pub(crate) use rates;
