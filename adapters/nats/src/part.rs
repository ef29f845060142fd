//! One topic of a lane: its subscription, and which pulls are under way on it.

use async_nats::{Client, Message, StatusCode, Subscriber};
use std::time::Duration;
use tokio::time::Instant;

/// How long a pull waits at the server for something to come.
const WAITS: Duration = Duration::from_secs(30);
/// How often the server says that a waiting pull is still there.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A pull under way.
struct Pull {
    number: u64,
    left: usize,
    /// When the server must have said something.
    due: Instant,
}

/// One topic of a lane.
pub(crate) struct Part {
    pub(crate) subscriber: Subscriber,
    /// Where pulls of this part are asked for.
    next: String,
    inbox: String,
    /// Waits for one pack, for as long as it takes.
    waiting: Option<Pull>,
    /// Brings what is there now.
    asking: Option<Pull>,
    numbers: u64,
    /// Nothing was there when it was last asked.
    pub(crate) dry: bool,
}

/// What a message means.
pub(crate) enum Heard {
    Pack(Message),
    Nothing,
    /// The subscription is lost.
    Lost(String),
}

impl Part {
    pub(crate) fn new(subscriber: Subscriber, stream: &str, durable: &str, inbox: String) -> Self {
        let next = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}");
        Self { subscriber, next, inbox, waiting: None, asking: None, numbers: 0, dry: false }
    }

    /// How many packs may still come of what was asked for, beside the one that is waited for.
    pub(crate) fn asked(&self) -> usize {
        self.asking.as_ref().map_or(0, |pull| pull.left)
    }

    pub(crate) fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// When something must have been heard, if anything is under way.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.waiting.iter().chain(&self.asking).map(|pull| pull.due).min()
    }

    /// Asks for what is there now, up to `room`.
    pub(crate) async fn ask(
        &mut self,
        client: &Client,
        room: usize,
        bytes: usize,
        patience: Duration,
    ) -> bool {
        let body = format!("{{\"batch\":{room},\"max_bytes\":{bytes},\"no_wait\":true}}");
        self.numbers += 1;
        self.asking = Some(Pull { number: self.numbers, left: room, due: Instant::now() + patience });
        self.send(client, body).await
    }

    /// Waits at the server for one pack.
    pub(crate) async fn wait(&mut self, client: &Client) -> bool {
        let (expires, heartbeat) = (WAITS.as_nanos(), HEARTBEAT.as_nanos());
        let body = format!("{{\"batch\":1,\"expires\":{expires},\"idle_heartbeat\":{heartbeat}}}");
        self.numbers += 1;
        self.waiting = Some(Pull { number: self.numbers, left: 1, due: Instant::now() + HEARTBEAT * 3 });
        self.send(client, body).await
    }

    async fn send(&self, client: &Client, body: String) -> bool {
        let reply = format!("{}.{}", self.inbox, self.numbers);
        client.publish_with_reply(self.next.clone(), reply, body.into()).await.is_ok()
    }

    /// Takes what the server sent.
    pub(crate) fn take(&mut self, message: Message) -> Heard {
        let Some(status) = message.status.filter(|status| *status != StatusCode::OK) else {
            self.arrived();
            return Heard::Pack(message);
        };
        let number = message.subject.rsplit('.').next().and_then(|token| token.parse().ok());
        let said = message.description.as_deref().unwrap_or_default();
        if status == StatusCode::IDLE_HEARTBEAT {
            if let Some(pull) = &mut self.waiting {
                pull.due = Instant::now() + HEARTBEAT * 3;
            }
            return Heard::Nothing;
        }
        let ended = [StatusCode::NOT_FOUND, StatusCode::TIMEOUT].contains(&status);
        let full = said.to_ascii_lowercase();
        if !ended && !full.contains("maxbytes") && !full.contains("batch completed") {
            return Heard::Lost(format!("the server ended the subscription: {status} {said}"));
        }
        self.ended(number, ended);
        Heard::Nothing
    }

    /// A pull ended before it was full.
    fn ended(&mut self, number: Option<u64>, empty: bool) {
        if self.asking.as_ref().is_some_and(|pull| Some(pull.number) == number) {
            self.asking = None;
            self.dry = empty;
        } else if self.waiting.as_ref().is_some_and(|pull| Some(pull.number) == number) {
            self.waiting = None;
        }
    }

    /// A pack came: the pull that waited longest is the first to be served.
    fn arrived(&mut self) {
        self.dry = false;
        if self.waiting.take().is_some() {
            return;
        }
        if let Some(pull) = &mut self.asking {
            pull.left = pull.left.saturating_sub(1);
        }
        if self.asking.as_ref().is_some_and(|pull| pull.left == 0) {
            self.asking = None;
        }
    }
}
