//! The rules of payments, one sentence each, and what holds over every sequence of them.

use super::*;
use crate::{
    event::payment::{
        PaymentChoice, PaymentCommand, PaymentEvent, PaymentOf, RecordCollection, RequestPayment,
    },
    id::{CustomerId, Name, order_id},
    money::{Currency, Money},
};
use proptest::prelude::*;

fn money(minor: i64) -> Money {
    Money { minor, currency: Currency::new("GBP").expect("a currency") }
}

fn of() -> PaymentOf {
    PaymentOf { order: order_id("shop", "1"), fields: Default::default() }
}

fn request(method: &str, minor: i64) -> PaymentCommand {
    PaymentCommand::RequestPayment(RequestPayment {
        order: of().order,
        customer: CustomerId::new("c-1").expect("an id"),
        choice: PaymentChoice { method: Name::from(method), token: None },
        amount: money(minor),
        nothing_to_send: false,
        fields: Default::default(),
    })
}

/// One payment and everything it said and wished.
#[derive(Default)]
struct Scene {
    payment: Payment,
    said: Vec<PaymentEvent>,
    wished: Vec<Step>,
    recorded: Vec<PaymentEvent>,
}

impl Scene {
    fn hear(&mut self, input: Input<'_>) -> Result<Decision, Refusal> {
        let decision = self.payment.decide(&of(), &Methods::default(), input)?;
        decision.events.iter().for_each(|event| self.payment.evolve(event));
        self.recorded.extend(decision.events.clone());
        self.said.extend(decision.again.iter().chain(&decision.events).cloned());
        self.wished.extend(decision.wish);
        Ok(decision)
    }

    fn told(&mut self, command: PaymentCommand) -> &mut Self {
        let _ = self.hear(Input::Command { command: &command, unclaimed: false });
        self
    }

    fn answered(&mut self, step: Step, report: Report) -> &mut Self {
        let settled = !matches!(report, Report::ActionRequired | Report::Pending)
            && !matches!(report, Report::Declined { last_word: false, .. });
        let _ = self.hear(Input::Report { step, report: &report, settled });
        self
    }

    fn last(&self) -> &str {
        use crate::event::Wire as _;
        self.said.last().map_or("", |event| event.kind())
    }
}

fn cancel() -> PaymentCommand {
    PaymentCommand::CancelPayment(of())
}

fn capture() -> PaymentCommand {
    PaymentCommand::CapturePayment(of())
}

fn authorised() -> Report {
    Report::Authorised { reference: "a".to_owned() }
}

fn captured() -> Report {
    Report::Captured { reference: "c".to_owned() }
}

fn declined(last_word: bool) -> Report {
    Report::Declined { last_word, reason: "no".to_owned() }
}

#[test]
fn a_card_is_authorised_captured_and_refunded() {
    let mut scene = Scene::default();
    scene.told(request("card", 500)).answered(Step::Authorise, authorised());
    assert_eq!(scene.last(), "PaymentAuthorized");
    scene.told(capture()).answered(Step::Capture, captured());
    assert_eq!(scene.last(), "PaymentCaptured");
    scene.told(cancel()).answered(Step::Refund, Report::Refunded { reference: "r".to_owned() });
    assert_eq!(scene.last(), "PaymentRefunded");
    assert_eq!(scene.wished, [Step::Authorise, Step::Capture, Step::Refund]);
    assert_eq!(scene.payment.refunded(), Some(money(500)));
}

#[test]
fn a_cancel_before_the_request_leaves_a_tombstone() {
    let mut scene = Scene::default();
    scene.told(cancel());
    assert_eq!(scene.last(), "PaymentNotStarted");
    scene.told(request("card", 500));
    assert_eq!(scene.last(), "PaymentDeclined");
    assert!(scene.wished.is_empty(), "nothing is asked of a provider");
}

#[test]
fn a_cancel_takes_back_what_nobody_was_told_and_waits_for_what_may_have_been() {
    let mut scene = Scene::default();
    scene.told(request("card", 500));
    let command = cancel();
    let early = scene.payment.decide(
        &of(),
        &Methods::default(),
        Input::Command { command: &command, unclaimed: true },
    );
    assert!(early.is_ok_and(|decision| decision.withdraw));
    scene.told(cancel());
    assert_eq!(scene.last(), "PaymentCancelRequested", "recorded only: nothing is settled");
    scene.answered(Step::Authorise, authorised());
    assert_eq!(scene.wished, [Step::Authorise, Step::Void]);
    scene.answered(Step::Void, Report::Voided { reference: "v".to_owned() });
    assert_eq!(scene.last(), "PaymentVoided");
}

#[test]
fn a_charge_that_succeeds_after_its_cancel_is_refunded() {
    let mut scene = Scene::default();
    scene.told(request("upi", 500)).answered(Step::Charge, Report::ActionRequired);
    scene.told(cancel()).answered(Step::Charge, declined(false));
    assert!(scene.wished == [Step::Charge] && scene.last() == "PaymentDeclined");
    scene.answered(Step::Charge, captured());
    assert_eq!(scene.wished, [Step::Charge, Step::Refund]);
    scene.answered(Step::Refund, Report::Refused { reason: "closed".to_owned() });
    assert_eq!(scene.last(), "PaymentUndoFailed");
}

#[test]
fn money_that_comes_after_a_last_no_is_given_back() {
    for cancelled in [false, true] {
        let mut scene = Scene::default();
        scene.told(request("upi", 500));
        if cancelled {
            scene.told(cancel());
        }
        scene.answered(Step::Charge, declined(true)).answered(Step::Charge, captured());
        assert_eq!(scene.wished, [Step::Charge, Step::Refund]);
        scene.answered(Step::Refund, Report::Refunded { reference: "r".to_owned() });
        assert_eq!((scene.payment.refunded(), scene.last()), (Some(money(500)), "PaymentRefunded"));
    }
    let mut card = Scene::default();
    card.told(request("card", 500)).answered(Step::Authorise, declined(true));
    card.answered(Step::Authorise, authorised());
    assert_eq!(card.wished, [Step::Authorise, Step::Void]);
}

#[test]
fn a_settled_no_is_the_last_word_whatever_it_calls_itself() {
    let told = |scene: &mut Scene, step: Step| {
        let report = declined(false);
        let heard = scene.hear(Input::Report { step, report: &report, settled: true });
        assert!(heard.is_ok());
    };
    let mut capture = Scene::default();
    capture.told(request("card", 500)).answered(Step::Authorise, authorised()).told(self::capture());
    told(&mut capture, Step::Capture);
    assert_eq!(capture.last(), "CaptureFailed");
    let mut void = Scene::default();
    void.told(request("card", 500)).answered(Step::Authorise, authorised()).told(cancel());
    told(&mut void, Step::Void);
    assert_eq!(void.last(), "PaymentUndoFailed");
}

#[test]
fn a_provisional_decline_is_not_the_last_word() {
    let mut scene = Scene::default();
    scene.told(request("upi", 500)).answered(Step::Charge, declined(false));
    assert_eq!(scene.payment.phase(), Phase::Doubtful);
    scene.told(cancel());
    assert_eq!(scene.payment.phase(), Phase::Doubtful, "the undo is not settled");
    scene.answered(Step::Charge, declined(true));
    assert_eq!(scene.last(), "PaymentNotStarted");
}

#[test]
fn cash_is_promised_at_once_and_taken_when_collected() {
    let mut scene = Scene::default();
    scene.told(request("cod", 500));
    assert_eq!(scene.last(), "CodAccepted");
    let cash = RecordCollection { order: of().order, amount: money(500), fields: Default::default() };
    scene.told(PaymentCommand::RecordCollection(cash.clone()));
    assert_eq!(scene.payment.captured(), Some(money(500)));
    let mut cancelled = Scene::default();
    cancelled.told(request("cod", 500)).told(cancel());
    assert_eq!(cancelled.last(), "PaymentNotStarted");
    let late = PaymentCommand::RecordCollection(cash);
    let refused = cancelled.hear(Input::Command { command: &late, unclaimed: false });
    assert_eq!(refused, Err(Refusal::NoCashDue));
}

#[test]
fn cash_on_delivery_is_declined_for_an_order_without_a_delivery() {
    let nothing_to_send = |method: &str, minor: i64| match request(method, minor) {
        PaymentCommand::RequestPayment(ask) => {
            PaymentCommand::RequestPayment(RequestPayment { nothing_to_send: true, ..ask })
        }
        other => other,
    };
    let mut scene = Scene::default();
    scene.told(nothing_to_send("cod", 500));
    let reason = "nothing is delivered, so nobody can collect; choose another method";
    let last = scene.said.last();
    assert!(matches!(last, Some(PaymentEvent::PaymentDeclined(no)) if no.last_word && no.reason == reason));
    scene.told(nothing_to_send("cod", 500));
    assert_eq!(scene.last(), "PaymentDeclined", "a repeated request is answered again");
    let mut card = Scene::default();
    card.told(nothing_to_send("card", 500));
    assert_eq!(card.wished, [Step::Authorise]);
    let mut free = Scene::default();
    free.told(nothing_to_send("cod", 0));
    assert_eq!(free.last(), "PaymentCaptured", "nothing is due, so nothing is to be collected");
}

#[test]
fn nothing_is_asked_for_an_amount_of_zero_or_a_method_nobody_offers() {
    let mut scene = Scene::default();
    scene.told(request("card", 0));
    assert_eq!((scene.last(), scene.wished.len()), ("PaymentCaptured", 0));
    scene.told(cancel());
    assert_eq!(scene.last(), "PaymentNotStarted");
    let mut unknown = Scene::default();
    unknown.told(request("shells", 5));
    assert_eq!((unknown.last(), unknown.wished.len()), ("PaymentDeclined", 0));
}

proptest! {
    /// Whatever the order of commands and answers, and however often each comes.
    #[test]
    fn no_order_of_messages_charges_twice_or_keeps_what_is_undone(
        method in prop::sample::select(vec!["card", "upi", "cod"]),
        moves in prop::collection::vec(0_usize..12, 0..40),
    ) {
        let mut scene = Scene::default();
        let mut outcome = std::collections::BTreeMap::<Step, Report>::new();
        for pick in moves {
            match pick {
                0 => { scene.told(request(method, 500)); }
                1 => { scene.told(cancel()); }
                2 => { scene.told(capture()); }
                // A provider answers only what it was told, and its last word stays the same.
                3..=5 => for step in scene.wished.clone() {
                    if !outcome.contains_key(&step) { scene.answered(step, declined(false)); }
                },
                _ => for step in scene.wished.clone() {
                    let report = match step {
                        Step::Authorise if pick == 6 => declined(true),
                        Step::Charge if pick == 6 => declined(true),
                        Step::Authorise => authorised(),
                        Step::Charge | Step::Capture => captured(),
                        Step::Void => Report::Voided { reference: "v".to_owned() },
                        Step::Refund => Report::Refunded { reference: "r".to_owned() },
                    };
                    let word = outcome.entry(step).or_insert(report).clone();
                    scene.answered(step, word);
                },
            }
        }
        let mut once = scene.wished.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), scene.wished.len(), "each wish is made once");
        prop_assert!(!(once.contains(&Step::Void) && once.contains(&Step::Capture)));
        let taken = |step: &Step| matches!(outcome.get(step), Some(Report::Captured { .. }));
        let charged = [Step::Charge, Step::Capture].iter().filter(|step| taken(step)).count();
        prop_assert!(charged <= 1);
        let kept = scene.payment.captured().map_or(0, |m| m.minor) - scene.payment.refunded().map_or(0, |m| m.minor);
        prop_assert!(kept >= 0);
        match scene.payment.phase() {
            Phase::Voided | Phase::NotStarted | Phase::Refunded | Phase::Declined => prop_assert_eq!(kept, 0),
            _ => {}
        }
        if matches!(scene.payment.phase(), Phase::Voided | Phase::NotStarted | Phase::Declined) {
            prop_assert_eq!(charged, 0, "what is said to be undone was never taken");
        }
        let mut replayed = Payment::default();
        scene.recorded.iter().for_each(|event| replayed.evolve(event));
        prop_assert_eq!(replayed, scene.payment);
    }
}
