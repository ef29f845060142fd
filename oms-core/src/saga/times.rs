//! How long the steps of the saga may take.

use crate::{
    id::Name,
    order::{Order, plan::Timer},
};
use std::{collections::BTreeMap, time::Duration};

/// How long each step may take, once its command was heard. An undo has no deadline: it is owed until it is answered.
///
/// ```
/// use oms_core::saga::SagaTimes;
/// use std::time::Duration;
/// let times = SagaTimes { payment: Duration::from_secs(5), ..SagaTimes::default() };
/// assert_eq!(times.reserve, Duration::from_secs(30));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SagaTimes {
    /// The answer to a reservation; 30 seconds.
    pub reserve: Duration,
    /// The answer to a payment, the customer's part included; 15 minutes.
    pub payment: Duration,
    /// The answer to a commit; 30 seconds.
    pub commit: Duration,
    /// Longer windows of payment methods, by name; a shorter one than `payment` has no effect.
    pub windows: BTreeMap<Name, Duration>,
}

impl Default for SagaTimes {
    fn default() -> Self {
        Self {
            reserve: Duration::from_secs(30),
            payment: Duration::from_secs(15 * 60),
            commit: Duration::from_secs(30),
            windows: BTreeMap::new(),
        }
    }
}

impl SagaTimes {
    /// How long `timer` runs for this order.
    #[must_use]
    pub fn of(&self, timer: Timer, order: &Order) -> Duration {
        match timer {
            Timer::Reserve => self.reserve,
            Timer::Commit => self.commit,
            Timer::Payment => {
                let method = order.placed().map(|placed| &placed.payment.method);
                let window = method.and_then(|method| self.windows.get(method)).copied();
                window.map_or(self.payment, |window| window.max(self.payment))
            }
        }
    }
}
