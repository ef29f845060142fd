//! Processor time of another process, as the kernel counts it.

use std::{fs, path::Path, time::Duration};

/// Processor time that a process has used so far, its threads included and what the kernel did for them; `None` where there is no
/// such process, or the kernel does not tell. Counted in ticks, mostly of ten milliseconds.
#[must_use]
pub fn used_by(pid: u32) -> Option<Duration> {
    let ticks = ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
    Some(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Processor time of all processes that run in a folder, and of their children that have ended: PostgreSQL is one for each connection.
#[must_use]
pub fn used_by_all(folder: &Path) -> Duration {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let own = processes
        .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder)));
    let stats = own.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let used: u64 = stats.filter_map(|stat| Some(ticks(&stat)? + ended(&stat)?)).sum();
    Duration::from_secs_f64(used as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Time of children that have ended and were waited for, the 16th and 17th word.
fn ended(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut words = rest.split_whitespace().skip(13).map(str::parse::<u64>);
    Some(words.next()?.ok()? + words.next()?.ok()?)
}

/// Time in user and kernel, the 14th and 15th word; the second, a name in brackets, may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut words = rest.split_whitespace().skip(11).map(str::parse::<u64>);
    Some(words.next()?.ok()? + words.next()?.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_on_a_process_are_understood() {
        let stat = "17 (beam (1) smp) S 1 17 17 0 -1 4194560 9 8 7 6 120 30 2 1 20 0 40 0 99";
        assert_eq!(ticks(stat), Some(150));
        assert_eq!(ticks("17 (short) S 1"), None);
    }

    #[test]
    fn this_process_is_seen_from_outside_too() {
        assert!(used_by(std::process::id()).is_some());
        assert_eq!(used_by(0), None);
    }
}
