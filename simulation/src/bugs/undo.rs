//! Bugs of the participants: undos that leave no mark, and a hold that is taken twice.

use oms_core::{
    id::StreamId,
    message::Message,
    service::{Entry, Fault, Handler, Loaded, Outcome, inventory::reservation_of},
};

/// Answers an undo that finds nothing, and forgets it.
pub(super) fn without_tombstone(
    inside: &dyn Handler,
    message: &Message,
    loaded: &Loaded,
) -> Result<Outcome, Fault> {
    let undo = matches!(&*message.envelope.kind, "ReleaseStock" | "CancelPayment" | "CancelShipment");
    let mut outcome = inside.handle(message, loaded);
    let nothing = |stream: &StreamId| loaded.get(stream).is_some_and(|entry| entry.stream.version == 0);
    if let Outcome::Reaction(reaction) = &mut outcome
        && undo
    {
        reaction.appends.retain(|append| !nothing(&append.stream));
    }
    Ok(outcome)
}

/// Holds stock as if nobody had asked for it before.
pub(super) fn reserve_again(
    inside: &dyn Handler,
    message: &Message,
    loaded: &Loaded,
) -> Result<Outcome, Fault> {
    let mut known = loaded.clone();
    if &*message.envelope.kind == "ReserveStock" {
        known.0.insert(reservation_of(message.envelope.key.text()), Entry::default());
    }
    Ok(inside.handle(message, &known))
}
