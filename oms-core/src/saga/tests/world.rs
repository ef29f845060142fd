//! An order among abstract participants: the smallest ones that keep the five rules.

use super::step;
use crate::order::{
    Order, Phase,
    fixture::{DUE, Say},
};
use std::collections::BTreeSet;

/// What is on its way: to a participant, or to the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mail {
    Told(&'static str),
    Said(Say),
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// A message arrives; of several outcomes it takes this one.
    Deliver((Mail, u8)),
    /// A word to the order arrives, and will arrive again.
    Repeat(Say),
    /// A participant moves by itself.
    Happen(&'static str),
    /// Somebody cancels.
    Cancel,
    /// The deadline is reached.
    Late,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inventory {
    Idle,
    Held,
    Committed,
    Consumed,
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provider {
    Idle,
    /// Nobody knows; true once it is to be undone.
    Pending(bool),
    Authorized,
    Promised,
    Captured,
    Declined,
    Undone,
    Stuck,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parcel {
    Idle,
    Planned,
    Dispatched,
    Delivered,
    Failed,
    Cancelled,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) order: Order,
    inventory: Inventory,
    provider: Provider,
    parcel: Parcel,
    mail: BTreeSet<Mail>,
    cancels: u8,
}

impl World {
    pub(super) fn new(order: Order) -> Self {
        let mail = BTreeSet::from([Mail::Told("ReserveStock")]);
        let (inventory, provider, parcel) = (Inventory::Idle, Provider::Idle, Parcel::Idle);
        Self { order, inventory, provider, parcel, mail, cancels: 0 }
    }

    /// Tells worlds apart; what was placed is the same in all.
    pub(super) fn key(&self) -> String {
        let order = serde_json::to_string(&self.order).unwrap_or_default();
        let (inventory, provider, parcel) = (self.inventory, self.provider, self.parcel);
        format!("{order}{inventory:?}{provider:?}{parcel:?}{:?}{}", self.mail, self.cancels)
    }

    pub(super) fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        for mail in &self.mail {
            moves.extend((0..outcomes(*mail)).map(|outcome| Move::Deliver((*mail, outcome))));
            if let Mail::Said(say) = mail {
                moves.push(Move::Repeat(*say));
            }
        }
        if matches!(self.provider, Provider::Pending(_)) {
            moves.extend([Move::Happen("taken late"), Move::Happen("declined at last")]);
        }
        match self.parcel {
            Parcel::Planned => moves.extend([Move::Happen("leaves"), Move::Happen("is not taken")]),
            Parcel::Dispatched => moves.push(Move::Happen("arrives")),
            Parcel::Idle | Parcel::Delivered | Parcel::Failed | Parcel::Cancelled => {}
        }
        if self.order.under_way().is_some_and(|step| step.deadline.is_some()) {
            moves.push(Move::Late);
        }
        if self.cancels < 2 {
            moves.push(Move::Cancel);
        }
        moves
    }

    pub(super) fn after(&self, step: Move) -> Self {
        let mut world = self.clone();
        match step {
            Move::Deliver((mail, outcome)) => {
                world.mail.remove(&mail);
                match mail {
                    Mail::Said(say) => world.hear(say),
                    Mail::Told(command) => world.told(command, outcome),
                }
            }
            Move::Repeat(say) => world.hear(say),
            Move::Happen(what) => world.happen(what),
            Move::Late => world.hear(Say::Deadline),
            Move::Cancel => {
                world.cancels += 1;
                world.hear(Say::Cancel);
            }
        }
        world
    }

    fn hear(&mut self, say: Say) {
        let told = step(&mut self.order, say).map(|(_, told)| told).unwrap_or_default();
        self.mail.extend(told.into_iter().map(Mail::Told));
    }

    fn say(&mut self, say: Say) {
        self.mail.insert(Mail::Said(say));
    }

    fn told(&mut self, command: &str, outcome: u8) {
        match command {
            "ReserveStock" | "CommitStock" | "ReleaseStock" | "ConsumeStock" => self.stock(command, outcome),
            "ArrangeShipment" | "CancelShipment" => self.shipment(command),
            _ => self.payment(command, outcome),
        }
    }

    fn stock(&mut self, command: &str, outcome: u8) {
        match (command, self.inventory) {
            ("ReserveStock", Inventory::Idle) if outcome == 0 => {
                self.inventory = Inventory::Held;
                self.say(Say::Reserved);
            }
            ("ReserveStock", Inventory::Idle | Inventory::Gone) => {
                self.inventory = Inventory::Gone;
                self.say(Say::Short);
            }
            ("CommitStock", Inventory::Held) if outcome == 0 => {
                self.inventory = Inventory::Committed;
                self.say(Say::Committed);
            }
            ("CommitStock", Inventory::Held | Inventory::Gone) => {
                self.inventory = Inventory::Gone;
                self.say(Say::CommitRejected);
            }
            ("ReleaseStock", now) => {
                assert_ne!(now, Inventory::Consumed, "what has left cannot be released");
                self.inventory = Inventory::Gone;
                self.say(Say::Released);
            }
            ("ConsumeStock", now) => {
                assert!(matches!(now, Inventory::Committed | Inventory::Consumed), "consumed, but {now:?}");
                self.inventory = Inventory::Consumed;
                self.say(Say::Consumed);
            }
            _ => {}
        }
    }

    fn payment(&mut self, command: &str, outcome: u8) {
        let (next, word) = match (command, self.provider) {
            ("RequestPayment", Provider::Idle) => match outcome {
                0 => (Provider::Authorized, Some(Say::Authorized(DUE))),
                1 => (Provider::Captured, Some(Say::Captured(DUE))),
                2 => (Provider::Promised, Some(Say::CodAccepted)),
                3 => (Provider::Declined, Some(Say::Declined)),
                4 => (Provider::Pending(false), Some(Say::Doubted)),
                _ => (Provider::Pending(false), None),
            },
            ("CancelPayment", Provider::Pending(_)) => (Provider::Pending(true), None),
            ("CancelPayment", Provider::Authorized | Provider::Captured) if outcome == 1 => {
                (Provider::Stuck, Some(Say::UndoFailed))
            }
            ("CancelPayment", Provider::Authorized) => (Provider::Undone, Some(Say::Voided)),
            ("CancelPayment", Provider::Captured) => (Provider::Undone, Some(Say::Refunded(DUE))),
            ("CancelPayment", Provider::Stuck) => (Provider::Stuck, None),
            ("CancelPayment", _) => (Provider::Undone, Some(Say::NotStarted)),
            ("CapturePayment", Provider::Authorized) if outcome == 0 => {
                (Provider::Captured, Some(Say::Captured(DUE)))
            }
            ("CapturePayment", Provider::Authorized) => (Provider::Authorized, Some(Say::CaptureFailed)),
            ("RecordCollection", Provider::Promised) => (Provider::Captured, Some(Say::Captured(DUE))),
            (_, now) => (now, None),
        };
        self.provider = next;
        self.mail.extend(word.map(Mail::Said));
    }

    fn shipment(&mut self, command: &str) {
        match (command, self.parcel) {
            ("ArrangeShipment", Parcel::Idle) => self.parcel = Parcel::Planned,
            ("CancelShipment", Parcel::Idle | Parcel::Planned | Parcel::Failed | Parcel::Cancelled) => {
                self.parcel = Parcel::Cancelled;
                self.say(Say::Stopped);
            }
            ("CancelShipment", Parcel::Dispatched | Parcel::Delivered) => self.say(Say::NotStopped),
            _ => {}
        }
    }

    fn happen(&mut self, what: &str) {
        match (what, self.provider) {
            ("leaves", _) => {
                self.parcel = Parcel::Dispatched;
                self.say(Say::Dispatched);
            }
            ("is not taken", _) => {
                self.parcel = Parcel::Failed;
                self.say(Say::Refused);
            }
            ("arrives", provider) => {
                self.parcel = Parcel::Delivered;
                self.say(Say::Delivered((provider == Provider::Promised).then_some(DUE)));
            }
            ("taken late", Provider::Pending(undo)) => {
                self.provider = if undo { Provider::Undone } else { Provider::Captured };
                self.say(Say::Captured(DUE));
                if undo {
                    self.say(Say::Refunded(DUE));
                }
            }
            (_, Provider::Pending(undo)) => {
                self.provider = if undo { Provider::Undone } else { Provider::Declined };
                self.say(if undo { Say::NotStarted } else { Say::Declined });
            }
            _ => {}
        }
    }

    /// The invariants that hold in every world, and over every move.
    pub(super) fn check(&self, before: &World, step: Move) {
        let seen = || format!("{} after {step:?} of {}", self.key(), before.key());
        if before.order.phase().is_terminal() {
            assert_eq!(self.order, before.order, "a terminal order never changes: {}", seen());
        }
        if matches!(self.order.phase(), Phase::Failed | Phase::Cancelled) {
            let told = |command| self.mail.contains(&Mail::Told(command));
            // A do that comes after its undo finds a tombstone; one that nobody undid would still be done.
            let unpaid = self.provider == Provider::Idle && !told("RequestPayment");
            let undone = matches!(self.provider, Provider::Declined | Provider::Undone);
            assert!(unpaid || undone, "money is kept: {}", seen());
            assert_eq!(self.inventory, Inventory::Gone, "stock is kept: {}", seen());
            let unsent = self.parcel == Parcel::Idle && !told("ArrangeShipment");
            assert!(unsent || matches!(self.parcel, Parcel::Failed | Parcel::Cancelled), "sent: {}", seen());
        }
        if self.order.phase() == Phase::Completed {
            let all = (self.provider, self.inventory, self.parcel);
            assert_eq!(all, (Provider::Captured, Inventory::Consumed, Parcel::Delivered), "{}", seen());
        }
        if matches!(self.parcel, Parcel::Dispatched | Parcel::Delivered) {
            let stock = matches!(self.inventory, Inventory::Committed | Inventory::Consumed);
            assert!(stock, "a parcel without stock: {}", seen());
            let paid =
                matches!(self.provider, Provider::Authorized | Provider::Promised | Provider::Captured);
            assert!(paid, "a parcel without a guarantee: {}", seen());
        }
    }
}

fn outcomes(mail: Mail) -> u8 {
    match mail {
        Mail::Told("RequestPayment") => 6,
        Mail::Told("ReserveStock" | "CommitStock" | "CancelPayment" | "CapturePayment") => 2,
        Mail::Told(_) | Mail::Said(_) => 1,
    }
}
