//! Planted bugs: each stands around a port or a handler, so that the production code stays as it is.

mod around;
mod found;
mod ids;
mod keep;
mod layer;
mod owed;
mod payment;
mod provider;
mod release;
mod saga;
mod undo;
mod wire;
mod written;

use crate::{
    gateway::Line,
    groups::served,
    plant::Plant,
    world::{Process, World},
};
use around::{Around, Handles};
use layer::around;
use oms_core::{
    broker::Broker, gateway::payment::PaymentProvider, message::Codec, oms::Builder, payment::Method,
    service::Handler, store::Store,
};
use provider::{Hasty, Unkeyed};
use std::sync::{Arc, Mutex};
use wire::{Client, Wrong};

/// Puts a planted bug around a process's store.
pub(crate) fn around_store(world: &Arc<World>, process: &Process, store: Arc<dyn Store>) -> Arc<dyn Store> {
    let here = || Arc::clone(world);
    match world.plant {
        Some(Plant::OwedDeletedEarly) => around(store, owed::DeletedEarly),
        Some(Plant::OwedDeletedApart) => around(store, owed::DeletedApart),
        Some(Plant::BodiesDeletedEarly) => around(store, found::BodiesDeletedEarly(here())),
        Some(Plant::EarlierOwedNotFirst) => around(store, found::EarlierOwedNotFirst),
        Some(Plant::ParkedKeyNotChecked) => around(store, found::ParkedKeyNotChecked),
        Some(Plant::ReleaseNotReadAgain) => around(store, release::ReleaseNotReadAgain::new(here())),
        Some(Plant::ReleaseLosesFollowers) => around(store, written::ReleaseLosesFollowers(here())),
        Some(Plant::DeadlineRunsWhileOwed) => around(store, written::DeadlineRunsWhileOwed(here())),
        Some(Plant::ConflictIsPoison) => around(store, written::ConflictIsPoison),
        Some(Plant::LeaseByWorkerClock) => around(store, keep::LeaseByWorkerClock(process.clock.clone())),
        Some(Plant::CursorBeforeConfirm) => around(store, keep::CursorBeforeConfirm),
        _ => store,
    }
}

/// Puts a planted bug around a process's broker.
pub(crate) fn around_broker(world: &Arc<World>, place: usize, inside: Arc<dyn Broker>) -> Arc<dyn Broker> {
    let wrong = match world.plant {
        Some(Plant::AckBeforeCommit) => Wrong::AckBeforeCommit,
        Some(Plant::OwnTopologyOnly) if world.plan.apart => Wrong::OwnTopologyOnly(served(world, place)),
        _ => return inside,
    };
    Arc::new(Client { inside, wrong })
}

/// Puts a planted bug around the codec.
pub(crate) fn around_codec(world: &Arc<World>, codec: Arc<dyn Codec>) -> Arc<dyn Codec> {
    match world.plant {
        Some(Plant::IdsWithoutGroup) => Arc::new(ids::IdsWithoutGroup(codec)),
        _ => codec,
    }
}

/// Puts a planted bug around a handler.
pub(crate) fn around_handler(world: &Arc<World>, inside: Arc<dyn Handler>) -> Arc<dyn Handler> {
    let (group, handles): (&str, Handles) = match world.plant {
        Some(Plant::NoTombstoneStock) => ("inventory", undo::without_tombstone),
        Some(Plant::NoTombstonePayment) => ("payment", undo::without_tombstone),
        Some(Plant::NoTombstoneShipment) => ("shipping", undo::without_tombstone),
        Some(Plant::ReserveNotIdempotent) => ("inventory", undo::reserve_again),
        Some(Plant::UndoOvertakes) => ("payment", payment::undo_at_once),
        Some(Plant::UnknownChargeIsNone) => ("payment", payment::unknown_is_none),
        Some(Plant::RefundOnCancelRequest) => ("order", saga::refund_on_request),
        Some(Plant::ProvisionalIsFinal) => ("order", saga::provisional_is_final),
        Some(Plant::LateReplyNotGuarded) => ("order", saga::without_phase),
        _ => return inside,
    };
    if *inside.group() == *group { Arc::new(Around { inside, handles }) } else { inside }
}

/// Puts a planted bug around a payment provider.
pub(crate) fn payment<P>(world: &Arc<World>, builder: Builder, method: Method, inside: Line<P>) -> Builder
where
    P: Send + Sync + 'static,
    Line<P>: PaymentProvider + 'static,
{
    let steps: &[&str] = match world.plant {
        Some(Plant::ChargeNotIdempotent) => &["authorise", "charge", "capture"],
        Some(Plant::RefundNotIdempotent) => &["refund"],
        Some(Plant::TimeoutIsFailure) => return builder.payment_method(method, Hasty(inside)),
        _ => return builder.payment_method(method, inside),
    };
    builder.payment_method(method, Unkeyed { inside, steps, answered: Mutex::default() })
}

/// Leaves out what a planted bug leaves out of every store of this thread, and nothing else.
#[cfg(oms_mutants)]
pub(crate) fn leave_out(plant: Option<Plant>) {
    use oms_core::store::mutant::{Guard, leave_out};
    leave_out(match plant {
        Some(Plant::LaneNotLocked) => &[Guard::Lock, Guard::Position],
        Some(Plant::PositionOutsideLock) => &[Guard::Behind, Guard::Position],
        Some(Plant::NothingChecked) => &[Guard::Lock, Guard::Position, Guard::Epoch, Guard::Consumed],
        Some(Plant::EpochNotChecked) => &[Guard::Lock, Guard::Epoch],
        Some(Plant::ConsumedNotChecked) => &[Guard::Lock, Guard::Consumed],
        _ => &[],
    });
}

/// Whether the store lets a turn commit that its client has left alone for too long.
pub(crate) fn keeps_turns_open(plant: Option<Plant>) -> bool {
    matches!(plant, Some(Plant::NothingChecked | Plant::EpochNotChecked | Plant::ConsumedNotChecked))
}
