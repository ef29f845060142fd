//! The scenario that all examples share: a day of a small shop, with a hearer of its own.
//!
//! The program of the workspace's README is compiled and run as a doc test of this package.

mod connect;
mod day;
mod failure;
#[cfg(feature = "postgres")]
mod keep;
mod loyalty;

pub use connect::{connect, connect_to};
pub use day::{Day, day, day_on};
pub use failure::Failure;
#[cfg(feature = "postgres")]
pub use keep::keep;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn a_day_over_the_in_process_broker_ends_as_it_should() {
        let broker = super::connect_to("memory://").await.expect("always there");
        let day = super::day(broker).await.expect("plays");
        let by_status: Vec<(&str, u32)> =
            day.by_status.iter().map(|(status, count)| (&**status, *count)).collect();
        assert_eq!(by_status, [("cancelled", 1), ("completed", 10), ("failed", 1)]);
        assert_eq!((day.kept_minor, day.points, day.violations), (10 * 765, 10 * 7, 0));
    }

    #[tokio::test]
    async fn a_day_that_is_played_again_on_a_store_that_lasts_comes_to_the_same() {
        use oms_broker::oms_core::store::MemoryStore;
        let store = MemoryStore::new(std::sync::Arc::new(oms_broker::SystemClock));
        let mut days = Vec::new();
        for _ in 0..2 {
            let broker = super::connect_to("memory://").await.expect("always there");
            days.push(super::day_on(broker, store.clone()).await.expect("plays"));
        }
        assert_eq!(days[0], days[1]);
    }
}
