//! `oms dead-letters`: messages that could not be handled.

mod edit;
mod list;
mod pace;
mod redrive;
mod show;
mod text;

use super::{
    open::{existing, working},
    orders::find,
    site::Site,
};
use crate::{
    args::{DeadLettersCommand, LetterArgs, MeantArgs},
    exit::Failure,
    shop::Shop,
};
use oms_core::{id::Name, store::Pick};

pub(super) async fn run(site: &Site, json: bool, command: DeadLettersCommand) -> Result<(), Failure> {
    // Read before the database is opened: what cannot be read leaves it alone.
    let body = edit::body(&command)?;
    let acts = matches!(
        command,
        DeadLettersCommand::Edit { .. } | DeadLettersCommand::Redrive { dry_run: false, .. }
    );
    let shop = if acts { working(site).await? } else { existing(site).await? };
    match command {
        DeadLettersCommand::List { meant, newest, after, limit } => {
            let pick = pick(&shop, meant).await?;
            list::list(&shop, json, &pick, list::seek(newest, after), limit as usize).await
        }
        DeadLettersCommand::Summary { meant } => {
            let pick = pick(&shop, meant).await?;
            list::summary(&shop, json, &pick).await
        }
        DeadLettersCommand::Show { number } => show::show(&shop, json, number).await,
        DeadLettersCommand::Edit { number, body: _, kind, again, by } => {
            let kind = kind.map(Name::from);
            edit::edit(shop, json, oms_core::worker::Edit { number, kind, body, by, again }).await
        }
        DeadLettersCommand::Redrive { number, all: _, meant, dry_run, by } => {
            let mut pick = wanted(&shop, meant).await?;
            pick.numbers = number.map(|number| [number].into());
            if dry_run {
                redrive::dry_run(&shop, json, &pick).await
            } else {
                redrive::redrive(shop, json, &pick, &by).await
            }
        }
    }
}

async fn pick(shop: &Shop, said: LetterArgs) -> Result<Pick, Failure> {
    Ok(Pick { state: said.state, ..wanted(shop, said.meant).await? })
}

async fn wanted(shop: &Shop, said: MeantArgs) -> Result<Pick, Failure> {
    let MeantArgs { group, kind, order, key, error } = said;
    let order = match order {
        Some(order) => Some(find(shop, &order).await?.name()),
        None => None,
    };
    let (group, kind, key) = (group.map(Name::from), kind.map(Name::from), order.or(key.map(Name::from)));
    Ok(Pick { group, kind, key, error, ..Pick::default() })
}
