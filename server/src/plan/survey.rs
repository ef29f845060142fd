//! The first reading of a file: what every invoice is, and what becomes of it.

use super::matching::{self, Candidate};
use crate::source::{BadRow, Moment, Row, Rows, SourceError, is_cancellation};
use oms_core::{
    id::{CustomerId, Digest, Sku},
    money::Currency,
    order::MAX_LINES,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::BufRead,
};

/// Stock codes that are services: charged as lines, but nothing that is on stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Services(BTreeSet<String>);

impl Default for Services {
    /// The codes that the UCI "Online Retail" set uses for postage, carriage, charges, fees and manual entries.
    fn default() -> Self {
        let codes = ["POST", "DOT", "C2", "M", "D", "S", "B", "PADS", "CRUK", "BANK CHARGES", "AMAZONFEE"];
        Self(codes.into_iter().map(str::to_owned).collect())
    }
}

impl FromIterator<String> for Services {
    fn from_iter<T: IntoIterator<Item = String>>(codes: T) -> Self {
        Self(codes.into_iter().map(|code| code.trim().to_owned()).filter(|code| !code.is_empty()).collect())
    }
}

impl Services {
    /// Whether `sku` is a service.
    #[must_use]
    pub fn contains(&self, sku: &Sku) -> bool {
        self.0.contains(sku.as_str())
    }
}

/// What becomes of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate<'a> {
    /// It is placed as an order.
    Order {
        /// The invoice that cancels it, if one does.
        cancelled_by: Option<&'a str>,
    },
    /// It cancels an order.
    Cancels(&'a str),
    /// It gives goods back without matching a whole order.
    Return,
    /// It is refused whole, because of one of its rows or of all together.
    Refused(&'a str),
}

/// What a file adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows, bad ones included.
    pub rows: u64,
    /// Invoices that become orders.
    pub orders: u64,
    /// Rows of those.
    pub order_rows: u64,
    /// Invoices that cancel or give back.
    pub cancellation_invoices: u64,
    /// Rows of those.
    pub cancellation_rows: u64,
    /// Cancellation invoices that cancel a whole order.
    pub cancellations_matched: u64,
    /// Rows that become nothing.
    pub refused_rows: u64,
    /// The sum of all orders, in minor units.
    pub gross_minor: i64,
}

#[derive(Debug)]
pub(super) struct Invoice {
    number: Box<str>,
    /// How many of the rows that name it there are, bad ones included.
    rows: u64,
    customer: Option<CustomerId>,
    country: Box<str>,
    date: Option<Moment>,
    /// A sum over digests of lines: the same for the same lines in any order.
    lines: u128,
    total: i128,
    refused: Option<String>,
    /// The place of the invoice that cancels it, or that it cancels.
    partner: Option<usize>,
}

impl Invoice {
    fn new(number: &str) -> Self {
        let number = Box::from(number);
        let (country, date, customer) = (Box::default(), None, None);
        Self { number, rows: 0, customer, country, date, lines: 0, total: 0, refused: None, partner: None }
    }

    fn add(&mut self, row: &Row) {
        self.rows += 1;
        match &self.customer {
            None => (self.customer, self.country) = (Some(row.customer.clone()), Box::from(&*row.country)),
            Some(customer) if *customer != row.customer => {
                self.refuse(format!("line {}: the invoice names two customers", row.line));
            }
            Some(_) if *self.country != *row.country => {
                self.refuse(format!("line {}: the invoice names two countries", row.line));
            }
            Some(_) => {}
        }
        if let Some(date) = row.date {
            self.date = Some(self.date.map_or(date, |known| known.min(date)));
        }
        let (units, price) = (row.quantity, row.price.minor);
        let line = Digest::new("line").text(row.sku.as_str()).number(units.into());
        self.lines = self.lines.wrapping_add(line.number(price.unsigned_abs().into()).finish());
        self.total += i128::from(price) * i128::from(units);
    }

    /// Keeps the first reason.
    fn refuse(&mut self, reason: String) {
        self.refused.get_or_insert(reason);
    }
}

/// All that has to be known of a file before its first order is placed: some hundred bytes for each invoice.
#[derive(Debug)]
pub struct Survey {
    pub(super) invoices: Vec<Invoice>,
    by_number: BTreeMap<Box<str>, usize>,
    skus: BTreeSet<Sku>,
    currency: Currency,
    totals: Totals,
}

impl Survey {
    /// Reads all rows, and decides what becomes of each invoice.
    ///
    /// # Errors
    /// [`SourceError`], for what concerns the file as a whole.
    pub fn read<R: BufRead>(mut rows: Rows<R>, services: &Services) -> Result<Self, SourceError> {
        let (invoices, by_number, skus) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        let currency = rows.currency();
        let mut survey = Self { invoices, by_number, skus, currency, totals: Totals::default() };
        while let Some(row) = rows.next_row()? {
            survey.totals.rows += 1;
            match row {
                Ok(row) => survey.add(&row, services),
                Err(bad) => survey.spoil(bad),
            }
        }
        survey.invoices.iter_mut().for_each(check);
        survey.pair();
        survey.total();
        Ok(survey)
    }

    /// What the file adds up to.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// The currency of every price.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Every SKU that needs stock, by name.
    pub fn skus(&self) -> impl Iterator<Item = &Sku> {
        self.skus.iter()
    }

    /// What becomes of an invoice; `None` when the file has none of that number.
    #[must_use]
    pub fn fate(&self, number: &str) -> Option<Fate<'_>> {
        self.by_number.get(number).map(|&place| self.fate_at(place))
    }

    /// How many rows an invoice has, bad ones included.
    pub(super) fn rows_of(&self, number: &str) -> u64 {
        self.by_number.get(number).map_or(0, |&place| self.invoices[place].rows)
    }

    fn fate_at(&self, place: usize) -> Fate<'_> {
        let invoice = &self.invoices[place];
        let partner = invoice.partner.map(|partner| &*self.invoices[partner].number);
        match (&invoice.refused, partner) {
            (Some(reason), _) => Fate::Refused(reason),
            (None, Some(order)) if is_cancellation(&invoice.number) => Fate::Cancels(order),
            (None, None) if is_cancellation(&invoice.number) => Fate::Return,
            (None, cancelled_by) => Fate::Order { cancelled_by },
        }
    }

    fn invoice(&mut self, number: &str) -> &mut Invoice {
        let place = match self.by_number.get(number) {
            Some(&place) => place,
            None => {
                self.by_number.insert(Box::from(number), self.invoices.len());
                self.invoices.push(Invoice::new(number));
                self.invoices.len() - 1
            }
        };
        &mut self.invoices[place]
    }

    fn add(&mut self, row: &Row, services: &Services) {
        if !services.contains(&row.sku) && !is_cancellation(&row.invoice) && !self.skus.contains(&row.sku) {
            self.skus.insert(row.sku.clone());
        }
        self.invoice(&row.invoice).add(row);
    }

    fn spoil(&mut self, bad: BadRow) {
        // A row without a number can belong to any invoice, and is refused alone.
        let Some(number) = &bad.invoice else {
            self.totals.refused_rows += 1;
            return;
        };
        let invoice = self.invoice(number);
        invoice.rows += 1;
        invoice.refuse(format!("line {}: {}", bad.line, bad.reason));
    }

    /// Finds for each cancellation the order that it cancels.
    fn pair(&mut self) {
        let candidate = |(place, invoice): (usize, &Invoice)| {
            let customer = invoice.customer.clone().filter(|_| invoice.refused.is_none())?;
            let back = is_cancellation(&invoice.number);
            Some(Candidate { place, back, customer, date: invoice.date, lines: invoice.lines })
        };
        let candidates = self.invoices.iter().enumerate().filter_map(candidate).collect();
        for (cancellation, order) in matching::pairs(candidates) {
            self.invoices[cancellation].partner = Some(order);
            self.invoices[order].partner = Some(cancellation);
        }
    }

    fn total(&mut self) {
        let mut totals = self.totals;
        let mut gross = 0_i128;
        for (place, invoice) in self.invoices.iter().enumerate() {
            match self.fate_at(place) {
                Fate::Order { .. } => {
                    (totals.orders, totals.order_rows) =
                        (totals.orders + 1, totals.order_rows + invoice.rows);
                    gross += invoice.total;
                }
                Fate::Cancels(_) | Fate::Return => {
                    totals.cancellation_invoices += 1;
                    totals.cancellation_rows += invoice.rows;
                    totals.cancellations_matched += u64::from(invoice.partner.is_some());
                }
                Fate::Refused(_) => totals.refused_rows += invoice.rows,
            }
        }
        totals.gross_minor = i64::try_from(gross).unwrap_or(i64::MAX);
        self.totals = totals;
    }
}

fn check(invoice: &mut Invoice) {
    if is_cancellation(&invoice.number) {
        return;
    }
    if invoice.rows > MAX_LINES as u64 {
        let rows = invoice.rows;
        invoice.refuse(format!("the invoice has {rows} lines; split it into orders of at most {MAX_LINES}"));
    }
    if i64::try_from(invoice.total).is_err() {
        invoice.refuse("the total is larger than an amount can be; split the invoice".to_owned());
    }
}
