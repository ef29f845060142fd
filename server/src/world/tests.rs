//! A world is found again as it was written, and nobody changes it by a flag.

use super::*;

fn world() -> World {
    let windows = Windows { approval: Duration::from_millis(500), ..Windows::default() };
    World { seed: 3, upi: Percent::whole(10), decline: Percent::whole(5), windows, ..World::default() }
}

#[test]
fn a_world_is_read_as_it_was_written_and_there_is_none_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("orders.db");
    assert_eq!(World::read(&db).expect("nothing is no error"), None);
    world().write(&db).expect("it can be written");
    assert_eq!(World::read(&db).expect("it can be read"), Some(world()));
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing else is left");
}

#[test]
fn a_flag_that_differs_from_the_first_run_is_refused_and_one_that_agrees_is_not() {
    let db = Path::new("orders.db");
    let agrees = WorldArgs { seed: Some(3), decline: Some(Percent::whole(5)), ..WorldArgs::default() };
    assert!(world().agrees(db, &agrees).is_ok());
    assert!(world().agrees(db, &WorldArgs::default()).is_ok());
    let differs = WorldArgs { cod: Some(Percent::whole(1)), ..agrees };
    let error = world().agrees(db, &differs).expect_err("it was begun with none").to_string();
    assert!(
        error.starts_with("orders.db was begun with --cod 0, and 1 is asked for; leave --cod out"),
        "{error}"
    );
    let differs = WorldArgs { seed: Some(4), ..agrees };
    assert!(matches!(world().agrees(db, &differs), Err(WorldError::Differs { flag: "seed", .. })));
}

#[test]
fn what_the_command_line_says_counts_in_a_new_world() {
    let args = WorldArgs { seed: Some(9), refuse: Some(Percent::whole(2)), ..WorldArgs::default() };
    assert_eq!(world().with(&args), World { seed: 9, refuse: Percent::whole(2), ..world() });
}

#[test]
fn a_world_that_is_torn_or_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("orders.db");
    std::fs::write(World::place(&db), "{\"seed\":").expect("it can be written");
    let error = World::read(&db).expect_err("it is torn").to_string();
    assert!(error.contains("orders.db.world.json cannot be read; restore it"), "{error}");
    let error = world().write(&folder.path().join("no/orders.db")).expect_err("no folder").to_string();
    assert!(error.contains("orders.db.world.json cannot be written"), "{error}");
}
