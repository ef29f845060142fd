//! What customers do after they placed: cancel at once, or decide about what is held.

use crate::{failure::Failure, house::House, order::Plan};
use oms_core::{
    id::OrderId,
    oms::Oms,
    order::Phase,
    projection::{Facts, Parcel},
};
use std::{collections::VecDeque, time::Duration};
use tokio::sync::mpsc;

/// How long to wait between two looks at orders that are not held yet.
const LOOK: Duration = Duration::from_millis(2);

/// Sees to all orders that are handed in, until no more come and all have been decided.
pub(crate) async fn decide(
    house: &House,
    mut placed: mpsc::UnboundedReceiver<(OrderId, Plan)>,
) -> Result<(), Failure> {
    let mut open: VecDeque<(OrderId, Plan)> = VecDeque::new();
    loop {
        while let Ok(next) = placed.try_recv() {
            open.push_back(next);
        }
        let Some((order, plan)) = open.pop_front() else {
            match placed.recv().await {
                Some(next) => open.push_back(next),
                None => return Ok(()),
            }
            continue;
        };
        if !decided(house, &order, plan).await? {
            open.push_back((order, plan));
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Does what is to be done about an order, and says whether that was the last of it. What fails is tried again.
async fn decided(house: &House, order: &OrderId, plan: Plan) -> Result<bool, Failure> {
    let oms = house.ask().await?;
    if plan == Plan::CancelAtOnce {
        return Ok(cancelled(&oms, order).await);
    }
    let Ok(facts) = oms.facts(order).await else { return Ok(false) };
    if is_decided(&facts) {
        return Ok(true);
    }
    if facts.parcel() == Parcel::Held {
        match plan {
            Plan::CancelHeld => _ = cancelled(&oms, order).await,
            Plan::Release => _ = oms.release_dispatch(order).await,
            Plan::Wait | Plan::CancelAtOnce => {}
        }
    }
    Ok(false)
}

async fn cancelled(oms: &Oms, order: &OrderId) -> bool {
    oms.cancel(order, "customer", "changed my mind").await.is_ok()
}

/// Whether there is nothing more to decide: it has ended, is being undone, or has left.
fn is_decided(facts: &Facts) -> bool {
    let phase = facts.phase();
    let moves_on = matches!(
        phase,
        Phase::Failing
            | Phase::CancelRequested
            | Phase::Cancelling
            | Phase::Fulfilling
            | Phase::NeedsAttention
    );
    phase.is_terminal() || moves_on
}
