//! How a store in a database keeps what became of each place of a pack that is owed: one byte for each, none at all while all are
//! left; and the hashes of their keys, four bytes each.
//!
//! ```
//! use oms_core::store::{End, marks::{LEFT, Marks}};
//! let mut marks = Marks::new(2, None);
//! marks.end(&[0], LEFT, End::Handled)?;
//! assert_eq!(marks.places(&[LEFT]), [1]);
//! assert!(marks.end(&[0], LEFT, End::Handled).is_err(), "a place ends once");
//! # Ok::<(), oms_core::store::StoreError>(())
//! ```

use super::{End, StoreError};

/// Neither handled, parked nor buried.
pub const LEFT: u8 = 0;
/// Waits for another try.
pub const PARKED: u8 = 1;
/// A dead letter.
pub const BURIED: u8 = 2;
/// Handled.
const GONE: u8 = 3;

/// The mark of a place that ended so.
#[must_use]
pub fn mark_of(end: End) -> u8 {
    match end {
        End::Handled => GONE,
        End::Parked => PARKED,
        End::Buried => BURIED,
    }
}

/// The places of one owed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks {
    /// How many places there are.
    pub count: u16,
    marks: Option<Vec<u8>>,
}

impl Marks {
    /// As they are stored.
    #[must_use]
    pub fn new(count: u16, marks: Option<Vec<u8>>) -> Self {
        Self { count, marks }
    }

    /// As they are stored: the keys say how many places there are.
    #[must_use]
    pub fn read(keys: &[u8], marks: Option<&[u8]>) -> Self {
        Self::new(u16::try_from(keys.len() / 4).unwrap_or(u16::MAX), marks.map(<[u8]>::to_vec))
    }

    /// The mark of a place.
    #[must_use]
    pub fn of(&self, place: u16) -> u8 {
        self.marks.as_ref().map_or(LEFT, |marks| marks.get(usize::from(place)).copied().unwrap_or(GONE))
    }

    /// The places with one of these marks.
    #[must_use]
    pub fn places(&self, wanted: &[u8]) -> Vec<u16> {
        (0..self.count).filter(|place| wanted.contains(&self.of(*place))).collect()
    }

    /// Whether a place is left.
    #[must_use]
    pub fn is_open(&self) -> bool {
        (0..self.count).any(|place| self.of(place) == LEFT)
    }

    /// Whether nothing is left, parked or buried.
    #[must_use]
    pub fn is_done(&self) -> bool {
        (0..self.count).all(|place| self.of(place) == GONE)
    }

    /// The bytes to store.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        self.marks.clone()
    }

    /// Ends places that must have the mark `from`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one has another, or is none; some may be ended then.
    pub fn end(&mut self, places: &[u16], from: u8, end: End) -> Result<(), StoreError> {
        let to = mark_of(end);
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
#[must_use]
pub fn key_at(keys: &[u8], place: u16) -> Option<u32> {
    let bytes = keys.chunks_exact(4).nth(usize::from(place))?;
    bytes.try_into().map(u32::from_be_bytes).ok()
}

/// All hashes, in the order of the places.
#[must_use]
pub fn keys(bytes: &[u8]) -> Vec<u32> {
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
