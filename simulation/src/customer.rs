//! Customers: they order, order again when nobody answers, cancel at any moment, and let holds go.

use crate::{dice::Dice, mark::Mark, plan::Workload, process::call, world::World};
use oms_core::{
    event::{inventory::AdjustStock, payment::PaymentChoice, shipping::Address},
    id::{CustomerId, Name, OrderId, Sku},
    money::{Currency, Money},
    oms::PlaceRefusal,
    order::{NewLine, NewOrder, OrderError},
};
use std::{sync::Arc, time::Duration};

/// The SKUs of all worlds, but for those of long orders.
pub(crate) const SKUS: [&str; 4] = ["A", "B", "C", "HOT"];
/// How many SKUs an order of 500 lines has.
const LONG_SKUS: u16 = 20;

/// A text that names something.
#[expect(clippy::panic, reason = "the names of this file are well-formed")]
fn named<T, E: std::fmt::Display>(named: Result<T, E>) -> T {
    named.unwrap_or_else(|error| panic!("{error}"))
}

/// Lays units of every SKU on the shelf; asks until it is done.
pub(crate) async fn stock(world: &Arc<World>) {
    let mut skus: Vec<(String, i64)> = SKUS.iter().map(|sku| ((*sku).to_owned(), world.plan.units)).collect();
    if world.plan.workload == Workload::LongOrder {
        skus.extend((0..LONG_SKUS).map(|number| (format!("L{number}"), 1_000)));
    }
    for (sku, delta) in skus {
        let receipt = AdjustStock {
            sku: named(Sku::new(&sku)),
            delta,
            reference: Name::from("first"),
            reason: "received".to_owned(),
        };
        for place in (0..world.processes.len()).cycle() {
            let asked = call(world, place, async |oms| oms.adjust_stock(receipt.clone()).await).await;
            if asked.is_some_and(|answer| answer.is_ok_and(|answer| answer.accepted)) {
                break;
            }
            world.time.sleep(Duration::from_millis(200)).await;
        }
    }
}

/// One customer, by number.
pub(crate) struct Customer {
    world: Arc<World>,
    number: u32,
    dice: Dice,
}

impl Customer {
    pub(crate) fn new(world: Arc<World>, number: u32) -> Self {
        let dice = Dice::new(world.plan.seed, &format!("customer {number}"));
        Self { world, number, dice }
    }

    /// Orders, and does what else comes to mind.
    pub(crate) async fn shop(mut self) {
        self.pause(0, 4_000).await;
        let order = self.order();
        let id = self.place(&order).await;
        if self.dice.happens(150) {
            self.place(&order).await;
            self.reuse_the_key(&order).await;
        }
        let cancels = self.world.plan.workload == Workload::Cancels || self.dice.happens(250);
        if cancels {
            self.pause(0, 12_000).await;
            self.cancel(&id).await;
        }
        if order.hold_dispatch {
            self.pause(0, 6_000).await;
            self.release(&id).await;
        }
    }

    async fn pause(&mut self, least: u64, most: u64) {
        let time = self.dice.millis(least, most);
        self.world.time.sleep(time).await;
    }

    fn process(&mut self) -> usize {
        self.dice.index(self.world.processes.len())
    }

    /// The idempotency key, another in each seed: so are the order's id, its lane, and the ids of all its messages.
    fn key(&self) -> String {
        format!("{}/{}", self.world.plan.seed, self.number)
    }

    /// Places the order, again and again until somebody says that it is placed.
    async fn place(&mut self, order: &NewOrder) -> OrderId {
        let key = self.key();
        loop {
            let place = self.process();
            let asked =
                call(&self.world, place, async |oms| oms.place(order.clone(), "shop", &key).await).await;
            match asked {
                Some(Ok(placed)) => {
                    if placed.known {
                        self.world.mark(Mark::PlacedAgain);
                    }
                    self.world
                        .trace
                        .say(|| format!("customer {}: placed {}", self.number, placed.id.as_str()));
                    self.world.accept(placed.id.clone(), self.number);
                    return placed.id;
                }
                Some(Err(PlaceRefusal::Order(error))) => {
                    self.world.wrong(format!("order {} was refused: {error}", self.number));
                }
                Some(Err(PlaceRefusal::Place(_))) | None => {}
            }
            self.pause(20, 700).await;
        }
    }

    /// The key names this order: another one under it is refused.
    async fn reuse_the_key(&mut self, order: &NewOrder) {
        let (key, place) = (self.key(), self.process());
        let mut other = order.clone();
        other.address.country = "Norway".to_owned();
        match call(&self.world, place, async |oms| oms.place(other, "shop", &key).await).await {
            Some(Err(PlaceRefusal::Order(OrderError::KeyReused { .. }))) => self.world.mark(Mark::KeyReused),
            Some(Ok(_)) => self.world.wrong(format!("key {key} named two orders")),
            Some(Err(_)) | None => {}
        }
    }

    async fn cancel(&mut self, id: &OrderId) {
        for _ in 0..5 {
            let place = self.process();
            let asked =
                call(&self.world, place, async |oms| oms.cancel(id, "customer", "no more").await).await;
            if let Some(Ok(reply)) = asked {
                self.world
                    .trace
                    .say(|| format!("customer {}: cancels, accepted {}", self.number, reply.accepted));
                if !reply.accepted {
                    self.world.mark(Mark::CancelRefused);
                }
                return;
            }
            self.pause(20, 700).await;
        }
    }

    async fn release(&mut self, id: &OrderId) {
        for _ in 0..3 {
            let place = self.process();
            let asked = call(&self.world, place, async |oms| oms.release_dispatch(id).await).await;
            if let Some(Ok(_)) = asked {
                return;
            }
            self.pause(20, 700).await;
        }
    }

    fn order(&mut self) -> NewOrder {
        let method = ["card", "card", "upi", "cod"][self.dice.index(4)];
        let mut lines = Vec::new();
        match self.world.plan.workload {
            Workload::HotSku => lines.push(line("HOT", self.quantity())),
            Workload::LongOrder if self.number == 0 => {
                self.world.mark(Mark::LongOrder);
                lines.extend((0..500_u16).map(|number| line(&format!("L{}", number % LONG_SKUS), 1)));
            }
            Workload::Usual | Workload::LongOrder | Workload::Cancels => {
                let first = self.dice.index(SKUS.len());
                lines.push(line(SKUS[first], self.quantity()));
                if self.dice.happens(500) {
                    lines.push(line(SKUS[(first + 1) % SKUS.len()], self.quantity()));
                }
            }
        }
        if self.dice.happens(300) && lines.len() < 500 {
            lines.push(NewLine { stocked: false, ..line("POST", 1) });
        }
        NewOrder {
            customer: named(CustomerId::new("c-1")),
            currency: named(Currency::new("GBP")),
            lines,
            address: Address { country: "Iceland".to_owned(), ..Address::default() },
            payment: PaymentChoice { method: Name::from(method), token: None },
            stated_total: None,
            hold_dispatch: self.dice.happens(150),
            fields: Default::default(),
        }
    }

    fn quantity(&mut self) -> u32 {
        1 + u32::try_from(self.dice.below(3)).unwrap_or(0)
    }
}

fn line(sku: &str, quantity: u32) -> NewLine {
    NewLine {
        sku: named(Sku::new(sku)),
        name: String::new(),
        quantity,
        unit_price: Money { minor: 250, currency: named(Currency::new("GBP")) },
        stocked: true,
        fields: Default::default(),
    }
}
