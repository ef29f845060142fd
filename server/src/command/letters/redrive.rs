//! Dead letters handled again: asked for once, waited for, and counted.

use super::{
    super::output::print,
    list::{Letters, letter, rows},
    pace::{LOOK, MANY, PAGE, REST},
};
use crate::{exit::Failure, shop::Shop, show::Progress};
use oms_core::store::{DeadLetter, DeadLetterState, PUBLIC, Pick, Seek};
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Serialize)]
struct Redriven {
    redriven: usize,
    /// How many of them failed again; `None` when some are still being tried.
    buried_again: Option<usize>,
}

#[derive(Serialize)]
struct Would {
    would_redrive: usize,
    #[serde(flatten)]
    letters: Letters,
}

/// What `take` makes of every letter that is meant and stands so; what the broker never takes is nobody's to redrive.
async fn every<T>(
    shop: &Shop,
    meant: &Pick,
    state: DeadLetterState,
    take: impl Fn(&DeadLetter) -> T,
) -> Result<Vec<T>, Failure> {
    let pick = Pick { state: Some(state), ..meant.clone() };
    let (mut all, mut seek) = (Vec::new(), Some(Seek::OLDEST));
    while let Some(from) = seek {
        let page = shop.oms().dead_letters(&pick, from, PAGE).await.map_err(Failure::outside)?;
        all.extend(page.letters.iter().filter(|one| &*one.lane.group != PUBLIC).map(&take));
        seek = page.next;
    }
    Ok(all)
}

fn number(letter: &DeadLetter) -> u64 {
    letter.number
}

pub(super) async fn dry_run(shop: &Shop, json: bool, pick: &Pick) -> Result<(), Failure> {
    let dead_letters = every(shop, pick, DeadLetterState::Buried, letter).await?;
    let would_redrive = dead_letters.len();
    let answer = Would { would_redrive, letters: Letters { dead_letters, next: None } };
    print(json, &answer, || {
        format!(
            "{}\n{} would be tried again; nothing was changed",
            rows(&answer.letters.dead_letters),
            would_redrive
        )
    })
}

pub(super) async fn redrive(mut shop: Shop, json: bool, pick: &Pick, by: &str) -> Result<(), Failure> {
    let meant = every(&shop, pick, DeadLetterState::Buried, number).await?;
    let shows = !json && meant.len() > MANY;
    let bar = shows.then(|| Progress::new("asked for", meant.len() as u64));
    let mut redriven = 0;
    for (number, some) in meant.chunks(PAGE).enumerate() {
        redriven +=
            shop.oms().redrive(&Pick::numbers(some.iter().copied()), by).await.map_err(Failure::outside)?;
        bar.iter().for_each(|bar| bar.reach((number * PAGE + some.len()) as u64));
    }
    drop(bar);
    // Those that an earlier run asked for are waited for as well.
    let meant = if meant.is_empty() { pick.clone() } else { Pick::numbers(meant) };
    shop.run();
    let bar = shows.then(|| Progress::new("handled", redriven as u64));
    let tried = tokio::time::timeout(REST, tried(&shop, &meant, bar.as_ref())).await;
    drop(bar);
    shop.rest(REST).await?;
    let buried_again = tried.ok().transpose()?;
    print(json, &Redriven { redriven, buried_again }, || match buried_again {
        Some(0) => format!("{redriven} tried again, and handled"),
        Some(buried) => format!("{redriven} tried again; {buried} failed again, and are buried"),
        None => format!("{redriven} are being tried again; the next run goes on with them"),
    })
}

/// Waits until all that was asked for has been handled or buried again; gives how many are buried.
async fn tried(shop: &Shop, meant: &Pick, bar: Option<&Progress>) -> Result<usize, Failure> {
    let total = meant.numbers.as_ref().map_or(0, BTreeSet::len) as u64;
    loop {
        let open = every(shop, meant, DeadLetterState::Redriven, number).await?.len() as u64;
        bar.iter().for_each(|bar| bar.reach(total.saturating_sub(open)));
        if open == 0 {
            return Ok(every(shop, meant, DeadLetterState::Buried, number).await?.len());
        }
        tokio::time::sleep(LOOK).await;
    }
}
