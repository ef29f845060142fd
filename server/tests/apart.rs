//! Services apart: ten processes over one database and one broker, some of them killed on the way and one put to sleep.

#![expect(clippy::expect_used, reason = "every line of this file is a test")]

use oms_servers::{Kind, Server};
use serde_json::Value;
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

const ORDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/online-retail-sample.csv");

/// A folder in which commands run, over one store.
struct Site {
    folder: TempDir,
    stores: Vec<String>,
}

impl Site {
    fn new(words: &[&str]) -> Self {
        let stores = words.iter().map(|word| (*word).to_owned()).collect();
        Self { folder: TempDir::new().expect("a folder"), stores }
    }

    fn start(&self, words: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oms"));
        command.args(words).args(&self.stores).current_dir(self.folder.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    }

    fn done(&self, words: &[&str]) -> Value {
        ended(self.start(words))
    }
}

/// What a command that ends well says.
fn ended(child: Child) -> Value {
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn start(kind: Kind) -> Server {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
    Server::start(kind, &root, &mut |line| eprintln!("{line}")).expect("it starts")
}

/// A worker process of one service; ended however the test ends.
struct Worker {
    service: &'static str,
    process: Child,
}

impl Worker {
    fn start(site: &Site, service: &'static str) -> Self {
        Self { service, process: site.start(&["worker", "--service", service]) }
    }

    /// Kills it, and starts another of its kind.
    fn struck(&mut self, site: &Site) {
        self.process.kill().expect("it is killed");
        self.process.wait().expect("it is gone");
        *self = Self::start(site, self.service);
    }

    fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.process.id());
        let sent = Command::new("sh").args(["-c", &script]).status().expect("a shell");
        assert!(sent.success(), "{script}");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Numbers that differ from run to run; the first is printed, so that a run can be thought through again.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
        let first = now.subsec_nanos().into();
        println!("the dice begin with {first}");
        Self(first)
    }

    fn below(&mut self, most: usize) -> usize {
        // The constants are those of Knuth's MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % most
    }
}

const SERVICES: [&str; 5] = ["order", "payment", "inventory", "shipping", "notification"];

/// Longer than a lease holds, by two seconds.
const PAST_A_LEASE: Duration = Duration::from_secs(17);

#[test]
fn two_processes_of_each_service_end_every_order_though_any_is_killed_and_one_sleeps_past_its_lease() {
    let (store, broker) = (start(Kind::Postgres), start(Kind::Nats));
    let (store, broker) = (format!("{}?schema=apart", store.url()), (store, broker));
    let wire = broker.1.url();
    let site = Site::new(&["--store", &store, "--broker", &wire]);
    let mut workers: Vec<Worker> =
        SERVICES.iter().chain(&SERVICES).map(|service| Worker::start(&site, service)).collect();
    let placing = site.start(&["import", ORDERS, "--no-services", "--settle", "2m", "--json"]);
    let mut dice = Dice::new();
    thread::sleep(Duration::from_secs(3));
    let (asleep, since) = (dice.below(workers.len()), Instant::now());
    workers[asleep].signal("STOP");
    for _ in 0..5 {
        thread::sleep(Duration::from_secs(2));
        let struck = (asleep + 1 + dice.below(workers.len() - 1)) % workers.len();
        workers[struck].struck(&site);
    }
    for worker in &mut workers {
        let ended = worker.process.try_wait().expect("asked");
        assert!(ended.is_none(), "a worker of {} has ended by itself: {ended:?}", worker.service);
    }
    thread::sleep(PAST_A_LEASE.saturating_sub(since.elapsed()));
    // What it had begun is another's by now.
    workers[asleep].signal("CONT");
    let placed = ended(placing);
    assert_eq!(placed["by_status"], serde_json::json!({ "completed": 603, "cancelled": 7 }));

    let alone = Site::new(&["--db", "alone.db"]);
    alone.done(&["import", ORDERS, "--json"]);
    let (apart, alone) = (site.done(&["check", "--json", "--audit"]), alone.done(&["check", "--json"]));
    assert!(apart["audited_rows"].as_u64().is_some_and(|rows| rows > 610), "{apart}");
    assert_eq!(apart["violations"], serde_json::json!([]));
    assert_eq!(
        apart["summary_hash"], alone["summary_hash"],
        "whoever runs the services, it comes to the same"
    );
}
