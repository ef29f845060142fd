//! Bugs in how a payment provider is called.

use crate::{gateway::Line, lock::locked, world::World};
use async_trait::async_trait;
use oms_core::gateway::{
    EffectKey, NoAnswer, Port, Repeats, Reported,
    journal::{Fact, Journal as _, LedgerEntry},
    payment::{PaymentProvider, PaymentReport, PaymentRequest},
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// Calls every time under a new key, for some steps: what was told before is not known, and is done again.
pub(super) struct Unkeyed<P> {
    pub(super) inside: Line<P>,
    pub(super) steps: &'static [&'static str],
    /// What this process has had an answer to; it then has the provider's own reference.
    pub(super) answered: Mutex<BTreeSet<EffectKey>>,
}

impl<P> Unkeyed<P> {
    fn world(&self) -> &Arc<World> {
        &self.inside.world
    }

    /// Writes down that it was done once more, when it was told twice.
    fn done(&self, key: &EffectKey, wish: &PaymentRequest, reported: &Reported<PaymentReport>) {
        locked(&self.answered).insert(key.clone());
        let fact = match &reported.report {
            PaymentReport::Authorised { .. } => Fact::Authorised,
            PaymentReport::Captured { .. } => Fact::Captured,
            PaymentReport::Refunded { .. } => Fact::Refunded,
            _ => return,
        };
        if locked(&self.world().providers.doubled).remove(key) {
            let (key, at) = (key.clone(), self.world().time.now());
            // A journal in memory takes every line.
            let _ = self.world().providers.journal.append(&[LedgerEntry {
                key,
                fact,
                amount: Some(wish.amount),
                at,
            }]);
        }
    }
}

#[async_trait]
impl<P> Port for Unkeyed<P>
where
    Line<P>: PaymentProvider,
    P: Send + Sync,
{
    type Request = PaymentRequest;
    type Report = PaymentReport;

    fn repeats(&self) -> Repeats {
        self.inside.repeats()
    }

    fn at_once(&self) -> usize {
        self.inside.at_once()
    }

    async fn tell(
        &self,
        key: &EffectKey,
        wish: &PaymentRequest,
    ) -> Result<Reported<PaymentReport>, NoAnswer> {
        if self.steps.contains(&&*key.step) && self.world().providers.was_told(key) {
            locked(&self.world().providers.doubled).insert(key.clone());
        }
        let reported = self.inside.tell(key, wish).await?;
        self.done(key, wish, &reported);
        Ok(reported)
    }

    async fn ask(
        &self,
        key: &EffectKey,
        wish: &PaymentRequest,
    ) -> Result<Option<Reported<PaymentReport>>, NoAnswer> {
        if self.steps.contains(&&*key.step) && !locked(&self.answered).contains(key) {
            return Ok(None);
        }
        let reported = self.inside.ask(key, wish).await?;
        reported.iter().for_each(|reported| self.done(key, wish, reported));
        Ok(reported)
    }
}

/// Takes silence for a no.
pub(super) struct Hasty<P>(pub(super) Line<P>);

#[async_trait]
impl<P> Port for Hasty<P>
where
    Line<P>: PaymentProvider,
    P: Send + Sync,
{
    type Request = PaymentRequest;
    type Report = PaymentReport;

    fn repeats(&self) -> Repeats {
        self.0.repeats()
    }

    fn at_once(&self) -> usize {
        self.0.at_once()
    }

    async fn tell(
        &self,
        key: &EffectKey,
        wish: &PaymentRequest,
    ) -> Result<Reported<PaymentReport>, NoAnswer> {
        let told = self.0.tell(key, wish).await;
        let opens = matches!(&*key.step, "authorise" | "charge");
        if told.is_err() && opens {
            let reason = "the provider did not answer in time".to_owned();
            return Ok(Reported::settled(PaymentReport::Declined { last_word: true, reason }));
        }
        told
    }

    async fn ask(
        &self,
        key: &EffectKey,
        wish: &PaymentRequest,
    ) -> Result<Option<Reported<PaymentReport>>, NoAnswer> {
        self.0.ask(key, wish).await
    }
}
