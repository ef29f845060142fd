//! The providers' side of the socket.

use super::wire::{Call, Said, Who};
use crate::{failure::Failure, world::World};
use oms_core::gateway::{
    NoAnswer, Port, Reported,
    simulated::{SimulatedCarrier, SimulatedNotifier, SimulatedProvider},
};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    task::JoinSet,
};

/// Every provider of a round, and whoever is to die the moment it has been served.
pub(crate) struct Providers {
    card: SimulatedProvider,
    upi: SimulatedProvider,
    carrier: SimulatedCarrier,
    notifier: SimulatedNotifier,
    marked: Mutex<Option<Pid>>,
}

impl Providers {
    pub(crate) fn of(world: &World) -> Result<Self, Failure> {
        let (card, upi) = (world.provider()?, world.provider()?);
        Ok(Self {
            card,
            upi,
            carrier: world.carrier()?,
            notifier: world.notifier()?,
            marked: Mutex::default(),
        })
    }

    /// Has this process killed when the next wish that it tells has been done, before it hears of that.
    pub(crate) fn mark(&self, process: Option<u32>) {
        let process = process.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        *self.marked.lock().unwrap_or_else(PoisonError::into_inner) = process;
    }

    /// Answers whoever calls, until it is dropped.
    pub(crate) fn serve(self: &Arc<Self>, socket: &Path) -> Result<JoinSet<()>, Failure> {
        let refused = |error| Failure::of("the providers have no socket", error);
        let listener = UnixListener::bind(socket).map_err(refused)?;
        let providers = Arc::clone(self);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut calls = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let providers = Arc::clone(&providers);
                // Who dies in a call hears no answer, and is not missed.
                calls.spawn(async move { providers.answer(stream).await });
                while calls.try_join_next().is_some() {}
            }
        });
        Ok(serving)
    }

    async fn answer(&self, mut stream: UnixStream) -> io::Result<()> {
        let caller = stream.peer_cred()?.pid().and_then(Pid::from_raw);
        let mut line = String::new();
        BufReader::new(&mut stream).read_line(&mut line).await?;
        let call: Call = serde_json::from_str(&line)?;
        let said = self.said(&call).await;
        if !call.asks && matches!(said, Said::Reported { .. }) && self.is_marked(caller) {
            caller.map_or(Ok(()), |caller| kill_process(caller, Signal::KILL))?;
        }
        stream.write_all((serde_json::to_string(&said)? + "\n").as_bytes()).await
    }

    /// Whether it was this one's turn; it is marked for one call only.
    fn is_marked(&self, caller: Option<Pid>) -> bool {
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        let is = marked.is_some() && *marked == caller;
        if is {
            *marked = None;
        }
        is
    }

    async fn said(&self, call: &Call) -> Said {
        match call.who {
            Who::Card => asked(&self.card, call).await,
            Who::Upi => asked(&self.upi, call).await,
            Who::Carrier => asked(&self.carrier, call).await,
            Who::Notifier => asked(&self.notifier, call).await,
        }
    }
}

async fn asked<P: Port>(provider: &P, call: &Call) -> Said {
    let Some(request) = read::<P::Request>(&call.request) else {
        return Said::Nothing("the request cannot be read".to_owned());
    };
    let reported = if call.asks {
        provider.ask(&call.key, &request).await
    } else {
        provider.tell(&call.key, &request).await.map(Some)
    };
    said(reported)
}

fn read<Q: DeserializeOwned>(request: &Value) -> Option<Q> {
    serde_json::from_value(request.clone()).ok()
}

fn said<R: Serialize>(reported: Result<Option<Reported<R>>, NoAnswer>) -> Said {
    match reported {
        Ok(Some(Reported { report, event, again })) => match serde_json::to_value(report) {
            Ok(report) => Said::Reported { report, event, again },
            Err(error) => Said::Nothing(error.to_string()),
        },
        Ok(None) => Said::NeverHeard,
        Err(error) => Said::Nothing(error.to_string()),
    }
}
