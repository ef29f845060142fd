//! What the notification service records.
//!
//! ```
//! use oms_core::{event::{Wire, notification::{NotificationEvent, Notice}}, id::order_id};
//! let notice = Notice { order: order_id("shop", "1"), template: "order_confirmation".into(), reason: None };
//! assert_eq!(NotificationEvent::NotificationSent(notice).kind(), "NotificationSent");
//! ```

use crate::id::{Name, OrderId};
use serde::{Deserialize, Serialize};

/// A notice and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The order.
    pub order: OrderId,
    /// Which template, such as `order_confirmation`.
    pub template: Name,
    /// Why it could not be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

crate::wire_enum! {
    /// What happened to a notice: recorded when its notifier has answered. It never fails an order.
    pub enum NotificationEvent, schema 1 {
        /// It went out.
        NotificationSent(Notice) = "NotificationSent",
        /// It could not be sent.
        NotificationFailed(Notice) = "NotificationFailed",
    }
}
