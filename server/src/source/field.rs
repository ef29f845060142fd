//! What a row may say, and what its columns are called.

/// What a row may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The source's order number.
    Invoice,
    /// What is sold.
    Sku,
    /// Its name; optional.
    Name,
    /// How many.
    Quantity,
    /// When; optional.
    Date,
    /// The price of one.
    Price,
    /// Who buys.
    Customer,
    /// Where it goes.
    Country,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 8] = [
        Self::Invoice,
        Self::Sku,
        Self::Name,
        Self::Quantity,
        Self::Date,
        Self::Price,
        Self::Customer,
        Self::Country,
    ];

    /// Its name in `--map`, and as a column when nothing else is said.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Sku => "sku",
            Self::Name => "name",
            Self::Quantity => "quantity",
            Self::Date => "date",
            Self::Price => "price",
            Self::Customer => "customer",
            Self::Country => "country",
        }
    }

    /// Its column in the shape of the UCI "Online Retail" set.
    pub(super) fn preset(self) -> &'static str {
        match self {
            Self::Invoice => "InvoiceNo",
            Self::Sku => "StockCode",
            Self::Name => "Description",
            Self::Quantity => "Quantity",
            Self::Date => "InvoiceDate",
            Self::Price => "UnitPrice",
            Self::Customer => "CustomerID",
            Self::Country => "Country",
        }
    }

    /// Whether no row can do without it.
    pub(super) fn required(self) -> bool {
        !matches!(self, Self::Name | Self::Date)
    }
}
