//! Names that come from outside, checked once at the door.

use super::{Name, read_text};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The longest id or SKU that is taken from outside, in bytes.
pub const MAX_ID_BYTES: usize = 64;

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing but white space.
    #[error("the {what} is empty; give it at least one visible character")]
    Empty {
        /// Which id it is.
        what: &'static str,
    },
    /// Longer than [`MAX_ID_BYTES`].
    #[error("the {what} has {bytes} bytes; shorten it to at most {MAX_ID_BYTES}")]
    TooLong {
        /// Which id it is.
        what: &'static str,
        /// How long it is.
        bytes: usize,
    },
    /// A control character, or white space at an end.
    #[error("the {what} {text:?} has a control character or white space at an end; remove it")]
    Unprintable {
        /// Which id it is.
        what: &'static str,
        /// The text.
        text: String,
    },
}

fn checked(what: &'static str, text: &str) -> Result<Name, IdError> {
    // What nearly every id is made of needs no look at each character.
    let plain = (1..=MAX_ID_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if plain {
        return Ok(Name::from(text));
    }
    if text.trim().is_empty() {
        return Err(IdError::Empty { what });
    }
    if text.len() > MAX_ID_BYTES {
        return Err(IdError::TooLong { what, bytes: text.len() });
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(IdError::Unprintable { what, text: text.to_owned() });
    }
    Ok(Name::from(text))
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Name);

        impl $name {
            /// Takes a text from outside.
            ///
            /// # Errors
            /// [`IdError`] when it is empty, over-long, or has unprintable characters.
            pub fn new(text: &str) -> Result<Self, IdError> {
                checked($what, text).map(Self)
            }

            /// Shows the text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Shares the text.
            #[must_use]
            pub fn name(&self) -> Name {
                Name::clone(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{:?}", &*self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
                into.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                read_text(from, Self::new)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }
    };
}

text_id!(
    /// Identifies an order; derived from who places it and the idempotency key.
    OrderId, "order id"
);
text_id!(
    /// Identifies what is sold and stocked.
    Sku, "SKU"
);
text_id!(
    /// Identifies who buys.
    CustomerId, "customer id"
);

impl OrderId {
    pub(super) fn minted(name: Name) -> Self {
        Self(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_an_over_long_and_an_unprintable_id_are_refused() {
        assert_eq!(Sku::new("  "), Err(IdError::Empty { what: "SKU" }));
        assert_eq!(Sku::new(&"x".repeat(65)), Err(IdError::TooLong { what: "SKU", bytes: 65 }));
        assert!(matches!(Sku::new("a\u{7}"), Err(IdError::Unprintable { .. })));
        assert_eq!(Sku::new("85123A").map(String::from), Ok("85123A".to_owned()));
    }
}
