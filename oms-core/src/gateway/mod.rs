//! The ports to the outside world: payment providers, carriers, notifiers, and whatever a user adds.
//!
//! A provider is a [`Port`] in its own words; [`Typed`] makes a [`Gateway`] of it:
//!
//! ```
//! use oms_core::{gateway::*, id::{MessageId, StreamId}};
//! # use futures::FutureExt;
//!
//! struct Customs;
//!
//! #[async_trait::async_trait]
//! impl Port for Customs {
//!     type Request = String;
//!     type Report = bool;
//!     fn repeats(&self) -> Repeats { Repeats::Deduplicated }
//!     fn at_once(&self) -> usize { 8 }
//!     async fn tell(&self, _: &EffectKey, country: &String) -> Result<Reported<bool>, NoAnswer> {
//!         Ok(Reported::settled(country == "Iceland"))
//!     }
//!     async fn ask(&self, key: &EffectKey, country: &String) -> Result<Option<Reported<bool>>, NoAnswer> {
//!         self.tell(key, country).await.map(Some)
//!     }
//! }
//!
//! let effect = Effect {
//!     key: EffectKey::new("o-1", "declare", 1),
//!     stream: StreamId::keyed("declaration", "o-1"),
//!     gateway: "customs".into(),
//!     request: r#""Iceland""#.into(),
//!     cause: MessageId(1),
//! };
//! let told = Typed(Customs).tell(&effect).now_or_never();
//! assert!(matches!(told, Some(Ok(answer)) if answer.body == "true" && answer.again.is_none()));
//! ```

pub mod carrier;
pub mod journal;
pub mod notifier;
pub mod payment;
pub mod simulated;
mod typed;

pub use typed::{Port, Reported, Typed};

use crate::id::{Digest, MessageId, Name, StreamId};
use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{error::Error, fmt, time::Duration};

/// Names one wish to the outside world, over all technical retries: its idempotency key (rule 6).
///
/// Another card or a second refund is another `attempt`; a repeated call is not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EffectKey {
    /// The order it is for.
    pub order: Name,
    /// What is wished, such as `authorise`.
    pub step: Name,
    /// The business attempt, from 1.
    pub attempt: u32,
}

impl EffectKey {
    /// Names a wish.
    #[must_use]
    pub fn new(order: &str, step: &str, attempt: u32) -> Self {
        Self { order: Name::from(order), step: Name::from(step), attempt }
    }
}

impl fmt::Display for EffectKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}/{}", self.order, self.step, self.attempt)
    }
}

/// A wish to the outside world, stored in the transaction that causes it and called outside any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Its idempotency key.
    pub key: EffectKey,
    /// The stream whose handler wished it, and hears the answers.
    pub stream: StreamId,
    /// Which gateway is told.
    pub gateway: Name,
    /// What is wished; the gateway's own JSON.
    pub request: Bytes,
    /// The message that caused it.
    pub cause: MessageId,
}

/// What a gateway says of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The provider's own id of what it reports, when it has one: equal reports have equal ids.
    pub provider_event: Option<Name>,
    /// What happened; the gateway's own JSON.
    pub body: Bytes,
    /// `None`: settled, nothing more will come. Otherwise ask again after this time, for more is to come.
    pub again: Option<Duration>,
}

impl Answer {
    /// Mints the id of this answer as a message (rule 5): repeated reports give the same id.
    #[must_use]
    pub fn id(&self, effect: &EffectKey) -> MessageId {
        let digest =
            Digest::new("answer").text(&effect.order).text(&effect.step).number(effect.attempt.into());
        let digest = match &self.provider_event {
            Some(event) => digest.text("event").text(event),
            None => digest.text("body").bytes(&self.body),
        };
        MessageId(digest.finish())
    }
}

/// What asking about a wish brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The provider knows it, and this is the newest it has to say.
    Known(Answer),
    /// The provider never heard of it. Settles nothing: it is told again under its key.
    NotKnown,
}

/// The gateway gave no answer: nobody knows whether the wish was heard. Never a failure of the wish.
#[derive(Debug, thiserror::Error)]
#[error("the {gateway} gateway did not answer; it is asked again")]
pub struct NoAnswer {
    /// Which gateway.
    pub gateway: Name,
    /// What its client said.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

/// What happens when a gateway is told the same wish twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// It does it once.
    Deduplicated,
    /// It may do it again (SMTP): a crash between the wish and its answer repeats it.
    AtLeastOnce,
}

/// One door to the outside world.
///
/// Calls are made outside any transaction, at most [`Gateway::at_once`] at a time, and repeated with the same key
/// until they are answered. After an unknown outcome the gateway is *asked* before it is told again (rule 18).
/// A call that is dropped half-way counts as unanswered.
#[async_trait]
pub trait Gateway: Send + Sync {
    /// What happens when it is told twice.
    fn repeats(&self) -> Repeats;

    /// How many calls it takes at a time.
    fn at_once(&self) -> usize;

    /// Tells it a wish.
    ///
    /// # Errors
    /// [`NoAnswer`] when the outcome is unknown. A refusal by the provider is an answer, not an error.
    async fn tell(&self, effect: &Effect) -> Result<Answer, NoAnswer>;

    /// Asks what became of a wish.
    ///
    /// # Errors
    /// [`NoAnswer`] when the outcome is still unknown.
    async fn ask(&self, effect: &Effect) -> Result<Asked, NoAnswer>;
}
