//! A file's rows are all accounted for: placed, cancelling, or refused with their reason.

use super::*;
use crate::source::{Reading, Rows, SourceError};
use std::{io::BufReader, path::Path};

const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

fn rows(text: &str) -> Rows<BufReader<std::io::Cursor<String>>> {
    let text = std::io::Cursor::new(format!("{HEADER}{text}"));
    Rows::csv(BufReader::new(text), &Reading::default()).expect("the columns are there")
}

fn items(text: &str) -> (Totals, Vec<Item>) {
    let services = Services::default();
    let survey = Survey::read(rows(text), &services).expect("it can be read");
    let mut gather = Gather::new(rows(text), &survey, &services, PaymentMix::default());
    let all = std::iter::from_fn(|| gather.next_item().expect("it did not change")).collect();
    (survey.totals(), all)
}

fn refused(item: &Item) -> (u64, &str, &str) {
    match item {
        Item::Row(row) => (row.line, &row.invoice, &row.reason),
        other => panic!("{other:?} is no refused row"),
    }
}

fn sample() -> Rows<BufReader<std::fs::File>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data/online-retail-sample.csv");
    Rows::open(&path, &Reading::default()).expect("the sample ships with the repository")
}

#[test]
fn the_sample_has_610_orders_of_which_7_are_cancelled_whole() {
    let survey = Survey::read(sample(), &Services::default()).expect("it can be read");
    let expected = Totals {
        rows: 11_474,
        orders: 610,
        order_rows: 11_110,
        cancellation_invoices: 155,
        cancellation_rows: 364,
        cancellations_matched: 7,
        refused_rows: 0,
        gross_minor: 36_021_858,
    };
    assert_eq!(survey.totals(), expected);
    assert_eq!(survey.fate("C550181"), Some(Fate::Cancels("550149")));
    assert_eq!(survey.fate("550149"), Some(Fate::Order { cancelled_by: Some("C550181") }));
}

#[test]
fn every_order_of_the_sample_is_one_that_the_door_accepts() {
    let services = Services::default();
    let survey = Survey::read(sample(), &services).expect("it can be read");
    let mut gather = Gather::new(sample(), &survey, &services, PaymentMix::default());
    let (mut gross, mut held, mut returned, mut cancels) = (0, 0, 0, 0);
    while let Some(item) = gather.next_item().expect("it did not change") {
        match item {
            Item::Order(one) => {
                held += u32::from(one.order.hold_dispatch);
                gross += one.order.accept("import", &one.invoice).expect("it is accepted").total.minor;
            }
            Item::Row(row) => returned += u32::from(row.reason == super::gather::RETURN),
            Item::Cancel { .. } => cancels += 1,
        }
    }
    assert_eq!((gross, held, cancels), (36_021_858, 7, 7));
    assert!(returned > 300, "{returned} rows are returns");
}

#[test]
fn an_order_with_a_bad_row_is_refused_whole_and_all_its_rows_are_listed() {
    let (totals, items) = items(
        "1,A,,1,1/1/2011 8:00,1.00,c,UK\n1,B,,x,1/1/2011 8:00,1.00,c,UK\n1,C,,1,1/1/2011 8:00,1.00,c,UK\n\
         2,A,,1,1/1/2011 8:00,1.00,c,UK\n",
    );
    assert_eq!((totals.rows, totals.orders, totals.refused_rows, totals.gross_minor), (4, 1, 3, 100));
    let reason = "line 3: column Quantity: \"x\" is no whole number";
    let listed: Vec<_> = items[..3].iter().map(refused).collect();
    assert_eq!(listed, [(2, "1", reason), (3, "1", reason), (4, "1", reason)]);
    assert!(matches!(&items[3], Item::Order(order) if order.invoice == "2"));
}

#[test]
fn an_invoice_whose_rows_are_apart_is_one_order() {
    let (totals, items) = items(
        "1,A,,1,1/1/2011 8:00,1.00,c,UK\n2,A,,1,1/1/2011 8:00,1.00,c,UK\n1,B,,2,1/1/2011 8:01,1.00,c,UK\n",
    );
    assert_eq!((totals.orders, totals.gross_minor), (2, 400));
    let Item::Order(last) = &items[1] else { panic!("an order") };
    assert_eq!((last.invoice.as_str(), &last.lines[..]), ("1", &[2, 4][..]));
    assert_eq!(last.order.lines.len(), 2);
    assert_eq!(last.order.fields.get("invoice_date"), Some("2011-01-01T08:00:00"));
    assert_eq!(last.order.fields.get("source"), Some("1"));
}

#[test]
fn a_cancellation_matches_by_lines_in_any_order_and_by_time_not_by_place() {
    let order = "2,A,,1,1/2/2011 8:00,1.00,c,UK\n2,B,,2,1/2/2011 8:00,3.00,c,UK\n";
    let back = "C3,B,,-2,1/3/2011 8:00,3.00,c,UK\nC3,A,,-1,1/3/2011 8:00,1.00,c,UK\n";
    assert_eq!(items(&format!("{back}{order}")).0.cancellations_matched, 1);
    let early = back.replace("1/3/2011", "1/1/2011");
    assert_eq!(items(&format!("{order}{early}")).0.cancellations_matched, 0);
    let dearer = back.replace("3.00", "3.01");
    let (totals, listed) = items(&format!("{order}{dearer}"));
    assert_eq!((totals.cancellation_invoices, totals.cancellations_matched), (1, 0));
    assert_eq!(refused(&listed[1]), (4, "C3", super::gather::RETURN));
}

#[test]
fn a_service_is_a_line_without_stock() {
    let (_, items) = items("1,POST,POSTAGE,1,1/1/2011 8:00,18.00,c,UK\n1,A,,1,1/1/2011 8:00,0,c,UK\n");
    let Item::Order(order) = &items[0] else { panic!("an order") };
    let stocked: Vec<bool> = order.order.lines.iter().map(|line| line.stocked).collect();
    assert_eq!(stocked, [false, true]);
}

#[test]
fn two_customers_or_countries_or_501_lines_on_one_invoice_are_refused() {
    let two = "1,A,,1,1/1/2011 8:00,1.00,c,UK\n1,A,,1,1/1/2011 8:00,1.00,d,UK\n";
    assert_eq!(refused(&items(two).1[1]).2, "line 3: the invoice names two customers");
    let far = two.replace("d,UK", "c,FR");
    assert_eq!(refused(&items(&far).1[0]).2, "line 3: the invoice names two countries");
    let (totals, listed) = items(&"1,A,,1,1/1/2011 8:00,1.00,c,UK\n".repeat(501));
    assert_eq!((totals.orders, totals.refused_rows, listed.len()), (0, 501, 501));
    assert!(refused(&listed[0]).2.contains("501 lines"));
}

#[test]
fn every_row_is_placed_cancelling_or_refused() {
    let (totals, _) = items(
        "1,A,,1,1/1/2011 8:00,1.00,c,UK\n,B,,1,1/1/2011 8:00,1.00,c,UK\nC2,A,,-1,1/2/2011 8:00,1.00,c,UK\n\
         3,A,,1,1/1/2011 8:00,-1,c,UK\n4,A",
    );
    assert_eq!(totals.rows, totals.order_rows + totals.cancellation_rows + totals.refused_rows);
    assert_eq!((totals.rows, totals.refused_rows), (5, 3));
}

#[test]
fn a_file_that_changes_between_the_readings_is_noticed() {
    let services = Services::default();
    let survey = Survey::read(rows("1,A,,1,1/1/2011 8:00,1,c,UK\n1,B,,1,1/1/2011 8:00,1,c,UK\n"), &services)
        .expect("it can be read");
    let shorter = rows("1,A,,1,1/1/2011 8:00,1,c,UK\n");
    let mut gather = Gather::new(shorter, &survey, &services, PaymentMix::default());
    assert!(matches!(gather.next_item(), Err(SourceError::Changed)));
}
