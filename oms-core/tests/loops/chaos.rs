//! Everything at once: seeded faults of store and broker, loops that are dropped, two processes; and nothing is lost.

use crate::{
    door::Come,
    dropped::Restless,
    house::{House, request_until},
    toy::{Do, say},
    watched::Wrong,
    wild::Ways,
};
use futures::future::{Either, join_all, select};
use oms_core::id::Digest;
use std::{pin::pin, time::Duration};

/// Draws from a seed: the same run for the same seed, everywhere.
struct Dice(u128, u128);

impl Dice {
    fn roll(&mut self, sides: u128) -> usize {
        self.1 += 1;
        usize::try_from(Digest::new("dice").number(self.0).number(self.1).finish() % sides).unwrap()
    }
}

fn ways(dice: &mut Dice) -> Ways {
    Ways {
        forgets: dice.roll(6) == 0,
        repeats: dice.roll(3) == 0,
        reverses: [0, 0, 0, 3][dice.roll(4)],
        dead: dice.roll(8) == 0,
        unknown: dice.roll(4),
        full_after: [None, None, Some(1)][dice.roll(3)],
        unroutable: [0, 0, 0, 2][dice.roll(4)],
        drops: dice.roll(8) == 0,
        ..Ways::default()
    }
}

fn trouble(house: &House, dice: &mut Dice) {
    house.broker.ways(ways(dice));
    if dice.roll(5) == 0 {
        house.broker.inner.wipe();
    }
    for call in ["turn", "load", "commit", "claim", "lease", "due", "unsent", "sent", "overdue", "cursors"] {
        let how = [Wrong::Away, Wrong::Lost, Wrong::Pass, Wrong::Conflict];
        // Only a turn can be in conflict with another.
        let kinds = if call == "commit" { 4 } else { 3 };
        let wrong: Vec<Wrong> = (0..dice.roll(4)).map(|_| how[dice.roll(kinds)]).collect();
        house.store.wrong(call, wrong);
    }
}

async fn script(house: &House, parts: &oms_core::worker::Parts, dice: &mut Dice) {
    for number in 0..20 {
        trouble(house, dice);
        let key = ["a", "b", "c"][dice.roll(3)];
        let name = format!("{key}{number}");
        let back = vec![("back".to_owned(), key.to_owned(), say(&format!("back-{name}")))];
        let told = Do { sends: back, ..say(&name) };
        let sends = vec![("work".to_owned(), key.to_owned(), told)];
        let wishes = if dice.roll(3) == 0 { vec![format!("w{number}")] } else { Vec::new() };
        let ask = Do { sends, wishes, ..say(&format!("ask-{name}")) };
        request_until(house, parts, key, &ask).await;
        house.wait(Duration::from_millis([0, 1, 20, 300, 2_000][dice.roll(5)])).await;
    }
    house.broker.ways(Ways::default());
    house.settled().await;
}

/// Gives each name once, in the order in which it was heard first.
fn firsts(heard: &[String]) -> Vec<&String> {
    let mut firsts: Vec<&String> = Vec::new();
    heard.iter().for_each(|name| {
        if !firsts.contains(&name) {
            firsts.push(name);
        }
    });
    firsts
}

async fn nothing_is_lost(house: &House, seed: u128) {
    for key in ["a", "b", "c"] {
        let asked = house.heard("source", key).await;
        let asked: Vec<String> =
            firsts(&asked).iter().filter_map(|name| name.strip_prefix("ask-")).map(str::to_owned).collect();
        let heard = house.heard("sink", key).await;
        let work: Vec<&String> = heard.iter().filter(|name| !name.starts_with("back-")).collect();
        let back: Vec<&str> = heard.iter().filter_map(|name| name.strip_prefix("back-")).collect();
        // A request may be handled again when its answer was lost; what it sends is then sent again.
        let order: Vec<&String> =
            firsts(&heard).into_iter().filter(|name| !name.starts_with("back-")).collect();
        assert_eq!(order, asked.iter().collect::<Vec<_>>(), "seed {seed}, key {key}");
        assert_eq!(work.len(), back.len(), "seed {seed}, key {key}: {heard:?}");
        let sends = house.heard("source", key).await.iter().filter(|name| name.starts_with("ask-")).count();
        assert_eq!(work.len(), sends, "seed {seed}, key {key}: each message sent is handled once");
    }
    let counts = house.counts_past_trouble().await;
    assert_eq!((counts.owed, counts.parked, counts.buried, counts.effects), (0, 0, 0, 0), "seed {seed}");
    for key in ["a", "b", "c"] {
        let heard = house.heard("source", key).await;
        for wish in house.door.wishes().iter().filter(|wish| wish.starts_with(key)) {
            assert_eq!(house.door.done(wish), 1, "seed {seed}");
            let step = wish.split('/').nth(1).unwrap();
            let settled = heard.iter().filter(|name| **name == format!("{step}=yes")).count();
            assert!(settled >= 1, "seed {seed}: {wish} has no answer in {heard:?}");
        }
    }
}

fn check(seed: u128) {
    let mut dice = Dice(seed, 0);
    let mut house = House::new();
    house.toys[1].hears = vec!["work", "back"];
    for number in 0..20 {
        let plans = [
            vec![Come::Settled("yes")],
            vec![Come::Lost, Come::Settled("yes")],
            vec![Come::Nothing, Come::Slow(700), Come::Settled("yes")],
            vec![Come::More("soon", 500), Come::Settled("yes")],
        ];
        house.door.plan(&format!("w{number}"), plans[dice.roll(4)].clone());
        let key = ["a", "b", "c"][dice.roll(3)];
        house.toy("sink").fail(&format!("{key}{number}"), [0, 0, 1][dice.roll(3)] as u32);
    }
    let play = async {
        let (first, second) = (house.process(1).await, house.process(2).await);
        let mut loops = Restless::all(&first, 3 + dice.roll(20), dice.roll(30));
        loops.extend(Restless::all(&second, 3 + dice.roll(20), dice.roll(30)));
        match select(pin!(script(&house, &first, &mut dice)), join_all(loops)).await {
            Either::Left(_) => {}
            Either::Right(_) => panic!("the loops ended by themselves"),
        }
        nothing_is_lost(&house, seed).await;
    };
    house.stage.run(play).unwrap_or_else(|_| panic!("seed {seed} is stuck"));
}

#[test]
fn whatever_goes_wrong_every_message_is_handled_once_and_in_order() {
    let count = std::env::var("CHAOS").ok().and_then(|count| count.parse().ok()).unwrap_or(16);
    (0..count).for_each(check);
}
