//! Crashes: the house is dropped at some poll, with the broker's memory, and built again over what the store kept.

use crate::{
    house::World,
    market::Market,
    pace::{SlowPort, SlowStore, give_way},
    shop::usual,
};
use async_trait::async_trait;
use oms_core::{
    broker::MemoryBroker,
    event::public::Status,
    gateway::{
        EffectKey, NoAnswer, Port, Repeats, Reported,
        notifier::{NotifierReport, NotifierRequest},
        simulated::Draws,
    },
    id::OrderId,
    oms::{Builder, Oms},
    order::Phase,
    payment::Method,
};
use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

/// Polls a future at most so often; `None` when it was not done by then.
pub(crate) async fn at_most<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (pin!(future), polls);
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Runs the house until `scene` is done, and drops it with the broker after every so many polls; gives the number of crashes.
fn crashing(
    world: &mut World,
    every: usize,
    furnish: impl Fn(&World, Builder) -> Builder,
    scene: impl AsyncFn(&World, Oms),
) -> usize {
    for crashes in 0.. {
        // A little more each time: a house that has only time to take its leases gets nowhere.
        let life = world.life(|builder| furnish(world, builder), async |oms| scene(world, oms).await);
        let ended = world.stage.run(at_most(every + crashes, life)).expect("not stuck");
        if ended.is_some() {
            return crashes;
        }
        world.broker = Arc::new(MemoryBroker::default());
    }
    unreachable!("the loop above returns")
}

/// A notifier like SMTP: it does not recognise what it sent before.
#[derive(Clone, Default)]
struct Post(Arc<Mutex<BTreeMap<EffectKey, u32>>>);

#[async_trait]
impl Port for Post {
    type Request = NotifierRequest;
    type Report = NotifierReport;

    fn repeats(&self) -> Repeats {
        Repeats::AtLeastOnce
    }

    fn at_once(&self) -> usize {
        4
    }

    async fn tell(&self, key: &EffectKey, _: &NotifierRequest) -> Result<Reported<NotifierReport>, NoAnswer> {
        *self.0.lock().expect("no panic").entry(key.clone()).or_default() += 1;
        give_way().await;
        Ok(Reported::settled(NotifierReport::Sent))
    }

    async fn ask(
        &self,
        _: &EffectKey,
        _: &NotifierRequest,
    ) -> Result<Option<Reported<NotifierReport>>, NoAnswer> {
        Ok(None)
    }
}

fn draws() -> Draws {
    Draws::new(9).declining(100_000).wavering(200_000, 500_000).refusing(100_000).hanging(200_000)
}

/// Providers that may be dropped between their work and their answer.
pub(crate) fn slow(world: &World, builder: Builder) -> Builder {
    builder
        .payment_method(Method::card(), SlowPort(world.provider()))
        .payment_method(Method::upi(), SlowPort(world.provider()))
        .carrier(SlowPort(world.carrier()))
        .notifier(SlowPort(world.notifier()))
}

/// A world whose store may have committed what nobody was told of.
fn world(draws: Draws) -> World {
    let mut world = World::new(draws);
    // Each crash costs the length of a lease: no step may run out of time for that, or the ends would differ.
    let day = Duration::from_secs(24 * 3_600);
    (world.times.reserve, world.times.payment, world.times.commit) = (day, day, day);
    world.store = Arc::new(SlowStore(Arc::clone(&world.store)));
    // Each crash costs the time of a lease, and a hundred of them more than a payment may take on a calm day.
    world.times.payment = Duration::from_secs(24 * 3_600);
    world
}

const MARKET: Market = Market { orders: 30, hot: 1_000 };

async fn day(world: &World, oms: Oms) {
    // Placed again after each crash, under the same keys.
    let orders = MARKET.open(&oms).await;
    Market::decide(world, &oms, &orders).await;
    world.rest(&oms).await;
}

fn outcome(world: &World) -> (String, usize) {
    world.play(async |oms| {
        let report = world.rest(&oms).await;
        assert_eq!(report.orders, u64::from(MARKET.orders));
        (report.summary_hash, report.totals.by_status.len())
    })
}

#[test]
fn a_house_that_crashes_all_the_time_ends_every_order_as_a_calm_one_does() {
    let mut calm = world(draws());
    assert_eq!(crashing(&mut calm, usize::MAX / 2, slow, day), 0);
    let calm = outcome(&calm);
    assert_eq!(calm.1, 3, "all ends were met");
    for every in [113, 307] {
        let mut world = world(draws());
        let crashes = crashing(&mut world, every, slow, day);
        println!("every {every} polls: {crashes} crashes");
        assert!(crashes > 3, "{crashes} crashes, one every {every} polls");
        assert_eq!(outcome(&world), calm, "one crash every {every} polls");
        assert_eq!(world.ledger().charged_twice(), 0);
    }
}

#[test]
fn a_mail_in_flight_in_a_crash_may_go_twice_and_every_other_goes_once() {
    let (mut world, post) = (world(draws()), Post::default());
    let crashes = crashing(&mut world, 37, |_, builder| builder.notifier(post.clone()), day);
    let sent = post.0.lock().expect("no panic");
    let twice = sent.values().filter(|times| **times > 1).count();
    println!("{crashes} crashes, {} mails, {twice} more than once", sent.len());
    assert!(sent.len() >= 2 * MARKET.orders as usize, "every order was confirmed, and its end told");
    assert!(
        sent.values().map(|times| *times as usize - 1).sum::<usize>() <= crashes * 4,
        "only those in flight"
    );
}

#[test]
fn an_order_is_ended_whenever_the_house_crashes_once() {
    for polls in (1..400).step_by(8) {
        let mut world = world(Draws::new(1));
        let place = async |oms: &Oms| -> OrderId { crate::shop::open(oms, usual("card")).await };
        let life = world.life(
            |builder| builder,
            async |oms| {
                let id = place(&oms).await;
                world.end(&oms, &id).await;
            },
        );
        world.stage.run(at_most(polls, life)).expect("not stuck");
        world.broker = Arc::new(MemoryBroker::default());
        let end = world.play(async |oms| {
            let id = place(&oms).await;
            world.end(&oms, &id).await
        });
        assert_eq!((end.status, end.phase), (Status::Completed, Phase::Completed), "crashed at poll {polls}");
        let told = world.ledger().total();
        assert_eq!((told.captures, told.dispatches, told.mails), (1, 1, 3), "crashed at poll {polls}");
    }
}
