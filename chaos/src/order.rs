//! The orders of a round, each by its number alone.

use crate::failure::Failure;
use oms_core::{
    event::{inventory::AdjustStock, payment::PaymentChoice, shipping::Address},
    id::{CustomerId, Digest, Name, Sku},
    money::{Currency, Money},
    oms::Placement,
    order::{NewLine, NewOrder},
};

/// How many SKUs there is plenty of.
const SKUS: u128 = 40;
/// The SKU that runs short.
const HOT: &str = "HOT";

/// What a customer does after the order was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Nothing.
    Wait,
    /// Cancels it at once, however far it is.
    CancelAtOnce,
    /// Cancels it once it is held for dispatch.
    CancelHeld,
    /// Lets it go once it is held for dispatch.
    Release,
}

/// The orders that a seed draws.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Orders {
    pub(crate) seed: u64,
    pub(crate) count: u32,
}

impl Orders {
    fn draw(self, purpose: &str, number: u32, sides: u128) -> u128 {
        let digest = Digest::new("chaos").number(self.seed.into()).text(purpose);
        digest.number(number.into()).finish() % sides
    }

    /// What is on the shelves before the first order: of the hot SKU enough for half of those who want it.
    pub(crate) fn stock(self) -> Result<Vec<AdjustStock>, Failure> {
        let plenty = (0..SKUS).map(|number| (format!("SKU-{number}"), 1_000_000));
        let hot = (HOT.to_owned(), i64::from(self.count / 10));
        plenty.chain([hot]).map(|(name, units)| received(&name, units)).collect()
    }

    pub(crate) fn plan(self, number: u32) -> Plan {
        match self.draw("plan", number, 100) {
            0..5 => Plan::CancelHeld,
            5..10 => Plan::Release,
            10..14 => Plan::CancelAtOnce,
            _ => Plan::Wait,
        }
    }

    pub(crate) fn placement(self, number: u32) -> Result<Placement, Failure> {
        let currency = Currency::new("GBP").map_err(unusable)?;
        let method = ["card", "card", "upi", "cod"][self.draw("method", number, 4) as usize];
        let lines = (0..=self.draw("lines", number, 3)).map(|place| {
            let sku = self.draw("sku", number + 10_000 * place as u32, SKUS);
            line(&format!("SKU-{sku}"), 1 + place as u32, currency)
        });
        let hot = (self.draw("hot", number, 10) < 2).then(|| line(HOT, 1, currency));
        let mut lines = lines.chain(hot).collect::<Result<Vec<_>, _>>()?;
        lines.dedup_by(|one, other| one.sku == other.sku);
        let hold_dispatch = matches!(self.plan(number), Plan::CancelHeld | Plan::Release);
        let order = NewOrder {
            customer: CustomerId::new(&format!("c-{}", number % 100)).map_err(unusable)?,
            currency,
            lines,
            address: Address { country: "Iceland".to_owned(), ..Address::default() },
            payment: PaymentChoice { method: Name::from(method), token: None },
            stated_total: None,
            hold_dispatch,
            fields: Default::default(),
        };
        Ok(Placement { order, principal: "chaos".to_owned(), idempotency_key: number.to_string() })
    }
}

fn received(name: &str, units: i64) -> Result<AdjustStock, Failure> {
    let reference = Name::from(format!("delivery-{name}"));
    let sku = Sku::new(name).map_err(unusable)?;
    Ok(AdjustStock { sku, delta: units, reference, reason: "received".to_owned() })
}

fn line(name: &str, quantity: u32, currency: Currency) -> Result<NewLine, Failure> {
    let sku = Sku::new(name).map_err(unusable)?;
    let unit_price = Money::new(199, currency);
    Ok(NewLine {
        sku,
        name: name.to_owned(),
        quantity,
        unit_price,
        stocked: true,
        fields: Default::default(),
    })
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::of("an order of the round cannot be made", error)
}
