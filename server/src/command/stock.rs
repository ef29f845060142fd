//! `oms stock`: the units of every SKU.

use super::{open::existing, output::print, site::Site};
use crate::{
    args::Page,
    exit::Failure,
    show::{grouped, table},
};
use serde::Serialize;

#[derive(Serialize)]
struct Answer {
    stock: Vec<Row>,
    next: Option<String>,
}

#[derive(Serialize)]
struct Row {
    sku: String,
    on_hand: i128,
    taken: i128,
    available: i128,
    shipped: i128,
}

pub(super) async fn run(site: &Site, json: bool, page: &Page) -> Result<(), Failure> {
    let shop = existing(site).await?;
    let found =
        shop.oms().stock(page.after.as_deref(), page.limit as usize).await.map_err(Failure::outside)?;
    let row = |(sku, shelf): &(oms_core::id::Sku, oms_core::projection::Shelf)| Row {
        sku: sku.to_string(),
        on_hand: shelf.on_hand(),
        taken: shelf.taken,
        available: shelf.on_hand() - shelf.taken,
        shipped: shelf.shipped,
    };
    let answer = Answer { stock: found.shelves.iter().map(row).collect(), next: found.next };
    print(json, &answer, || {
        let cells = |row: &Row| {
            let units = [row.on_hand, row.taken, row.available, row.shipped].map(grouped);
            [vec![row.sku.clone()], units.to_vec()].concat()
        };
        let text =
            table(&["sku", "on hand", "taken", "available", "shipped"], answer.stock.iter().map(cells));
        super::orders::more(text, answer.next.as_deref())
    })
}
