//! One row: an order line as the file has it, or the reason why it cannot be one.

use super::{
    Field,
    columns::Columns,
    value::{Dates, Moment, whole},
};
use oms_core::{
    id::{CustomerId, Sku},
    money::{Currency, Money},
    order::{MAX_KEY_BYTES, MAX_QUANTITY, MAX_TEXT_BYTES},
};

/// One row that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line on which it starts, from 1.
    pub line: u64,
    /// The source's order number.
    pub invoice: String,
    /// What is sold.
    pub sku: Sku,
    /// Its name; may be empty.
    pub name: String,
    /// How many units; of a cancellation, how many come back.
    pub quantity: u32,
    /// The price of one.
    pub price: Money,
    /// When, where the file says so.
    pub date: Option<Moment>,
    /// Who buys.
    pub customer: CustomerId,
    /// Where it goes.
    pub country: String,
}

/// One row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// The line on which it starts, from 1.
    pub line: u64,
    /// The source's order number, as far as it can be read.
    pub invoice: Option<String>,
    /// Why, and what was found.
    pub reason: String,
}

/// Whether an order number is that of a cancellation: it starts with `C`.
#[must_use]
pub fn is_cancellation(invoice: &str) -> bool {
    invoice.starts_with('C')
}

/// How texts become values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) currency: Currency,
    pub(super) dates: Dates,
}

/// Reads a row from the texts of its columns.
pub(super) fn read<'a>(
    line: u64,
    columns: &'a Columns,
    shape: Shape,
    text: impl Fn(usize) -> Option<&'a str>,
) -> Result<Row, BadRow> {
    let cell = |field| Cell::find(columns, field, &text);
    let invoice = cell(Field::Invoice).text.to_owned();
    let refuse = |reason| BadRow { line, invoice: Some(invoice.clone()).filter(|it| !it.is_empty()), reason };
    let number = cell(Field::Invoice).id(MAX_KEY_BYTES).map_err(refuse)?.to_owned();
    let (sku, customer, country) = (cell(Field::Sku), cell(Field::Customer), cell(Field::Country));
    let date = cell(Field::Date);
    Ok(Row {
        line,
        quantity: cell(Field::Quantity).quantity(is_cancellation(&number)).map_err(refuse)?,
        invoice: number,
        sku: Sku::new(sku.text).map_err(|error| refuse(sku.why(&error.to_string())))?,
        name: cell(Field::Name).short().map_err(refuse)?.to_owned(),
        price: cell(Field::Price).price(shape.currency).map_err(refuse)?,
        date: date.moment(shape.dates).map_err(refuse)?,
        customer: CustomerId::new(customer.text).map_err(|error| refuse(customer.why(&error.to_string())))?,
        country: country.id(MAX_TEXT_BYTES).map_err(refuse)?.to_owned(),
    })
}

struct Cell<'a> {
    /// The column's name; empty when the file has no such column.
    column: &'a str,
    text: &'a str,
}

impl<'a> Cell<'a> {
    fn find(columns: &'a Columns, field: Field, text: impl Fn(usize) -> Option<&'a str>) -> Self {
        match columns.place(field) {
            Some((place, column)) => Self { column, text: text(place).unwrap_or("").trim() },
            None => Self { column: "", text: "" },
        }
    }

    fn why(&self, reason: &str) -> String {
        format!("column {}: {reason}", self.column)
    }

    fn shown(&self) -> String {
        format!("{:?}", self.text.chars().take(40).collect::<String>())
    }

    fn short(&self) -> Result<&'a str, String> {
        if self.text.len() > MAX_TEXT_BYTES {
            let bytes = self.text.len();
            return Err(self.why(&format!("{bytes} bytes; shorten it to at most {MAX_TEXT_BYTES}")));
        }
        Ok(self.text)
    }

    fn id(&self, most: usize) -> Result<&'a str, String> {
        match self.text.len() {
            0 => Err(self.why("it is empty")),
            bytes if bytes > most => Err(self.why(&format!("{bytes} bytes; shorten it to at most {most}"))),
            _ => Ok(self.text),
        }
    }

    fn quantity(&self, back: bool) -> Result<u32, String> {
        let number =
            whole(self.text).ok_or_else(|| self.why(&format!("{} is no whole number", self.shown())))?;
        let sold = if back { number.checked_neg() } else { Some(number) };
        let units = sold.and_then(|units| u32::try_from(units).ok());
        units.filter(|units| (1..=MAX_QUANTITY).contains(units)).ok_or_else(|| {
            let range = if back { format!("-1 to -{MAX_QUANTITY}") } else { format!("1 to {MAX_QUANTITY}") };
            let what = if back { "a cancellation" } else { "an order" };
            self.why(&format!("{number} is not {range}, as {what} has"))
        })
    }

    fn price(&self, currency: Currency) -> Result<Money, String> {
        let price = Money::parse(self.text, currency).map_err(|error| self.why(&error.to_string()))?;
        if price.is_negative() {
            return Err(self.why(&format!("{} is negative; a discount is a lower price", self.shown())));
        }
        Ok(price)
    }

    fn moment(&self, dates: Dates) -> Result<Option<Moment>, String> {
        if self.column.is_empty() {
            return Ok(None);
        }
        let wrong = || self.why(&format!("{} is no date; say how it is written with --dates", self.shown()));
        dates.read(self.text).map(Some).ok_or_else(wrong)
    }
}
