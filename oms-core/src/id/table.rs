//! Tables that are looked into by key and have no order of their own.

use std::hash::{BuildHasherDefault, Hasher};

/// A hash table whose hasher is fixed, so that a repeated run does the same steps.
///
/// For what is only looked up, added and removed by key. Whoever walks over one sorts what he gives away: the order in a
/// table says nothing. The hash is no defence against keys that were chosen to collide.
#[expect(clippy::disallowed_types, reason = "its hasher is fixed, and nobody sees its order")]
pub(crate) type Table<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Mixer>>;

/// Mixes a key eight bytes at a time: a multiplication spreads what was added over the upper bits, a shift brings it down.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mixer(u64);

impl Mixer {
    fn mix(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.mix(u64::from_le_bytes(last));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(byte.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        collections::BTreeSet,
        hash::{BuildHasher, BuildHasherDefault},
    };

    #[test]
    fn keys_that_differ_little_hash_apart_and_equal_ones_alike() {
        let hash = |text: &str| BuildHasherDefault::<Mixer>::default().hash_one(text);
        let all: BTreeSet<u64> = (0..10_000).map(|number| hash(&format!("order-{number}"))).collect();
        assert_eq!((all.len(), hash("order-7")), (10_000, hash("order-7")));
        // A table takes its places from the lower bits and its marks from the upper ones.
        let spread =
            |bits: &dyn Fn(u64) -> u64| all.iter().map(|hash| bits(*hash)).collect::<BTreeSet<_>>().len();
        assert!(spread(&|hash| hash % 1_024) > 1_000 && spread(&|hash| hash >> 57) == 128);
    }
}
