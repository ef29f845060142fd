//! The hash of a generation: equal for equal rows, wherever and in whatever order they were folded.

use super::port::{By, Generation, ReadModels, Scan};
use crate::{id::Digest, store::StoreError};

/// How many rows are read at a time.
const PAGE: usize = 2_000;

/// Hashes all rows of a generation in order of their keys; 32 hexadecimal digits.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn generation_hash(models: &dyn ReadModels, generation: &Generation) -> Result<String, StoreError> {
    let (mut digest, mut after) = (Digest::new("read model").text(&generation.model), None);
    loop {
        let scan = Scan { by: By::Key, prefix: "", after: after.as_deref(), limit: PAGE };
        let rows = models.scan(generation, scan).await?;
        for row in &rows {
            digest = digest.text(&row.key);
            for mark in &row.marks {
                digest = digest.text(mark.as_deref().unwrap_or_default());
            }
            digest = digest.bytes(&row.body);
        }
        after = rows.last().map(|row| row.key.to_string());
        if rows.len() < PAGE {
            return Ok(format!("{:032x}", digest.finish()));
        }
    }
}
