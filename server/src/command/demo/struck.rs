//! The house of a demo, which may be struck in mid-run: stopped where it stands, and begun again over a broker that knows nothing.

use super::{
    super::{connect::declare, open::existing_over, site::Site},
    spent::Spent,
    wipe::Wipe,
};
use crate::{
    args::BrokerUrl,
    exit::Failure,
    import::{House, HouseError, NotPlaced, Standing, Wish},
    ledger::Ledger,
    shop::Shop,
    show::{BlowAnswer, LedgerAnswer},
};
use async_trait::async_trait;
use oms_core::{
    broker::Broker,
    event::inventory::AdjustStock,
    gateway::journal::{self, Journal as _},
    id::OrderId,
};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{RwLock, RwLockReadGuard};

/// How long a server that was wiped may take until it answers again.
const BACK: Duration = Duration::from_secs(60);

/// What befalls the house.
pub(super) struct Blow {
    /// After how many orders.
    pub(super) after: u64,
    /// How the broker loses what it has, if it does.
    pub(super) wipe: Option<Wipe>,
    /// The broker before.
    pub(super) broker: Arc<dyn Broker>,
    /// The broker after.
    pub(super) then: (BrokerUrl, Arc<dyn Broker>),
}

/// A house that lives, until it is struck and lives again.
pub(super) struct Struck<'a> {
    site: &'a Site,
    blow: Option<Blow>,
    shop: RwLock<Option<Shop>>,
    placed: AtomicU64,
    spent: Mutex<Spent>,
    fell: Mutex<Option<BlowAnswer>>,
}

/// What a demo leaves behind.
pub(super) struct Left {
    pub(super) shop: Shop,
    pub(super) spent: Spent,
    pub(super) blow: Option<BlowAnswer>,
}

impl<'a> Struck<'a> {
    pub(super) fn new(site: &'a Site, shop: Shop, blow: Option<Blow>) -> Self {
        let (shop, placed) = (RwLock::new(Some(shop)), AtomicU64::new(0));
        Self { site, blow, shop, placed, spent: Mutex::default(), fell: Mutex::default() }
    }

    /// The shop that lives now; `None` when it could not be begun again.
    pub(super) fn left(self) -> Option<Left> {
        let spent = self.spent.into_inner().unwrap_or_else(PoisonError::into_inner);
        let blow = self.fell.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.shop.into_inner().map(|shop| Left { shop, spent, blow })
    }

    /// What the living house has spent so far.
    pub(super) async fn spent(&self) -> Result<Spent, Failure> {
        let shop = self.shop().await.map_err(Failure::outside)?;
        Spent::of(&shop).await
    }

    async fn shop(&self) -> Result<RwLockReadGuard<'_, Shop>, HouseError> {
        let shop = RwLockReadGuard::try_map(self.shop.read().await, Option::as_ref);
        shop.map_err(|_| HouseError("the house could not be begun again".into()))
    }

    async fn strike(&self, blow: &Blow) -> Result<(), Failure> {
        let mut place = self.shop.write().await;
        let Some(mut shop) = place.take() else { return Ok(()) };
        shop.halt().await;
        let before = LedgerAnswer::of(&ledger(self.site.db())?);
        let owed = shop.oms().count().await.map_err(Failure::outside)?.owed;
        let spent = Spent::of(&shop).await?;
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).add(spent);
        // The store belongs to one process, and this one lets go of it as a dead one does.
        drop(shop);
        if let Some(wipe) = &blow.wipe {
            wipe.strike(blow.broker.as_ref()).await?;
        }
        let (url, broker) = &blow.then;
        let mut shop = existing_over(self.site, Arc::clone(broker)).await?;
        declared(broker.as_ref(), &shop, url).await?;
        shop.run();
        *place = Some(shop);
        let placed = self.placed.load(Ordering::Relaxed);
        let (wiped, then) = (blow.wipe.is_some(), url.to_string());
        let fell = BlowAnswer { placed, owed, wiped, then, before, after: before };
        *self.fell.lock().unwrap_or_else(PoisonError::into_inner) = Some(fell);
        Ok(())
    }

    fn has_fallen(&self) -> bool {
        self.fell.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// Declares at a server that may only just be coming back.
async fn declared(broker: &dyn Broker, shop: &Shop, url: &BrokerUrl) -> Result<(), Failure> {
    let back = async {
        while broker.probe().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    // Who never answers is told so by the declaration.
    let _ = tokio::time::timeout(BACK, back).await;
    declare(broker, shop.oms().topology(), url).await
}

/// What the simulated world has written down so far.
pub(super) fn ledger(db: &Path) -> Result<journal::Ledger, Failure> {
    let lines =
        Ledger::open(&Ledger::place(db)).map_err(Failure::outside)?.load().map_err(Failure::outside)?;
    Ok(journal::Ledger::of(&lines))
}

#[async_trait]
impl House for Struck<'_> {
    async fn place(&self, wishes: &[Wish]) -> Result<Vec<Result<bool, NotPlaced>>, HouseError> {
        let answers = self.shop().await?.place(wishes).await?;
        let now = answers.iter().filter(|answer| answer.is_ok()).count() as u64;
        let placed = self.placed.fetch_add(now, Ordering::Relaxed) + now;
        let due = self.blow.as_ref().filter(|blow| placed >= blow.after && !self.has_fallen());
        if let Some(blow) = due {
            self.strike(blow).await.map_err(|failure| HouseError(failure.to_string().into()))?;
        }
        Ok(answers)
    }

    async fn adjust(&self, changes: Vec<AdjustStock>) -> Result<(), HouseError> {
        self.shop().await?.adjust(changes).await
    }

    async fn cancel(&self, order: &OrderId, reason: &str) -> Result<Vec<String>, HouseError> {
        self.shop().await?.cancel(order, reason).await
    }

    async fn standing(&self, order: &OrderId) -> Result<Option<Standing>, HouseError> {
        self.shop().await?.standing(order).await
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
