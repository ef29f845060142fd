//! Waiting: until every order has ended or moves no more, and cancelling what is to be cancelled on the way.

use super::{House, Standing, Stop};
use crate::{exit::Failure, plan::Refused};
use oms_core::{event::public::Status, id::OrderId};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// How many orders are looked at between two pauses: asking never costs more than the work it waits for.
const LOOK: usize = 64;
/// How long to wait between two looks when nothing moved.
const PAUSE: Duration = Duration::from_millis(50);

/// A cancellation invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cancelling {
    pub(super) invoice: String,
    /// Its lines in the file.
    pub(super) lines: Vec<u64>,
}

impl Cancelling {
    fn too_late(&self, reason: &str) -> impl Iterator<Item = Refused> {
        let refused = |&line| Refused { line, invoice: self.invoice.clone(), reason: reason.to_owned() };
        self.lines.iter().map(refused)
    }
}

/// An order to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Awaited {
    pub(super) order: OrderId,
    /// The invoice that cancels it.
    pub(super) cancelled_by: Option<Cancelling>,
}

#[derive(Clone, Debug)]
struct Open {
    awaited: Awaited,
    asked: bool,
    seen: Option<Standing>,
}

/// How the orders of a file ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many stand where.
    pub by_status: BTreeMap<String, u64>,
    /// How many have not ended.
    pub open: u64,
    /// The rows of cancellations that came too late, and why.
    pub too_late: Vec<Refused>,
}

impl Settled {
    fn count(&mut self, standing: Option<&Standing>) {
        let status = standing.map_or("unknown", |standing| standing.status.name());
        *self.by_status.entry(status.to_owned()).or_default() += 1;
    }
}

/// Orders to wait for.
#[derive(Debug, Default)]
pub struct Watch {
    open: VecDeque<Open>,
    settled: Settled,
}

impl Watch {
    pub(super) fn add(&mut self, awaited: Awaited) {
        self.open.push_back(Open { awaited, asked: false, seen: None });
    }

    /// Waits until every order has ended, until none of those left has moved for `settle`, or until `stop`; cancels each
    /// order that is to be cancelled as soon as it is held for dispatch. `seen` is told how many have ended.
    ///
    /// # Errors
    /// [`Failure`] when the house fails.
    pub async fn run<H: House + ?Sized>(
        mut self,
        house: &H,
        settle: Duration,
        stop: &Stop,
        mut seen: impl FnMut(u64),
    ) -> Result<Settled, Failure> {
        let total = self.open.len();
        let (mut quiet, mut unmoved) = (Duration::ZERO, 0);
        while !self.open.is_empty() && !stop.asked() {
            let round = self.open.len().min(LOOK);
            let moved = self.look(house, round).await?;
            seen((total - self.open.len()) as u64);
            if moved {
                (quiet, unmoved) = (Duration::ZERO, 0);
                continue;
            }
            unmoved += round;
            // Only a whole round over all orders says that nothing moves.
            if unmoved >= self.open.len() && quiet >= settle {
                break;
            }
            house.pause(PAUSE).await;
            quiet += PAUSE;
        }
        for one in &self.open {
            self.settled.count(one.seen.as_ref());
        }
        self.settled.open = self.open.len() as u64;
        Ok(self.settled)
    }

    /// Looks at the next `count` orders; says whether any has moved.
    async fn look<H: House + ?Sized>(&mut self, house: &H, count: usize) -> Result<bool, Failure> {
        let mut moved = false;
        for _ in 0..count {
            let Some(mut one) = self.open.pop_front() else { break };
            let now = house.standing(&one.awaited.order).await.map_err(Failure::outside)?;
            moved |= now != one.seen;
            one.seen = now;
            if let Some(standing) = one.seen.clone().filter(|standing| standing.ended) {
                self.end(one, &standing);
                continue;
            }
            if one.seen.as_ref().is_some_and(|standing| standing.held) {
                self.cancel(&mut one, house).await?;
            }
            self.open.push_back(one);
        }
        Ok(moved)
    }

    async fn cancel<H: House + ?Sized>(&mut self, one: &mut Open, house: &H) -> Result<(), Failure> {
        let Some(cancelling) = one.awaited.cancelled_by.as_ref().filter(|_| !one.asked) else {
            return Ok(());
        };
        let reason = format!("cancelled by invoice {}", cancelling.invoice);
        let reasons = house.cancel(&one.awaited.order, &reason).await.map_err(Failure::outside)?;
        one.asked = true;
        if !reasons.is_empty() {
            self.settled.too_late.extend(cancelling.too_late(&reasons.join("; ")));
        }
        Ok(())
    }

    fn end(&mut self, one: Open, standing: &Standing) {
        // An order that failed by itself keeps nothing: there is nothing left to cancel.
        if let Some(cancelling) =
            one.awaited.cancelled_by.filter(|_| !one.asked && standing.status == Status::Completed)
        {
            let why = "its order was completed before the cancellation came; returns are not supported yet";
            self.settled.too_late.extend(cancelling.too_late(why));
        }
        self.settled.count(Some(standing));
    }
}
