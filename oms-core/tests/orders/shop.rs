//! What customers and the warehouse do: orders, lines, deliveries of stock.

use oms_core::{
    event::{inventory::AdjustStock, payment::PaymentChoice, shipping::Address},
    id::{CustomerId, Name, OrderId, Sku},
    money::{Currency, Money},
    oms::Oms,
    order::{NewLine, NewOrder},
};

pub(crate) fn sku(text: &str) -> Sku {
    Sku::new(text).expect("a SKU")
}

/// An order of lines (SKU, units, price of one); `POST` is a service.
pub(crate) fn order(method: &str, lines: &[(&str, u32, i64)]) -> NewOrder {
    let gbp = Currency::new("GBP").expect("a currency");
    let line = |(name, quantity, minor): &(&str, u32, i64)| NewLine {
        sku: sku(name),
        name: String::new(),
        quantity: *quantity,
        unit_price: Money { minor: *minor, currency: gbp },
        stocked: *name != "POST",
        fields: Default::default(),
    };
    NewOrder {
        customer: CustomerId::new("c-1").expect("an id"),
        currency: gbp,
        lines: lines.iter().map(line).collect(),
        address: Address {
            name: String::new(),
            street: Vec::new(),
            city: String::new(),
            postal_code: String::new(),
            country: "Iceland".to_owned(),
        },
        payment: PaymentChoice { method: Name::from(method), token: None },
        stated_total: None,
        hold_dispatch: false,
        fields: Default::default(),
    }
}

/// The order of most tests: three units at 2.50, and postage of 18.00; 25.50 in all.
pub(crate) fn usual(method: &str) -> NewOrder {
    order(method, &[("A", 3, 250), ("POST", 1, 1_800)])
}

/// What the usual order costs.
pub(crate) const DUE: i64 = 2_550;

pub(crate) fn held(method: &str) -> NewOrder {
    NewOrder { hold_dispatch: true, ..usual(method) }
}

pub(crate) fn receipt(name: &str, units: i64, reference: &str) -> AdjustStock {
    let (reference, reason) = (Name::from(reference), "received".to_owned());
    AdjustStock { sku: sku(name), delta: units, reference, reason }
}

pub(crate) async fn stock(oms: &Oms, name: &str, units: i64) {
    assert!(oms.adjust_stock(receipt(name, units, "first")).await.expect("handled").accepted);
}

pub(crate) async fn place(oms: &Oms, order: NewOrder, key: &str) -> OrderId {
    oms.place(order, "shop", key).await.expect("placed").id
}

/// Stocks ten units of A, and places one order.
pub(crate) async fn open(oms: &Oms, order: NewOrder) -> OrderId {
    stock(oms, "A", 10).await;
    place(oms, order, "1").await
}
