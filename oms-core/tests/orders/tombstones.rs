//! An undo that arrives before its do leaves a tombstone, and the late do is then refused (domain rule 1).

use crate::{
    audit::{never_says, says, shelf},
    house::World,
    pace::give_way,
    shop::{open, usual},
};
use async_trait::async_trait;
use oms_core::{
    broker::{Broker, BrokerError, Capabilities, Consumer, MemoryBroker, Publish, Topology},
    event::Wire as _,
    event::{
        Fields,
        payment::{PaymentCommand, PaymentOf},
        public::{PublicEvent, Status},
        shipping::{ShipmentOf, ShippingCommand},
        topic,
    },
    id::{Name, OrderId, StreamId},
    message::{GroupLane, Limit, Message, Pack},
    service::{Entry, Fault, Handler, Loaded, Outcome, Outgoing, Reaction, State, send},
    store::Event,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// A broker that holds back what one sender says on one topic, until it is told to let go.
struct Holding {
    inner: MemoryBroker,
    sender: &'static str,
    topic: &'static str,
    held: Mutex<Option<Vec<Pack>>>,
}

impl Holding {
    fn new(sender: &'static str, topic: &'static str) -> Self {
        Self { inner: MemoryBroker::default(), sender, topic, held: Mutex::new(Some(Vec::new())) }
    }

    /// Lets go what was held; gives how much that was.
    async fn release(&self) -> usize {
        let packs = self.held.lock().expect("no panic").take().expect("held once");
        let count = packs.len();
        self.inner.publish(packs).await.expect("takes them");
        count
    }
}

#[async_trait]
impl Broker for Holding {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.inner.declare(topology).await
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        let confirmed = vec![Publish::Confirmed; packs.len()];
        let ours = |pack: &Pack| &*pack.id.sender.group == self.sender && &*pack.topic == self.topic;
        let (held, passed): (Vec<Pack>, Vec<Pack>) = packs.into_iter().partition(ours);
        let late = match self.held.lock().expect("no panic").as_mut() {
            Some(holding) => {
                holding.extend(held);
                Vec::new()
            }
            None => held,
        };
        self.inner.publish(passed.into_iter().chain(late).collect()).await?;
        Ok(confirmed)
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        self.inner.subscribe(lane, window).await
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.inner.lag(lane).await
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.inner.probe().await
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        self.inner.shutdown(drain).await
    }
}

#[test]
fn a_release_that_overtakes_its_reservation_leaves_nothing_held() {
    // Released by hand, and never: then the late reservation is taken from the store.
    for by_hand in [true, false] {
        let mut world = World::kind();
        let holding = Arc::new(Holding::new("place", topic::INVENTORY_COMMANDS));
        world.broker = holding.clone();
        world.play(async |oms| {
            let id = open(&oms, usual("card")).await;
            assert!(oms.cancel(&id, "c-1", "at once").await.expect("asked").accepted);
            for _ in 0..50 {
                give_way().await;
            }
            assert_eq!(oms.status(&id).await.expect("reads"), Some(Status::Cancelled));
            if by_hand {
                assert_eq!(holding.release().await, 1, "the reservation was held back");
            }
            let said = ["OrderCancelRequested", "OrderCancelling", "StockReleased", "OrderCancelled"];
            world.ends(&oms, &id, Status::Cancelled, &said).await;
            never_says(&oms, &id, &["StockReserved", "PaymentRequested"]).await;
            assert_eq!((shelf(&oms, "A").await.taken, shelf(&oms, "A").await.on_hand()), (0, 10));
        });
    }
}

/// A stranger who undoes what nobody has asked for yet, as soon as it hears of an order.
struct Hasty {
    undo: fn(OrderId) -> Result<Outgoing, Fault>,
}

impl Handler for Hasty {
    fn group(&self) -> Name {
        Name::from("hasty")
    }

    fn hears(&self) -> Vec<Name> {
        vec![Name::from("order.placed")]
    }

    fn owns(&self) -> Vec<Name> {
        Vec::new()
    }

    fn streams(&self, _: &Message, _: &Loaded) -> Vec<StreamId> {
        Vec::new()
    }

    fn handle(&self, message: &Message, _: &Loaded) -> Outcome {
        let (kind, schema) = (&message.envelope.kind, message.envelope.schema);
        match PublicEvent::decode(kind, schema, &message.body) {
            Ok(PublicEvent::OrderPlaced(placed)) => {
                let outgoing = vec![(self.undo)(placed.about.order).expect("encodes")];
                Outcome::Reaction(Reaction { outgoing, ..Reaction::default() })
            }
            other => panic!("not an order: {other:?}"),
        }
    }

    fn evolve(&self, _: &StreamId, _: &Entry, _: &Event) -> Result<Arc<dyn State>, Fault> {
        Err(Fault::Permanent("it owns nothing".to_owned()))
    }
}

fn cancel_payment(order: OrderId) -> Result<Outgoing, Fault> {
    let (key, fields) = (order.name(), Fields::default());
    send(topic::PAYMENT_COMMANDS, &key, &PaymentCommand::CancelPayment(PaymentOf { order, fields }))
}

fn cancel_shipment(order: OrderId) -> Result<Outgoing, Fault> {
    let (key, fields) = (order.name(), Fields::default());
    send(topic::SHIPPING_COMMANDS, &key, &ShippingCommand::CancelShipment(ShipmentOf { order, fields }))
}

#[test]
fn a_payment_that_was_cancelled_before_it_was_asked_for_is_never_begun() {
    for method in ["card", "upi", "cod"] {
        let world = World::kind();
        world.play_with(
            |builder| builder.handler(Hasty { undo: cancel_payment }),
            async |oms| {
                let id = open(&oms, usual(method)).await;
                let said = ["PaymentNotStarted", "OrderPaymentDeclined", "StockReleased", "OrderFailed"];
                world.ends(&oms, &id, Status::Failed, &said).await;
                never_says(&oms, &id, &["PaymentRequested", "PaymentCaptured", "CodAccepted"]).await;
                assert_eq!(shelf(&oms, "A").await.taken, 0);
            },
        );
        assert_eq!((world.ledger().total().authorised, world.ledger().total().captured), (0, 0));
    }
}

#[test]
fn a_shipment_that_was_cancelled_before_it_was_asked_for_never_leaves() {
    for method in ["card", "upi", "cod"] {
        let world = World::kind();
        world.play_with(
            |builder| builder.handler(Hasty { undo: cancel_shipment }),
            async |oms| {
                let id = open(&oms, usual(method)).await;
                let said = ["ShipmentCancelled", "OrderShipmentCancelled", "OrderFailing", "OrderFailed"];
                world.ends(&oms, &id, Status::Failed, &said).await;
                says(&oms, &id, &["OrderFailing", "StockReleased", "OrderFailed"]).await;
                never_says(&oms, &id, &["ShipmentRequested", "ShipmentDispatched"]).await;
                assert_eq!((shelf(&oms, "A").await.taken, shelf(&oms, "A").await.on_hand()), (0, 10));
            },
        );
        assert_eq!(world.ledger().total().dispatches, 0);
    }
}
