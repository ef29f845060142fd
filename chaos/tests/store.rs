//! Whole orders by three processes over PostgreSQL, while its server and the processes are killed and put to sleep.

use oms_chaos::{
    args::Kind,
    moment::Moment,
    store::{Ground, Round, Strikes, play},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_promise_holds_while_postgres_is_killed_ten_times_and_the_processes_fifty() {
    let program = env!("CARGO_BIN_EXE_oms-chaos").into();
    let ground = Ground::raise(Kind::Nats, program).await.expect("the servers start");
    let blows = Strikes { kills: 10, deaths: 50, sleeps: 3 }.rounds(21).remove(0);
    let round = Round { seed: 21, blows, ..Round::default() };
    let came_to = play(&round, &ground, |_| {}).await.expect("it is played");
    println!("{:.1} s: {came_to:?}", came_to.seconds);
    assert_eq!(came_to.violations, [""; 0]);
    assert_eq!((came_to.orders, came_to.kills, came_to.sleeps), (u64::from(round.orders), 10, 3));
    assert_eq!(came_to.deaths.values().sum::<u32>(), 50);
    for moment in Moment::ALL {
        let times = came_to.deaths.get(moment.name()).copied().unwrap_or(0);
        assert!(times >= 5, "a process died {times} times at the moment `{}`", moment.name());
    }
    assert!(came_to.audited > 10_000, "every event was held against its hash");
}
