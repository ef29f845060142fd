//! Allocation: sharing an amount so that not one minor unit is lost.

use super::Money;

/// Why an amount cannot be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllocateError {
    /// No weights, or all of them 0: there is nobody to give it to.
    #[error("no weight is above 0; give at least one share a weight")]
    NoWeight,
}

impl Money {
    /// Shares the amount in proportion to `weights` by largest remainder: the shares add up to it exactly, each is less than
    /// one minor unit from its true share, and of equal remainders the earlier one gets the odd unit. A weight of 0 gets 0.
    ///
    /// ```
    /// use oms_core::money::{Currency, Money};
    /// let tenner = Money::new(1_000, Currency::new("GBP")?);
    /// let shares: Vec<i64> = tenner.allocate(&[1, 1, 1])?.iter().map(|share| share.minor).collect();
    /// assert_eq!(shares, [334, 333, 333]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AllocateError::NoWeight`].
    pub fn allocate(self, weights: &[u64]) -> Result<Vec<Self>, AllocateError> {
        let total: u128 = weights.iter().copied().map(u128::from).sum();
        if total == 0 {
            return Err(AllocateError::NoWeight);
        }
        let amount = u128::from(self.minor.unsigned_abs());
        // 63 bits times 64 bits: the product always fits.
        let parts = weights.iter().map(|&weight| amount * u128::from(weight));
        let mut shares: Vec<u128> = parts.clone().map(|part| part / total).collect();
        let rest = amount - shares.iter().sum::<u128>();
        let mut by_remainder: Vec<(u128, usize)> = parts.map(|part| part % total).zip(0..).collect();
        by_remainder.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
        // The rest is smaller than the number of shares with a remainder.
        for &(_, place) in by_remainder.iter().take(usize::try_from(rest).unwrap_or(usize::MAX)) {
            shares[place] += 1;
        }
        Ok(shares.into_iter().map(|share| self.share(share)).collect())
    }

    fn share(self, magnitude: u128) -> Self {
        // No share is larger than the whole, whose sign it takes; the least i64 alone has no positive twin.
        let positive = i128::try_from(magnitude).unwrap_or(i128::MAX);
        let signed = if self.is_negative() { -positive } else { positive };
        Self::new(i64::try_from(signed).unwrap_or(self.minor), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::{collection::vec, prelude::*};

    fn money(minor: i64) -> Money {
        Money::new(minor, Currency::new("GBP").expect("GBP is a currency"))
    }

    #[test]
    fn an_amount_for_nobody_is_refused() {
        assert_eq!(money(1).allocate(&[]), Err(AllocateError::NoWeight));
        assert_eq!(money(1).allocate(&[0, 0]), Err(AllocateError::NoWeight));
    }

    #[test]
    fn the_odd_units_go_to_the_largest_remainders_and_then_to_the_earliest() {
        let shares = |minor, weights: &[u64]| {
            let shares = money(minor).allocate(weights).unwrap_or_default();
            shares.into_iter().map(|share| share.minor).collect::<Vec<_>>()
        };
        assert_eq!(shares(100, &[1, 1, 1, 0]), [34, 33, 33, 0]);
        assert_eq!(shares(10, &[10, 25, 65]), [1, 3, 6], "2.5 and 6.5 leave equal remainders");
        assert_eq!(shares(10, &[1, 2, 4]), [1, 3, 6]);
        assert_eq!(shares(-5, &[1, 1]), [-3, -2]);
        assert_eq!(shares(i64::MIN, &[u64::MAX]), [i64::MIN]);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_none_is_a_unit_off(minor in any::<i64>(), weights in vec(any::<u64>(), 1..20)) {
            let total: u128 = weights.iter().copied().map(u128::from).sum();
            prop_assume!(total > 0);
            let shares = money(minor).allocate(&weights).unwrap_or_default();
            let sum: i128 = shares.iter().map(|share| i128::from(share.minor)).sum();
            prop_assert_eq!(sum, i128::from(minor));
            for (share, weight) in shares.iter().zip(&weights) {
                let floor = u128::from(minor.unsigned_abs()) * u128::from(*weight) / total;
                let given = u128::from(share.minor.unsigned_abs());
                prop_assert!(given == floor || given == floor + 1);
                prop_assert!(*weight > 0 || given == 0);
            }
        }
    }
}
