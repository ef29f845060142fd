//! Days: the date of a moment, by which sums are kept.

use crate::clock::Timestamp;

/// The day of a moment in UTC, as `2026-01-31`.
#[must_use]
pub fn day(time: Timestamp) -> String {
    let moment = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(time.0) * 1_000);
    let Ok(moment) = moment else { return "unknown".to_owned() };
    let (year, month, day) = moment.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

/// A moment as a text that sorts like it.
#[must_use]
pub fn sortable(time: Timestamp) -> String {
    format!("{:020}", time.0.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_date_in_utc_and_texts_of_moments_sort_like_them() {
        let of = |text: &str| Timestamp::parse(text).expect("a moment");
        assert_eq!(day(of("2011-05-26T23:59:59Z")), "2011-05-26");
        assert_eq!(day(of("2011-05-27T01:00:00+02:00")), "2011-05-26");
        assert!(sortable(of("2011-05-26T00:00:00Z")) < sortable(of("2026-01-01T00:00:00Z")));
    }
}
