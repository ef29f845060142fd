//! The second reading of a file: the rows of each invoice together, as an order or as what it is refused for.

use super::{Fate, PaymentMix, Services, Survey};
use crate::source::{BadRow, Row, Rows, SourceError};
use oms_core::{
    event::{FieldError, Fields, payment::PaymentChoice, shipping::Address},
    order::{NewLine, NewOrder},
};
use std::{
    collections::{BTreeMap, VecDeque},
    io::BufRead,
};

/// Why a cancellation that matches no whole order is only listed.
pub(super) const RETURN: &str =
    "returns are not supported yet: no earlier order of this customer has exactly these lines";

/// One invoice that becomes an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// The source's order number: its idempotency key.
    pub invoice: String,
    /// The lines of its rows in the file.
    pub lines: Vec<u64>,
    /// What is placed; its dispatch is held when a later invoice cancels it.
    pub order: NewOrder,
}

/// A row that becomes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The line on which it starts, from 1.
    pub line: u64,
    /// The source's order number, as far as it is known.
    pub invoice: String,
    /// Why.
    pub reason: String,
}

/// What comes out of the second reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// An order to place.
    Order(Box<Gathered>),
    /// A row for the report.
    Row(Refused),
    /// A cancellation of a whole order; comes after both invoices are complete.
    Cancel {
        /// Which invoice cancels.
        invoice: String,
        /// Which invoice is cancelled.
        order: String,
        /// The lines of the cancelling invoice in the file.
        lines: Vec<u64>,
    },
}

/// Gathers the rows of each invoice, however they are spread over the file.
///
/// Only invoices whose last row has not come yet are in memory.
pub struct Gather<'a, R> {
    rows: Rows<R>,
    survey: &'a Survey,
    services: &'a Services,
    mix: PaymentMix,
    open: BTreeMap<String, Pending>,
    ready: VecDeque<Item>,
    ended: bool,
}

#[derive(Default)]
struct Pending {
    seen: u64,
    lines: Vec<u64>,
    rows: Vec<Row>,
}

impl<'a, R: BufRead> Gather<'a, R> {
    /// Reads `rows`, of which `survey` knows what becomes.
    pub fn new(rows: Rows<R>, survey: &'a Survey, services: &'a Services, mix: PaymentMix) -> Self {
        Self { rows, survey, services, mix, open: BTreeMap::new(), ready: VecDeque::new(), ended: false }
    }

    /// Gives the next order or refused row; orders come when their last row was read.
    ///
    /// # Errors
    /// [`SourceError::Changed`] when the file is not the one that was surveyed, and what reading it says.
    pub fn next_item(&mut self) -> Result<Option<Item>, SourceError> {
        while self.ready.is_empty() && !self.ended {
            match self.rows.next_row()? {
                Some(Ok(row)) => self.take(row)?,
                Some(Err(bad)) => self.spoil(bad)?,
                None if self.open.is_empty() => self.ended = true,
                None => return Err(SourceError::Changed),
            }
        }
        Ok(self.ready.pop_front())
    }

    fn take(&mut self, row: Row) -> Result<(), SourceError> {
        let (number, line) = (row.invoice.clone(), row.line);
        self.count(number, line, Some(row))
    }

    fn spoil(&mut self, bad: BadRow) -> Result<(), SourceError> {
        match bad.invoice {
            Some(number) => self.count(number, bad.line, None),
            None => {
                let invoice = String::new();
                self.ready.push_back(Item::Row(Refused { line: bad.line, invoice, reason: bad.reason }));
                Ok(())
            }
        }
    }

    fn count(&mut self, number: String, line: u64, row: Option<Row>) -> Result<(), SourceError> {
        let whole = self.survey.rows_of(&number);
        let pending = self.open.entry(number.clone()).or_default();
        pending.seen += 1;
        pending.lines.push(line);
        pending.rows.extend(row);
        if pending.seen < whole {
            return Ok(());
        }
        let pending = self.open.remove(&number).unwrap_or_default();
        self.close(number, pending)
    }

    fn close(&mut self, number: String, pending: Pending) -> Result<(), SourceError> {
        match self.survey.fate(&number) {
            None => return Err(SourceError::Changed),
            Some(Fate::Order { cancelled_by }) => {
                match self.order(&number, pending.rows, cancelled_by.is_some()) {
                    Some(Ok(order)) => {
                        let gathered = Gathered { invoice: number, lines: pending.lines, order };
                        self.ready.push_back(Item::Order(Box::new(gathered)));
                    }
                    Some(Err(error)) => self.refuse(&number, pending.lines, &error.to_string()),
                    None => return Err(SourceError::Changed),
                }
            }
            Some(Fate::Cancels(order)) => {
                let order = order.to_owned();
                self.ready.push_back(Item::Cancel { invoice: number, order, lines: pending.lines });
            }
            Some(Fate::Return) => self.refuse(&number, pending.lines, RETURN),
            Some(Fate::Refused(reason)) => self.refuse(&number, pending.lines, reason),
        }
        Ok(())
    }

    fn refuse(&mut self, invoice: &str, lines: Vec<u64>, reason: &str) {
        let refused = |line| Refused { line, invoice: invoice.to_owned(), reason: reason.to_owned() };
        self.ready.extend(lines.into_iter().map(refused).map(Item::Row));
    }

    fn order(&self, number: &str, rows: Vec<Row>, hold: bool) -> Option<Result<NewOrder, FieldError>> {
        let first = rows.first()?;
        let (customer, country) = (first.customer.clone(), first.country.clone());
        let date = rows.iter().filter_map(|row| row.date).min();
        let source = [("source".to_owned(), number.to_owned())];
        let dated = date.map(|date| ("invoice_date".to_owned(), date.to_string()));
        let fields = match Fields::new(source.into_iter().chain(dated)) {
            Ok(fields) => fields,
            Err(error) => return Some(Err(error)),
        };
        let (name, city, postal_code) = Default::default();
        let lines: Vec<NewLine> = rows.into_iter().map(|row| self.line(row)).collect();
        let delivered = lines.iter().any(|line| line.stocked);
        Some(Ok(NewOrder {
            customer,
            currency: self.survey.currency(),
            lines,
            address: Address { name, street: Vec::new(), city, postal_code, country },
            payment: PaymentChoice { method: self.mix.method(number, delivered), token: None },
            stated_total: None,
            hold_dispatch: hold,
            fields,
        }))
    }

    fn line(&self, row: Row) -> NewLine {
        let stocked = !self.services.contains(&row.sku);
        let (quantity, unit_price) = (row.quantity, row.price);
        NewLine { sku: row.sku, name: row.name, quantity, unit_price, stocked, fields: Fields::default() }
    }
}
