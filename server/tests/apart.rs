//! Services apart: several processes over one database and one broker, one of them killed on the way.

#![expect(clippy::expect_used, reason = "every line of this file is a test")]

use oms_servers::{Kind, Server};
use serde_json::Value;
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
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

/// Ends a worker however the test ends.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn services_in_processes_of_their_own_end_every_order_though_one_is_killed_and_started_again() {
    let (store, broker) = (start(Kind::Postgres), start(Kind::Nats));
    let (store, broker) = (format!("{}?schema=apart", store.url()), (store, broker));
    let wire = broker.1.url();
    let site = Site::new(&["--store", &store, "--broker", &wire]);
    let pay = &["worker", "--service", "payment", "shipping"];
    let mut paying = Worker(site.start(pay));
    let _others = Worker(site.start(&["worker", "--service", "order", "inventory", "notification"]));
    let placing = site.start(&["import", ORDERS, "--no-services", "--json"]);
    thread::sleep(Duration::from_secs(3));
    paying.0.kill().expect("it is killed");
    // Another of its kind takes over what it held.
    let _again = Worker(site.start(pay));
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
