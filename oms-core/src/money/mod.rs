//! Money: integer minor units of one ISO 4217 currency, with checked arithmetic.
//!
//! Nothing here rounds unless its name says so, and nothing is ever a float.
//!
//! ```
//! use oms_core::money::{Currency, Money};
//! let pounds = Currency::new("GBP")?;
//! let price = Money::parse("2.55", pounds)?;
//! assert_eq!(price.times(6)?.to_string(), "15.30 GBP");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod allocate;
mod currency;
mod decimal;

pub use allocate::AllocateError;
pub use currency::{Currency, UnknownCurrency};
pub use decimal::DecimalError;

use serde::{Deserialize, Serialize};

/// Why two amounts have no sum, or an amount no multiple.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The amounts are of two currencies.
    #[error("{left} and {right} are two currencies; convert one of them first")]
    TwoCurrencies {
        /// The currency of the first.
        left: Currency,
        /// The currency of the second.
        right: Currency,
    },
    /// The result does not fit into 64 bits.
    #[error("the amount is larger than {} minor units; split it", i64::MAX)]
    Overflow,
}

/// An amount in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: pence, cents, paise.
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

impl Money {
    /// An amount of `minor` units of `currency`.
    #[must_use]
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether it is less than nothing.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::TwoCurrencies`], [`MoneyError::Overflow`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        self.with(self.minor.checked_add(other.minor))
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::TwoCurrencies`], [`MoneyError::Overflow`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        self.with(self.minor.checked_sub(other.minor))
    }

    /// The amount for `count` units at this price.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn times(self, count: u32) -> Result<Self, MoneyError> {
        self.with(self.minor.checked_mul(i64::from(count)))
    }

    /// The same amount the other way.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the one amount that has no opposite.
    pub fn negated(self) -> Result<Self, MoneyError> {
        self.with(self.minor.checked_neg())
    }

    fn same(self, other: Self) -> Result<(), MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::TwoCurrencies { left: self.currency, right: other.currency });
        }
        Ok(())
    }

    fn with(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        minor.map(|minor| Self::new(minor, self.currency)).ok_or(MoneyError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(minor: i64) -> Money {
        Money::new(minor, Currency::new("GBP").expect("GBP is a currency"))
    }

    #[test]
    fn two_currencies_have_no_sum_and_no_difference() {
        let yen = Money::new(1, Currency::new("JPY").expect("JPY is a currency"));
        let error = MoneyError::TwoCurrencies { left: money(1).currency, right: yen.currency };
        assert_eq!(money(1).plus(yen), Err(error));
        assert_eq!(money(1).minus(yen), Err(error));
    }

    #[test]
    fn an_amount_that_does_not_fit_is_an_error_and_never_wraps() {
        assert_eq!(money(i64::MAX).plus(money(1)), Err(MoneyError::Overflow));
        assert_eq!(money(i64::MIN).minus(money(1)), Err(MoneyError::Overflow));
        assert_eq!(money(i64::MAX / 2).times(3), Err(MoneyError::Overflow));
        assert_eq!(money(i64::MIN).negated(), Err(MoneyError::Overflow));
    }

    proptest! {
        #[test]
        fn what_is_added_can_be_taken_away(left in any::<i64>(), right in any::<i64>()) {
            if let Ok(sum) = money(left).plus(money(right)) {
                prop_assert_eq!(sum.minus(money(right)), Ok(money(left)));
            }
        }

        #[test]
        fn a_multiple_is_a_repeated_sum(price in -1_000_000_i64..1_000_000, count in 0_u32..50) {
            let sum = (0..count).try_fold(money(0), |sum, _| sum.plus(money(price)));
            prop_assert_eq!(money(price).times(count), sum);
        }
    }
}
