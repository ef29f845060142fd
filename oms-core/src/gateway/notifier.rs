//! The port to notifiers: mail, text messages, whatever reaches a customer.
//!
//! ```
//! use oms_core::gateway::notifier::NotifierReport;
//! assert_eq!(serde_json::to_string(&NotifierReport::Sent).ok().as_deref(), Some(r#"{"report":"sent"}"#));
//! ```

use super::typed::Port;
use crate::{event::public::About, id::Name};
use serde::{Deserialize, Serialize};

pub use crate::notification::Report as NotifierReport;

/// The name under which the notifier's gateway is registered.
pub const NOTIFIER: &str = "notifier";

/// One notice to one customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifierRequest {
    /// Which template, such as `order_confirmation`.
    pub template: Name,
    /// What it is about, and whom it is for.
    pub about: About,
}

/// A notifier. One that cannot recognise a repeated notice says so in [`Port::repeats`].
pub trait Notifier: Port<Request = NotifierRequest, Report = NotifierReport> {}

impl<P: Port<Request = NotifierRequest, Report = NotifierReport>> Notifier for P {}
