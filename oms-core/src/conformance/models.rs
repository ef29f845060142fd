//! What every place for read models must prove: one check for each sentence of the contract.
//!
//! ```
//! use futures::FutureExt;
//! use oms_core::{conformance::models::{Harness, run}, projection::model::{MemoryModels, ReadModels}, store::StoreError};
//! use std::sync::Arc;
//! struct Memory;
//! #[async_trait::async_trait]
//! impl Harness for Memory {
//!     async fn fresh(&self) -> Result<Arc<dyn ReadModels>, StoreError> { Ok(Arc::<MemoryModels>::default()) }
//!     async fn reopen(&self, models: Arc<dyn ReadModels>) -> Result<Arc<dyn ReadModels>, StoreError> { Ok(models) }
//! }
//! let report = run(&Memory).now_or_never();
//! assert!(report.is_some_and(|report| report.passed() == report.lines.len()));
//! ```

use super::report::{Check, Failure, Finding, Line, Report, Verdict, ensure};
use crate::{
    id::Name,
    message::GroupLane,
    projection::model::{By, Checkpoint, Generation, Marks, ReadModels, Row, Save, Scan, Stage, Standing},
    store::StoreError,
};
use async_trait::async_trait;
use futures::FutureExt;
use std::{convert::Infallible, sync::Arc};

/// Gives the suite places for read models to look at.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Opens an empty one.
    ///
    /// # Errors
    /// When it cannot be opened: the check fails.
    async fn fresh(&self) -> Result<Arc<dyn ReadModels>, StoreError>;

    /// Drops it and opens the same again, as after a kill; the same one where nothing survives a kill.
    ///
    /// # Errors
    /// When it cannot be opened: the check fails.
    async fn reopen(&self, models: Arc<dyn ReadModels>) -> Result<Arc<dyn ReadModels>, StoreError>;
}

type Suite = dyn Harness;

/// Every check, in the order in which they are best read.
#[must_use]
pub fn checks() -> Vec<Check<Suite, Infallible>> {
    macro_rules! check {
        ($id:literal, $name:literal, $run:ident) => {
            Check { id: $id, name: $name, needs: &[], run: |harness| $run(harness).boxed() }
        };
    }
    vec![
        check!("M1", "a build that stopped goes on where it was saved", a_build_goes_on),
        check!("M2", "a generation is shown from its publishing on, and the one before it is gone", a_swap),
        check!("M3", "rows and cursors are saved together, or not at all", a_save_is_whole),
        check!("M4", "of two who read the same checkpoint, one saves", one_saves),
        check!(
            "M5",
            "a row is replaced with its marks, and one that is gone is found by none",
            rows_are_replaced
        ),
        check!("M6", "a scan gives pages in the order of bytes, by key and by each mark", scans_go_by_bytes),
        check!("M7", "what is gone is not saved to, not shown and removed piece by piece", gone_is_removed),
        check!("M8", "a build of another shape takes the place of the one begun", another_shape),
        check!("M9", "generations of different models know nothing of each other", models_are_apart),
        check!("M10", "rows of keys come in the order asked, however many", rows_in_order),
        check!("M11", "a number is never given twice", numbers_are_new),
    ]
}

/// Runs all checks, one after the other.
pub async fn run(harness: &Suite) -> Report {
    let mut report = Report::default();
    for check in checks() {
        let verdict = match (check.run)(harness).await {
            Ok(()) => Verdict::Passed,
            Err(failure) => Verdict::Failed(failure.why().to_owned()),
        };
        report.lines.push(Line { id: check.id, name: check.name, verdict });
    }
    report
}

fn row(key: &str, marks: [Option<&str>; 3], body: &str) -> Row {
    let marks: Marks = marks.map(|mark| mark.map(Name::from));
    Row { key: Name::from(key), marks, body: bytes::Bytes::copy_from_slice(body.as_bytes()) }
}

fn plain(key: &str) -> Row {
    row(key, [None; 3], key)
}

fn rows(rows: Vec<Row>) -> Save {
    Save { rows, ..Save::default() }
}

fn keys(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| &*row.key).collect()
}

async fn all(models: &dyn ReadModels, generation: &Generation) -> Result<Vec<Row>, StoreError> {
    models.scan(generation, Scan { by: By::Key, prefix: "", after: None, limit: 10_000 }).await
}

async fn stages(models: &dyn ReadModels) -> Result<Vec<(u64, Stage)>, StoreError> {
    let known = models.generations("m").await?;
    let kept = known.into_iter().filter(|one| one.stage != Stage::Gone);
    Ok(kept.map(|one| (one.number, one.stage)).collect())
}

fn conflict<T>(result: Result<T, StoreError>, what: &str) -> Finding {
    ensure(matches!(result, Err(StoreError::Conflict)), || format!("{what} is no conflict"))
}

async fn a_build_goes_on(harness: &Suite) -> Finding {
    let models = harness.fresh().await?;
    let begun = models.begin("m", 1).await?;
    let fresh = models.checkpoint(&begun).await?;
    ensure(fresh == Checkpoint::default(), || format!("a new generation begins at {fresh:?}"))?;
    let cursors = vec![(GroupLane::new("order", 0), 7), (GroupLane::new("order", 1), 9)];
    models.save(&begun, 0, Save { cursors: cursors.clone(), ..rows(vec![plain("a")]) }).await?;
    models
        .save(&begun, 1, Save { cursors: vec![(GroupLane::new("order", 0), 8)], ..Save::default() })
        .await?;
    let models = harness.reopen(models).await?;
    let again = models.begin("m", 1).await?;
    ensure(again == begun, || "another build was begun")?;
    let found = models.checkpoint(&again).await?;
    let wanted = vec![(GroupLane::new("order", 0), 8), (GroupLane::new("order", 1), 9)];
    ensure(found.saves == 2 && found.cursors == wanted, || format!("it goes on at {found:?}"))?;
    ensure(keys(&all(models.as_ref(), &again).await?) == ["a"], || "its rows are not there")
}

async fn a_swap(harness: &Suite) -> Finding {
    let models = harness.fresh().await?;
    let first = models.begin("m", 3).await?;
    models.save(&first, 0, rows(vec![plain("a")])).await?;
    models.publish(&first).await?;
    models.publish(&first).await?;
    let second = models.begin("m", 3).await?;
    ensure(second != first, || "what is shown is built on")?;
    let both = vec![(first.number, Stage::Live), (second.number, Stage::Building)];
    ensure(stages(models.as_ref()).await? == both, || "one is shown while the other is built")?;
    models.publish(&second).await?;
    let models = harness.reopen(models).await?;
    let shown = stages(models.as_ref()).await?;
    ensure(shown == [(second.number, Stage::Live)], || format!("shown is {shown:?}"))?;
    let known = models.generations("m").await?;
    let shape =
        known.iter().find(|one| one.stage == Stage::Live).map(|one: &Standing| (one.shape, one.saves));
    ensure(shape == Some((3, 0)), || format!("its shape and saves are {shape:?}"))?;
    conflict(models.publish(&first).await, "showing what is gone")
}

async fn a_save_is_whole(harness: &Suite) -> Finding {
    let models = harness.fresh().await?;
    let generation = models.begin("m", 1).await?;
    let cursors = vec![(GroupLane::new("order", 0), 5)];
    let refused = Save { cursors, ..rows(vec![plain("a"), plain("b")]) };
    conflict(models.save(&generation, 9, refused).await, "a save behind a checkpoint that never was")?;
    let found = models.checkpoint(&generation).await?;
    ensure(found == Checkpoint::default(), || format!("a refused save moved the checkpoint to {found:?}"))?;
    ensure(all(models.as_ref(), &generation).await?.is_empty(), || "a refused save left rows")
}

async fn one_saves(harness: &Suite) -> Finding {
    let models = harness.fresh().await?;
    let generation = models.begin("m", 1).await?;
    let save = |key: &str| models.save(&generation, 0, rows(vec![plain(key)]));
    let (first, second) = (plain("first"), plain("second"));
    let both = futures::join!(
        models.save(&generation, 0, rows(vec![first])),
        models.save(&generation, 0, rows(vec![second]))
    );
    ensure(both.0.is_ok() != both.1.is_ok(), || "both saved, or neither")?;
    conflict(save("third").await, "a third save behind the same checkpoint")?;
    ensure(all(models.as_ref(), &generation).await?.len() == 1, || "both wrote their rows")
}

async fn rows_are_replaced(harness: &Suite) -> Finding {
    let models = harness.fresh().await?;
    let generation = models.begin("m", 1).await?;
    let old = row("a", [Some("pending 1"), None, Some("x")], "old");
    models.save(&generation, 0, rows(vec![old, row("b", [Some("pending 2"), None, None], "b")])).await?;
    let new = row("a", [Some("done 1"), Some("y"), None], "new");
    models.save(&generation, 1, rows(vec![new.clone()])).await?;
    let by = async |mark, prefix| {
        models.scan(&generation, Scan { by: By::Mark(mark), prefix, after: None, limit: 9 }).await
    };
    ensure(keys(&by(0, "pending").await?) == ["b"], || "a row is found where it was")?;
    ensure(by(0, "done").await? == [new.clone()], || "a row is not found where it is, as it is")?;
    ensure(keys(&by(1, "").await?) == ["a"] && by(2, "").await?.is_empty(), || "marks came or stayed")?;
    models.save(&generation, 2, Save { gone: vec![Name::from("a")], ..Save::default() }).await?;
    ensure(by(0, "done").await?.is_empty(), || "what is gone is found by its mark")?;
    ensure(keys(&all(models.as_ref(), &generation).await?) == ["b"], || "what is gone is found by its key")
}

async fn scans_go_by_bytes(harness: &Suite) -> Finding {
    let models = harness.fresh().await?;
    let generation = models.begin("m", 1).await?;
    let wanted = ["of/A", "of/Z", "of/a", "of/a\u{1f}b", "of/b", "of/é", "of0"];
    let marked = |key: &&str| row(key, [Some(key), None, None], "");
    models.save(&generation, 0, rows(wanted.iter().rev().map(marked).collect())).await?;
    for by in [By::Key, By::Mark(0)] {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let scan = Scan { by, prefix: "of/", after: after.as_deref(), limit: 2 };
            let page = models.scan(&generation, scan).await?;
            found.extend(page.iter().map(|row| row.key.to_string()));
            after = found.last().cloned();
            if page.len() < 2 {
                break;
            }
        }
        ensure(found == wanted[..6], || format!("{by:?} gives {found:?}"))?;
        let scan = Scan { by, prefix: "of/b", after: Some("a"), limit: 9 };
        let found = models.scan(&generation, scan).await?;
        ensure(keys(&found) == ["of/b"], || "a place before the prefix hides or adds rows")?;
    }
    let none = models.scan(&generation, Scan { by: By::Mark(1), prefix: "", after: None, limit: 9 }).await?;
    ensure(none.is_empty(), || "rows without a mark are found by it")
}

async fn gone_is_removed(harness: &Suite) -> Finding {
    let models = harness.fresh().await?;
    let generation = models.begin("m", 1).await?;
    models.save(&generation, 0, rows(["a", "b", "c"].map(plain).to_vec())).await?;
    models.publish(&generation).await?;
    models.abandon(&generation).await?;
    ensure(models.discard("m", 9).await? == 0, || "what is shown was given up or removed")?;
    let next = models.begin("m", 1).await?;
    models.publish(&next).await?;
    conflict(models.save(&generation, 1, Save::default()).await, "a save to what is gone")?;
    conflict(models.checkpoint(&generation).await, "the checkpoint of what is gone")?;
    ensure(all(models.as_ref(), &generation).await?.is_empty(), || "what is gone is shown")?;
    let none = models.rows(&generation, &[Name::from("a")]).await?;
    ensure(none == [None], || "a row of what is gone is shown")?;
    let mut removed = Vec::new();
    while removed.last() != Some(&0) {
        removed.push(models.discard("m", 2).await?);
    }
    ensure(removed == [2, 1, 0], || format!("removed were {removed:?} of three rows, two at a time"))?;
    let begun = models.begin("m", 1).await?;
    models.save(&begun, 0, rows(vec![plain("d")])).await?;
    models.abandon(&begun).await?;
    ensure(
        stages(models.as_ref()).await? == [(next.number, Stage::Live)],
        || "what was given up is still built",
    )?;
    ensure(models.discard("m", 9).await? == 1, || "what was given up is not removed")
}

async fn another_shape(harness: &Suite) -> Finding {
    let models = harness.fresh().await?;
    let old = models.begin("m", 1).await?;
    models.save(&old, 0, rows(vec![plain("a")])).await?;
    let new = models.begin("m", 2).await?;
    ensure(new != old, || "rows of two shapes are in one generation")?;
    ensure(stages(models.as_ref()).await? == [(new.number, Stage::Building)], || "two are being built")?;
    conflict(models.save(&old, 1, Save::default()).await, "a save to a build of the old shape")
}

async fn models_are_apart(harness: &Suite) -> Finding {
    let models = harness.fresh().await?;
    let (one, other) = (models.begin("m", 1).await?, models.begin("n", 1).await?);
    models.save(&one, 0, rows(vec![row("a", [Some("x"), None, None], "one")])).await?;
    models.save(&other, 0, rows(vec![row("a", [Some("x"), None, None], "other")])).await?;
    models.publish(&other).await?;
    let found = models.rows(&one, &[Name::from("a")]).await?;
    let body = found.into_iter().flatten().next().map(|row| row.body);
    ensure(body.as_deref() == Some(b"one"), || "one model wrote the other's row")?;
    ensure(stages(models.as_ref()).await? == [(one.number, Stage::Building)], || "one showed the other")
}

async fn rows_in_order(harness: &Suite) -> Finding {
    let models = harness.fresh().await?;
    let generation = models.begin("m", 1).await?;
    let names: Vec<String> = (0..500).map(|number| format!("{}", number * 7 % 1_000)).collect();
    models.save(&generation, 0, rows(names.iter().map(|name| plain(name)).collect())).await?;
    let mut wanted: Vec<Name> = names.iter().rev().map(|name| Name::from(name.as_str())).collect();
    wanted.insert(250, Name::from("absent"));
    let found = models.rows(&generation, &wanted).await?;
    let keys: Vec<_> = found.iter().map(|row| row.as_ref().map(|row| Name::clone(&row.key))).collect();
    let asked = |key: &Name| (&**key != "absent").then(|| Name::clone(key));
    ensure(keys == wanted.iter().map(asked).collect::<Vec<_>>(), || "rows came in another order")
}

async fn numbers_are_new(harness: &Suite) -> Finding {
    let models = harness.fresh().await?;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let generation = models.begin("m", 1).await?;
        if seen.contains(&generation.number) {
            return Err(Failure::new(format!("{} was given twice", generation.number)));
        }
        seen.push(generation.number);
        models.abandon(&generation).await?;
        while models.discard("m", 9).await? > 0 {}
    }
    ensure(seen.is_sorted(), || format!("numbers go back: {seen:?}"))
}
