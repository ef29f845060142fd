//! What the command line takes, and what it refuses.

use super::*;
use clap::CommandFactory as _;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

#[test]
fn the_command_line_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn wrong_usage_ends_with_exit_code_2() {
    for line in ["oms import", "oms frobnicate", "oms import f --settle soon", "oms import f --upi 101"] {
        assert_eq!(parse(line).map(|_| ()).map_err(|error| error.exit_code()), Err(2), "{line}");
    }
    assert_eq!(parse("oms --help").map(|_| ()).map_err(|error| error.exit_code()), Err(0));
}

#[test]
fn global_options_stand_before_or_behind_the_command() {
    let before = parse("oms --db a.db --json check").expect("it is usage");
    let behind = parse("oms check --json --db a.db").expect("it is usage");
    assert_eq!((before.store(), before.json), (behind.store(), behind.json));
    let store = |line: &str| parse(line).expect("it is usage").store();
    let file = |path| Ok(StoreUrl::Sqlite(PathBuf::from(path)));
    assert_eq!((store("oms demo"), store("oms check")), (file("demo.db"), file("orders.db")));
    assert_eq!(store("oms check --store sqlite:a.db"), file("a.db"));
    assert_eq!(store("oms check --store postgres://host/x --db a.db"), file("a.db"));
}

#[test]
fn the_broker_is_in_this_process_and_has_a_topic_for_each_type_unless_it_is_said() {
    let wire = |line| parse(line).expect("it is usage").wire;
    assert!(wire("oms status").url().is_memory());
    assert_eq!(wire("oms status").topics(), Topics::PerType);
    let said = wire("oms status --broker nats://host --topics per-service");
    assert_eq!((said.url().scheme(), said.topics()), ("nats", Topics::PerService));
    assert!(parse("oms status --topics all").is_err());
    assert!(parse("oms demo --lanes 0").is_err() && parse("oms demo --lanes 4097").is_err());
}

#[test]
fn an_import_is_all_card_and_nothing_fails_unless_it_is_said() {
    let Command::Import(args) = parse("oms import f.csv").expect("it is usage").command else {
        panic!("an import")
    };
    assert_eq!(args.world, WorldArgs::default());
    assert_eq!((args.settle, args.rate, args.stock.as_str()), (Duration::from_secs(30), 0, "1000000"));
    let line = "oms import f.csv --map sku=item --upi 10 --decline 2.5 --currency EUR --settle 500ms";
    let Command::Import(args) = parse(line).expect("it is usage").command else { panic!("an import") };
    assert_eq!(args.reading().mappings.len(), 1);
    assert_eq!(args.world.decline.map(Percent::basis_points), Some(250));
    assert_eq!(args.settle, Duration::from_millis(500));
}

#[test]
fn an_order_is_named_by_id_prefix_or_the_sources_number() {
    let reference = |text: &str| text.parse::<Reference>().ok();
    let prefix = |text| reference(text).and_then(|one| one.prefix().map(str::to_owned));
    assert_eq!(prefix("00ff12").as_deref(), Some("00ff12"));
    assert_eq!(prefix("536365").as_deref(), Some("536365"), "a number may be both; the caller tries both");
    assert_eq!(prefix("00ff1"), None);
    assert_eq!(prefix("INV-1"), None);
    assert_eq!(reference("  "), None);
}

#[test]
fn a_redrive_says_which() {
    assert!(parse("oms dead-letters redrive").is_err());
    assert!(parse("oms dead-letters redrive 7 --all").is_err());
    assert!(parse("oms dead-letters redrive --all").is_ok());
}

#[test]
fn the_help_says_the_exit_codes_and_what_an_interrupt_does() {
    let help = |line| parse(line).map(|_| ()).expect_err("help is no run").to_string();
    let top = help("oms --help");
    for text in [
        "0  done",
        "1  a promise is broken",
        "2  bad input",
        "3  something outside is unavailable, or the run was",
    ] {
        assert!(top.contains(text), "{text}: {top}");
    }
    for line in ["oms demo --help", "oms import --help"] {
        assert!(help(line).contains("Ctrl-C finishes what is begun and ends with exit code 3"), "{line}");
    }
}

#[test]
fn the_help_names_every_status_that_a_list_may_ask_for() {
    let help = parse("oms orders list --help").map(|_| ()).expect_err("help is no run").to_string();
    for status in oms_core::event::public::Status::ALL {
        assert!(help.contains(status.name()), "{}: {help}", status.name());
    }
}

#[test]
fn a_worker_serves_the_services_that_are_named_each_once() {
    let groups = |line| match parse(line).expect("it is usage").command {
        Command::Worker(args) => args.groups(),
        other => panic!("a worker: {other:?}"),
    };
    assert_eq!(groups("oms worker --service payment order payment"), ["order", "payment"]);
    assert_eq!(groups("oms worker --service shipping --service notification"), ["shipping", "notification"]);
    for line in ["oms worker", "oms worker --service", "oms worker --service loyalty"] {
        assert!(parse(line).is_err(), "{line}");
    }
}
