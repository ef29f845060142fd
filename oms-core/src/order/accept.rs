//! The door: what may become an order, each refusal with its own variant, before anything is stored.

use crate::{
    event::{
        Fields,
        order::{OrderLine, OrderPlaced},
        payment::PaymentChoice,
        shipping::Address,
    },
    id::{CustomerId, Digest, Name, OrderId, Sku, order_id},
    money::{Currency, Money, MoneyError},
};
use serde::{Deserialize, Serialize};

/// The largest number of lines on one order.
pub const MAX_LINES: usize = 500;
/// The largest quantity on one line.
pub const MAX_QUANTITY: u32 = 1_000_000;
/// The longest idempotency key, and the longest principal, in bytes.
pub const MAX_KEY_BYTES: usize = 255;
/// The longest part of an address, name of a line or of a payment method, or payment token, in bytes.
pub const MAX_TEXT_BYTES: usize = 255;
/// The largest number of street lines in an address.
pub const MAX_STREET_LINES: usize = 10;

/// One line of an order that is not accepted yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewLine {
    /// What is sold.
    pub sku: Sku,
    /// Its name, for people; may be empty.
    #[serde(default)]
    pub name: String,
    /// How many, 1 to [`MAX_QUANTITY`].
    pub quantity: u32,
    /// The price of one, in the order's currency; may be 0.
    pub unit_price: Money,
    /// Whether it needs stock; a service (postage) does not.
    pub stocked: bool,
    /// Own fields.
    #[serde(default)]
    pub fields: Fields,
}

/// An order that is not accepted yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOrder {
    /// Who buys.
    pub customer: CustomerId,
    /// The currency of every price.
    pub currency: Currency,
    /// 1 to [`MAX_LINES`] lines; a SKU may be on several.
    pub lines: Vec<NewLine>,
    /// Where it goes; a country at least.
    pub address: Address,
    /// How it is paid.
    pub payment: PaymentChoice,
    /// What the buyer was told that it costs; compared with the sum of the lines.
    #[serde(default)]
    pub stated_total: Option<Money>,
    /// Whether its dispatch waits until somebody lifts the hold. A wish about handling, not content: placed again with
    /// another wish it is still the same order, and the first wish counts.
    #[serde(default)]
    pub hold_dispatch: bool,
    /// Own fields.
    #[serde(default)]
    pub fields: Fields,
}

/// Why an order is not accepted. Nothing was stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// There is nothing on it.
    #[error("the order has no lines; give it at least one")]
    NoLines,
    /// More than [`MAX_LINES`].
    #[error("the order has {0} lines; split it into orders of at most {MAX_LINES}")]
    TooManyLines(usize),
    /// Nothing, or more than [`MAX_QUANTITY`].
    #[error("line {line} has quantity {quantity}; order 1 to {MAX_QUANTITY}")]
    Quantity {
        /// The line, from 0.
        line: usize,
        /// Its quantity.
        quantity: u32,
    },
    /// A price below 0.
    #[error("line {line} has the negative price {price}; a discount is a lower price, not a line")]
    NegativePrice {
        /// The line, from 0.
        line: usize,
        /// Its price.
        price: Money,
    },
    /// A price in another currency than the order's.
    #[error("line {line} is priced in {found}, the order in {expected}; use one currency for each order")]
    TwoCurrencies {
        /// The line, from 0.
        line: usize,
        /// Its currency.
        found: Currency,
        /// The order's.
        expected: Currency,
    },
    /// The sum of the lines does not fit into 64 bits.
    #[error("the total is larger than an amount can be; split the order")]
    TotalTooLarge,
    /// The buyer was told another sum.
    #[error("the stated total is {stated}, the lines add up to {computed}; show the buyer the new total")]
    TotalDiffers {
        /// What was stated.
        stated: Money,
        /// What the lines add up to.
        computed: Money,
    },
    /// Empty, or longer than [`MAX_KEY_BYTES`].
    #[error("the idempotency key has {0} bytes; give it 1 to {MAX_KEY_BYTES}")]
    IdempotencyKey(usize),
    /// Empty, or longer than [`MAX_KEY_BYTES`].
    #[error("the principal has {0} bytes; give it 1 to {MAX_KEY_BYTES}")]
    Principal(usize),
    /// The address does not say where.
    #[error("the address has no country; add one")]
    NoCountry,
    /// More than [`MAX_STREET_LINES`].
    #[error("the address has {0} street lines; shorten it to at most {MAX_STREET_LINES}")]
    TooManyStreetLines(usize),
    /// No payment method was chosen.
    #[error("the order names no payment method; choose one that this shop offers")]
    NoPaymentMethod,
    /// Longer than [`MAX_TEXT_BYTES`].
    #[error("the {what} has {bytes} bytes; shorten it to at most {MAX_TEXT_BYTES}")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// How long it is.
        bytes: usize,
    },
    /// The key has placed another order before.
    #[error(
        "this idempotency key has placed order {order} with other content; use a new key for a new order"
    )]
    KeyReused {
        /// The order that the key has placed.
        order: OrderId,
    },
}

impl NewOrder {
    /// Checks the order, and makes the event that opens its stream. Its id depends on `principal` and `idempotency_key`
    /// alone, so that placing twice finds the first; its fingerprint on everything else but the wish to hold its dispatch.
    ///
    /// # Errors
    /// [`OrderError`], for the first thing found wrong; never [`OrderError::KeyReused`], see [`OrderPlaced::repeated_by`].
    pub fn accept(self, principal: &str, idempotency_key: &str) -> Result<OrderPlaced, OrderError> {
        let fits = |text: &str| (1..=MAX_KEY_BYTES).contains(&text.len());
        if !fits(principal) {
            return Err(OrderError::Principal(principal.len()));
        }
        if !fits(idempotency_key) {
            return Err(OrderError::IdempotencyKey(idempotency_key.len()));
        }
        check_address(&self.address)?;
        check_payment(&self.payment)?;
        let total = self.checked_total()?;
        let fingerprint = self.fingerprint();
        Ok(OrderPlaced {
            order: order_id(principal, idempotency_key),
            principal: Name::from(principal),
            idempotency_key: Name::from(idempotency_key),
            fingerprint,
            customer: self.customer,
            currency: self.currency,
            lines: self.lines.into_iter().map(OrderLine::from).collect(),
            address: self.address,
            payment: self.payment,
            total,
            hold_dispatch: self.hold_dispatch,
            fields: self.fields,
        })
    }

    fn checked_total(&self) -> Result<Money, OrderError> {
        match self.lines.len() {
            0 => return Err(OrderError::NoLines),
            count if count > MAX_LINES => return Err(OrderError::TooManyLines(count)),
            _ => {}
        }
        let mut total = Money::zero(self.currency);
        for (number, line) in self.lines.iter().enumerate() {
            let sum = line.checked_sum(number, self.currency)?;
            total = total.plus(sum).map_err(|error| too_large(error, number))?;
        }
        match self.stated_total {
            Some(stated) if stated != total => Err(OrderError::TotalDiffers { stated, computed: total }),
            _ => Ok(total),
        }
    }

    fn fingerprint(&self) -> String {
        let digest = Digest::new("content").text(self.customer.as_str()).text(self.currency.code());
        let address = &self.address;
        let digest = texts(digest, &address.street).text(&address.name).text(&address.city);
        let digest = digest.text(&address.postal_code).text(&address.country).text(&self.payment.method);
        let digest = texts(digest, self.payment.token.as_slice());
        let digest = own_fields(digest, &self.fields).number(self.lines.len() as u128);
        let digest = self.lines.iter().fold(digest, |digest, line| {
            let digest = digest.text(line.sku.as_str()).text(&line.name).number(line.quantity.into());
            // A price that was accepted is never negative.
            let digest = digest.number(line.unit_price.minor.unsigned_abs().into());
            own_fields(digest.number(line.stocked.into()), &line.fields)
        });
        format!("{:032x}", digest.finish())
    }
}

impl NewLine {
    fn checked_sum(&self, line: usize, expected: Currency) -> Result<Money, OrderError> {
        let (price, quantity) = (self.unit_price, self.quantity);
        if quantity == 0 || quantity > MAX_QUANTITY {
            return Err(OrderError::Quantity { line, quantity });
        }
        if price.currency != expected {
            return Err(OrderError::TwoCurrencies { line, found: price.currency, expected });
        }
        if price.is_negative() {
            return Err(OrderError::NegativePrice { line, price });
        }
        short("name of a line", &self.name)?;
        price.times(quantity).map_err(|error| too_large(error, line))
    }
}

impl From<NewLine> for OrderLine {
    fn from(line: NewLine) -> Self {
        Self {
            sku: line.sku,
            name: line.name,
            quantity: line.quantity,
            unit_price: line.unit_price.minor,
            stocked: line.stocked,
            fields: line.fields,
        }
    }
}

impl OrderPlaced {
    /// Says whether `again`, placed with the same principal and key, is this same order.
    ///
    /// # Errors
    /// [`OrderError::KeyReused`] when its content differs.
    pub fn repeated_by(&self, again: &OrderPlaced) -> Result<(), OrderError> {
        if self.order == again.order && self.fingerprint == again.fingerprint {
            return Ok(());
        }
        Err(OrderError::KeyReused { order: self.order.clone() })
    }
}

fn too_large(error: MoneyError, line: usize) -> OrderError {
    match error {
        MoneyError::Overflow => OrderError::TotalTooLarge,
        MoneyError::TwoCurrencies { left, right } => {
            OrderError::TwoCurrencies { line, found: right, expected: left }
        }
    }
}

fn check_address(address: &Address) -> Result<(), OrderError> {
    if address.country.trim().is_empty() {
        return Err(OrderError::NoCountry);
    }
    if address.street.len() > MAX_STREET_LINES {
        return Err(OrderError::TooManyStreetLines(address.street.len()));
    }
    address.street.iter().try_for_each(|line| short("street", line))?;
    short("name in the address", &address.name)?;
    short("city", &address.city)?;
    short("postal code", &address.postal_code)?;
    short("country", &address.country)
}

fn check_payment(payment: &PaymentChoice) -> Result<(), OrderError> {
    if payment.method.trim().is_empty() {
        return Err(OrderError::NoPaymentMethod);
    }
    short("payment method", &payment.method)?;
    payment.token.as_deref().map_or(Ok(()), |token| short("payment token", token))
}

fn short(what: &'static str, text: &str) -> Result<(), OrderError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(OrderError::TooLong { what, bytes: text.len() });
    }
    Ok(())
}

fn texts(digest: Digest, texts: &[String]) -> Digest {
    texts.iter().fold(digest.number(texts.len() as u128), |digest, text| digest.text(text))
}

fn own_fields(digest: Digest, fields: &Fields) -> Digest {
    let digest = digest.number(fields.iter().count() as u128);
    fields.iter().fold(digest, |digest, (name, value)| digest.text(name).text(value))
}
