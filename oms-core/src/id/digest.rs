//! Minted ids: a repeated turn produces the same ones, and two groups never collide.

use super::{Name, OrderId, read_text};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Mixes named parts into 128 bits: SHA-256 over the parts, each led by its length, cut to 16 bytes.
///
/// ```
/// use oms_core::id::Digest;
/// let one = Digest::new("message").text("order").number(7).finish();
/// assert_eq!(one, Digest::new("message").text("order").number(7).finish());
/// assert_ne!(one, Digest::new("message").text("payment").number(7).finish());
/// ```
#[derive(Clone, Debug)]
pub struct Digest(Sha256);

impl Digest {
    /// Starts a digest of its own domain, so that equal parts with different purposes differ.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        Self(Sha256::new()).text(domain)
    }

    /// Adds a text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, number: u128) -> Self {
        self.0.update(number.to_be_bytes());
        self
    }

    /// Ends the digest.
    #[must_use]
    pub fn finish(self) -> u128 {
        let mut head = [0; 16];
        head.copy_from_slice(&self.0.finalize()[..16]);
        u128::from_be_bytes(head)
    }
}

/// Identifies a message for ever; 32 hexadecimal digits on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u128);

impl MessageId {
    /// Mints the id of the `index`-th message that `group` sends because of `cause` (rule 5).
    #[must_use]
    pub fn caused(group: &str, cause: MessageId, index: usize) -> Self {
        Self(Digest::new("message").text(group).number(cause.0).number(index as u128).finish())
    }

    /// Its digits.
    pub(crate) fn hex(self) -> Hex {
        Hex::of(self.0)
    }
}

/// The 32 lower-case digits of a number.
pub(crate) struct Hex([u8; 32]);

impl Hex {
    fn of(number: u128) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(digits)
    }

    pub(crate) fn as_str(&self) -> &str {
        // Digits are always a text.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(Hex::of(self.0).as_str())
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.serialize_str(Hex::of(self.0).as_str())
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read_text(from, |text| u128::from_str_radix(text, 16).map(Self))
    }
}

/// Derives an order's id from who places it and the idempotency key (rule 7): 32 hexadecimal digits.
///
/// The same pair always gives the same order, so placing twice finds the first.
#[must_use]
pub fn order_id(principal: &str, idempotency_key: &str) -> OrderId {
    let digest = Digest::new("order").text(principal).text(idempotency_key).finish();
    OrderId::minted(Name::from(Hex::of(digest).as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_groups_that_hear_one_cause_mint_different_ids() {
        let cause = MessageId(1);
        assert_ne!(MessageId::caused("order", cause, 0), MessageId::caused("payment", cause, 0));
        assert_ne!(MessageId::caused("order", cause, 0), MessageId::caused("order", cause, 1));
    }

    #[test]
    fn an_order_id_is_fixed_for_ever() {
        assert_eq!(order_id("shop", "1").as_str(), order_id("shop", "1").as_str());
        assert_ne!(order_id("shop", "11").as_str(), order_id("shop1", "1").as_str());
        assert_eq!(order_id("shop", "1").as_str().len(), 32);
    }

    #[test]
    fn a_message_id_survives_its_text() {
        let (id, text) = (MessageId(0xfeed), "\"0000000000000000000000000000feed\"");
        assert_eq!(serde_json::to_string(&id).expect("an id can be written"), text);
        assert_eq!(serde_json::from_str::<MessageId>(text).ok(), Some(id));
        assert_eq!(format!("\"{id}\""), text);
        assert!(serde_json::from_str::<MessageId>("\"no\"").is_err());
    }
}
