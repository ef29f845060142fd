//! Running the pipeline: the same closed loop as the house's.

use super::{
    order::OrderTask,
    post::{Door, Mail, Post},
    services::{Inventory, Notification, Payment, Shipping, serve},
};
use crate::{
    fault::Fault,
    house::{Basket, ENDED, FinishLine},
    load::{Sample, with_runtime},
    meter::{Stopwatch, pressure},
};
use futures::future::{Either, select};
use oms_core::message::GroupLane;
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

/// How many messages an order takes; as many as the house's.
const MESSAGES: u64 = 16;
/// How many of them are notices.
const NOTICES: u64 = 3;

/// Takes so many orders through five tasks, at most `window` on their way.
///
/// # Errors
/// [`Fault::Void`] when it took another number of messages than the house takes.
pub fn pipeline(orders: usize, window: usize) -> Result<Sample, Fault> {
    with_runtime("the pipeline", async {
        let line = Arc::new(FinishLine::at(ENDED, true));
        let (mut tasks, post, mailed) = start(&line);
        let watch = Stopwatch::start();
        let driven = pin!(drive(&post, &line, orders, window));
        match select(driven, pin!(tasks.join_next())).await {
            Either::Left((driven, _)) => driven?,
            Either::Right((Some(Ok(Err(fault))), _)) => return Err(fault),
            Either::Right(_) => return Err(Fault::void("a task of the pipeline has ended")),
        }
        let orders = orders as u64;
        while mailed.load(Ordering::SeqCst) < NOTICES * orders {
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
        let times = watch.read();
        let sent = post.sent.load(Ordering::SeqCst);
        if sent != MESSAGES * orders {
            return Err(Fault::void(format!("the pipeline sent {sent} messages for {orders} orders")));
        }
        Ok(Sample { orders, times, seconds: line.take_seconds(), pressure: pressure(), ..Sample::default() })
    })
}

type Started = (JoinSet<Result<(), Fault>>, Post, Arc<AtomicU64>);

fn start(line: &Arc<FinishLine>) -> Started {
    let (order, orders) = mpsc::unbounded_channel();
    let (payment, payments) = mpsc::unbounded_channel();
    let (inventory, inventories) = mpsc::unbounded_channel();
    let (shipping, shippings) = mpsc::unbounded_channel();
    let (notification, notifications) = mpsc::unbounded_channel();
    let boxes = Arc::new([order, payment, inventory, shipping, notification]);
    let (sent, mailed) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
    let post =
        |name| Post { sender: GroupLane::new(name, 0), boxes: Arc::clone(&boxes), sent: Arc::clone(&sent) };
    let mut tasks = JoinSet::new();
    tasks.spawn(OrderTask::new(post("order"), Arc::clone(line)).serve(orders));
    tasks.spawn(serve(Payment::default(), post("payment"), payments));
    tasks.spawn(serve(Inventory::default(), post("inventory"), inventories));
    tasks.spawn(serve(Shipping::default(), post("shipping"), shippings));
    tasks.spawn(serve(Notification(Arc::clone(&mailed)), post("notification"), notifications));
    (tasks, post("place"), mailed)
}

async fn drive(post: &Post, line: &FinishLine, orders: usize, window: usize) -> Result<(), Fault> {
    let places = Arc::new(Semaphore::new(window));
    for number in 0..orders {
        let place = Arc::clone(&places).acquire_owned().await.map_err(Fault::measured)?;
        let since = Instant::now();
        let order = Basket::Plain.order(number)?;
        let placed = order.accept("pipeline", &number.to_string()).map_err(Fault::measured)?;
        line.start(placed.order.name(), since, Some(place));
        post.put(Door::Order, Mail::Placed(Arc::new(placed)))?;
    }
    let all = u32::try_from(window).unwrap_or(u32::MAX);
    places.acquire_many(all).await.map(drop).map_err(Fault::measured)
}
