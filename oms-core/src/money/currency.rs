//! The currencies of ISO 4217, and how many decimals each has.

use crate::id::read_text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{cmp::Ordering, fmt};

/// The active codes that have a minor unit, by its number of decimals, in the order of the code. Left out are metals,
/// units of account without a minor unit (XDR, XSU, XUA) and the codes for tests and for no currency.
const ACTIVE: [(u8, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF \
         CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD \
         GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL \
         MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR \
         PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP \
         TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

/// The text is no active currency code with a minor unit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code:?} is not a currency; use an active code of ISO 4217, in capitals, such as GBP")]
pub struct UnknownCurrency {
    /// The text, at most its first 16 characters.
    pub code: String,
}

/// A currency of ISO 4217, by its code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

impl Currency {
    /// Finds a currency by its code, in capitals.
    ///
    /// # Errors
    /// [`UnknownCurrency`] when no active currency has that code.
    pub fn new(code: &str) -> Result<Self, UnknownCurrency> {
        let unknown = || UnknownCurrency { code: code.chars().take(16).collect() };
        let code = <[u8; 3]>::try_from(code.as_bytes()).map_err(|_| unknown())?;
        let row = ACTIVE.iter().find(|(_, codes)| is_listed(codes.as_bytes(), &code));
        row.map(|&(exponent, _)| Self { code, exponent }).ok_or_else(unknown)
    }

    /// The three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        // Only ASCII letters of the table above get in, so the other arm is never taken.
        std::str::from_utf8(&self.code).unwrap_or("XXX")
    }

    /// How many decimals the minor unit has: 2 for GBP, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        self.exponent
    }

    /// All known currencies.
    pub fn all() -> impl Iterator<Item = Currency> {
        let codes = ACTIVE.iter().flat_map(|(_, codes)| codes.split(' '));
        codes.filter_map(|code| Self::new(code).ok())
    }
}

/// Whether a sorted row has a code. Codes stand four bytes apart, so that a match can never straddle two of them.
fn is_listed(row: &[u8], code: &[u8; 3]) -> bool {
    let (mut from, mut to) = (0, row.len().div_ceil(4));
    while from < to {
        let middle = from.midpoint(to);
        match row[middle * 4..].get(..3).map(|entry| entry.cmp(code)) {
            Some(Ordering::Equal) => return true,
            Some(Ordering::Less) => from = middle + 1,
            Some(Ordering::Greater) | None => to = middle,
        }
    }
    false
}

impl fmt::Display for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read_text(from, Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_code_that_is_not_in_the_list_is_refused_at_the_door_and_on_the_wire() {
        for code in ["", "gbp", "GB", "GBPX", "XXX", "DEM", "BP ", " GB", "ED ", "££"] {
            let error = UnknownCurrency { code: code.to_owned() };
            assert_eq!(Currency::new(code), Err(error.clone()), "{code}");
            let read = serde_json::from_value::<Currency>(code.into());
            assert_eq!(read.map_err(|found| found.to_string()), Err(error.to_string()));
        }
    }

    #[test]
    fn every_listed_currency_is_found_once_with_its_decimals() {
        let listed: Vec<&str> = ACTIVE.iter().flat_map(|(_, codes)| codes.split(' ')).collect();
        let found: BTreeSet<Currency> = Currency::all().collect();
        assert_eq!(found.len(), listed.len(), "none twice, none lost");
        assert!(listed.iter().all(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())));
        let exponent = |code| Currency::new(code).map(|currency| currency.exponent());
        assert_eq!(exponent("GBP"), Ok(2));
        assert_eq!(exponent("INR"), Ok(2));
        assert_eq!(exponent("JPY"), Ok(0));
        assert_eq!(exponent("KWD"), Ok(3));
        assert_eq!(exponent("CLF"), Ok(4));
    }

    #[test]
    fn a_currency_survives_its_wire_form() {
        for currency in Currency::all() {
            let text = serde_json::to_string(&currency).expect("a currency can be written");
            assert_eq!(text, format!("\"{}\"", currency.code()));
            assert_eq!(serde_json::from_str::<Currency>(&text).ok(), Some(currency));
        }
    }
}
