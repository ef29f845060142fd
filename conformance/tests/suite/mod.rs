//! One run of the suite over a real server.

use oms_conformance::RealServer;
use oms_core::conformance::{Verdict, broker::run};
use oms_servers::Kind;
use std::path::Path;

/// Runs every check over a server of this kind; those in `absent`, and no others, do not apply to it.
pub(crate) async fn passes(kind: Kind, absent: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
    let server = tokio::task::spawn_blocking(move || RealServer::start(kind, &root));
    let server = server.await.expect("its thread ends").expect("the server starts");
    let report = run(&server).await.expect("it can be reached");
    println!("{report}");
    assert_eq!(report.failed().count(), 0, "\n{report}");
    let not = |line: &&oms_core::conformance::Line| matches!(line.verdict, Verdict::NotApplicable(_));
    let left: Vec<_> = report.lines.iter().filter(not).map(|line| line.id).collect();
    assert_eq!(left, absent, "what does not apply differs\n{report}");
}
