//! Chance without chance: every outcome is drawn from (seed, order, purpose), never from time or the order of calls.

use crate::id::Digest;
use std::time::Duration;

/// How often what goes wrong, in parts per million, and the seed that decides when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Draws {
    seed: u64,
    decline: u32,
    provisional: u32,
    late: u32,
    hang: u32,
    refuse: u32,
    unmailed: u32,
}

/// How long the outside world takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// Until a customer has approved a charge.
    pub approval: Duration,
    /// From a provisional decline to the last word.
    pub late: Duration,
    /// From a booking until the parcel leaves.
    pub dispatch: Duration,
    /// From there until it arrives.
    pub delivery: Duration,
}

impl Draws {
    /// Everything goes well.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// So many payments per million are declined.
    #[must_use]
    pub fn declining(self, per_million: u32) -> Self {
        Self { decline: per_million, ..self }
    }

    /// So many charges per million are declined provisionally; of these, `late` per million succeed after all.
    #[must_use]
    pub fn wavering(self, per_million: u32, late: u32) -> Self {
        Self { provisional: per_million, late, ..self }
    }

    /// So many wishes per million give no answer at first, and are known when asked about later.
    #[must_use]
    pub fn hanging(self, per_million: u32) -> Self {
        Self { hang: per_million, ..self }
    }

    /// So many parcels per million are refused.
    #[must_use]
    pub fn refusing(self, per_million: u32) -> Self {
        Self { refuse: per_million, ..self }
    }

    /// So many notices per million cannot be sent.
    #[must_use]
    pub fn losing_mail(self, per_million: u32) -> Self {
        Self { unmailed: per_million, ..self }
    }

    /// Whether this order's payment is declined for good at once.
    #[must_use]
    pub fn declines(&self, order: &str) -> bool {
        self.draw(order, "decline", self.decline)
    }

    /// Whether this order's charge is first declined provisionally.
    #[must_use]
    pub fn wavers(&self, order: &str) -> bool {
        self.draw(order, "provisional", self.provisional)
    }

    /// Whether a wavering charge succeeds in the end.
    #[must_use]
    pub fn succeeds_late(&self, order: &str) -> bool {
        self.draw(order, "late", self.late)
    }

    /// Whether this order's parcel is refused.
    #[must_use]
    pub fn refuses(&self, order: &str) -> bool {
        self.draw(order, "refuse", self.refuse)
    }

    /// Whether this order's notice of `step` cannot be sent.
    #[must_use]
    pub fn loses_mail(&self, order: &str, step: &str) -> bool {
        self.unmailed > 0 && self.draw(order, &format!("unmailed/{step}"), self.unmailed)
    }

    /// How many calls about this wish get no answer: 0, or 1 to 3.
    #[must_use]
    pub fn hangs(&self, order: &str, step: &str) -> u32 {
        if self.hang == 0 || !self.draw(order, &format!("hang/{step}"), self.hang) {
            return 0;
        }
        1 + u32::try_from(self.number(order, &format!("hangs/{step}")) % 3).unwrap_or(0)
    }

    fn draw(&self, order: &str, purpose: &str, per_million: u32) -> bool {
        per_million > 0 && self.number(order, purpose) % 1_000_000 < u128::from(per_million)
    }

    fn number(&self, order: &str, purpose: &str) -> u128 {
        Digest::new("simulated").number(self.seed.into()).text(order).text(purpose).finish()
    }
}
