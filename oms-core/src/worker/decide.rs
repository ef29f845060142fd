//! The decisions of one batch: message by message, in the sender's order, pure.

use super::{RetryPolicy, draft::Draft, work::Work};
use crate::{
    id::{MessageId, StreamId},
    service::{Fault, Handler, Outcome},
};
use std::collections::{BTreeMap, BTreeSet};

/// How often a message may ask for more streams before that is permanent (rule 15).
const MISSING_IN_A_ROW: u32 = 3;

/// What a lane remembers between turns about messages that asked for more streams.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) streams: BTreeSet<StreamId>,
    asked: BTreeMap<MessageId, u32>,
}

/// What came of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outlook {
    /// How many of the works were decided; the rest comes again in the next turn.
    pub(super) decided: usize,
    /// How many of them were handled, neither parked nor buried.
    pub(super) handled: usize,
}

/// Decides as many of `works` as it can, into `draft`.
pub(super) fn decide(
    handler: &dyn Handler,
    works: &[Work],
    draft: &mut Draft,
    wanted: &mut Wanted,
    retry: &RetryPolicy,
) -> Outlook {
    let mut outlook = Outlook::default();
    wanted.streams.clear();
    for work in works {
        match one(handler, work, draft, retry) {
            Verdict::Handled => outlook.handled += 1,
            Verdict::PutAside => {}
            Verdict::Missing(streams) => {
                let asked = wanted.asked.entry(work.message.envelope.id).or_default();
                *asked += 1;
                if *asked < MISSING_IN_A_ROW {
                    wanted.streams.extend(streams);
                    return outlook;
                }
                draft.bury(work, "it asked for more streams three times in a row", work.attempts + 1);
            }
        }
        wanted.asked.remove(&work.message.envelope.id);
        outlook.decided += 1;
    }
    outlook
}

enum Verdict {
    Handled,
    /// Parked or buried.
    PutAside,
    Missing(Vec<StreamId>),
}

fn one(handler: &dyn Handler, work: &Work, draft: &mut Draft, retry: &RetryPolicy) -> Verdict {
    if let Some(error) = &work.unreadable {
        draft.bury(work, error, work.attempts + 1);
        return Verdict::PutAside;
    }
    if draft.has_moved_on(work) {
        return Verdict::Handled;
    }
    if draft.is_parked(&work.message.envelope.key) && !work.passes() {
        draft.park(work, "waits behind an earlier message of its key", 0, None);
        return Verdict::PutAside;
    }
    let taken = match handler.handle(&work.message, &draft.loaded) {
        Outcome::Reaction(reaction) => draft.take(handler, work, reaction),
        Outcome::Missing(streams) => return Verdict::Missing(streams),
        Outcome::Fault(fault) => Err(fault),
    };
    let Err(fault) = taken else { return Verdict::Handled };
    let error = fault.to_string();
    let attempts = match fault {
        Fault::Permanent(_) => {
            draft.bury(work, &error, work.attempts + 1);
            return Verdict::PutAside;
        }
        Fault::Newer(_) => {
            // Its attempts are not counted, so there is no back-off to follow: only another binary helps (rule 13).
            draft.park(work, &error, work.attempts, Some(retry.longest));
            return Verdict::PutAside;
        }
        Fault::Failed(_) => work.attempts + 1,
    };
    match retry.after(work.message.envelope.id, attempts) {
        None => draft.bury(work, &error, attempts),
        Some(wait) => draft.park(work, &error, attempts, Some(wait)),
    }
    Verdict::PutAside
}
