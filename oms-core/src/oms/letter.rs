//! Dead letters: browsed, shown, tried again, and replaced by an edited copy.

use super::system::Oms;
use crate::{
    projection::{LetterCause, LetterRecord, letter_causes, letter_record},
    store::{DeadLetter, Pick, Seek, StoreError},
    worker::{Edit, EditError, Edited, edit, redrive},
};

/// One page of dead letters.
#[derive(Clone, Debug, Default)]
pub struct LetterPage {
    /// The letters.
    pub letters: Vec<DeadLetter>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Seek>,
}

impl Oms {
    /// A page of the dead letters that `pick` means, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn dead_letters(
        &self,
        pick: &Pick,
        seek: Seek,
        limit: usize,
    ) -> Result<LetterPage, StoreError> {
        let mut letters = self.parts.store.dead_letters(pick, seek, limit.saturating_add(1)).await?;
        let more = letters.len() > limit;
        letters.truncate(limit);
        let last = letters.last().filter(|_| more).map(|letter| letter.number);
        let next = last.map(|last| match seek {
            Seek::After(_) => Seek::After(last),
            Seek::Before(_) => Seek::Before(last),
        });
        Ok(LetterPage { letters, next })
    }

    /// All that is known of a dead letter; `None` when nothing has this number.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn dead_letter(&self, number: u64) -> Result<Option<LetterRecord>, StoreError> {
        letter_record(self.parts.store.as_ref(), number).await
    }

    /// The dead letters that `pick` means, counted by what they have in common; the most frequent first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn dead_letter_causes(&self, pick: &Pick) -> Result<Vec<LetterCause>, StoreError> {
        letter_causes(self.parts.store.as_ref(), pick).await
    }

    /// Asks for buried dead letters to be handled again by the group that failed, once however often one asks; gives how many
    /// were newly asked. Their history says who asked.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; it may be repeated.
    pub async fn redrive(&self, pick: &Pick, by: &str) -> Result<usize, StoreError> {
        redrive(&self.parts, pick, by).await
    }

    /// Sends an edited copy of a dead letter to the group that failed; the original stays in the record. The same content is
    /// sent once, however often one asks.
    ///
    /// # Errors
    /// [`EditError`]: what was refused changed nothing.
    pub async fn edit_dead_letter(&self, wanted: &Edit) -> Result<Edited, EditError> {
        edit(&self.parts, wanted).await
    }
}
