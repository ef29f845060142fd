//! A server that runs, and what can be done to it.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::error::tail;
use crate::papers::{self, Papers};
use crate::port::{self, Ports};
use crate::process::{self, Bond};
use crate::{Footprint, Kind, Proxy, ServerError, install, left_data, postgres, program};

/// How long a server may take to answer, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long RabbitMQ takes to write down that it has a quorum queue, with room to spare.
const WRITTEN_DOWN: Duration = Duration::from_secs(4);

static STARTED: AtomicU32 = AtomicU32::new(0);

/// A server with a data folder and a port of its own, which it keeps over kills and starts.
///
/// It is ended, and its data deleted, when this is dropped; and killed when this process is, however that happens.
/// All calls block.
pub struct Server {
    kind: Kind,
    home: PathBuf,
    data: PathBuf,
    ports: Ports,
    bond: Bond,
    papers: Option<Papers>,
    child: Option<Child>,
}

impl Server {
    /// Starts a server on a free loopback port, and returns when it answers.
    ///
    /// What is missing is installed below `root`, where the data lies too; `progress` hears a line about each
    /// thing that takes time.
    ///
    /// # Errors
    /// [`ServerError`], when it cannot be installed or does not answer.
    pub fn start(kind: Kind, root: &Path, progress: &mut dyn FnMut(&str)) -> Result<Self, ServerError> {
        let name = left_data::name(kind, STARTED.fetch_add(1, Ordering::Relaxed));
        Self::begin(kind, root, (&name, None), Bond::Bound, progress)
    }

    /// Starts a server that lets in only who may enter; see [`crate::Guarded`].
    pub(crate) fn start_guarded(
        kind: Kind,
        root: &Path,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Self, ServerError> {
        let name = left_data::name(kind, STARTED.fetch_add(1, Ordering::Relaxed));
        Self::begin(kind, root, (&name, Some(Papers::make()?)), Bond::Bound, progress)
    }

    /// Starts a server that outlives this process and this value: only its [`Footprint`] ends it.
    ///
    /// It has one data folder per kind, which is emptied first.
    ///
    /// # Errors
    /// [`ServerError`], when it cannot be installed or does not answer.
    pub fn start_detached(
        kind: Kind,
        root: &Path,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Self, ServerError> {
        Self::begin(kind, root, (kind.name(), None), Bond::Detached, progress)
    }

    fn begin(
        kind: Kind,
        root: &Path,
        (name, papers): (&str, Option<Papers>),
        bond: Bond,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Self, ServerError> {
        // Programs run in folders of their own, where a relative path would lead elsewhere.
        let root = std::path::absolute(root).map_err(ServerError::file(root))?;
        let home = install::home(kind, &root, progress)?;
        // The system names the folder in which a process runs without links and dots.
        let root = fs::canonicalize(&root).map_err(ServerError::file(&root))?;
        left_data::delete(&root.join("data"));
        let data = root.join("data").join(name);
        let mut server = Self { kind, home, data, ports: port::free()?, bond, papers, child: None };
        server.forget()?;
        progress(&format!("starting {kind} {}", server.version()));
        if let Err(error) = server.start_again() {
            // A detached server that never answered is nobody's.
            server.kill()?;
            return Err(error);
        }
        Ok(server)
    }

    /// Tells which server this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Gives the URL that the adapters connect to.
    #[must_use]
    pub fn url(&self) -> String {
        self.kind.url(self.ports[0])
    }

    /// Gives the address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports[0]))
    }

    /// Names the folder with all that it holds; its processes may run there.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn ports(&self) -> Ports {
        self.ports
    }

    /// The folder of what its clients show, when it asks for that.
    pub(crate) fn papers(&self) -> PathBuf {
        papers::folder(&self.data)
    }

    /// Puts a wire before it: whoever connects to the URL comes by the proxy, as long as that lives.
    ///
    /// # Errors
    /// [`ServerError::Wire`], when the port that was kept for it is taken.
    pub fn afar(&self) -> Result<(Proxy, String), ServerError> {
        let [near, _, afar, listen] = self.ports;
        // Kafka has a listener for those who come from afar, the others take everybody on the one they have.
        let target = if self.kind == Kind::Kafka { afar } else { near };
        let proxy =
            Proxy::start(listen, target).map_err(|source| ServerError::Wire { port: listen, source })?;
        Ok((proxy, self.kind.url(listen)))
    }

    /// Tells the version that is installed.
    #[must_use]
    pub fn version(&self) -> String {
        install::version(self.kind, &self.home)
    }

    /// Gives the pid, while it has not been killed or stopped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Gives what knows the process again later, while it runs.
    #[must_use]
    pub fn footprint(&self) -> Option<Footprint> {
        Footprint::of(self.pid()?)
    }

    /// Names the file it writes its log to.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// Waits until what was declared on it a moment ago would outlive a kill. RabbitMQ writes down after a while that it has a
    /// new quorum queue: killed before that, it knows the queue and not its log, and no leader is ever elected for it (lost when
    /// killed at once, there after three seconds).
    pub fn age(&self) {
        if matches!(self.kind, Kind::RabbitMq | Kind::RabbitMq4) {
            thread::sleep(WRITTEN_DOWN);
        }
    }

    /// Kills it with everything that it started; its data stay.
    ///
    /// # Errors
    /// [`ServerError::Signal`], when the system does not let it.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let killed = process::signal(child.id(), Signal::KILL);
        // The group is gone once the process has been fetched.
        let gone = killed.is_err() && matches!(child.try_wait(), Ok(Some(_)));
        let killed = if gone { Ok(()) } else { killed.and_then(|()| child.wait()).map(drop) };
        if self.kind == Kind::Postgres {
            postgres::reap(&self.data);
        }
        killed.map_err(self.not("killed"))
    }

    /// Ends it in good order; its data stay. Kills it, when it has not ended after 15 seconds.
    ///
    /// # Errors
    /// [`ServerError::Signal`], when the system does not let it.
    pub fn stop(&mut self) -> Result<(), ServerError> {
        if let Some(footprint) = self.footprint() {
            footprint.end().map_err(self.not("stopped"))?;
        }
        // What it started may have outlived it.
        self.kill()
    }

    /// Starts it again where it was, with the data it had, and returns when it answers; one that runs, runs on.
    ///
    /// # Errors
    /// [`ServerError`], when it does not answer.
    pub fn start_again(&mut self) -> Result<(), ServerError> {
        if self.footprint().is_none() {
            self.kill()?;
            let command =
                program::command(self.kind, &self.home, &self.data, self.ports, self.papers.as_ref())?;
            let program = command.get_program().to_string_lossy().into_owned();
            let begun = process::begin(self.kind, command, self.bond, &self.log());
            self.child =
                Some(begun.map_err(|source| ServerError::Missing { kind: self.kind, program, source })?);
        }
        self.wait()
    }

    /// Stops its time: connections stay open, and nothing answers.
    ///
    /// # Errors
    /// [`ServerError::Signal`], when it does not run.
    pub fn pause(&mut self) -> Result<(), ServerError> {
        self.send(Signal::STOP, "paused")?;
        // The system stops its threads one by one, and one that runs meanwhile may still answer somebody.
        let start = Instant::now();
        while !self.footprint().is_none_or(|it| it.stands_still()) && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    /// [`ServerError::Signal`], when it does not run.
    pub fn resume(&mut self) -> Result<(), ServerError> {
        self.send(Signal::CONT, "resumed")
    }

    /// Kills it, deletes all that it held, and starts it again empty at the same address.
    ///
    /// # Errors
    /// [`ServerError`], when the data cannot be deleted, or it does not answer afterwards.
    pub fn wipe(&mut self) -> Result<(), ServerError> {
        self.kill()?;
        self.forget()?;
        self.start_again()
    }

    fn forget(&self) -> Result<(), ServerError> {
        let gone = match fs::remove_dir_all(&self.data) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        };
        gone.and_then(|()| fs::create_dir_all(&self.data)).map_err(ServerError::file(&self.data))
    }

    fn wait(&mut self) -> Result<(), ServerError> {
        let start = Instant::now();
        while !(program::answers(self.kind, self.ports[0]) && self.doors_are_open()) {
            if self.footprint().is_none() {
                let log = self.log();
                let said = fs::read(&log).unwrap_or_default();
                return Err(ServerError::Ended {
                    kind: self.kind,
                    said: tail(&String::from_utf8_lossy(&said)),
                    log,
                });
            }
            if start.elapsed() > PATIENCE {
                let seconds = PATIENCE.as_secs();
                return Err(ServerError::Silent { kind: self.kind, seconds, log: self.log() });
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Whether those who show something can come in; those doors may open a little after the plain one.
    fn doors_are_open(&self) -> bool {
        let doors: &[u16] = match (&self.papers, self.kind) {
            (None, _) | (Some(_), Kind::Nats | Kind::Postgres) => &[],
            (Some(_), Kind::RabbitMq | Kind::RabbitMq4) => &self.ports[3..],
            (Some(_), Kind::Kafka) => &self.ports[2..],
        };
        doors.iter().all(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok())
    }

    fn send(&self, signal: Signal, what: &'static str) -> Result<(), ServerError> {
        let nobody = || io::Error::from(io::ErrorKind::NotFound);
        let sent = self.pid().ok_or_else(nobody).and_then(|pid| process::signal(pid, signal));
        sent.map_err(self.not(what))
    }

    fn not(&self, what: &'static str) -> impl FnOnce(io::Error) -> ServerError + use<> {
        let kind = self.kind;
        move |source| ServerError::Signal { kind, what, source }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.bond == Bond::Detached {
            return;
        }
        // Nobody is left to tell: what cannot be killed or deleted stays for a human to find.
        let _ = self.kill();
        let _ = fs::remove_dir_all(&self.data);
        // A test that fails leaves the log, which may say why.
        if !thread::panicking() {
            let _ = fs::remove_file(self.log());
        }
    }
}
