//! Money: integer minor units of one ISO 4217 currency.

use serde::{Deserialize, Serialize};

/// A currency of ISO 4217, by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl TryFrom<String> for Currency {
    type Error = String;

    fn try_from(code: String) -> Result<Self, String> {
        <[u8; 3]>::try_from(code.as_bytes()).map(Self).map_err(|_| code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        String::from_utf8_lossy(&currency.0).into_owned()
    }
}

/// An amount in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: pence, cents, paise.
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}
