//! Texts on the wire: read in place, without being owned first.

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, Visitor},
};
use std::fmt;

/// Reads a text, and makes of it what `read` says.
pub(crate) fn read_text<'de, D, T, E>(from: D, read: impl FnOnce(&str) -> Result<T, E>) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    E: fmt::Display,
{
    from.deserialize_str(Text(read))
}

/// Reads JSON. What is a text as a whole is checked once, instead of string by string.
///
/// # Errors
/// As [`serde_json::from_slice`].
pub(crate) fn read_json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, serde_json::Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(bytes),
    }
}

/// Writes JSON, into memory of the very size.
///
/// # Errors
/// As [`serde_json::to_vec`].
pub(crate) fn write_json<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, serde_json::Error> {
    // Nearly everything fits, so that nothing is copied while it grows.
    let mut out = Vec::with_capacity(1_000);
    serde_json::to_writer(&mut out, value)?;
    Ok(Bytes::copy_from_slice(&out))
}

struct Text<F>(F);

impl<T, E: fmt::Display, F: FnOnce(&str) -> Result<T, E>> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_str<X: Error>(self, text: &str) -> Result<T, X> {
        (self.0)(text).map_err(X::custom)
    }
}
