//! Tables for people.

use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use oms_core::money::{Currency, Money};

/// Lays out rows under a header.
#[must_use]
pub fn table<R: AsRef<[String]>>(header: &[&str], rows: impl IntoIterator<Item = R>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(header.iter().map(Cell::new));
    for row in rows {
        table.add_row(row.as_ref().iter().map(|text| Cell::new(text).set_alignment(side(text))));
    }
    table.to_string()
}

/// Lays out figures: a name and a value on each row.
#[must_use]
pub fn figures(rows: impl IntoIterator<Item = (String, String)>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    for (name, value) in rows {
        table.add_row([Cell::new(name), Cell::new(&value).set_alignment(side(&value))]);
    }
    table.to_string()
}

/// Numbers stand right, texts left.
fn side(text: &str) -> CellAlignment {
    let number = text.starts_with(|one: char| one.is_ascii_digit() || one == '-');
    if number { CellAlignment::Right } else { CellAlignment::Left }
}

/// Writes an amount as `265439.21 GBP`; in minor units where it is no amount: beyond 64 bits, or of no known currency.
///
/// ```
/// assert_eq!(oms_server::show::amount(26_543_921, "GBP"), "265439.21 GBP");
/// assert_eq!(oms_server::show::amount(5, "JPY"), "5 JPY");
/// ```
#[must_use]
pub fn amount(minor: i128, currency: &str) -> String {
    let fits = i64::try_from(minor).ok().zip(Currency::new(currency).ok());
    match fits {
        Some((minor, currency)) => Money::new(minor, currency).to_string(),
        None => format!("{} minor units of {currency}", grouped(minor)),
    }
}

/// Writes a number with a comma between thousands.
#[must_use]
pub fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let texts = [0, 999, 1_000, 36_021_858].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "36,021,858"]);
    }

    #[test]
    fn an_amount_is_written_by_its_currency_and_never_cut() {
        assert_eq!(
            ["GBP", "JPY", "KWD"].map(|code| amount(-1_234, code)),
            ["-12.34 GBP", "-1234 JPY", "-1.234 KWD"]
        );
        assert_eq!(amount(i128::from(i64::MAX) + 1, "GBP"), "9,223,372,036,854,775,808 minor units of GBP");
        assert_eq!(amount(7, "???"), "7 minor units of ???");
    }

    #[test]
    fn every_row_and_header_is_shown() {
        let shown = table(&["order", "units"], [["a".to_owned(), "12".to_owned()]]);
        for text in ["order", "units", "a", "12"] {
            assert!(shown.contains(text), "{shown}");
        }
        assert!(figures([("kept".to_owned(), "1.00".to_owned())]).contains("kept"));
    }
}
