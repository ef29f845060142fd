//! Who pays how: drawn from the seed and the invoice's number alone.

use oms_core::id::{Digest, Name};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A share in hundredths of a percent, 0 to 100 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Percent(u32);

impl Percent {
    /// Whole percents; more than 100 are 100.
    #[must_use]
    pub fn whole(percents: u32) -> Self {
        Self(percents.saturating_mul(100).min(10_000))
    }

    /// In hundredths of a percent, 0 to 10,000.
    #[must_use]
    pub fn basis_points(self) -> u32 {
        self.0
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no percentage; write 0 to 100, such as 5 or 2.5");
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 2 {
            return Err(wrong());
        }
        let part: u32 = format!("{part:0<2}").parse().map_err(|_| wrong())?;
        let whole: u32 = whole.parse().map_err(|_| wrong())?;
        let points = whole.checked_mul(100).and_then(|whole| whole.checked_add(part));
        points.filter(|&points| points <= 10_000).map(Self).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Percent {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Percent> for String {
    fn from(percent: Percent) -> Self {
        percent.to_string()
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        if part == 0 { write!(out, "{whole}") } else { write!(out, "{whole}.{part:02}") }
    }
}

/// How many pay by which method; who is neither of the two pays by card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaymentMix {
    /// By UPI.
    pub upi: Percent,
    /// In cash on delivery.
    pub cod: Percent,
    /// Which draw: equal seeds draw equally.
    pub seed: u64,
}

impl PaymentMix {
    /// Says how an invoice is paid: the same for the same seed and number, in every run. Where nothing is `delivered` nobody
    /// can collect cash, and it is paid by card instead.
    ///
    /// ```
    /// use oms_server::plan::{PaymentMix, Percent};
    /// assert_eq!(&*PaymentMix::default().method("536365", true), "card");
    /// let all = PaymentMix { cod: Percent::whole(100), ..PaymentMix::default() };
    /// assert_eq!(&*all.method("536365", true), "cod");
    /// ```
    #[must_use]
    pub fn method(&self, invoice: &str, delivered: bool) -> Name {
        let drawn = Digest::new("payment method").number(self.seed.into()).text(invoice).finish() % 10_000;
        let (upi, cod) = (u128::from(self.upi.0), u128::from(self.cod.0));
        Name::from(match drawn {
            drawn if drawn < upi => "upi",
            drawn if drawn < upi + cod && delivered => "cod",
            _ => "card",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_read_exactly_and_nothing_else_is_one() {
        let points = |text: &str| text.parse::<Percent>().map(Percent::basis_points).ok();
        assert_eq!((points("5"), points("2.5"), points("0.05")), (Some(500), Some(250), Some(5)));
        for text in ["", "101", "100.01", "-1", "5%", "1.", ".5", "1.234"] {
            assert_eq!(points(text), None, "{text}");
        }
    }

    #[test]
    fn cash_on_delivery_is_drawn_only_for_what_is_delivered() {
        let all = PaymentMix { cod: Percent::whole(100), ..PaymentMix::default() };
        assert_eq!((&*all.method("1", true), &*all.method("1", false)), ("cod", "card"));
    }

    #[test]
    fn the_draw_is_near_its_shares_and_another_seed_draws_otherwise() {
        let mix = |seed| PaymentMix { upi: Percent::whole(10), cod: Percent::whole(20), seed };
        let draw =
            |seed| (0..10_000).map(|number| mix(seed).method(&number.to_string(), true)).collect::<Vec<_>>();
        let (one, other) = (draw(1), draw(2));
        let count = |method: &str| one.iter().filter(|drawn| ***drawn == *method).count();
        assert!((900..1_100).contains(&count("upi")), "{}", count("upi"));
        assert!((1_850..2_150).contains(&count("cod")), "{}", count("cod"));
        assert_eq!(one, draw(1));
        assert_ne!(one, other);
    }
}
