//! One whole run of the suite, and the column of the table of brokers that it must give.

use oms_conformance::{RealServer, column, column_of};
use oms_core::conformance::broker::{Harness, run};
use oms_servers::Kind;
use std::path::Path;

const TABLE: &str = include_str!("../../../docs/brokers/README.md");

/// Starts a server of this kind.
#[allow(dead_code, reason = "the broker of this process needs none")]
pub(crate) async fn start(kind: Kind) -> RealServer {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
    let server = tokio::task::spawn_blocking(move || RealServer::start(kind, &root));
    server.await.expect("its thread ends").expect("the server starts")
}

/// Runs every check; what the documentation says under `heading` must be what was seen, down to the checks that do not apply.
pub(crate) async fn passes(harness: &(dyn Harness + 'static), heading: &str) {
    let report = run(harness).await.expect("it can be reached");
    println!("{report}");
    assert_eq!(report.failed().count(), 0, "\n{report}");
    let capabilities = harness.connect().await.expect("it can be reached").capabilities();
    let written = column_of(TABLE, heading);
    for (row, seen) in column(&capabilities, &report) {
        let says = written.iter().find(|(name, _)| name == row).map(|(_, says)| says.as_str());
        assert_eq!(says, Some(seen.as_str()), "docs/brokers/README.md, {heading}, {row}");
    }
}
