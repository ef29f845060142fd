//! Own fields: what a user hangs on an order or a line, and finds again on every event about it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The largest number of own fields on one order or line.
pub const MAX_FIELDS: usize = 32;
/// The longest name or value of an own field, in bytes.
pub const MAX_FIELD_BYTES: usize = 1_024;
/// The largest sum of names and values on one order or line, in bytes.
pub const MAX_FIELDS_BYTES: usize = 4_096;

/// Why own fields are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// More than [`MAX_FIELDS`].
    #[error("{0} own fields; at most {MAX_FIELDS} fit on an order or a line")]
    TooMany(usize),
    /// A name or value longer than [`MAX_FIELD_BYTES`], or an empty name.
    #[error("the own field {0:?} is empty or longer than {MAX_FIELD_BYTES} bytes; shorten it")]
    TooLong(String),
    /// More than [`MAX_FIELDS_BYTES`] in all.
    #[error("the own fields have {0} bytes in all; at most {MAX_FIELDS_BYTES} fit on an order or a line")]
    TooLarge(usize),
}

/// A bounded map of own fields.
///
/// ```
/// use oms_core::event::Fields;
/// let fields = Fields::new([("gift".to_owned(), "yes".to_owned())]);
/// assert_eq!(fields.unwrap_or_default().get("gift"), Some("yes"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Checks and keeps fields; a later one replaces an earlier one of its name.
    ///
    /// # Errors
    /// [`FieldError`] when they are over their limits.
    pub fn new(fields: impl IntoIterator<Item = (String, String)>) -> Result<Self, FieldError> {
        Self::try_from(fields.into_iter().collect::<BTreeMap<_, _>>())
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All fields, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<BTreeMap<String, String>> for Fields {
    type Error = FieldError;

    fn try_from(fields: BTreeMap<String, String>) -> Result<Self, FieldError> {
        if fields.len() > MAX_FIELDS {
            return Err(FieldError::TooMany(fields.len()));
        }
        let long = |text: &str| text.len() > MAX_FIELD_BYTES;
        if let Some((name, _)) =
            fields.iter().find(|(name, value)| name.is_empty() || long(name) || long(value))
        {
            return Err(FieldError::TooLong(name.chars().take(40).collect()));
        }
        let bytes = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > MAX_FIELDS_BYTES {
            return Err(FieldError::TooLarge(bytes));
        }
        Ok(Self(fields))
    }
}

impl From<Fields> for BTreeMap<String, String> {
    fn from(fields: Fields) -> Self {
        fields.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_fields_over_a_limit_are_refused_each_with_its_reason() {
        let field = |number: usize| (format!("f{number}"), "v".to_owned());
        assert_eq!(Fields::new((0..33).map(field)), Err(FieldError::TooMany(33)));
        let long = ("x".to_owned(), "v".repeat(1_025));
        assert_eq!(Fields::new([long]), Err(FieldError::TooLong("x".to_owned())));
        let wide = (0..5).map(|number| (format!("f{number}"), "v".repeat(1_000)));
        assert_eq!(Fields::new(wide), Err(FieldError::TooLarge(5_010)));
        assert!(Fields::new((0..32).map(field)).is_ok());
    }
}
