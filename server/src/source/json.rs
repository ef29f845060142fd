//! NDJSON: one object per line, its numbers kept as they are written.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The texts of one object, by key.
pub(super) type Object = BTreeMap<String, String>;

/// Reads one line.
///
/// Numbers are never turned into floating point: 2.55 stays the text 2.55.
pub(super) fn object(text: &str) -> Result<Object, String> {
    let whole: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(text).map_err(|error| format!("no JSON object: {error}"))?;
    whole.into_iter().map(|(key, raw)| Ok((plain(&key, raw.get())?, key))).map(swap).collect()
}

fn swap(pair: Result<(String, String), String>) -> Result<(String, String), String> {
    pair.map(|(value, key)| (key, value))
}

fn plain(key: &str, raw: &str) -> Result<String, String> {
    match raw.as_bytes().first() {
        Some(b'"') => String::deserialize(&mut serde_json::Deserializer::from_str(raw))
            .map_err(|error| format!("{key}: no text: {error}")),
        Some(b'-' | b'0'..=b'9') => Ok(raw.to_owned()),
        Some(b'n') => Ok(String::new()),
        _ => Err(format!("{key}: neither a text nor a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_text_and_null_is_empty() {
        let read = object(r#"{"price":2.550,"sku":"A\u00e9","name":null,"quantity":-3}"#);
        let read = read.expect("an object");
        let at = |key: &str| read.get(key).map(String::as_str);
        assert_eq!((at("price"), at("sku")), (Some("2.550"), Some("Aé")));
        assert_eq!((at("name"), at("quantity")), (Some(""), Some("-3")));
    }

    #[test]
    fn half_a_line_a_list_and_nested_values_are_refused() {
        for text in [r#"{"sku":"A","qu"#, "[1]", r#"{"sku":["A"]}"#, r#"{"sku":true}"#] {
            assert!(object(text).is_err(), "{text}");
        }
    }
}
