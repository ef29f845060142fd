//! What became of each place of a pack that is owed: one byte for each, none at all while all are left.

use oms_core::store::{End, StoreError};

pub(crate) const LEFT: u8 = 0;
pub(crate) const PARKED: u8 = 1;
pub(crate) const BURIED: u8 = 2;
const GONE: u8 = 3;

/// The places of one owed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) count: u16,
    marks: Option<Vec<u8>>,
}

impl Marks {
    /// As they are stored: the keys say how many places there are.
    pub(crate) fn read(keys: &[u8], marks: Option<&[u8]>) -> Self {
        Self { count: u16::try_from(keys.len() / 4).unwrap_or(u16::MAX), marks: marks.map(<[u8]>::to_vec) }
    }

    pub(crate) fn of(&self, place: u16) -> u8 {
        self.marks.as_ref().map_or(LEFT, |marks| marks.get(usize::from(place)).copied().unwrap_or(GONE))
    }

    /// The places with one of these marks.
    pub(crate) fn places(&self, wanted: &[u8]) -> Vec<u16> {
        (0..self.count).filter(|place| wanted.contains(&self.of(*place))).collect()
    }

    /// Whether a place is left.
    pub(crate) fn is_open(&self) -> bool {
        (0..self.count).any(|place| self.of(place) == LEFT)
    }

    /// Whether nothing is left, parked or buried.
    pub(crate) fn is_done(&self) -> bool {
        (0..self.count).all(|place| self.of(place) == GONE)
    }

    /// The bytes to store.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        self.marks.clone()
    }

    /// Ends places that must have the mark `from`.
    pub(crate) fn end(&mut self, places: &[u16], from: u8, end: End) -> Result<(), StoreError> {
        let to = match end {
            End::Handled => GONE,
            End::Parked => PARKED,
            End::Buried => BURIED,
        };
        for place in places {
            if *place >= self.count || self.of(*place) != from {
                return Err(StoreError::Conflict);
            }
            let marks = self.marks.get_or_insert_with(|| vec![LEFT; usize::from(self.count)]);
            marks[usize::from(*place)] = to;
        }
        Ok(())
    }
}

/// The hash of a place's key.
pub(crate) fn key_at(keys: &[u8], place: u16) -> Option<u32> {
    let bytes = keys.chunks_exact(4).nth(usize::from(place))?;
    bytes.try_into().map(u32::from_be_bytes).ok()
}

/// All hashes, in the order of the places.
pub(crate) fn keys(bytes: &[u8]) -> Vec<u32> {
    (0..).map_while(|place| key_at(bytes, place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_ends_once_and_the_row_is_done_with_its_last() {
        let mut marks = Marks::read(&[0; 12], None);
        assert!(marks.end(&[0, 2], LEFT, End::Handled).is_ok());
        assert!(marks.end(&[0], LEFT, End::Handled).is_err() && marks.end(&[3], LEFT, End::Handled).is_err());
        assert!(marks.end(&[1], LEFT, End::Parked).is_ok());
        assert!(!marks.is_open() && !marks.is_done());
        let again = Marks::read(&[0; 12], marks.bytes().as_deref());
        assert_eq!((again.places(&[PARKED]), &again), (vec![1], &marks));
        assert!(marks.end(&[1], PARKED, End::Handled).is_ok() && marks.is_done());
    }
}
