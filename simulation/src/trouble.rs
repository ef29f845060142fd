//! Whoever stirs up trouble: at moments of the seed's choice, what the seed brings happens.

use crate::{
    bugs::keeps_turns_open,
    dice::Dice,
    executor::{Crash, Wish},
    fault::Fault,
    groups::BRIEF,
    mark::Mark,
    process::call,
    world::World,
};
use futures::FutureExt;
use oms_core::{
    broker::Broker as _,
    clock::Timestamp,
    message::{Pack, PackId},
    store::{Pick, Store as _},
};
use std::{sync::Arc, time::Duration};

/// What happens at moments, rather than by chance at each call.
const AT_MOMENTS: [Fault; 16] = [
    Fault::CrashLoop,
    Fault::CrashProcess,
    Fault::Restart,
    Fault::Zombie,
    Fault::ClockJump,
    Fault::Replay,
    Fault::Wipe,
    Fault::Swap,
    Fault::Dead,
    Fault::QueueMissing,
    Fault::Junk,
    Fault::GroupAdded,
    Fault::GroupRemoved,
    Fault::StoreAway,
    Fault::DiskFull,
    Fault::Poison,
];

/// Brings trouble until the plan says that it is over.
pub(crate) async fn stir(world: Arc<World>) {
    let mut dice = Dice::new(world.plan.seed, "moments");
    let end = world.time.now().after(world.plan.trouble);
    let weights: Vec<(Fault, u64)> =
        AT_MOMENTS.iter().map(|fault| (*fault, u64::from(world.plan.rates.of(*fault)))).collect();
    // Some moments stay quiet: the more of them, the less a seed brings.
    let idle = dice.between(1, 6);
    let all: u64 = weights.iter().map(|(_, weight)| weight.min(&10)).sum::<u64>() + idle;
    loop {
        world.time.sleep(dice.millis(50, 1_500)).await;
        if world.time.now() >= end {
            return;
        }
        let mut thrown = dice.below(all);
        let chosen = weights.iter().find(|(_, weight)| {
            let weight = *weight.min(&10);
            let hit = thrown < weight;
            thrown = thrown.saturating_sub(weight);
            hit
        });
        if let Some((fault, _)) = chosen.filter(|(_, weight)| *weight > 0) {
            happen(&world, *fault).await;
        }
    }
}

async fn happen(world: &Arc<World>, fault: Fault) {
    let place = world.throw(fault, |dice| dice.index(world.processes.len()));
    if fault == Fault::Poison {
        // Poison itself is met by hearers, and counted there; at this moment somebody has it tried again.
        world.trace.say(|| format!("what is buried is redriven (process {place})"));
        return redrive(world, place);
    }
    world.note(fault);
    world.trace.say(|| format!("trouble: {} (process {place})", fault.name()));
    match fault {
        Fault::CrashLoop | Fault::CrashProcess => {
            let polls = world.throw(fault, |dice| dice.between(1, 120));
            let crash = if fault == Fault::CrashLoop { Crash::Loop } else { Crash::Process };
            world.wishes.ask(Wish::Arm(place, polls, crash));
        }
        Fault::Restart => restart(world, place),
        Fault::Zombie => stand_still(world, place),
        Fault::ClockJump => jump(world, place),
        Fault::Replay => replay(world).await,
        Fault::Wipe => world.wire.wipe(),
        Fault::Swap => world.wire.swap(),
        Fault::QueueMissing => {
            let choose = |count| world.throw(fault, |dice| dice.index(count));
            world.wire.lose_a_queue(choose).await;
        }
        Fault::Dead => {
            let for_good = world.throw(fault, |dice| dice.happens(300));
            let time = world.throw(fault, |dice| dice.millis(100, 20_000));
            let until = if for_good { Timestamp(i64::MAX) } else { world.time.now().after(time) };
            world.wire.leave(until);
        }
        Fault::Junk => junk(world).await,
        Fault::GroupAdded => {
            world.let_late_hear();
            world.mark(Mark::HearersChanged);
            restart(world, place);
        }
        Fault::GroupRemoved => remove(world),
        Fault::StoreAway => {
            let time = world.throw(fault, |dice| dice.millis(100, 15_000));
            let until = world.time.now().after(time);
            world.outage(|outage| outage.away_until = until);
        }
        Fault::DiskFull => {
            let time = world.throw(fault, |dice| dice.millis(100, 15_000));
            let until = world.time.now().after(time);
            world.outage(|outage| outage.full_until = until);
        }
        // What happens by chance at each call has no moment.
        _ => {}
    }
}

/// Asks a process to have everything that is buried handled again; what it does not get to stays buried.
fn redrive(world: &Arc<World>, place: usize) {
    let spawned = Arc::clone(world);
    world.wishes.spawn("redrive", async move {
        let _ = call(&spawned, place, async |oms| oms.redrive(&Pick::default(), "somebody").await).await;
    });
}

/// Drains a process, and lets it boot again.
fn restart(world: &Arc<World>, place: usize) {
    let Some((oms, death)) = world.processes.get(place).and_then(|process| process.oms()) else { return };
    let spawned = Arc::clone(world);
    world.restarts(1);
    world.wishes.spawn("restart", async move {
        oms.drain();
        let loops = oms.tasks().len();
        drop(oms);
        for _ in 0..40 {
            spawned.time.sleep(Duration::from_millis(100)).await;
            let ended = spawned.processes.get(place).map_or(0, |process| process.ended());
            if death.clone().now_or_never().is_some() {
                return spawned.restarts(-1);
            }
            if ended >= loops {
                spawned.mark(Mark::Drained);
                break;
            }
        }
        spawned.wishes.ask(Wish::Kill(place));
        spawned.restarts(-1);
    });
}

/// Stops a process past its leases; what it had open at the store is ended there meanwhile.
fn stand_still(world: &Arc<World>, place: usize) {
    let time = world.throw(Fault::Zombie, |dice| dice.millis(500, 15_000));
    let spawned = Arc::clone(world);
    world.wishes.ask(Wish::Pause(place));
    world.wishes.spawn("stand still", async move {
        let patience = Duration::from_secs(2).min(time);
        spawned.time.sleep(patience).await;
        if !keeps_turns_open(spawned.plant) && spawned.turns.time_out(place) > 0 {
            spawned.trace.say(|| format!("the open turns of process {place} are ended"));
        }
        spawned.time.sleep(time - patience).await;
        spawned.trace.say(|| format!("process {place} goes on"));
        spawned.wishes.ask(Wish::Resume(place));
    });
}

fn jump(world: &World, place: usize) {
    let seconds = world.throw(Fault::ClockJump, |dice| dice.between(0, 600));
    let micros = (i64::try_from(seconds).unwrap_or(0) - 300) * 1_000_000;
    if let Some(process) = world.processes.get(place) {
        process.clock.set_wrong(micros);
    }
}

async fn replay(world: &World) {
    // A server that does not know the topics any more takes nothing.
    let _ = world.wire.server().publish(world.wire.log()).await;
}

/// Another program writes onto a lane that we hear.
async fn junk(world: &World) {
    let Some(pack) = world.wire.log().pop() else { return };
    let id = PackId { position: u64::MAX, ..pack.id.clone() };
    let junk = Pack { id, bytes: "no pack of ours".into(), ..pack };
    let _ = world.wire.server().publish(vec![junk]).await;
}

/// Removes a group, as often as it takes.
fn remove(world: &Arc<World>) {
    world.book().remove(BRIEF);
    let spawned = Arc::clone(world);
    world.wishes.spawn("remove", async move {
        loop {
            // A process that was booting when the group was removed may have registered it once more.
            if spawned.store.remove(BRIEF).await.is_ok() {
                spawned.mark(Mark::GroupRemoved);
                return;
            }
            spawned.time.sleep(Duration::from_secs(1)).await;
        }
    });
}
