//! The published language: every command and event that a service may hear, with its wire name.

mod fields;
pub mod incident;
pub mod inventory;
pub mod notification;
pub mod order;
pub mod payment;
pub mod public;
pub mod shipping;
mod wire;

pub use bytes::Bytes;
pub use fields::{FieldError, Fields, MAX_FIELD_BYTES, MAX_FIELDS, MAX_FIELDS_BYTES};
pub use wire::{Wire, WireError, read_body, write_body};

/// The topics that the services speak on. Public events have a topic each, see [`public`].
///
/// ```
/// use oms_core::{event::topic, service::{Handler, inventory::InventoryService}};
/// assert_eq!(InventoryService.hears(), [topic::INVENTORY_COMMANDS.into()]);
/// ```
pub mod topic {
    /// What the order service hears from outside: cancel requests.
    pub const ORDER_REQUESTS: &str = "order.requests";
    /// Commands to the inventory service.
    pub const INVENTORY_COMMANDS: &str = "inventory.commands";
    /// What the inventory service answers.
    pub const INVENTORY_EVENTS: &str = "inventory.events";
    /// Commands to the payment service.
    pub const PAYMENT_COMMANDS: &str = "payment.commands";
    /// What the payment service answers.
    pub const PAYMENT_EVENTS: &str = "payment.events";
    /// Commands to the shipping service.
    pub const SHIPPING_COMMANDS: &str = "shipping.commands";
    /// What the shipping service answers.
    pub const SHIPPING_EVENTS: &str = "shipping.events";
}
