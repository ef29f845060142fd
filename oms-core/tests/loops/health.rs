//! Outages as they are seen from outside: named while they last, with their beginning and what was tried, and gone after.

use crate::{
    door::Come,
    house::{House, T, ask, metrics, play, send},
    toy::{Do, say},
    watched::Wrong,
    wild::Ways,
};
use oms_core::{
    clock::Clock,
    id::Name,
    worker::{Health, Outage, Parts, Standing, health},
};
use std::time::Duration;

fn outage(standing: &Standing) -> &Outage {
    match standing {
        Standing::Away(outage) => outage,
        Standing::Ok => panic!("it is away"),
    }
}

/// Waits until everything answers again; says how long that took.
async fn recovered(house: &House, parts: &Parts) -> Duration {
    let begun = house.clock.now();
    while !health(parts).await.is_ok() {
        house.wait(Duration::from_millis(100)).await;
        assert!(house.clock.now().since(begun) < T * 4, "{:?}", health(parts).await);
    }
    house.clock.now().since(begun)
}

fn gateway(health: &Health) -> &Standing {
    health.gateways.get(&Name::from("door")).unwrap()
}

#[test]
fn a_house_in_which_all_is_well_says_so_and_what_it_holds() {
    let house = House::new();
    play!(house, parts, {
        send(&parts, "a", [say("1")]).await;
        house.settled().await;
        let health = health(&parts).await;
        assert!(health.is_ok(), "{health:?}");
        // Two groups and placing, with two lanes each.
        assert_eq!((health.lanes, health.held, health.backlog, health.taken), (6, 6, Some(0), 0));
    });
}

#[test]
fn rule_02_a_dead_broker_is_an_outage_while_it_lasts_and_says_how_much_is_taken_from_the_store() {
    let house = House::new();
    play!(house, parts, {
        send(&parts, "a", [say("1")]).await;
        house.settled().await;
        let died = house.clock.now();
        house.broker.ways(Ways { dead: true, ..Ways::default() });
        send(&parts, "a", [say("2")]).await;
        house.wait(T * 3).await;
        let seen = health(&parts).await;
        assert!(seen.store.is_ok() && gateway(&seen).is_ok(), "{seen:?}");
        let outage = outage(&seen.broker);
        assert!(outage.since >= died && outage.since <= died.after(T), "{outage:?}");
        assert!(outage.tries > 3 && outage.next.is_some() && outage.error.contains("wild"), "{outage:?}");
        assert_eq!((seen.taken, house.heard("sink", "a").await), (1, vec!["1".to_owned(), "2".to_owned()]));
        house.broker.ways(Ways::default());
        recovered(house, &parts).await;
        send(&parts, "a", [say("3")]).await;
        house.settled().await;
        assert!(health(&parts).await.is_ok());
        assert_eq!(metrics(&parts).taken, 1, "it is brought again");
    });
}

#[test]
fn a_broker_that_dies_while_nothing_is_sent_is_found_out_when_somebody_asks() {
    let house = House::new();
    play!(house, parts, {
        house.wait(T).await;
        house.broker.ways(Ways { dead: true, ..Ways::default() });
        assert!(!health(&parts).await.broker.is_ok());
        house.broker.ways(Ways::default());
        recovered(house, &parts).await;
    });
}

#[test]
fn a_broker_that_confirms_nothing_or_is_full_is_away_until_it_confirms() {
    for (ways, says) in [
        (Ways { unknown: 300, forgets: true, ..Ways::default() }, "confirms nothing"),
        (Ways { full_after: Some(0), ..Ways::default() }, "full"),
    ] {
        let house = House::new();
        play!(house, parts, {
            house.broker.ways(ways);
            send(&parts, "a", [say("1")]).await;
            house.wait(Duration::from_millis(100)).await;
            let seen = health(&parts).await;
            assert!(outage(&seen.broker).error.contains(says), "{seen:?}");
            house.broker.ways(Ways::default());
            recovered(house, &parts).await;
        });
    }
}

#[test]
fn a_broker_that_takes_everything_and_brings_nothing_is_an_outage_too() {
    let house = House::new();
    play!(house, parts, {
        house.broker.ways(Ways { drops: true, ..Ways::default() });
        send(&parts, "a", [say("1")]).await;
        house.wait(T).await;
        let seen = health(&parts).await;
        assert!(outage(&seen.broker).error.contains("wild"), "{seen:?}");
        house.broker.ways(Ways::default());
        recovered(house, &parts).await;
    });
}

#[test]
fn rule_20_a_store_that_is_away_is_an_outage_while_it_lasts_and_loses_nothing() {
    let house = House::new();
    play!(house, parts, {
        house.wait(T).await;
        let gone = house.clock.now();
        send(&parts, "a", [say("1")]).await;
        house.store.away(true);
        house.wait(T).await;
        let seen = health(&parts).await;
        let known = outage(&seen.store);
        assert!(seen.broker.is_ok(), "{seen:?}");
        assert!(known.since >= gone && known.since <= gone.after(T), "{known:?}");
        assert!(known.tries > 5 && known.error.contains("the line is dead"), "{known:?}");
        assert_eq!(seen.backlog, None, "nobody can say");
        house.store.away(false);
        let healed = recovered(house, &parts).await;
        assert!(healed <= house.options.outage.longest, "{healed:?}");
        house.settled().await;
        assert_eq!(house.heard("sink", "a").await, ["1"], "what was accepted before is handled after");
    });
}

#[test]
fn a_store_that_hangs_is_found_out_within_a_second() {
    let house = House::new();
    play!(house, parts, {
        house.wait(T).await;
        house.store.wrong("count", [Wrong::Hang]);
        let begun = house.clock.now();
        let seen = health(&parts).await;
        assert_eq!(house.clock.now().since(begun), Duration::from_secs(1));
        assert_eq!((outage(&seen.store).tries, seen.backlog), (1, None));
        assert!(health(&parts).await.is_ok());
    });
}

#[test]
fn rule_18_a_gateway_that_gives_no_answer_is_an_outage_of_its_own() {
    let house = House::new();
    house.door.plan("pay", [Come::Nothing]);
    play!(house, parts, {
        let begun = house.clock.now();
        ask(&parts, "a", &Do { wishes: vec!["pay".to_owned()], ..say("1") }).await.unwrap();
        house.wait(T).await;
        let seen = health(&parts).await;
        assert!(seen.store.is_ok() && seen.broker.is_ok() && seen.backlog == Some(0), "{seen:?}");
        let known = outage(gateway(&seen));
        assert!(known.since <= begun.after(T / 10) && known.tries > 3, "{known:?}");
        assert_eq!(known.error, "the line is dead");
        assert!(known.next.is_some_and(|next| next >= house.clock.now()), "{known:?}");
        house.door.plan("pay", [Come::Settled("paid")]);
        recovered(house, &parts).await;
        house.settled().await;
        assert_eq!(house.heard("source", "a").await, ["1", "pay=paid"]);
    });
}

#[test]
fn rule_18_a_gateway_that_hangs_is_an_outage_since_its_oldest_call_began() {
    let house = House::new();
    house.door.plan("pay", [Come::Slow(60_000), Come::Settled("paid")]);
    play!(house, parts, {
        ask(&parts, "a", &Do { wishes: vec!["pay".to_owned()], ..say("1") }).await.unwrap();
        let begun = house.clock.now();
        house.wait(T).await;
        assert!(health(&parts).await.is_ok(), "slow is not away");
        house.wait(T * 2).await;
        let seen = health(&parts).await;
        let known = outage(gateway(&seen));
        assert!(known.since <= begun.after(T / 10), "{known:?}");
        assert_eq!((known.error.as_str(), known.next), ("a call is not answered", None));
        house.settled().await;
        assert!(health(&parts).await.is_ok());
        assert_eq!(house.heard("source", "a").await, ["1", "pay=paid"]);
    });
}

#[test]
fn what_is_buried_is_no_backlog() {
    let house = House::new();
    play!(house, parts, {
        send(&parts, "a", [Do { fault: Some("permanent".to_owned()), ..say("1") }]).await;
        house.wait(T).await;
        assert_eq!(health(&parts).await.backlog, Some(0));
    });
}
