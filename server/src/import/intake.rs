//! Placing: orders in chunks, each refused one by its rows in the report.

use super::{
    House, NotPlaced, PRINCIPAL, Pace, Stop, Wish,
    watch::{Awaited, Cancelling, Watch},
};
use crate::{
    exit::Failure,
    plan::{Gather, Gathered, Item, Refused},
    report::Report,
};
use oms_core::id::order_id;
use std::{collections::BTreeMap, io::BufRead, time::Duration};

/// How long to wait when too much is in flight.
const BACKLOG_PAUSE: Duration = Duration::from_millis(100);

/// What placing came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Orders that were new.
    pub placed: u64,
    /// Orders that an earlier run had placed.
    pub already_known: u64,
    /// Orders that were refused at the door.
    pub refused_orders: u64,
    /// Their rows.
    pub refused_rows: u64,
    /// What they would have come to, in minor units.
    pub refused_minor: i64,
}

/// Places the orders of a file, and remembers what to watch.
pub struct Intake<'a, H: House + ?Sized> {
    house: &'a H,
    report: &'a mut Report,
    pace: Pace,
    taken: Taken,
    chunk: Vec<Gathered>,
    placed: BTreeMap<String, bool>,
    cancels: BTreeMap<String, Cancelling>,
    watch: Watch,
}

impl<'a, H: House + ?Sized> Intake<'a, H> {
    /// Places into `house`, and lists in `report` what cannot be placed.
    pub fn new(house: &'a H, report: &'a mut Report, pace: Pace) -> Self {
        let (taken, chunk, placed) = (Taken::default(), Vec::new(), BTreeMap::new());
        Self { house, report, pace, taken, chunk, placed, cancels: BTreeMap::new(), watch: Watch::default() }
    }

    /// Places all orders; `seen` is told how many have been.
    ///
    /// Stopped or dropped half-way, what is placed is durable, and the next run goes on.
    ///
    /// # Errors
    /// [`Failure`] when the file, the report or the house fails.
    pub async fn run<R: BufRead>(
        mut self,
        mut gather: Gather<'_, R>,
        stop: &Stop,
        mut seen: impl FnMut(u64),
    ) -> Result<(Taken, Watch), Failure> {
        while let Some(item) = gather.next_item()? {
            match item {
                Item::Order(order) => self.chunk.push(*order),
                Item::Row(row) => self.report.add(&row).map_err(Failure::outside)?,
                Item::Cancel { invoice, order, lines } => {
                    self.cancels.insert(order, Cancelling { invoice, lines });
                }
            }
            if self.chunk.len() >= self.pace.chunk() {
                self.flush(stop).await?;
                seen(self.taken.placed + self.taken.already_known + self.taken.refused_orders);
            }
            // What is refused is listed to the end of the file, or not at all: the report says what a run did.
            if stop.asked() {
                break;
            }
        }
        self.flush(stop).await?;
        seen(self.taken.placed + self.taken.already_known + self.taken.refused_orders);
        for invoice in self.placed.into_keys() {
            let cancelled_by = self.cancels.remove(&invoice);
            self.watch.add(Awaited { order: order_id(PRINCIPAL, &invoice), cancelled_by });
        }
        Ok((self.taken, self.watch))
    }

    async fn flush(&mut self, stop: &Stop) -> Result<(), Failure> {
        let mut chunk = std::mem::take(&mut self.chunk);
        let count = chunk.len();
        while !chunk.is_empty() && !stop.asked() {
            let wish = |one: &Gathered| Wish { invoice: one.invoice.clone(), order: one.order.clone() };
            let wishes: Vec<Wish> = chunk.iter().map(wish).collect();
            let answers = self.house.place(&wishes).await.map_err(Failure::outside)?;
            let mut later = Vec::new();
            for (order, answer) in chunk.into_iter().zip(answers) {
                later.extend(self.settle(order, answer)?);
            }
            chunk = later;
            if !chunk.is_empty() {
                self.house.pause(BACKLOG_PAUSE).await;
            }
        }
        let time = self.pace.time(count);
        if !time.is_zero() {
            self.house.pause(time).await;
        }
        Ok(())
    }

    /// Notes what became of an order; gives it back to be placed again.
    fn settle(
        &mut self,
        order: Gathered,
        answer: Result<bool, NotPlaced>,
    ) -> Result<Option<Gathered>, Failure> {
        match answer {
            Ok(known) => {
                self.taken.already_known += u64::from(known);
                self.taken.placed += u64::from(!known);
                self.placed.insert(order.invoice, known);
                Ok(None)
            }
            Err(NotPlaced::Later) => Ok(Some(order)),
            Err(NotPlaced::Otherwise(reason) | NotPlaced::Never(reason)) => {
                self.refuse(&order, &reason)?;
                Ok(None)
            }
        }
    }

    fn refuse(&mut self, order: &Gathered, reason: &str) -> Result<(), Failure> {
        self.taken.refused_orders += 1;
        self.taken.refused_rows += order.lines.len() as u64;
        let sum =
            |line: &oms_core::order::NewLine| line.unit_price.minor.saturating_mul(line.quantity.into());
        let total = order.order.lines.iter().map(sum).fold(0, i64::saturating_add);
        self.taken.refused_minor = self.taken.refused_minor.saturating_add(total);
        for &line in &order.lines {
            let row = Refused { line, invoice: order.invoice.clone(), reason: reason.to_owned() };
            self.report.add(&row).map_err(Failure::outside)?;
        }
        Ok(())
    }
}
