//! Typed ports: a provider in its own words, and the adapter that makes a gateway of it.

use super::{Answer, Asked, Effect, EffectKey, Gateway, NoAnswer, Repeats};
use crate::id::{Name, read_json, write_json};
use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// A report of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported<R> {
    /// What it says.
    pub report: R,
    /// The provider's own id of the report, when it has one.
    pub event: Option<Name>,
    /// `None`: settled. Otherwise ask again after this time.
    pub again: Option<Duration>,
}

impl<R> Reported<R> {
    /// The last word.
    #[must_use]
    pub fn settled(report: R) -> Self {
        Self { report, event: None, again: None }
    }

    /// More is to come, after this time.
    #[must_use]
    pub fn open(report: R, again: Duration) -> Self {
        Self { report, event: None, again: Some(again) }
    }
}

/// A door to the outside world in its own types; [`Typed`] makes a [`Gateway`] of it, whose contract holds here too.
#[async_trait]
pub trait Port: Send + Sync {
    /// What is wished.
    type Request: Serialize + DeserializeOwned + Send + Sync;
    /// What is answered.
    type Report: Serialize + DeserializeOwned + Send + Sync;

    /// What happens when it is told twice.
    fn repeats(&self) -> Repeats;

    /// How many calls it takes at a time.
    fn at_once(&self) -> usize;

    /// Tells it a wish.
    ///
    /// # Errors
    /// [`NoAnswer`] when the outcome is unknown.
    async fn tell(
        &self,
        key: &EffectKey,
        request: &Self::Request,
    ) -> Result<Reported<Self::Report>, NoAnswer>;

    /// Asks what became of a wish; `None` when it was never heard of.
    ///
    /// # Errors
    /// [`NoAnswer`] when the outcome is still unknown.
    async fn ask(
        &self,
        key: &EffectKey,
        request: &Self::Request,
    ) -> Result<Option<Reported<Self::Report>>, NoAnswer>;
}

/// A typed port as a gateway: its requests and reports travel as JSON.
#[derive(Clone, Debug)]
pub struct Typed<P>(pub P);

#[async_trait]
impl<P: Port> Gateway for Typed<P> {
    fn repeats(&self) -> Repeats {
        self.0.repeats()
    }

    fn at_once(&self) -> usize {
        self.0.at_once()
    }

    async fn tell(&self, effect: &Effect) -> Result<Answer, NoAnswer> {
        let reported = self.0.tell(&effect.key, &read(effect)?).await?;
        answer(effect, &reported)
    }

    async fn ask(&self, effect: &Effect) -> Result<Asked, NoAnswer> {
        match self.0.ask(&effect.key, &read(effect)?).await? {
            Some(reported) => answer(effect, &reported).map(Asked::Known),
            None => Ok(Asked::NotKnown),
        }
    }
}

fn read<R: DeserializeOwned>(effect: &Effect) -> Result<R, NoAnswer> {
    read_json(&effect.request).map_err(|error| unanswered(effect, error))
}

fn answer<R: Serialize>(effect: &Effect, reported: &Reported<R>) -> Result<Answer, NoAnswer> {
    let body = write_json(&reported.report).map_err(|error| unanswered(effect, error))?;
    Ok(Answer { provider_event: reported.event.clone(), body, again: reported.again })
}

fn unanswered(effect: &Effect, error: serde_json::Error) -> NoAnswer {
    NoAnswer { gateway: effect.gateway.clone(), source: Box::new(error) }
}
