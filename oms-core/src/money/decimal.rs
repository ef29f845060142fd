//! Decimal text and finer decimals: how they become minor units, and minor units text again.

use super::{Currency, Money, MoneyError};
use std::fmt;

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not an optional minus, digits, and perhaps a point with digits behind it.
    #[error("{0:?} is not an amount; write digits with at most one point, such as 12.50")]
    NotDecimal(String),
    /// More decimals than the currency has; nothing is rounded in silence.
    #[error("{text} has more than the {allowed} decimals of its currency; round it first")]
    TooFine {
        /// The text.
        text: String,
        /// How many decimals the currency has.
        allowed: u8,
    },
    /// It does not fit into 64 bits of minor units.
    #[error("{0} is larger than an amount can be; split it")]
    Overflow(String),
}

impl Money {
    /// Reads a decimal text exactly: `12.5` is 1250 minor units of GBP.
    ///
    /// White space, a plus, grouping and exponents are no part of an amount. Trailing zeros count as decimals, so that
    /// what is refused does not depend on the amount.
    ///
    /// # Errors
    /// [`DecimalError`], each variant as it says.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, DecimalError> {
        let shown = || text.chars().take(40).collect::<String>();
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !numeric(whole) || !numeric(fraction) {
            return Err(DecimalError::NotDecimal(shown()));
        }
        let allowed = currency.exponent();
        let fraction = if digits.contains('.') { fraction } else { "" };
        if fraction.len() > usize::from(allowed) {
            return Err(DecimalError::TooFine { text: shown(), allowed });
        }
        let zeros = std::iter::repeat_n(b'0', usize::from(allowed) - fraction.len());
        let mut places = whole.bytes().chain(fraction.bytes()).chain(zeros);
        // Counted below zero, where one more amount fits than above.
        let minor =
            places.try_fold(0_i64, |sum, digit| sum.checked_mul(10)?.checked_sub((digit - b'0').into()));
        let signed = minor.and_then(|minor| if negative { Some(minor) } else { minor.checked_neg() });
        signed.map(|minor| Self::new(minor, currency)).ok_or_else(|| DecimalError::Overflow(shown()))
    }

    /// Rounds a finer decimal, `units` of 10^-`decimals`, to minor units: to the nearest, and from the middle to the even
    /// one (banker's rounding), so that a sum of many roundings does not drift. A coarser one is exact.
    ///
    /// ```
    /// use oms_core::money::{Currency, Money};
    /// let pounds = Currency::new("GBP")?;
    /// assert_eq!(Money::round_half_even(12_345, 3, pounds)?.minor, 1_234);
    /// assert_eq!(Money::round_half_even(12_355, 3, pounds)?.minor, 1_236);
    /// assert_eq!(Money::round_half_even(-12_346, 3, pounds)?.minor, -1_235);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when the result does not fit into 64 bits.
    pub fn round_half_even(units: i128, decimals: u8, currency: Currency) -> Result<Self, MoneyError> {
        let exponent = currency.exponent();
        let power = |places: u8| 10_i128.checked_pow(u32::from(places));
        let minor = if decimals <= exponent {
            power(exponent - decimals).and_then(|factor| units.checked_mul(factor))
        } else {
            // A divisor beyond 128 bits leaves nothing of any amount that fits into them.
            power(decimals - exponent).map_or(Some(0), |divisor| Some(nearest_even(units, divisor)))
        };
        let minor = minor.and_then(|minor| i64::try_from(minor).ok()).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, currency))
    }
}

fn nearest_even(units: i128, divisor: i128) -> i128 {
    let floor = units.div_euclid(divisor);
    let above = units.rem_euclid(divisor);
    let below = divisor - above;
    let up = above > below || (above == below && floor % 2 != 0);
    floor + i128::from(up)
}

/// `12.50 GBP`: all decimals of the currency, no grouping.
impl fmt::Display for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let places = usize::from(self.currency.exponent());
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let point = if places == 0 { "" } else { "." };
        out.pad(&format!("{sign}{whole}{point}{fraction} {}", self.currency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::new(code).expect("a currency of the list")
    }

    #[test]
    fn a_text_becomes_exactly_its_minor_units() {
        let cases = [("0", 0), ("2.5", 250), ("2.50", 250), ("-0.01", -1), ("360218.58", 36_021_858)];
        for (text, minor) in cases {
            assert_eq!(Money::parse(text, currency("GBP")).map(|money| money.minor), Ok(minor), "{text}");
        }
        assert_eq!(Money::parse("7", currency("JPY")).map(|money| money.minor), Ok(7));
        assert_eq!(Money::parse("7.005", currency("KWD")).map(|money| money.minor), Ok(7_005));
        let least = Money::parse("-92233720368547758.08", currency("GBP"));
        assert_eq!(least.map(|money| money.minor), Ok(i64::MIN));
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_reason() {
        for text in ["", "-", ".5", "5.", "1e3", "1,50", "+1", " 1", "--1", "1.2.3", "NaN", "١"] {
            let error = DecimalError::NotDecimal(text.to_owned());
            assert_eq!(Money::parse(text, currency("GBP")), Err(error));
        }
        let fine = DecimalError::TooFine { text: "2.550".to_owned(), allowed: 2 };
        assert_eq!(Money::parse("2.550", currency("GBP")), Err(fine));
        let fine = DecimalError::TooFine { text: "2.0".to_owned(), allowed: 0 };
        assert_eq!(Money::parse("2.0", currency("JPY")), Err(fine));
        let large = "92233720368547758.08".to_owned();
        assert_eq!(Money::parse(&large, currency("GBP")), Err(DecimalError::Overflow(large)));
    }

    #[test]
    fn an_amount_is_shown_with_all_decimals_of_its_currency() {
        assert_eq!(Money::new(36_021_858, currency("GBP")).to_string(), "360218.58 GBP");
        assert_eq!(Money::new(-5, currency("GBP")).to_string(), "-0.05 GBP");
        assert_eq!(Money::new(5, currency("JPY")).to_string(), "5 JPY");
        assert_eq!(Money::new(i64::MIN, currency("KWD")).to_string(), "-9223372036854775.808 KWD");
    }

    #[test]
    fn a_rounding_that_does_not_fit_is_an_error() {
        assert_eq!(Money::round_half_even(i128::MAX, 2, currency("GBP")), Err(MoneyError::Overflow));
        assert_eq!(Money::round_half_even(i128::MAX, 0, currency("GBP")), Err(MoneyError::Overflow));
        assert_eq!(Money::round_half_even(i128::MAX, 255, currency("GBP")).map(|money| money.minor), Ok(0));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(minor in any::<i64>(), index in 0_usize..150) {
            let currency = Currency::all().nth(index).expect("there are more than 150");
            let money = Money::new(minor, currency);
            let shown = money.to_string();
            let number = shown.split(' ').next().unwrap_or_default();
            prop_assert_eq!(Money::parse(number, currency), Ok(money));
        }

        #[test]
        fn a_rounding_is_never_further_off_than_half_a_unit(units in any::<i64>(), decimals in 0_u8..12) {
            let rounded = Money::round_half_even(units.into(), decimals, currency("JPY"));
            if let Ok(money) = rounded {
                let scale = 10_i128.pow(decimals.into());
                let error = (i128::from(money.minor) * scale - i128::from(units)).abs() * 2;
                prop_assert!(error < scale || (error == scale && money.minor % 2 == 0) || scale == 1);
            }
        }

        #[test]
        fn reading_never_panics(text in ".*") {
            let _ = Money::parse(&text, currency("GBP"));
        }
    }
}
