//! One test for each refusal at the door, and what makes two orders the same.

use super::{MAX_QUANTITY, NewOrder, OrderError};
use crate::{
    event::{FieldError, Fields},
    id::order_id,
    money::{Currency, Money},
    order::fixture::{DUE, fields, line, new_order, opened, pounds},
};
use proptest::prelude::*;

/// The refusal of the good order after one change.
fn refusal(change: impl FnOnce(&mut NewOrder)) -> Option<OrderError> {
    let mut order = new_order("card");
    change(&mut order);
    order.accept("shop", "1").err()
}

#[test]
fn a_good_order_is_accepted_with_its_sum_and_its_content() {
    let placed = opened(new_order("card"));
    assert_eq!(placed.total, pounds(DUE));
    assert_eq!(placed.order, order_id("shop", "536365"));
    assert_eq!(placed.fields, fields());
    let stock: Vec<u16> = placed.stock_lines().iter().map(|line| line.line).collect();
    assert_eq!(stock, [0], "the postage needs no stock");
}

#[test]
fn an_order_without_lines_is_refused() {
    assert_eq!(refusal(|order| order.lines.clear()), Some(OrderError::NoLines));
}

#[test]
fn five_hundred_lines_are_accepted_and_one_more_is_refused() {
    let lines = |count| vec![line("85123A", 1, 1, true); count];
    assert_eq!(refusal(|order| order.lines = lines(500)), None);
    assert_eq!(refusal(|order| order.lines = lines(501)), Some(OrderError::TooManyLines(501)));
}

#[test]
fn a_quantity_of_nothing_or_of_more_than_a_million_is_refused() {
    for quantity in [0, MAX_QUANTITY + 1] {
        let refused = refusal(|order| order.lines[1].quantity = quantity);
        assert_eq!(refused, Some(OrderError::Quantity { line: 1, quantity }));
    }
    assert_eq!(refusal(|order| order.lines[1].quantity = MAX_QUANTITY), None);
}

#[test]
fn a_negative_price_is_refused_and_a_price_of_nothing_is_not() {
    let refused = refusal(|order| order.lines[0].unit_price = pounds(-1));
    assert_eq!(refused, Some(OrderError::NegativePrice { line: 0, price: pounds(-1) }));
    assert_eq!(refusal(|order| order.lines[0].unit_price = pounds(0)), None);
}

#[test]
fn two_currencies_on_one_order_are_refused() {
    let yen = Currency::new("JPY").expect("JPY is a currency");
    let refused = refusal(|order| order.lines[1].unit_price = Money::zero(yen));
    let expected = pounds(0).currency;
    assert_eq!(refused, Some(OrderError::TwoCurrencies { line: 1, found: yen, expected }));
}

#[test]
fn an_unknown_currency_is_refused_where_the_order_is_read() {
    let mut text = serde_json::to_value(new_order("card")).expect("an order can be written");
    text["currency"] = "QQQ".into();
    let refused = serde_json::from_value::<NewOrder>(text).map_err(|error| error.to_string());
    assert!(refused.is_err_and(|error| error.contains("\"QQQ\" is not a currency")));
}

#[test]
fn own_fields_over_their_limit_are_refused_where_the_order_is_read() {
    let mut text = serde_json::to_value(new_order("card")).expect("an order can be written");
    text["fields"]["long"] = "x".repeat(1_025).into();
    let refused = serde_json::from_value::<NewOrder>(text).map_err(|error| error.to_string());
    assert_eq!(refused.err(), Some(FieldError::TooLong("long".to_owned()).to_string()));
}

#[test]
fn a_total_that_overflows_is_refused_on_one_line_and_over_many() {
    let one = refusal(|order| order.lines = vec![line("A", 2, i64::MAX / 2 + 1, true)]);
    assert_eq!(one, Some(OrderError::TotalTooLarge));
    let many = refusal(|order| order.lines = vec![line("A", 1, i64::MAX, true), line("B", 1, 1, true)]);
    assert_eq!(many, Some(OrderError::TotalTooLarge));
}

#[test]
fn a_stated_total_that_differs_is_refused_with_both_sums() {
    let refused = refusal(|order| order.stated_total = Some(pounds(DUE + 1)));
    let (stated, computed) = (pounds(DUE + 1), pounds(DUE));
    assert_eq!(refused, Some(OrderError::TotalDiffers { stated, computed }));
    assert_eq!(refusal(|order| order.stated_total = Some(pounds(DUE))), None);
    let yen = Money::new(DUE, Currency::new("JPY").expect("JPY is a currency"));
    let refused = refusal(|order| order.stated_total = Some(yen));
    assert_eq!(refused, Some(OrderError::TotalDiffers { stated: yen, computed }));
}

#[test]
fn an_empty_or_over_long_key_or_principal_is_refused() {
    let place = |principal: &str, key: &str| new_order("card").accept(principal, key).err();
    let long = "x".repeat(256);
    assert_eq!(place("shop", ""), Some(OrderError::IdempotencyKey(0)));
    assert_eq!(place("shop", &long), Some(OrderError::IdempotencyKey(256)));
    assert_eq!(place("", "1"), Some(OrderError::Principal(0)));
    assert_eq!(place(&long, "1"), Some(OrderError::Principal(256)));
    assert_eq!(place(&long[1..], &long[1..]), None);
}

#[test]
fn an_address_without_a_country_is_refused() {
    assert_eq!(refusal(|order| order.address.country = " ".to_owned()), Some(OrderError::NoCountry));
}

#[test]
fn an_over_long_text_is_refused_by_its_name() {
    type Change = fn(&mut NewOrder, String);
    let changes: [(&str, Change); 8] = [
        ("street", |order, long| order.address.street = vec![long]),
        ("name in the address", |order, long| order.address.name = long),
        ("city", |order, long| order.address.city = long),
        ("postal code", |order, long| order.address.postal_code = long),
        ("country", |order, long| order.address.country = long),
        ("name of a line", |order, long| order.lines[0].name = long),
        ("payment method", |order, long| order.payment.method = long.into()),
        ("payment token", |order, long| order.payment.token = Some(long)),
    ];
    for (what, change) in changes {
        let refused = refusal(|order| change(order, "x".repeat(256)));
        assert_eq!(refused, Some(OrderError::TooLong { what, bytes: 256 }));
        assert_eq!(refusal(|order| change(order, "x".repeat(255))), None, "{what}");
    }
    let refused = refusal(|order| order.address.street = vec![String::new(); 11]);
    assert_eq!(refused, Some(OrderError::TooManyStreetLines(11)));
}

#[test]
fn an_order_without_a_payment_method_is_refused() {
    assert_eq!(refusal(|order| order.payment.method = "".into()), Some(OrderError::NoPaymentMethod));
}

#[test]
fn the_same_key_with_other_content_is_refused_and_with_the_same_it_is_the_same_order() {
    let first = opened(new_order("card"));
    assert_eq!(first.repeated_by(&opened(new_order("card"))), Ok(()));
    type Change = fn(&mut NewOrder);
    let changes: [Change; 8] = [
        |order| order.lines[0].quantity += 1,
        |order| order.lines[0].unit_price = pounds(256),
        |order| order.lines[0].stocked = false,
        |order| order.lines[0].fields = fields(),
        |order| order.fields = Fields::default(),
        |order| order.address.city = "London".to_owned(),
        |order| order.payment.token = Some("tok".to_owned()),
        |order| order.lines.swap(0, 1),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut other = new_order("card");
        change(&mut other);
        let refused = first.repeated_by(&opened(other));
        assert_eq!(refused, Err(OrderError::KeyReused { order: first.order.clone() }), "change {number}");
    }
}

#[test]
fn an_order_placed_again_with_another_wish_about_its_dispatch_is_the_same_order() {
    let first = opened(new_order("card"));
    let held = opened(NewOrder { hold_dispatch: true, ..new_order("card") });
    assert_eq!((first.repeated_by(&held), held.repeated_by(&first)), (Ok(()), Ok(())));
}

#[test]
fn a_fingerprint_is_the_same_in_every_release() {
    assert_eq!(opened(new_order("card")).fingerprint, "8bb27863bbe36cf4b9e42a0a18384fc8");
}

proptest! {
    #[test]
    fn an_accepted_total_is_the_sum_of_its_lines(prices in proptest::collection::vec((1_u32..100, 0_i64..10_000), 1..20)) {
        let mut order = new_order("card");
        order.lines = prices.iter().map(|(quantity, price)| line("A", *quantity, *price, true)).collect();
        let sum: i64 = prices.iter().map(|(quantity, price)| i64::from(*quantity) * price).sum();
        prop_assert_eq!(order.accept("shop", "1").map(|placed| placed.total), Ok(pounds(sum)));
    }
}
