//! The rules of notices: which event is told by which template, and that each is sent once.
//!
//! ```
//! use oms_core::notification::template_of;
//! assert_eq!(template_of("OrderPlaced"), Some("order_confirmation"));
//! ```

use crate::{event::notification::NotificationEvent, id::Name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The public events that a customer is told of, and by which template.
pub const TEMPLATES: [(&str, &str); 5] = [
    ("OrderPlaced", "order_confirmation"),
    ("OrderShipped", "shipping_confirmation"),
    ("OrderCompleted", "order_completed"),
    ("OrderFailed", "order_failed"),
    ("OrderCancelled", "order_cancelled"),
];

/// The template of a public event, by its wire name.
#[must_use]
pub fn template_of(kind: &str) -> Option<&'static str> {
    TEMPLATES.iter().find(|(event, _)| *event == kind).map(|(_, template)| *template)
}

/// What a notifier says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// It went out.
    Sent,
    /// It never will.
    Failed {
        /// Why.
        reason: String,
    },
}

/// The notices of one order that have an outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notices(BTreeMap<Name, bool>);

impl Notices {
    /// Whether a notice was sent; `None` while nobody knows.
    #[must_use]
    pub fn sent(&self, template: &str) -> Option<bool> {
        self.0.get(template).copied()
    }

    /// Applies one recorded event.
    pub fn evolve(&mut self, event: &NotificationEvent) {
        match event {
            NotificationEvent::NotificationSent(notice) => {
                self.0.insert(notice.template.clone(), true);
            }
            NotificationEvent::NotificationFailed(notice) => {
                self.0.insert(notice.template.clone(), false);
            }
        }
    }
}
