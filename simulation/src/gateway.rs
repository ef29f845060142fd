//! The lines to the providers, which hang, lose, delay and repeat.

use crate::{
    executor::give_way,
    fault::Fault,
    lock::locked,
    mark::Mark,
    world::{AGAIN, World},
};
use async_trait::async_trait;
use oms_core::{
    gateway::{
        EffectKey, NoAnswer, Port, Repeats, Reported, carrier::CarrierReport, notifier::NotifierReport,
        payment::PaymentReport,
    },
    id::Name,
};
use std::sync::Arc;

/// A report that can refuse an undo; only those of payments do.
pub(crate) trait Refusal: Sized {
    /// What it says then.
    fn refusal() -> Option<Self> {
        None
    }
}

impl Refusal for PaymentReport {
    fn refusal() -> Option<Self> {
        Some(PaymentReport::Refused { reason: "this provider undoes nothing today".to_owned() })
    }
}

impl Refusal for CarrierReport {}
impl Refusal for NotifierReport {}

/// The steps whose answer must have come before this undo may be told.
fn done_by(step: &str) -> &'static [&'static str] {
    match step {
        "void" => &["authorise"],
        "refund" => &["capture", "charge"],
        "cancel" => &["book"],
        _ => &[],
    }
}

/// The line to one provider.
pub(crate) struct Line<P> {
    pub(crate) provider: Arc<P>,
    pub(crate) world: Arc<World>,
}

impl<P: Port> Line<P>
where
    P::Report: Refusal,
{
    /// A refusal to undo, for good, if the seed wants one.
    fn refused(&self, key: &EffectKey) -> Option<Reported<P::Report>> {
        if !matches!(&*key.step, "void" | "refund") {
            return None;
        }
        let mut calls = locked(&self.world.providers.calls);
        if !calls.refused.contains(key) {
            if calls.told.contains_key(key) || !self.world.happens(Fault::RefuseUndo) {
                return None;
            }
            calls.refused.insert(key.clone());
        }
        P::Report::refusal().map(Reported::settled)
    }

    /// Under which key the provider does it: another, when it has forgotten that it did it before.
    fn told(&self, key: &EffectKey) -> EffectKey {
        let world = &self.world;
        let mut calls = locked(&world.providers.calls);
        let undone = done_by(&key.step).iter().map(|step| EffectKey::new(&key.order, step, key.attempt));
        let mut undone = undone.filter(|done| calls.told.contains_key(done)).peekable();
        if !done_by(&key.step).is_empty() && undone.peek().is_none_or(|done| !calls.answered.contains(done)) {
            world.wrong(format!("{key} was told before what it undoes was answered"));
        }
        let times = calls.told.entry(key.clone()).or_default();
        *times += 1;
        if *times == 1 {
            return key.clone();
        }
        let again = AGAIN * (*times - 1);
        drop(calls);
        if world.plan.rates.of(Fault::Forgetful) == 0 {
            return key.clone();
        }
        EffectKey { attempt: key.attempt + again, ..key.clone() }
    }

    /// What the caller hears of a report.
    async fn heard(
        &self,
        key: &EffectKey,
        mut reported: Reported<P::Report>,
    ) -> Result<Reported<P::Report>, NoAnswer> {
        let world = &self.world;
        give_way().await;
        if world.happens(Fault::AnswerLate) {
            let late = world.throw(Fault::AnswerLate, |dice| dice.millis(50, 20_000));
            world.time.sleep(late).await;
        }
        if world.happens(Fault::AnswerLost) {
            world.trace.say(|| format!("gateway: the answer to {key} is lost"));
            if world.plan.rates.of(Fault::Forgetful) > 0 {
                // Told again it would do it again: only asking is safe now.
                world.note(Fault::Forgetful);
            }
            return Err(lost("the answer was lost"));
        }
        let mut calls = locked(&world.providers.calls);
        if reported.again.is_none() && !calls.twice.contains(key) && world.happens(Fault::AnswerTwice) {
            calls.twice.insert(key.clone());
            let soon = world.throw(Fault::AnswerTwice, |dice| dice.millis(1, 3_000));
            reported.again = Some(soon);
            reported.event = Some(Name::from("first"));
        }
        calls.answered.insert(key.clone());
        Ok(reported)
    }

    async fn unheard(&self, key: &EffectKey) -> Result<(), NoAnswer> {
        let world = &self.world;
        give_way().await;
        if !world.happens(Fault::Unheard) {
            return Ok(());
        }
        world.trace.say(|| format!("gateway: {key} is not heard"));
        let hangs = world.throw(Fault::Unheard, |dice| dice.millis(0, 10_000));
        world.time.sleep(hangs).await;
        Err(lost("nobody heard it"))
    }
}

fn lost(why: &'static str) -> NoAnswer {
    NoAnswer { gateway: "simulated".into(), source: why.into() }
}

#[async_trait]
impl<P: Port> Port for Line<P>
where
    P::Report: Refusal,
{
    type Request = P::Request;
    type Report = P::Report;

    fn repeats(&self) -> Repeats {
        self.provider.repeats()
    }

    fn at_once(&self) -> usize {
        self.provider.at_once()
    }

    async fn tell(&self, key: &EffectKey, wish: &P::Request) -> Result<Reported<P::Report>, NoAnswer> {
        if !locked(&self.world.providers.calls).tried.insert(key.clone()) {
            self.world.mark(Mark::ToldAgain);
        }
        self.unheard(key).await?;
        if let Some(refused) = self.refused(key) {
            return self.heard(key, refused).await;
        }
        let done = self.told(key);
        self.world.trace.say(|| format!("gateway: told {key}"));
        let reported = self.provider.tell(&done, wish).await?;
        self.heard(key, reported).await
    }

    async fn ask(&self, key: &EffectKey, wish: &P::Request) -> Result<Option<Reported<P::Report>>, NoAnswer> {
        self.unheard(key).await?;
        self.world.mark(Mark::AskedFirst);
        if let Some(refused) = self.refused(key) {
            return self.heard(key, refused).await.map(Some);
        }
        let Some(reported) = self.provider.ask(key, wish).await? else { return Ok(None) };
        self.world.trace.say(|| format!("gateway: asked about {key}"));
        self.heard(key, reported).await.map(Some)
    }
}
