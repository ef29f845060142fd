//! An order that a seed draws.

use oms_core::id::Digest;

/// The same things in the order that a seed draws for a round.
pub(crate) fn drawn<T>(purpose: &str, seed: u64, round: usize, things: Vec<T>) -> Vec<T> {
    let draw = |place: usize| {
        Digest::new(purpose).number(seed.into()).number(round as u128).number(place as u128).finish()
    };
    let mut drawn: Vec<(u128, T)> =
        things.into_iter().enumerate().map(|(place, thing)| (draw(place), thing)).collect();
    drawn.sort_by_key(|(draw, _)| *draw);
    drawn.into_iter().map(|(_, thing)| thing).collect()
}
