//! Values out of text: whole numbers and moments, each refused with what was found.

use std::fmt;

/// How dates are written in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Dates {
    /// `2010-12-07` or `2010-12-07T14:57:00`, with a blank or a `T`, with or without a zone.
    #[default]
    Iso,
    /// `12/7/2010 14:57`: the month first.
    Mdy,
    /// `7/12/2010 14:57`: the day first.
    Dmy,
}

/// A moment as the file's own clock showed it, to the second; compared by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    year: i32,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

impl Dates {
    /// Reads a moment.
    pub(super) fn read(self, text: &str) -> Option<Moment> {
        if let (Self::Iso, Ok(zoned)) = (self, zoned(text)) {
            return Some(zoned);
        }
        let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "0:00"));
        let parts: Vec<&str> = date.split(['/', '-', '.']).collect();
        let &[first, second, third] = parts.as_slice() else { return None };
        let (year, month, day) = match self {
            Self::Iso => (first, second, third),
            Self::Mdy => (third, first, second),
            Self::Dmy => (third, second, first),
        };
        if year.len() != 4 {
            return None;
        }
        let mut clock = time.trim().trim_end_matches('Z').split(':').map(small);
        let (hour, minute) = (clock.next()??, clock.next()??);
        let second = clock.next().unwrap_or(Some(0))?;
        let whole = clock.next().is_none() && hour < 24 && minute < 60 && second < 60;
        let (year, month, day) = (year.parse().ok()?, small(month)?, small(day)?);
        time::Date::from_calendar_date(year, time::Month::try_from(month).ok()?, day).ok()?;
        whole.then_some(Moment { year, month, day, hour, minute, second })
    }
}

fn zoned(text: &str) -> Result<Moment, time::error::Parse> {
    let moment = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)?;
    let moment = moment.to_offset(time::UtcOffset::UTC);
    let (hour, minute, second) = moment.to_hms();
    Ok(Moment { year: moment.year(), month: moment.month().into(), day: moment.day(), hour, minute, second })
}

fn small(text: &str) -> Option<u8> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Reads a whole number, with a minus perhaps.
pub(super) fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_written_and_compared_by_time() {
        let read = |dates: Dates, text| dates.read(text).map(|moment| moment.to_string());
        assert_eq!(read(Dates::Mdy, "12/7/2010 14:57").as_deref(), Some("2010-12-07T14:57:00"));
        assert_eq!(read(Dates::Dmy, "12/7/2010 14:57").as_deref(), Some("2010-07-12T14:57:00"));
        assert_eq!(read(Dates::Iso, "2010-12-07").as_deref(), Some("2010-12-07T00:00:00"));
        assert_eq!(read(Dates::Iso, "2010-12-07T14:57:01+01:00").as_deref(), Some("2010-12-07T13:57:01"));
        assert!(Dates::Mdy.read("9/1/2011 8:00") < Dates::Mdy.read("10/1/2011 7:00"));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in
            ["", "13/7/2010 14:57", "2/30/2011 1:00", "1/2/2011 24:00", "1/2/11", "1/2/2011 8", "+1/2/2011"]
        {
            assert_eq!(Dates::Mdy.read(text), None, "{text}");
        }
    }

    #[test]
    fn a_quantity_is_a_whole_number_and_nothing_else() {
        assert_eq!((whole("-12"), whole("7")), (Some(-12), Some(7)));
        for text in ["", "-", "1.0", "+1", "1e3", "99999999999999999999", "six"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
