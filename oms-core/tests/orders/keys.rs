//! The same wish twice: places, changes of stock, and their keys.

use crate::{
    house::World,
    shop::{order, place, receipt, stock, usual},
};
use futures::future::join_all;
use oms_core::{
    event::public::Status,
    oms::{PlaceRefusal, Placed},
    order::OrderError,
};

#[test]
fn the_same_key_places_once_and_says_that_it_is_known() {
    let world = World::kind();
    world.play(async |oms| {
        stock(&oms, "A", 10).await;
        let first = oms.place(usual("card"), "shop", "1").await.expect("placed");
        let again = oms.place(usual("card"), "shop", "1").await.expect("placed");
        assert!(!first.known);
        assert_eq!(again, Placed { id: first.id.clone(), known: true });
        world.ends(&oms, &first.id, Status::Completed, &[]).await;
        let later = oms.place(usual("card"), "shop", "1").await.expect("placed");
        assert!(later.known, "also when the order has ended");
        assert_eq!(world.rest(&oms).await.orders, 1);
        let other = oms.place(usual("card"), "another shop", "1").await.expect("placed");
        assert_ne!(other.id, first.id, "a key is its principal's own");
        world.rest(&oms).await;
    });
}

#[test]
fn the_same_key_with_another_content_is_refused_and_changes_nothing() {
    let world = World::kind();
    world.play(async |oms| {
        stock(&oms, "A", 10).await;
        let id = place(&oms, usual("card"), "1").await;
        let others = [usual("upi"), order("card", &[("A", 4, 250), ("POST", 1, 1_800)])];
        for other in others {
            let refused = oms.place(other, "shop", "1").await;
            let reused = |refusal: &PlaceRefusal| {
                matches!(refusal, PlaceRefusal::Order(OrderError::KeyReused { order }) if *order == id)
            };
            assert!(refused.as_ref().is_err_and(reused), "{refused:?}");
        }
        let summary = world.ends(&oms, &id, Status::Completed, &[]).await;
        assert_eq!(summary.units.shipped, 3);
    });
}

#[test]
fn a_hundred_who_place_with_one_key_at_once_place_one_order() {
    let world = World::kind();
    world.play(async |oms| {
        stock(&oms, "A", 10).await;
        let placed = join_all((0..100).map(|_| oms.place(usual("card"), "shop", "1"))).await;
        let placed: Vec<Placed> = placed.into_iter().map(|one| one.expect("placed")).collect();
        assert_eq!(placed.iter().filter(|one| !one.known).count(), 1);
        assert!(placed.iter().all(|one| one.id == placed[0].id));
        let report = world.rest(&oms).await;
        assert_eq!((report.orders, world.ledger().total().captures), (1, 1));
    });
}

#[test]
fn a_receipt_with_one_reference_counts_once() {
    let world = World::kind();
    world.play(async |oms| {
        let changes = ["one", "one", "two"].map(|reference| oms.adjust_stock(receipt("A", 5, reference)));
        for answer in join_all(changes).await {
            assert!(answer.expect("handled").accepted);
        }
        let refused = oms.adjust_stock(receipt("A", -11, "loss")).await.expect("handled");
        assert!(!refused.accepted && refused.reason.is_some(), "{refused:?}");
        let later = oms.adjust_stock(receipt("A", 5, "one")).await.expect("handled");
        assert!(later.accepted);
        assert_eq!(crate::audit::shelf(&oms, "A").await.on_hand(), 10);
        world.rest(&oms).await;
    });
}
