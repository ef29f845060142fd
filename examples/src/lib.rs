//! The scenario that all examples share: a day of a small shop, with a hearer of its own.
//!
//! The program of the workspace's README is compiled and run as a doc test of this package.

mod connect;
mod day;
mod failure;
mod loyalty;

pub use connect::{connect, connect_to};
pub use day::{Day, day};
pub use failure::Failure;

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
}
