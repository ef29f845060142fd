//! The processes of the house: started, killed at a moment, put to sleep and woken, and always as many as there were.

use crate::{failure::Failure, house::SHARED, moment::Moment, outside::Providers};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::Write as _,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// How long a process may take to come to its moment; then it is killed wherever it stands.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a process sleeps: its leases are another's by then.
const ASLEEP: Duration = Duration::from_millis(SHARED.as_millis() as u64 + 1_500);

/// How processes are started.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) program: PathBuf,
    pub(super) store: String,
    pub(super) broker: String,
    pub(super) socket: PathBuf,
}

/// One process; killed when it is dropped.
struct Process {
    child: Child,
    line: Option<ChildStdin>,
    wakes: Option<Instant>,
}

/// All processes of a house.
pub(super) struct Crew {
    start: Start,
    all: Vec<Process>,
    next: usize,
    deserters: usize,
}

impl Crew {
    pub(super) fn start(start: Start, count: usize) -> Result<Self, Failure> {
        let all = (0..count).map(|_| Process::start(&start)).collect::<Result<_, _>>()?;
        Ok(Self { start, all, next: 0, deserters: 0 })
    }

    /// Has one of them die at a moment, and another begin; gives the moment at which it died.
    pub(super) async fn die(&mut self, moment: Moment, providers: &Providers) -> Result<Moment, Failure> {
        let place = self.place();
        let process = &mut self.all[place];
        match moment {
            Moment::Any => process.signal(Signal::KILL)?,
            Moment::Called => providers.mark(Some(process.child.id())),
            Moment::Committed | Moment::Published => process.tell(moment),
        }
        let mut ended = process.dies(Instant::now() + PATIENCE).await?;
        providers.mark(None);
        let came = ended.is_some();
        if !came {
            process.signal(Signal::KILL)?;
            ended = process.dies(Instant::now() + PATIENCE).await?;
        }
        self.deserters += usize::from(ended.is_some_and(has_deserted));
        *process = Process::start(&self.start)?;
        Ok(if came { moment } else { Moment::Any })
    }

    /// Puts one of them to sleep.
    pub(super) fn sleep(&mut self) -> Result<(), Failure> {
        let place = self.place();
        self.all[place].signal(Signal::STOP)?;
        self.all[place].wakes = Some(Instant::now() + ASLEEP);
        Ok(())
    }

    /// Wakes those whose time has come.
    pub(super) fn wake(&mut self) -> Result<(), Failure> {
        for process in &mut self.all {
            if process.wakes.is_some_and(|wakes| wakes <= Instant::now()) {
                process.signal(Signal::CONT)?;
                process.wakes = None;
            }
        }
        Ok(())
    }

    /// Waits until nobody sleeps.
    pub(super) async fn wake_all(&mut self) -> Result<(), Failure> {
        let last = self.all.iter().filter_map(|process| process.wakes).max();
        if let Some(last) = last {
            tokio::time::sleep(last.saturating_duration_since(Instant::now())).await;
        }
        self.wake()
    }

    /// How many ended without being killed; none.
    pub(super) fn deserters(&mut self) -> Result<usize, Failure> {
        let mut count = self.deserters;
        for process in &mut self.all {
            count += usize::from(process.ended()?.is_some());
        }
        Ok(count)
    }

    /// Whose turn it is, of those that are awake.
    fn place(&mut self) -> usize {
        loop {
            self.next = (self.next + 1) % self.all.len();
            let all_sleep = self.all.iter().all(|process| process.wakes.is_some());
            if all_sleep || self.all[self.next].wakes.is_none() {
                return self.next;
            }
        }
    }
}

impl Process {
    fn start(start: &Start) -> Result<Self, Failure> {
        let mut command = Command::new(&start.program);
        command.arg("process").arg("--store").arg(&start.store).arg("--broker").arg(&start.broker);
        command.arg("--outside").arg(&start.socket).stdin(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| Failure::of("a process of the house cannot be started", error))?;
        let line = child.stdin.take();
        Ok(Self { child, line, wakes: None })
    }

    /// Names its moment to it. One that has ended hears nothing, and is found to have ended.
    fn tell(&mut self, moment: Moment) {
        let _ = self.line.as_mut().map(|line| writeln!(line, "{}", moment.name()));
    }

    /// Only before it is known to have ended: its number is nobody else's until then.
    fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let process = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let process = process.ok_or_else(|| Failure::new("a process of the house has no number"))?;
        kill_process(process, signal)
            .map_err(|error| Failure::of("a process of the house cannot be signalled", error))
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, Failure> {
        let ended = self.child.try_wait();
        ended.map_err(|error| Failure::of("a process of the house is not known any more", error))
    }

    /// Waits until it has ended; `None` when it still lives by then.
    async fn dies(&mut self, until: Instant) -> Result<Option<ExitStatus>, Failure> {
        loop {
            let ended = self.ended()?;
            if ended.is_some() || Instant::now() >= until {
                return Ok(ended);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Whether a process ended otherwise than by being killed.
fn has_deserted(ended: ExitStatus) -> bool {
    ended.signal() != Some(Signal::KILL.as_raw())
}

impl Drop for Process {
    fn drop(&mut self) {
        // It is not waited for twice: a process that has ended is not killed again.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_was_killed_has_not_deserted() {
        assert!(!has_deserted(ExitStatus::from_raw(Signal::KILL.as_raw())));
        assert!(has_deserted(ExitStatus::from_raw(Signal::ABORT.as_raw())));
        assert!(has_deserted(ExitStatus::from_raw(3 << 8)), "it said why, and ended");
    }
}
