//! How a story looks on a terminal: aligned, with times relative to its beginning.

use super::Story;
use std::{fmt, time::Duration};

impl fmt::Display for Story {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "order {}: {}", self.order, self.status.name())?;
        let Some(first) = self.entries.first() else {
            return writeln!(out, "; nothing was recorded of it");
        };
        writeln!(out, "; it began at {}", first.time)?;
        let width = |text: fn(&super::Entry) -> &str| {
            self.entries.iter().map(|entry| text(entry).chars().count()).max().unwrap_or(0)
        };
        let (services, kinds) = (width(|entry| &entry.service), width(|entry| &entry.kind));
        for entry in &self.entries {
            let (time, service) = (relative(entry.time.since(first.time)), &entry.service);
            let (kind, words) = (&entry.kind, &entry.words);
            writeln!(out, "{time:>12}  {service:<services$}  {kind:<kinds$}  {words}")?;
        }
        for running in &self.running {
            let service = &running.service;
            writeln!(out, "{:>12}  {service:<services$}  {:<kinds$}  {}", "now", "", running.words)?;
        }
        Ok(())
    }
}

/// A time as people read it: `+12.3 ms`, `+4.56 s`, `+3 min 2 s`, `+2 h 5 min`.
fn relative(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("+{:.1} ms", time.as_secs_f64() * 1_000.0),
        1..60 => format!("+{:.2} s", time.as_secs_f64()),
        60..3_600 => format!("+{} min {} s", seconds / 60, seconds % 60),
        _ => format!("+{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_the_unit_that_people_read() {
        let shown = |micros| relative(Duration::from_micros(micros));
        assert_eq!(shown(12_340), "+12.3 ms");
        assert_eq!(shown(4_560_000), "+4.56 s");
        assert_eq!(shown(182_000_000), "+3 min 2 s");
        assert_eq!(shown(7_500_000_000), "+2 h 5 min");
    }
}
