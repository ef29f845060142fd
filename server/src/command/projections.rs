//! `oms projections`: the read models listed, built anew, and held against a fresh fold of the events.

use super::{open::existing, output::print, site::Site};
use crate::{
    args::ProjectionsCommand,
    exit::{Blame, Failure},
    shop::Shop,
    show::{Progress, grouped, table},
};
use oms_core::projection::model::{BATCH, Compared, Library, Listed, Projection, Rebuild};
use serde::Serialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How often a build that is held back reads on.
const BEAT: Duration = Duration::from_millis(50);

/// A read model that was built anew.
#[derive(Serialize)]
struct Built {
    model: &'static str,
    generation: u64,
    /// Positions of the log that an earlier build, which was killed, had read.
    resumed_at: u64,
    /// Positions that are read now.
    done: u64,
    events: u64,
    hash: String,
    /// Of what was shown before; none when nothing was.
    previous_hash: Option<String>,
    equal: bool,
}

/// A read model that was held against a fresh fold.
#[derive(Serialize)]
struct Verified {
    model: &'static str,
    hash: Option<String>,
    fresh_hash: String,
    equal: bool,
}

pub(super) async fn run(site: &Site, json: bool, command: ProjectionsCommand) -> Result<(), Failure> {
    let shop = existing(site).await?;
    match command {
        ProjectionsCommand::List => list(&shop, json).await,
        ProjectionsCommand::Rebuild { model, rate } => rebuild(&shop, json, model.as_deref(), rate).await,
        ProjectionsCommand::Verify { model } => verify(&shop, json, model.as_deref()).await,
    }
}

/// The library of the shop.
pub(super) fn library(shop: &Shop) -> Result<&Library, Failure> {
    let none = || Failure::new(Blame::Outside, "this shop keeps no read models");
    shop.oms().library().ok_or_else(none)
}

async fn list(shop: &Shop, json: bool) -> Result<(), Failure> {
    let listed = library(shop)?.list().await.map_err(Failure::outside)?;
    print(json, &serde_json::json!({ "projections": listed }), || {
        let number =
            |number: Option<u64>| number.map_or_else(|| "none".to_owned(), |number| number.to_string());
        let cells = |one: &Listed| {
            let read = format!("{} of {}", grouped(one.done.into()), grouped(one.head.into()));
            let stopped = grouped(one.stopped.len() as i128);
            [one.model.to_owned(), number(one.live), number(one.building), read, stopped]
        };
        let text = table(&["model", "shown", "being built", "read", "stopped"], listed.iter().map(cells));
        let stopped = listed
            .iter()
            .flat_map(|one| one.stopped.iter().map(|why| format!("\nstopped in {}: {why}", one.model)));
        text + &stopped.collect::<String>()
    })
}

fn chosen(shop: &Shop, model: Option<&str>) -> Result<Vec<Arc<dyn Projection>>, Failure> {
    let library = library(shop)?;
    let Some(name) = model else { return Ok(library.projections.clone()) };
    let known = || {
        let names: Vec<_> = library.projections.iter().map(|one| one.name()).collect();
        Failure::new(Blame::Input, format!("{name} is no read model; use one of {}", names.join(", ")))
    };
    Ok(vec![Arc::clone(library.projection(name).ok_or_else(known)?)])
}

async fn rebuild(shop: &Shop, json: bool, model: Option<&str>, rate: u32) -> Result<(), Failure> {
    let mut all = Vec::new();
    for projection in chosen(shop, model)? {
        let mut build = library(shop)?.rebuild(&projection).await.map_err(Failure::outside)?;
        let (done, events) = build_all(&mut build, projection.name(), rate).await?;
        let found = build.compare().await.map_err(Failure::outside)?;
        let equal = found.is_equal();
        let generation = build.publish().await.map_err(Failure::outside)?.number;
        let (resumed_at, Compared { live, fresh, .. }) = (build.resumed, found);
        let model = projection.name();
        all.push(Built {
            model,
            generation,
            resumed_at,
            done,
            events,
            hash: fresh,
            previous_hash: live,
            equal,
        });
    }
    print(json, &serde_json::json!({ "projections": all }), || {
        all.iter().map(built).collect::<Vec<_>>().join("\n")
    })
}

async fn build_all(build: &mut Rebuild, model: &'static str, rate: u32) -> Result<(u64, u64), Failure> {
    let begun = Instant::now();
    let mut bar = None;
    // So many events each beat.
    let most = if rate == 0 { BATCH } else { (rate as usize * 50 / 1_000).max(1) };
    loop {
        let progress = build.step(most).await.map_err(Failure::outside)?;
        bar.get_or_insert_with(|| Progress::new(model, progress.head)).reach(progress.done);
        if progress.caught_up {
            return Ok((progress.done, progress.events));
        }
        if rate > 0 {
            let beats = u32::try_from(progress.events / most as u64).unwrap_or(u32::MAX);
            tokio::time::sleep((BEAT * beats).saturating_sub(begun.elapsed())).await;
        }
    }
}

fn built(one: &Built) -> String {
    let from = match one.resumed_at {
        0 => String::new(),
        at => format!(", from position {} on", grouped(at.into())),
    };
    let compared = match (&one.previous_hash, one.equal) {
        (None, _) => "nothing was shown before".to_owned(),
        (Some(_), true) => "equal to what was shown".to_owned(),
        (Some(previous), false) => format!("other than what was shown, {previous}"),
    };
    let events = grouped(one.events.into());
    format!("{}: {events} events folded{from}; hash {}, {compared}", one.model, one.hash)
}

async fn verify(shop: &Shop, json: bool, model: Option<&str>) -> Result<(), Failure> {
    let mut all = Vec::new();
    for projection in chosen(shop, model)? {
        library(shop)?.refresh(&projection).await.map_err(Failure::outside)?;
        let mut build = library(shop)?.rebuild(&projection).await.map_err(Failure::outside)?;
        build_all(&mut build, projection.name(), 0).await?;
        let found = build.compare().await.map_err(Failure::outside)?;
        build.abandon().await.map_err(Failure::outside)?;
        let (equal, model) = (found.is_equal(), projection.name());
        all.push(Verified { model, hash: found.live, fresh_hash: found.fresh, equal });
    }
    print(json, &serde_json::json!({ "projections": all }), || {
        let words = |one: &Verified| match one.equal {
            true => format!("{}: {} equals a fresh fold", one.model, one.fresh_hash),
            false => format!(
                "{}: {} is shown, and a fresh fold gives {}; rebuild it",
                one.model,
                one.hash.as_deref().unwrap_or("nothing"),
                one.fresh_hash
            ),
        };
        all.iter().map(words).collect::<Vec<_>>().join("\n")
    })?;
    let differ: Vec<_> = all.iter().filter(|one| !one.equal).map(|one| one.model).collect();
    if differ.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Blame::Promise, format!("not what the events say: {}", differ.join(", "))))
}
