//! Wire names: how a typed command or event becomes a kind and a body, and is read again.

use bytes::Bytes;

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

/// Declares an enum of structs, each variant with its wire name, written by hand.
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

            fn encode(&self) -> Result<bytes::Bytes, $crate::event::WireError> {
                let body = match self { $(Self::$variant(body) => serde_json::to_vec(body),)+ };
                body.map(bytes::Bytes::from).map_err(|source| $crate::event::WireError::Body {
                    kind: self.kind().to_owned(), source,
                })
            }

            fn decode(kind: &str, schema: u16, body: &[u8]) -> Result<Self, $crate::event::WireError> {
                if !Self::KINDS.contains(&kind) {
                    return Err($crate::event::WireError::Unknown { kind: kind.to_owned() });
                }
                if schema > Self::SCHEMA {
                    let kind = kind.to_owned();
                    return Err($crate::event::WireError::Newer { kind, schema, known: Self::SCHEMA });
                }
                let read = match kind {
                    $($kind => serde_json::from_slice(body).map(Self::$variant),)+
                    _ => return Err($crate::event::WireError::Unknown { kind: kind.to_owned() }),
                };
                read.map_err(|source| $crate::event::WireError::Body { kind: kind.to_owned(), source })
            }
        }
    };
}

pub(crate) use wire_enum;
