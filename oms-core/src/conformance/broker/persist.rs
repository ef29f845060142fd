//! What workers do when a broker goes away: they declare, publish and subscribe again until it is back.

use super::{
    super::report::{Failure, Finding},
    scene::{Scene, WIDE, bytes},
};
use crate::{
    broker::{BrokerError, Publish, Settlement},
    message::Pack,
};
use bytes::Bytes;
use std::{collections::BTreeSet, time::Duration};

const BETWEEN: Duration = Duration::from_millis(50);

/// Publishes until each is confirmed, as a relay does.
pub(super) async fn insist(scene: &Scene<'_>, mut packs: Vec<Pack>) -> Finding {
    loop {
        match publish(scene, &packs).await {
            Ok(answers) => {
                let told = packs.into_iter().zip(answers);
                packs =
                    told.filter(|(_, answer)| *answer != Publish::Confirmed).map(|(pack, _)| pack).collect();
                if packs.is_empty() {
                    return Ok(());
                }
            }
            Err(BrokerError::Unavailable { .. }) => {}
            Err(other) => return Err(other.into()),
        }
        scene.harness.clock().sleep(BETWEEN).await;
    }
}

async fn publish(scene: &Scene<'_>, packs: &[Pack]) -> Result<Vec<Publish>, BrokerError> {
    scene.broker.declare(&scene.topology).await?;
    scene.broker.publish(packs.to_vec()).await
}

/// Reads until all of `wanted` have come, as a lane does; some may come twice, and nothing else may come.
pub(super) async fn hear(scene: &Scene<'_>, wanted: &[Bytes]) -> Finding {
    let wanted: BTreeSet<&Bytes> = wanted.iter().collect();
    let mut missing = wanted.clone();
    loop {
        match listen(scene, &wanted, &mut missing).await {
            Ok(()) => return Ok(()),
            Err(Lost::Gone) => scene.harness.clock().sleep(BETWEEN).await,
            Err(Lost::Failed(failure)) => return Err(failure),
        }
    }
}

/// Why a subscription ended.
enum Lost {
    /// The broker is away: again.
    Gone,
    Failed(Failure),
}

impl From<BrokerError> for Lost {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Unavailable { .. } => Self::Gone,
            other => Self::Failed(other.into()),
        }
    }
}

/// One subscription, until it is lost or everything has come.
async fn listen<'w>(
    scene: &Scene<'_>,
    wanted: &BTreeSet<&'w Bytes>,
    missing: &mut BTreeSet<&'w Bytes>,
) -> Result<(), Lost> {
    scene.broker.declare(&scene.topology).await?;
    let mut reader = scene.reader().await?;
    while !missing.is_empty() {
        let batch = reader.consumer.next_batch(WIDE).await?;
        for came in bytes(&batch.deliveries) {
            if !wanted.contains(&came) {
                return Err(Lost::Failed(Failure::new(format!("{came:?} came, which nobody sent"))));
            }
            missing.remove(&came);
        }
        for delivery in batch.deliveries {
            // Stale when it was lost meanwhile, which the next batch says.
            let _ = reader.consumer.settle(delivery.token, Settlement::Ack);
        }
    }
    reader.consumer.flush().await?;
    Ok(())
}
