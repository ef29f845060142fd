//! `oms status`: whether everything that the house needs answers, and how much waits.

use super::{connect::connect, open::existing_over, output::print, site::Site};
use crate::{
    exit::{Blame, Failure},
    show::{HealthAnswer, figures, grouped, ports},
};
use oms_broker::SystemClock;
use oms_core::{
    broker::{Broker, MemoryBroker},
    clock::Clock as _,
    oms::{Health, Outage, Standing},
    store::Counts,
};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    health: HealthAnswer,
    parked: u64,
    dead_letters: u64,
    wishes: u64,
}

pub(super) async fn run(site: &Site, json: bool) -> Result<(), Failure> {
    let (broker, away) = match connect(&site.wire).await {
        Ok(broker) => (broker, None),
        // The rest of the answer is worth as much while the broker is away.
        Err(failure) if failure.blame == Blame::Outside => {
            let broker: Arc<dyn Broker> = Arc::new(MemoryBroker::default());
            (broker, Some(failure.to_string()))
        }
        Err(failure) => return Err(failure),
    };
    let shop = existing_over(site, broker).await?;
    let mut health = shop.oms().health().await;
    if let Some(error) = away {
        health.broker = Standing::Away(Outage { since: SystemClock.now(), tries: 1, error, next: None });
    }
    let counts = shop.oms().count().await.map_err(Failure::outside)?;
    let answer = Answer {
        health: HealthAnswer::of(&health),
        parked: counts.parked,
        dead_letters: counts.buried,
        wishes: counts.effects,
    };
    print(json, &answer, || shown(&health, &counts))?;
    if health.is_ok() {
        Ok(())
    } else {
        Err(Failure::outside("not everything answers; the loops wait and try again"))
    }
}

fn shown(health: &Health, counts: &Counts) -> String {
    let mut rows = ports(health);
    let backlog = health.backlog.map_or_else(|| "unknown".to_owned(), |backlog| grouped(backlog.into()));
    rows.push(("lanes held".to_owned(), format!("{} of {}", health.held, health.lanes)));
    rows.push(("packs that wait".to_owned(), backlog));
    rows.push(("messages put aside".to_owned(), grouped(counts.parked.into())));
    rows.push(("dead letters".to_owned(), grouped(counts.buried.into())));
    rows.push(("wishes without their last answer".to_owned(), grouped(counts.effects.into())));
    rows.push(("messages taken from the store".to_owned(), grouped(health.taken.into())));
    figures(rows)
}
