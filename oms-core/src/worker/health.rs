//! Outages as they are seen from outside: the sum of what the loops know.

use super::{
    parts::Parts,
    vital::{DoorVitals, Outage, Vital},
};
use crate::id::Name;
use futures::future::{Either, select};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, pin::pin, time::Duration};

/// How long a port has to answer when it is asked how it is.
const ANSWER: Duration = Duration::from_secs(1);

/// How a port is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// It answers, as far as anybody has asked.
    Ok,
    /// It does not; the loops wait and try again, for as long as it takes.
    Away(Outage),
}

impl Standing {
    /// Whether it answers.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        *self == Standing::Ok
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Standing::Ok => write!(out, "ok"),
            Standing::Away(Outage { since, tries, error, next }) => {
                write!(out, "away since {since}, {tries} tries: {error}")?;
                next.map_or(Ok(()), |next| write!(out, "; tried again at {next}"))
            }
        }
    }
}

/// How a process and the ports it calls are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The store.
    pub store: Standing,
    /// The broker. While it is away everything goes on, taken from the store (rule 2).
    pub broker: Standing,
    /// Each gateway.
    pub gateways: BTreeMap<Name, Standing>,
    /// The lanes of the groups that this process serves.
    pub lanes: usize,
    /// How many of them it holds.
    pub held: usize,
    /// How many packs and rests of packs wait for the loops, dead letters left out; `None` when the store does not say.
    pub backlog: Option<u64>,
    /// Messages that this process took from the store, because no broker brought them in time.
    pub taken: u64,
}

impl Health {
    /// Whether everything answers.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.store.is_ok() && self.broker.is_ok() && self.gateways.values().all(Standing::is_ok)
    }
}

/// Sums up what the loops of this process know, and asks the store and the broker, each for a second at most.
pub async fn health(parts: &Parts) -> Health {
    let (counts, probe) = futures::join!(
        within(parts, async { parts.store.count().await.map_err(|error| error.to_string()) }),
        within(parts, async { parts.broker.probe().await.map_err(|error| error.to_string()) }),
    );
    let (now, vitals) = (parts.clock.now(), &parts.vitals);
    let lanes = || parts.desks.iter();
    let doors = || vitals.doors.values();
    let loops = [&vitals.lease, &vitals.due, &vitals.relay].into_iter();
    let stores = loops.chain(doors().map(|door| &door.store)).chain(lanes().map(|desk| &desk.store));
    let brokers = [&vitals.broker].into_iter().chain(lanes().map(|desk| &desk.broker));
    let asked = |error: &Option<String>| {
        error.clone().map(|error| Outage { since: now, tries: 1, error, next: None })
    };
    let gateway = |(name, door): (&Name, &DoorVitals)| {
        (Name::clone(name), sum(door.outage(now).into_iter().chain(door.silence(now))))
    };
    Health {
        store: sum(stores.filter_map(Vital::known).chain(asked(&counts.as_ref().err().cloned()))),
        broker: sum(brokers.filter_map(Vital::known).chain(asked(&probe.err()))),
        gateways: vitals.doors.iter().map(gateway).collect(),
        lanes: parts.desks.len(),
        held: lanes().filter(|desk| desk.lease().is_some()).count(),
        backlog: counts.ok().map(|counts| counts.owed.saturating_sub(counts.buried)),
        taken: parts.tally.read().taken,
    }
}

async fn within<T>(parts: &Parts, call: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    match select(pin!(call), parts.clock.sleep(ANSWER)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), _)) => Err(format!("it did not answer for {} s", ANSWER.as_secs())),
    }
}

/// One outage of all that is known: the earliest beginning, the next try, and what the first of the loops was told.
fn sum(outages: impl Iterator<Item = Outage>) -> Standing {
    let sum = outages.reduce(|one, other| Outage {
        since: one.since.min(other.since),
        tries: one.tries + other.tries,
        error: one.error,
        next: one.next.into_iter().chain(other.next).min(),
    });
    sum.map_or(Standing::Ok, Standing::Away)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn outages_are_summed_up_as_one() {
        let outage =
            |since, next| Outage { since: Timestamp(since), tries: 2, error: since.to_string(), next };
        let all = [outage(5, Some(Timestamp(9))), outage(3, None), outage(4, Some(Timestamp(8)))];
        let Standing::Away(sum) = sum(all.into_iter()) else { panic!("it is away") };
        assert_eq!((sum.since, sum.tries, sum.next), (Timestamp(3), 6, Some(Timestamp(8))));
        assert!(super::sum(std::iter::empty()).is_ok());
    }
}
