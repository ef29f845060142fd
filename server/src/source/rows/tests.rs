//! What is wrong with a file is said by line, column and text.

use super::*;

const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";

fn csv(rows: &str) -> Vec<Result<Row, BadRow>> {
    let text = format!("{HEADER}\n{rows}");
    let mut rows = Rows::csv(text.as_bytes(), &Reading::default()).expect("the columns are there");
    std::iter::from_fn(|| rows.next_row().expect("it is UTF-8")).collect()
}

fn reason(row: &str) -> String {
    csv(row).remove(0).expect_err("it is refused").reason
}

#[test]
fn an_empty_file_is_refused_and_so_is_one_without_its_columns() {
    let open = |text: &str| Rows::csv(text.as_bytes(), &Reading::default()).map(|_| ());
    assert!(matches!(open(""), Err(SourceError::Empty)));
    assert!(matches!(open("\n\n"), Err(SourceError::Empty)));
    assert!(matches!(open("a,b\n"), Err(SourceError::MissingColumns { .. })));
    assert!(matches!(open("a,a\n"), Err(SourceError::ColumnTwice(_))));
    assert!(matches!(open("invoice,sku,quantity,price,customer,country\n"), Err(SourceError::NoCurrency)));
}

#[test]
fn a_directory_and_a_missing_file_are_refused_by_name() {
    let open = |path: &Path| Rows::open(path, &Reading::default()).map(|_| ());
    assert!(matches!(open(&std::env::temp_dir()), Err(SourceError::NotAFile { .. })));
    let missing = open(Path::new("no-such-file.csv")).expect_err("it is not there").to_string();
    assert!(missing.contains("no-such-file.csv"), "{missing}");
}

#[test]
fn a_number_that_is_none_is_refused_by_line_column_and_text() {
    let bad = csv("1,A,,six,12/7/2010 14:57,2.1,12,UK\n").remove(0).expect_err("six is no number");
    assert_eq!((bad.line, bad.invoice.as_deref()), (2, Some("1")));
    assert_eq!(bad.reason, "column Quantity: \"six\" is no whole number");
    assert!(reason("1,A,,6,12/7/2010 14:57,2.1.0,12,UK\n").starts_with("column UnitPrice: \"2.1.0\""));
    assert!(reason("1,A,,6,7.12.2010,2.555,12,UK\n").starts_with("column UnitPrice: 2.555"));
    assert!(reason("1,A,,6,yesterday,2.1,12,UK\n").starts_with("column InvoiceDate: \"yesterday\""));
}

#[test]
fn what_can_never_be_a_line_is_refused() {
    assert!(reason("1,A,,0,12/7/2010 14:57,2.1,12,UK\n").contains("0 is not 1 to 1000000"));
    assert!(reason("1,A,,1000001,12/7/2010 14:57,2.1,12,UK\n").contains("1000001"));
    assert!(reason("1,A,,-1,12/7/2010 14:57,2.1,12,UK\n").contains("as an order has"));
    assert!(reason("C1,A,,1,12/7/2010 14:57,2.1,12,UK\n").contains("as a cancellation has"));
    assert!(reason("1,A,,1,12/7/2010 14:57,-2.1,12,UK\n").contains("negative"));
    assert!(reason("1,,,1,12/7/2010 14:57,2.1,12,UK\n").contains("column StockCode"));
    assert!(reason("1,A,,1,12/7/2010 14:57,2.1,,UK\n").contains("column CustomerID"));
    assert!(reason("1,A,,1,12/7/2010 14:57,2.1,12,\n").contains("column Country: it is empty"));
    assert!(reason(",A,,1,12/7/2010 14:57,2.1,12,UK\n").contains("column InvoiceNo"));
}

#[test]
fn half_a_row_at_the_end_is_refused_and_names_its_invoice_when_it_is_whole() {
    let rows = csv("1,A,,1,12/7/2010 14:57,2.1,12,UK\n1,B,,1,12/7");
    let bad = rows[1].as_ref().expect_err("it is cut");
    assert_eq!((bad.line, bad.invoice.as_deref()), (3, Some("1")));
    assert!(bad.reason.contains("cut off"), "{}", bad.reason);
    let cut = csv("1,A,,1,12/7/2010 14:57,2.1,12,UK\n53").remove(1).expect_err("it is cut");
    assert_eq!(cut.invoice, None);
}

#[test]
fn ndjson_is_read_by_key_with_exact_prices() {
    let text = "{\"invoice\":\"1\",\"sku\":\"A\",\"quantity\":2,\"price\":0.29,\"customer\":7,\"country\":\"FR\"}\n\
                {\"invoice\":\"1\",\"sku\":\"B\"";
    let reading = Reading { currency: Currency::new("EUR").ok(), ..Reading::default() };
    let mut rows = Rows::ndjson(text.as_bytes(), &reading).expect("the keys are there");
    let row = rows.next_row().expect("it is UTF-8").expect("a row").expect("a good one");
    assert_eq!((row.price.minor, row.quantity, row.customer.as_str()), (29, 2, "7"));
    let bad = rows.next_row().expect("it is UTF-8").expect("a row").expect_err("half a row");
    assert_eq!(bad.line, 2);
}
