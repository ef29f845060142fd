//! The door to a provider that lives in another process.

use super::wire::{Call, Said, Who};
use async_trait::async_trait;
use oms_core::{
    gateway::{
        EffectKey, NoAnswer, Port, Repeats, Reported,
        carrier::{CarrierReport, CarrierRequest},
        notifier::{NotifierReport, NotifierRequest},
        payment::{PaymentReport, PaymentRequest},
    },
    id::Name,
    oms::Builder,
    payment::Method,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    error::Error,
    marker::PhantomData,
    path::{Path, PathBuf},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
};

/// Puts the doors to all providers behind a socket into a house.
pub(crate) fn furnish(builder: Builder, socket: &Path) -> Builder {
    builder
        .payment_method(Method::card(), Door::<PaymentRequest, PaymentReport>::to(Who::Card, socket))
        .payment_method(Method::upi(), Door::<PaymentRequest, PaymentReport>::to(Who::Upi, socket))
        .carrier(Door::<CarrierRequest, CarrierReport>::to(Who::Carrier, socket))
        .notifier(Door::<NotifierRequest, NotifierReport>::to(Who::Notifier, socket))
}

/// Each call is a connection of its own: it ends with whichever of the two processes dies.
struct Door<Q, R> {
    who: Who,
    socket: PathBuf,
    speaks: PhantomData<fn(Q) -> R>,
}

type Failed = Box<dyn Error + Send + Sync>;

impl<Q: Serialize, R: DeserializeOwned> Door<Q, R> {
    fn to(who: Who, socket: &Path) -> Self {
        Self { who, socket: socket.to_owned(), speaks: PhantomData }
    }

    /// One call; `None` when the provider never heard of the wish.
    async fn call(&self, asks: bool, key: &EffectKey, request: &Q) -> Result<Option<Reported<R>>, NoAnswer> {
        let request = serde_json::to_value(request).map_err(|error| self.nothing(error))?;
        let call = Call { who: self.who, asks, key: key.clone(), request };
        match self.said(&call).await.map_err(|error| self.nothing(error))? {
            Said::Reported { report, event, again } => {
                let report = serde_json::from_value(report).map_err(|error| self.nothing(error))?;
                Ok(Some(Reported { report, event, again }))
            }
            Said::NeverHeard => Ok(None),
            Said::Nothing(why) => Err(self.nothing(why)),
        }
    }

    async fn said(&self, call: &Call) -> Result<Said, Failed> {
        let mut stream = UnixStream::connect(&self.socket).await?;
        let line = serde_json::to_string(call)? + "\n";
        stream.write_all(line.as_bytes()).await?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).await?;
        Ok(serde_json::from_str(&answer)?)
    }

    fn nothing(&self, source: impl Into<Failed>) -> NoAnswer {
        NoAnswer { gateway: Name::from(format!("{:?}", self.who)), source: source.into() }
    }
}

#[async_trait]
impl<Q, R> Port for Door<Q, R>
where
    Q: Serialize + DeserializeOwned + Send + Sync,
    R: Serialize + DeserializeOwned + Send + Sync,
{
    type Request = Q;
    type Report = R;

    fn repeats(&self) -> Repeats {
        Repeats::Deduplicated
    }

    fn at_once(&self) -> usize {
        64
    }

    async fn tell(&self, key: &EffectKey, request: &Q) -> Result<Reported<R>, NoAnswer> {
        let told = self.call(false, key, request).await?;
        told.ok_or_else(|| self.nothing("it was told, and says that it never heard of it"))
    }

    async fn ask(&self, key: &EffectKey, request: &Q) -> Result<Option<Reported<R>>, NoAnswer> {
        self.call(true, key, request).await
    }
}
