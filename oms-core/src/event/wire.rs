//! Wire names: how a typed command or event becomes a kind and a body, and is read again.

use crate::id::{read_json, write_json};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

/// Why a message or a recorded event cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Nobody here knows the kind.
    #[error("{kind} is not known here; route it to a service that hears it")]
    Unknown {
        /// The kind.
        kind: String,
    },
    /// Written by a newer binary than this one.
    #[error("{kind} has schema {schema}, this binary reads up to {known}; upgrade this process")]
    Newer {
        /// The kind.
        kind: String,
        /// Its schema.
        schema: u16,
        /// The newest this binary reads.
        known: u16,
    },
    /// The body is not what its kind promises.
    #[error("the body of {kind} cannot be read")]
    Body {
        /// The kind.
        kind: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// A closed set of commands or events, each with a wire name that never changes.
pub trait Wire: Sized + Send + Sync + 'static {
    /// The newest schema this binary writes and reads.
    const SCHEMA: u16;

    /// The wire names, in the order of the variants.
    const KINDS: &'static [&'static str];

    /// The wire name of this one.
    fn kind(&self) -> &'static str;

    /// Encodes the body as JSON.
    ///
    /// # Errors
    /// [`WireError::Body`], which no type of this library causes.
    fn encode(&self) -> Result<Bytes, WireError>;

    /// Reads a body of the wire name `kind`.
    ///
    /// # Errors
    /// [`WireError`]: unknown kind, newer schema, unreadable body.
    fn decode(kind: &str, schema: u16, body: &[u8]) -> Result<Self, WireError>;
}

/// Encodes the body of `kind`; what [`wire_enum`](crate::wire_enum) writes with.
///
/// # Errors
/// [`WireError::Body`].
pub fn write_body<T: Serialize>(kind: &str, body: &T) -> Result<Bytes, WireError> {
    let written = write_json(body);
    written.map_err(|source| WireError::Body { kind: kind.to_owned(), source })
}

/// Reads the body of `kind`, written by `schema`, where `known` is the newest one readable here; what
/// [`wire_enum`](crate::wire_enum) reads with.
///
/// # Errors
/// [`WireError::Newer`] and [`WireError::Body`].
pub fn read_body<T: DeserializeOwned>(
    kind: &str,
    schema: u16,
    known: u16,
    body: &[u8],
) -> Result<T, WireError> {
    let name = || kind.to_owned();
    if schema > known {
        return Err(WireError::Newer { kind: name(), schema, known });
    }
    read_json(body).map_err(|source| WireError::Body { kind: name(), source })
}

/// Declares a [`Wire`] enum of structs, each variant with its wire name, written by hand because it is for ever.
///
/// ```
/// use oms_core::event::Wire;
/// oms_core::wire_enum! {
///     /// What a loyalty programme records.
///     pub enum LoyaltyEvent, schema 1 {
///         /// Points were given; how many.
///         PointsGiven(u32) = "PointsGiven",
///     }
/// }
/// let given = LoyaltyEvent::PointsGiven(3);
/// let body = given.encode().unwrap_or_default();
/// assert_eq!(LoyaltyEvent::decode("PointsGiven", 1, &body).ok(), Some(given));
/// assert!(LoyaltyEvent::decode("PointsTaken", 1, &body).is_err());
/// ```
#[macro_export]
macro_rules! wire_enum {
    ($(#[$doc:meta])* $vis:vis enum $name:ident, schema $schema:literal {
        $($(#[$vdoc:meta])* $variant:ident($body:ty) = $kind:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $vis enum $name { $($(#[$vdoc])* $variant($body),)+ }

        impl $crate::event::Wire for $name {
            const SCHEMA: u16 = $schema;
            const KINDS: &'static [&'static str] = &[$($kind),+];

            fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind,)+ }
            }

            fn encode(&self) -> Result<$crate::event::Bytes, $crate::event::WireError> {
                match self { $(Self::$variant(body) => $crate::event::write_body($kind, body),)+ }
            }

            fn decode(kind: &str, schema: u16, body: &[u8]) -> Result<Self, $crate::event::WireError> {
                match kind {
                    $($kind => $crate::event::read_body(kind, schema, $schema, body).map(Self::$variant),)+
                    _ => Err($crate::event::WireError::Unknown { kind: kind.to_owned() }),
                }
            }
        }
    };
}
