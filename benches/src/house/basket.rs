//! The orders that are placed, each a plain function of its number.

use crate::fault::Fault;
use oms_core::{
    event::{inventory::AdjustStock, payment::PaymentChoice, shipping::Address},
    id::{CustomerId, Sku},
    money::{Currency, Money},
    order::{NewLine, NewOrder},
};

/// How many SKUs there are; orders take them in turns.
const SKUS: usize = 500;
/// More units than all runs together take.
const UNITS: i64 = 1_000_000_000;
/// The most lines that an order may have.
const LONG: usize = 500;

/// A kind of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Basket {
    /// Two lines, one of stock and one of a service: what the budget of rows counts.
    #[default]
    Plain,
    /// Two lines of stock.
    Stocked,
    /// As [`Basket::Plain`], the same SKU in every second order.
    Hot,
    /// 500 lines of stock.
    Long,
    /// As [`Basket::Plain`], held before its dispatch.
    Held,
    /// As [`Basket::Plain`], paid by a charge that waits for the customer.
    Upi,
}

impl Basket {
    /// The order of this number.
    ///
    /// # Errors
    /// [`Fault::Measured`] when core no longer takes such an order.
    pub fn order(self, number: usize) -> Result<NewOrder, Fault> {
        let currency = Currency::new("GBP").map_err(Fault::measured)?;
        let method = if self == Self::Upi { "upi" } else { "card" };
        Ok(NewOrder {
            customer: CustomerId::new("17850").map_err(Fault::measured)?,
            currency,
            lines: self.lines(number, currency)?,
            address: Address {
                name: "A. Buyer".to_owned(),
                street: vec!["1 High Street".to_owned()],
                city: "Leeds".to_owned(),
                postal_code: "LS1 1AA".to_owned(),
                country: "United Kingdom".to_owned(),
            },
            payment: PaymentChoice { method: method.into(), token: None },
            stated_total: None,
            hold_dispatch: self == Self::Held,
            fields: Default::default(),
        })
    }

    fn lines(self, number: usize, currency: Currency) -> Result<Vec<NewLine>, Fault> {
        let stock = |at: usize| line(&sku(at), true, currency);
        let post = || line("POST", false, currency);
        match self {
            Self::Plain | Self::Held | Self::Upi => Ok(vec![stock(number)?, post()?]),
            Self::Stocked => Ok(vec![stock(number)?, stock(number + 1)?]),
            Self::Hot => Ok(vec![stock(if number.is_multiple_of(2) { 0 } else { number })?, post()?]),
            Self::Long => (0..LONG).map(stock).collect(),
        }
    }
}

/// The changes of stock that fill every shelf.
///
/// # Errors
/// [`Fault::Measured`] when core no longer takes such a SKU.
pub fn deliveries() -> Result<Vec<AdjustStock>, Fault> {
    let delivery = |at| {
        let sku = Sku::new(&sku(at)).map_err(Fault::measured)?;
        Ok(AdjustStock { sku, delta: UNITS, reference: "first".into(), reason: "received".to_owned() })
    };
    (0..SKUS).map(delivery).collect()
}

fn sku(at: usize) -> String {
    format!("S{:05}", at % SKUS)
}

fn line(sku: &str, stocked: bool, currency: Currency) -> Result<NewLine, Fault> {
    Ok(NewLine {
        sku: Sku::new(sku).map_err(Fault::measured)?,
        name: "white hanging heart holder".to_owned(),
        quantity: 3,
        unit_price: Money { minor: 255, currency },
        stocked,
        fields: Default::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hot_sku_is_in_every_second_order() {
        let hot = |number| Basket::Hot.order(number).unwrap().lines[0].sku.as_str() == "S00000";
        assert_eq!((1..=100).filter(|number| hot(*number)).count(), 50);
    }

    #[test]
    fn every_kind_of_order_is_accepted() {
        for basket in [Basket::Plain, Basket::Stocked, Basket::Hot, Basket::Long, Basket::Held, Basket::Upi] {
            let placed = basket.order(7).unwrap().accept("bench", "7");
            assert!(placed.is_ok(), "{basket:?}");
        }
    }
}
