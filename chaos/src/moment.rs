//! The moments at which a process of the house is killed.
//!
//! ```
//! use oms_chaos::moment::Moment;
//! assert_eq!(Moment::named("committed"), Some(Moment::Committed));
//! assert_eq!(Moment::named(Moment::Called.name()), Some(Moment::Called));
//! ```

use serde::Serialize;

/// When a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Whenever it is.
    Any,
    /// A provider has done what it was told, and the process has not heard of it: between the call and the commit.
    Called,
    /// A turn is durable, and the broker does not know yet that its deliveries are handled.
    Committed,
    /// The broker has packs, and the relay's cursor does not say so yet.
    Published,
}

impl Moment {
    /// Every moment.
    pub const ALL: [Self; 4] = [Self::Any, Self::Called, Self::Committed, Self::Published];

    /// How it is named.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Called => "called",
            Self::Committed => "committed",
            Self::Published => "published",
        }
    }

    /// The moment of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|moment| moment.name() == name)
    }
}
