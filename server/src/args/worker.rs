//! What a worker process serves.

use super::WorldArgs;
use clap::{Args, ValueEnum};

/// One of the five services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Service {
    /// Owns orders and their saga
    Order,
    /// Owns payments
    Payment,
    /// Owns stock and reservations
    Inventory,
    /// Owns shipments
    Shipping,
    /// Tells customers
    Notification,
}

impl Service {
    /// The group that it hears in.
    ///
    /// ```
    /// assert_eq!(oms_server::args::Service::Order.group(), "order");
    /// ```
    #[must_use]
    pub fn group(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Inventory => "inventory",
            Self::Shipping => "shipping",
            Self::Notification => "notification",
        }
    }
}

/// What `worker` takes.
#[derive(Clone, Debug, Args)]
pub struct WorkerArgs {
    /// Which services to run here; other processes on the same store run the rest, or the same ones beside this
    #[arg(long = "service", value_name = "NAME", value_enum, num_args = 1.., required = true)]
    pub services: Vec<Service>,
    /// The outside world.
    #[command(flatten)]
    pub world: WorldArgs,
}

impl WorkerArgs {
    /// The groups to serve, each once.
    #[must_use]
    pub fn groups(&self) -> Vec<&'static str> {
        let mut services = self.services.clone();
        services.sort_unstable();
        services.dedup();
        services.into_iter().map(Service::group).collect()
    }
}
