//! Dead letters as people look at them: one with all that is known of it, or many by what they have in common.

mod causes;
mod record;

pub use causes::{LetterCause, letter_causes};
pub use record::{Cause, Copied, Fate, LetterRecord, Noted, copies, letter_record};
