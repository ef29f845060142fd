//! Payment methods as strategies: what each can do is declared, never guessed from its name.

use crate::id::Name;
use std::{collections::BTreeMap, time::Duration};

/// What a method can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Authorises first, captures later; otherwise it charges at once.
    pub two_step: bool,
    /// An authorisation can be let go.
    pub void: bool,
    /// What was taken can be given back.
    pub refund: bool,
    /// The last word may come long after the request.
    pub asynchronous: bool,
    /// No provider is told: it is collected on delivery.
    pub offline: bool,
}

/// A way to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name, as in `PaymentChoice::method`.
    pub name: Name,
    /// The gateway that is told; unused when offline.
    pub gateway: Name,
    /// What it can do.
    pub capabilities: Capabilities,
    /// How long its provider may take for the last word.
    pub window: Duration,
}

impl Method {
    /// Makes a method of one's own, told to the gateway of its own name.
    #[must_use]
    pub fn new(name: &str, capabilities: Capabilities, window: Duration) -> Self {
        Self { name: Name::from(name), gateway: Name::from(name), capabilities, window }
    }

    /// Cards: authorised at once, captured at dispatch.
    #[must_use]
    pub fn card() -> Self {
        let can = Capabilities { two_step: true, void: true, refund: true, ..Capabilities::default() };
        Self::new("card", can, Duration::from_secs(15 * 60))
    }

    /// UPI: a direct charge whose last word may take 72 hours.
    #[must_use]
    pub fn upi() -> Self {
        let can = Capabilities { refund: true, asynchronous: true, ..Capabilities::default() };
        Self::new("upi", can, Duration::from_secs(72 * 3_600))
    }

    /// Cash on delivery.
    #[must_use]
    pub fn cod() -> Self {
        Self::new("cod", Capabilities { offline: true, ..Capabilities::default() }, Duration::ZERO)
    }
}

/// The methods a shop offers, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Methods(BTreeMap<Name, Method>);

impl Default for Methods {
    fn default() -> Self {
        Self(BTreeMap::new()).with(Method::card()).with(Method::upi()).with(Method::cod())
    }
}

impl Methods {
    /// Adds a method, or replaces the one of its name.
    #[must_use]
    pub fn with(mut self, method: Method) -> Self {
        self.0.insert(method.name.clone(), method);
        self
    }

    /// All methods, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Method> {
        self.0.values()
    }

    /// The method of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Method> {
        self.0.get(name)
    }
}
