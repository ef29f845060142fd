//! A process of ours: begun by one thread that never ends, ended as a group by its pid.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::Kind;

/// Whether a server dies with the process that started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bond {
    /// It is killed when that process ends, however it ends.
    Bound,
    /// It runs on until somebody ends it.
    Detached,
}

type Asked = (Command, Sender<io::Result<Child>>);

/// Starts `command` in a process group of its own, with its output at the end of `log`.
pub(crate) fn begin(kind: Kind, command: Command, bond: Bond, log: &Path) -> io::Result<Child> {
    let file = File::options().create(true).append(true).open(log)?;
    let command = match bond {
        Bond::Bound => bound(&command),
        Bond::Detached => command,
    };
    // Whoever changes who it is loses the signal it asked for: it asks after that.
    let mut command = grounded(kind, &command);
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
    let (answer, answered) = channel();
    let gone = || io::Error::other("the thread that starts servers has ended");
    beginner().send((command, answer)).map_err(|_| gone())?;
    answered.recv().map_err(|_| gone())?
}

/// The system sends the signal when the *thread* that started a process ends, so that a test's thread will not do.
fn beginner() -> &'static Sender<Asked> {
    static BEGINNER: OnceLock<Sender<Asked>> = OnceLock::new();
    BEGINNER.get_or_init(|| {
        let (sender, asked): (_, Receiver<Asked>) = channel();
        thread::spawn(move || {
            for (mut command, answer) in asked {
                // Who asked may have ended since; the child is then nobody's, and dies with this process.
                let _ = answer.send(command.spawn());
            }
        });
        sender
    })
}

/// Puts `setpriv` before a command: it asks for the signal, then becomes the command.
fn bound(command: &Command) -> Command {
    around(command, "setpriv", &["--pdeathsig", "KILL", "--"])
}

/// Lets a command run as somebody else where its program wants that: PostgreSQL refuses to run as root. In a user namespace of its own
/// root has another number, and is still the one whose files it reads and writes.
pub(crate) fn grounded(kind: Kind, command: &Command) -> Command {
    if kind == Kind::Postgres && is_root() {
        let own = ["--user", "--map-user=1000", "--map-group=1000", "--mount", "--keep-caps", "--"];
        around(command, "unshare", &own)
    } else {
        around(command, "env", &[])
    }
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Puts a program before a command, which becomes that command.
pub(crate) fn around(command: &Command, program: &str, arguments: &[&str]) -> Command {
    let mut outer = Command::new(program);
    outer.args(arguments).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            outer.env(name, value);
        }
    }
    outer
}

/// Sends `signal` to the group that the process leads.
pub(crate) fn signal(pid: u32, signal: Signal) -> io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    Ok(kill_process_group(pid, signal)?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_process_outlives_the_thread_that_asked_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut sleep = Command::new("sleep");
        sleep.arg("60");
        let mut child =
            thread::spawn(move || begin(Kind::Nats, sleep, Bond::Bound, &log).unwrap()).join().unwrap();
        thread::sleep(Duration::from_millis(200));
        assert!(child.try_wait().unwrap().is_none());
        signal(child.id(), Signal::KILL).unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
