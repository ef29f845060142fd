//! How a process is known again later, when its pid may be another's.

use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process;

/// Names one process for good: its pid, and when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// The process.
    pub pid: u32,
    /// When it began, in the system's ticks since the start of the machine.
    pub began: u64,
}

impl Footprint {
    /// Takes the footprint of a running process, and nothing of one that has ended.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(Self { pid, began: began(&stat)? })
    }

    /// Says whether this very process runs, and not another with its pid.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid) == Some(*self)
    }

    /// Says whether all of its threads are stopped.
    pub(crate) fn stands_still(&self) -> bool {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).into_iter().flatten().flatten();
        let stat = |task: fs::DirEntry| fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        // The state stands behind the name, which is in brackets.
        let state = |stat: String| stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        tasks.map(stat).filter_map(state).all(|state| state == 'T')
    }

    /// Ends the process and its group: asks first, kills after 15 seconds.
    ///
    /// # Errors
    /// What the system says, when the process may not be ended.
    pub fn end(&self) -> io::Result<()> {
        if !self.is_alive() {
            return Ok(());
        }
        process::signal(self.pid, Signal::TERM)?;
        // A paused process hears nothing until it is woken.
        process::signal(self.pid, Signal::CONT)?;
        if self.is_gone_within(Duration::from_secs(15)) {
            return Ok(());
        }
        process::signal(self.pid, Signal::KILL)?;
        self.is_gone_within(Duration::from_secs(5));
        Ok(())
    }

    fn is_gone_within(&self, patience: Duration) -> bool {
        let start = Instant::now();
        while self.is_alive() {
            if start.elapsed() > patience {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        true
    }
}

/// Reads when a process began from its line in `/proc`; a dead one that nobody has fetched yet has ended.
fn began(stat: &str) -> Option<u64> {
    // The name stands in brackets, and may hold spaces and brackets itself.
    let (_, after) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = after.split(' ').collect();
    match *fields.first()? {
        "Z" | "X" => None,
        _ => fields.get(19)?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_is_read_after_a_name_with_spaces_and_brackets() {
        let rest = "1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 0 0";
        assert_eq!(began(&format!("7 (a ) b) S {rest}")), Some(98765));
        assert_eq!(began(&format!("7 (a ) b) Z {rest}")), None);
        assert_eq!(began("nonsense"), None);
    }

    #[test]
    fn this_process_is_alive() {
        assert!(Footprint::of(std::process::id()).unwrap().is_alive());
    }

    #[test]
    fn a_footprint_of_an_ended_process_is_no_longer_alive() {
        let folder = tempfile::tempdir().unwrap();
        let mut sleep = std::process::Command::new("sleep");
        sleep.arg("60");
        let mut child =
            process::begin(crate::Kind::Nats, sleep, process::Bond::Detached, &folder.path().join("log"))
                .unwrap();
        let footprint = Footprint::of(child.id()).unwrap();
        assert!(footprint.is_alive());
        assert!(!Footprint { began: footprint.began + 1, ..footprint }.is_alive());
        footprint.end().unwrap();
        assert!(!footprint.is_alive());
        child.wait().unwrap();
    }
}
