//! The payment service: gets a guarantee, captures, undoes, and hears what providers say.

use super::{
    Aggregate, Entry, Fault, Handler, Loaded, Outcome, Reaction, State, append, send,
    watch::{answered, wish},
};
use crate::{
    event::{
        Wire as _,
        payment::{PaymentCommand, PaymentEvent, PaymentOf, RequestPayment},
        topic,
    },
    gateway::{EffectKey, payment::PaymentRequest},
    id::{Name, OrderId, read_json},
    message::Message,
    payment::{Decision, Input, Methods, Payment, Report, Step},
    store::{Event, Rank, StreamId},
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

/// The group that the payment service hears in.
pub const GROUP: &str = "payment";
/// The kind of its streams, one for each order.
pub const KIND: &str = "payment";

impl Aggregate for Payment {
    const SCHEMA: u16 = 1;
    type Event = PaymentEvent;

    fn evolve(&mut self, event: &PaymentEvent) {
        Payment::evolve(self, event);
    }

    fn fixed(&self) -> Option<Bytes> {
        // A request of this library can always be written.
        self.request().and_then(|request| serde_json::to_vec(request).ok()).map(Bytes::from)
    }

    fn restore(&mut self, fixed: &[u8]) -> Result<(), serde_json::Error> {
        Payment::restore(self, read_json(fixed)?);
        Ok(())
    }
}

/// The payment service, with the methods that this shop offers.
///
/// ```
/// use oms_core::{payment::Methods, service::{Handler, payment::PaymentService}};
/// let service = PaymentService::new(Methods::default());
/// assert_eq!(&*service.group(), "payment");
/// ```
#[derive(Clone, Debug, Default)]
pub struct PaymentService {
    methods: Methods,
}

impl PaymentService {
    /// Makes the service.
    #[must_use]
    pub fn new(methods: Methods) -> Self {
        Self { methods }
    }

    fn hear(&self, message: &Message, loaded: &Loaded) -> Result<Outcome, Fault> {
        let stream = StreamId::named(Rank::Keyed, KIND, message.envelope.key.text());
        let Some(entry) = loaded.get(&stream) else { return Ok(Outcome::Missing(vec![stream])) };
        let now = entry.state::<Payment>()?;
        if let Some((answered, report)) = answered::<Report>(message)? {
            let step = Step::named(&answered.effect.step)
                .ok_or_else(|| Fault::Permanent(format!("{} is no wish of payment", answered.effect)))?;
            let Some(request) = now.request() else {
                return Err(Fault::Permanent(format!("{} was never wished", answered.effect)));
            };
            let of = PaymentOf { order: request.order.clone(), fields: request.fields.clone() };
            let input = Input::Report { step, report: &report, settled: answered.settled };
            return self.react(entry, &stream, &of, input, message);
        }
        let envelope = &message.envelope;
        let command = PaymentCommand::decode(&envelope.kind, envelope.schema, &message.body)?;
        let of = about(&command);
        let open = now.opening(&self.methods).map(|step| key(&of.order, step));
        let unclaimed = open.is_some_and(|open| entry.stream.unclaimed.contains(&open));
        let input = Input::Command { command: &command, unclaimed };
        self.react(entry, &stream, &of, input, message)
    }

    fn react(
        &self,
        entry: &Entry,
        stream: &StreamId,
        of: &PaymentOf,
        input: Input<'_>,
        message: &Message,
    ) -> Result<Outcome, Fault> {
        let now = entry.state::<Payment>()?;
        let decided = now.decide(of, &self.methods, input);
        let decision = decided.map_err(|refusal| Fault::Permanent(refusal.to_string()))?;
        let Decision { events, again, wish: wished, withdraw } = decision;
        let mut reaction = Reaction::default();
        for event in again.iter().chain(&events).filter(|event| is_answer(event)) {
            reaction.outgoing.push(send(topic::PAYMENT_EVENTS, &of.order.name(), event)?);
        }
        if let Some(open) = now.opening(&self.methods).filter(|_| withdraw) {
            reaction.withdrawn.push(key(&of.order, open));
        }
        let mut after = now.clone();
        events.iter().for_each(|event| after.evolve(event));
        if let Input::Report { step, settled: true, report } = input
            && after.awaits(step)
        {
            // Nobody asks the provider again, so the payment would wait in silence for ever: a person must see it.
            return Err(Fault::Permanent(format!(
                "the provider's last word on {}/{} says nothing ({report:?}); ask it, and settle this payment by hand",
                of.order,
                step.name()
            )));
        }
        if let (Some(step), Some(request)) = (wished, after.request()) {
            let (gateway, body) = self.told(step, &after, request);
            reaction.effects.push(wish(key(&of.order, step), stream, &gateway, &body, message)?);
        }
        if !events.is_empty() {
            reaction.appends.push(append(stream.clone(), now, events)?);
        }
        Ok(Outcome::Reaction(reaction))
    }

    fn told(&self, step: Step, payment: &Payment, request: &RequestPayment) -> (Name, PaymentRequest) {
        let name = &request.choice.method;
        let method = self.methods.get(name);
        let body = PaymentRequest {
            wish: step,
            method: name.clone(),
            customer: request.customer.clone(),
            amount: payment.captured().unwrap_or(request.amount),
            token: request.choice.token.clone(),
            window: method.map_or(Duration::ZERO, |method| method.window),
        };
        (method.map_or_else(|| name.clone(), |method| method.gateway.clone()), body)
    }
}

impl Handler for PaymentService {
    fn group(&self) -> Name {
        Name::from(GROUP)
    }

    fn hears(&self) -> Vec<Name> {
        vec![Name::from(topic::PAYMENT_COMMANDS)]
    }

    fn owns(&self) -> Vec<Name> {
        vec![Name::from(KIND)]
    }

    fn streams(&self, message: &Message, _: &Loaded) -> Vec<StreamId> {
        vec![StreamId::named(Rank::Keyed, KIND, message.envelope.key.text())]
    }

    fn handle(&self, message: &Message, loaded: &Loaded) -> Outcome {
        self.hear(message, loaded).unwrap_or_else(Outcome::Fault)
    }

    fn evolve(&self, _: &StreamId, now: &Entry, event: &Event) -> Result<Arc<dyn State>, Fault> {
        now.evolved::<Payment>(event)
    }
}

fn about(command: &PaymentCommand) -> PaymentOf {
    match command {
        PaymentCommand::RequestPayment(request) => {
            PaymentOf { order: request.order.clone(), fields: request.fields.clone() }
        }
        PaymentCommand::CancelPayment(of) | PaymentCommand::CapturePayment(of) => of.clone(),
        PaymentCommand::RecordCollection(cash) => {
            PaymentOf { order: cash.order.clone(), fields: cash.fields.clone() }
        }
    }
}

fn key(order: &OrderId, step: Step) -> EffectKey {
    EffectKey::new(order.as_str(), step.name(), 1)
}

/// Whether an event is told to the order; the others are recorded only.
fn is_answer(event: &PaymentEvent) -> bool {
    match event {
        PaymentEvent::PaymentAuthorized(_)
        | PaymentEvent::PaymentCaptured(_)
        | PaymentEvent::CodAccepted(_)
        | PaymentEvent::PaymentDeclined(_)
        | PaymentEvent::CaptureFailed(_)
        | PaymentEvent::PaymentVoided(_)
        | PaymentEvent::PaymentRefunded(_)
        | PaymentEvent::PaymentNotStarted(_)
        | PaymentEvent::PaymentUndoFailed(_) => true,
        PaymentEvent::PaymentRequested(_)
        | PaymentEvent::PaymentActionRequired(_)
        | PaymentEvent::PaymentPending(_)
        | PaymentEvent::CaptureRequested(_)
        | PaymentEvent::PaymentCancelRequested(_)
        | PaymentEvent::RefundRequested(_) => false,
    }
}
