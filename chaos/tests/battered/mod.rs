//! The rounds that each real broker plays.

use oms_chaos::{
    blow::Blow,
    round::{CameTo, Round, play},
    server::{Forgetful, Real, Server},
};
use oms_servers::Kind;
use std::sync::Arc;

async fn played(round: Round, kind: Kind) -> CameTo {
    let real: Arc<dyn Server> = Arc::new(Real::raise(kind).await.expect("the server starts"));
    let servers = [real, Arc::new(Forgetful::default())];
    let came_to = play(&round, &servers, |_| {}).await.expect("it is played");
    println!("{} in {:.1} s: {:?}", kind.name(), came_to.seconds, came_to);
    assert_eq!(came_to.violations, [""; 0]);
    assert_eq!(came_to.orders, u64::from(round.orders));
    assert!(came_to.published > 0, "packs travelled");
    came_to
}

/// Two thousand orders while the server is killed and started again five times.
pub(crate) async fn killed(kind: Kind) {
    let came_to = played(Round { seed: 11, blows: vec![Blow::Kill; 5], ..Round::default() }, kind).await;
    assert!(came_to.outages > 0, "the kills were felt");
}

/// The server loses its disk in mid-run, then another broker takes over, and it comes back in the end.
pub(crate) async fn forgotten(kind: Kind) {
    let blows = vec![Blow::Wipe, Blow::Swap, Blow::Swap];
    let came_to = played(Round { seed: 12, orders: 600, blows, ..Round::default() }, kind).await;
    assert!(came_to.taken > 0, "what was forgotten was taken from the store");
}
