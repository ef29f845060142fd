//! The shop: the system over one store, with a simulated outside world, and its loops on all cores.

use crate::{
    exit::{Blame, Failure},
    import::{House, HouseError, NotPlaced, PRINCIPAL, Standing, Wish},
    ledger::Ledger,
    world::World,
};
use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use oms_broker::{RandomIds, SystemClock};
use oms_core::{
    broker::Broker,
    clock::Clock,
    event::inventory::AdjustStock,
    gateway::{
        journal::Journal,
        simulated::{SimulatedCarrier, SimulatedNotifier, SimulatedProvider},
    },
    id::OrderId,
    oms::{BuildError, Oms, PlaceRefusal, Placed, Placement},
    order::OrderError,
    payment::Method,
    projection::{Facts, Parcel, model::ReadModels},
    store::{Store, StoreError, Waiting},
    worker::PlaceError,
};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// How many changes of stock are asked for at a time.
const AT_ONCE: usize = 64;
/// How long to wait between two looks at what is still owed.
const LOOK: Duration = Duration::from_millis(10);

/// What keeps a shop's events and what is owed, and what keeps its read models.
pub type Kept = (Arc<dyn Store>, Arc<dyn ReadModels>);

/// The system, with its loops running.
pub struct Shop {
    oms: Oms,
    loops: JoinSet<()>,
}

impl Shop {
    /// Puts the system together over a store and a broker; nothing runs before [`Shop::run`], and then only the services that
    /// are named, or all where none is.
    ///
    /// # Errors
    /// [`Failure`] when the ledger or the store is out of reach.
    pub async fn open(
        broker: Arc<dyn Broker>,
        (store, models): Kept,
        ledger: Ledger,
        world: World,
        served: &[&str],
    ) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ledger: Arc<dyn Journal> = Arc::new(ledger);
        let (draws, windows) = (world.draws(), world.windows);
        let provider = || SimulatedProvider::open(draws, windows, Arc::clone(&clock), Arc::clone(&ledger));
        let carrier = SimulatedCarrier::open(draws, windows, Arc::clone(&clock), Arc::clone(&ledger));
        let notifier = SimulatedNotifier::open(draws, Arc::clone(&clock), Arc::clone(&ledger));
        let outside = |error| Failure::new(Blame::Outside, error);
        let builder = Oms::builder(broker, store, Arc::clone(&clock), Arc::new(RandomIds::default()))
            .payment_method(Method::card(), provider().map_err(outside)?)
            .payment_method(Method::upi(), provider().map_err(outside)?)
            .carrier(carrier.map_err(outside)?)
            .notifier(notifier.map_err(outside)?)
            .read_models(models)
            .options(world.options());
        let builder = if served.is_empty() { builder } else { builder.serve(served.iter().copied()) };
        let oms = builder.build().await.map_err(unbuilt)?;
        Ok(Self { oms, loops: JoinSet::new() })
    }

    /// The system, to be asked.
    #[must_use]
    pub fn oms(&self) -> &Oms {
        &self.oms
    }

    /// Starts the loops, each a task of its own, so that all cores work; but not those of the read models, which are brought
    /// up to date by the command that asks them.
    pub fn run(&mut self) {
        for task in self.oms.tasks().into_iter().filter(|task| !task.name.starts_with("projection/")) {
            tracing::debug!(task = task.name, "started");
            self.loops.spawn(task.future);
        }
    }

    /// Ends the loops where they stand, as a kill does; what they had in hand is still owed.
    pub async fn halt(&mut self) {
        self.loops.shutdown().await;
    }

    /// Waits until nothing is owed, put off or wished any more, for at most `time`, and closes the shop; says whether it is
    /// at rest. What is left is owed, and found again.
    ///
    /// # Errors
    /// [`Failure`] when the store is out of reach; the shop is closed then too.
    pub async fn rest(&mut self, time: Duration) -> Result<bool, Failure> {
        let quiet = tokio::time::timeout(time, self.quiet()).await;
        self.close(time).await;
        match quiet {
            Ok(quiet) => quiet.map(|()| true),
            Err(_) => Ok(false),
        }
    }

    async fn quiet(&self) -> Result<(), Failure> {
        while !self.is_quiet().await? {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// What is owed and buried waits for a person, not for the loops.
    async fn is_quiet(&self) -> Result<bool, Failure> {
        let counts = self.oms.count().await.map_err(Failure::outside)?;
        if counts.owed == 0 || counts.parked + counts.effects > 0 {
            return Ok(counts.owed + counts.parked + counts.effects == 0);
        }
        let owed = usize::try_from(counts.owed).unwrap_or(usize::MAX);
        let waiting = self.oms.waiting(None, owed).await.map_err(Failure::outside)?;
        let left = |one: &Waiting| matches!(one, Waiting::Owed { left, .. } if *left > 0);
        Ok(!waiting.iter().any(left))
    }

    /// Lets the loops finish what they have begun, for at most `time`; what is left is owed, and found again. The shop can
    /// still be asked.
    pub async fn close(&mut self, time: Duration) {
        self.oms.drain();
        let finished = async { while self.loops.join_next().await.is_some() {} };
        if tokio::time::timeout(time, finished).await.is_err() {
            tracing::warn!("some loops did not finish in time; what they had in hand is still owed");
            self.loops.shutdown().await;
        }
    }
}

/// A store of another lane count, or of another release, is not what was meant; anything else may pass.
fn unbuilt(error: BuildError) -> Failure {
    let unfit = matches!(&error, BuildError::Store(StoreError::Unfit(_)));
    Failure::new(if unfit { Blame::Input } else { Blame::Outside }, error)
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> HouseError {
    HouseError(Box::new(error))
}

fn not_placed(refusal: PlaceRefusal) -> Result<NotPlaced, HouseError> {
    match refusal {
        PlaceRefusal::Order(error @ OrderError::KeyReused { .. }) => {
            Ok(NotPlaced::Otherwise(error.to_string()))
        }
        PlaceRefusal::Order(error) => Ok(NotPlaced::Never(error.to_string())),
        PlaceRefusal::Place(PlaceError::Overloaded { .. }) => Ok(NotPlaced::Later),
        PlaceRefusal::Place(PlaceError::Refused(reason)) => Ok(NotPlaced::Never(reason)),
        PlaceRefusal::Place(error @ PlaceError::Store(_)) => Err(unavailable(error)),
    }
}

/// What an import sees of an order.
#[must_use]
pub fn standing(facts: &Facts) -> Option<Standing> {
    facts.placed()?;
    let version = facts.orders.len() + facts.payments.len() + facts.stock.len() + facts.shipments.len();
    Some(Standing {
        status: facts.status(),
        ended: facts.phase().is_terminal(),
        held: facts.parcel() == Parcel::Held && !facts.phase().is_terminal(),
        version: version as u64,
    })
}

#[async_trait]
impl House for Shop {
    async fn place(&self, wishes: &[Wish]) -> Result<Vec<Result<bool, NotPlaced>>, HouseError> {
        let placement = |wish: &Wish| Placement {
            order: wish.order.clone(),
            principal: PRINCIPAL.to_owned(),
            idempotency_key: wish.invoice.clone(),
        };
        let answers = self.oms.place_batch(wishes.iter().map(placement).collect()).await;
        let answer = |answer: Result<Placed, PlaceRefusal>| match answer {
            Ok(placed) => Ok(Ok(placed.known)),
            Err(refusal) => not_placed(refusal).map(Err),
        };
        answers.into_iter().map(answer).collect()
    }

    async fn adjust(&self, changes: Vec<AdjustStock>) -> Result<(), HouseError> {
        let asked = changes.into_iter().map(|change| self.oms.adjust_stock(change));
        let mut answers = stream::iter(asked).buffer_unordered(AT_ONCE).map_err(unavailable);
        while let Some(answer) = answers.try_next().await? {
            if let Some(reason) = answer.reason.filter(|_| !answer.accepted) {
                return Err(HouseError(reason.into()));
            }
        }
        Ok(())
    }

    async fn cancel(&self, order: &OrderId, reason: &str) -> Result<Vec<String>, HouseError> {
        let reply = self.oms.cancel(order, PRINCIPAL, reason).await.map_err(unavailable)?;
        Ok(if reply.accepted { Vec::new() } else { reply.reasons })
    }

    async fn standing(&self, order: &OrderId) -> Result<Option<Standing>, HouseError> {
        Ok(standing(&self.oms.facts(order).await.map_err(unavailable)?))
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[cfg(test)]
mod tests;
