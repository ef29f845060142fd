//! Numbers of things, in words.

/// A number of things: `1 line`, `3 lines`.
pub(super) fn count(number: impl Into<u128> + Copy, what: &str) -> String {
    let number = number.into();
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}
