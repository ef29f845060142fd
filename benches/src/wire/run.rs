//! One journey of many packs over a road, and what it cost.

use super::{
    carry::{BATCH, Reader, WRITERS, Wire},
    road::Road,
};
use crate::{
    fault::Fault,
    meter::{Stopwatch, Times},
};
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{sync::Notify, task::JoinSet};

/// What is measured of a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// From the first publish to the last confirm; read afterwards, unmeasured.
    Publish,
    /// From the subscription until the broker knows the last ack; published before, unmeasured.
    Consume,
    /// Both at once.
    Both,
    /// One pack at a time, from its publish to its confirm; read afterwards, unmeasured.
    OneConfirm,
    /// One pack at a time, from its publish until it is read.
    OneAway,
}

/// What a journey cost.
#[derive(Clone, Debug, Default)]
pub struct Journey {
    /// How long it took.
    pub times: Times,
    /// The time of each pack in seconds, where they went one at a time.
    pub seconds: Vec<f64>,
}

/// Sends `count` packs over a road that was declared and is empty, and leaves it empty.
///
/// # Errors
/// [`Fault`], by what failed; [`Fault::Void`] when fewer or more packs came than were sent.
pub async fn measure(wire: &Arc<dyn Wire>, road: &Road, act: Act, count: usize) -> Result<Journey, Fault> {
    match act {
        Act::Publish => {
            let watch = Stopwatch::start();
            publish(wire, road, count).await?;
            let times = watch.read();
            consume(wire.readers(road).await?, count).await?;
            Ok(Journey { times, ..Journey::default() })
        }
        Act::Consume => {
            publish(wire, road, count).await?;
            let watch = Stopwatch::start();
            consume(wire.readers(road).await?, count).await?;
            Ok(Journey { times: watch.read(), ..Journey::default() })
        }
        Act::Both => {
            let readers = wire.readers(road).await?;
            let watch = Stopwatch::start();
            let (published, consumed) = tokio::join!(publish(wire, road, count), consume(readers, count));
            published.and(consumed)?;
            Ok(Journey { times: watch.read(), ..Journey::default() })
        }
        Act::OneConfirm => confirmed(wire, road, count).await,
        Act::OneAway => read(wire, road, count).await,
    }
}

/// Publishes with a fixed number of batches on their way.
async fn publish(wire: &Arc<dyn Wire>, road: &Road, count: usize) -> Result<(), Fault> {
    let mut writers = JoinSet::new();
    let next = Arc::new(AtomicUsize::new(0));
    for writer in 0..WRITERS {
        let (wire, road, next) = (Arc::clone(wire), road.clone(), Arc::clone(&next));
        writers.spawn(async move {
            while let Some(numbers) = take(&next, count) {
                wire.batch(&road, writer, numbers).await?;
            }
            Ok::<_, Fault>(())
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.map_err(Fault::measured)??;
    }
    Ok(())
}

fn take(next: &AtomicUsize, count: usize) -> Option<Range<usize>> {
    let start = next.fetch_add(BATCH, Ordering::SeqCst);
    (start < count).then(|| start..count.min(start + BATCH))
}

/// Reads until so many have come, all readers side by side.
async fn consume(readers: Vec<Box<dyn Reader>>, count: usize) -> Result<(), Fault> {
    let (read, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let mut tasks = JoinSet::new();
    let all = readers.len();
    for mut reader in readers {
        let (read, done) = (Arc::clone(&read), Arc::clone(&done));
        tasks.spawn(async move {
            loop {
                tokio::select! {
                    biased;
                    () = done.notified() => break,
                    came = reader.read() => {
                        let came = came?;
                        if read.fetch_add(came, Ordering::SeqCst) + came >= count {
                            // Each of the others finds its own permit, or waits for it already.
                            (0..all).for_each(|_| done.notify_one());
                            done.notify_waiters();
                            break;
                        }
                    }
                }
            }
            reader.finish().await
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(Fault::measured)??;
    }
    let read = read.load(Ordering::SeqCst);
    if read == count { Ok(()) } else { Err(Fault::void(format!("{count} packs were sent, and {read} came"))) }
}

async fn confirmed(wire: &Arc<dyn Wire>, road: &Road, count: usize) -> Result<Journey, Fault> {
    let (watch, mut seconds) = (Stopwatch::start(), Vec::with_capacity(count));
    for number in 0..count {
        let one = Stopwatch::start();
        wire.batch(road, 0, number..number + 1).await?;
        seconds.push(one.read().wall.as_secs_f64());
    }
    let times = watch.read();
    consume(wire.readers(road).await?, count).await?;
    Ok(Journey { times, seconds })
}

async fn read(wire: &Arc<dyn Wire>, road: &Road, count: usize) -> Result<Journey, Fault> {
    let mut readers = wire.readers(road).await?;
    let Some(mut reader) = readers.pop() else { return Err(Fault::void("nobody reads")) };
    let (watch, mut seconds) = (Stopwatch::start(), Vec::with_capacity(count));
    for number in 0..count {
        let one = Stopwatch::start();
        let (sent, came) = tokio::join!(wire.batch(road, 0, number..number + 1), reader.read());
        sent?;
        came?;
        seconds.push(one.read().wall.as_secs_f64());
    }
    let times = watch.read();
    reader.finish().await?;
    Ok(Journey { times, seconds })
}
