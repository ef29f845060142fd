//! `oms orders`: look at orders, or cancel one.

mod past;

use super::{
    open::{existing, working},
    output::print,
    projections::library,
    site::Site,
};
use crate::{
    args::{OrdersCommand, Page, Reference},
    exit::{Blame, Failure},
    import::PRINCIPAL,
    shop::Shop,
    show::{StuckAnswer, amount, table},
};
use oms_core::{
    clock::Timestamp,
    event::public::Status,
    id::{CustomerId, OrderId, order_id},
    projection::{
        Moment, OrderSummary,
        model::{AskError, OrderQuery},
        story::Story,
    },
};
use serde::Serialize;
use std::time::Duration;

/// How long a cancelled order may take to end before the command does.
const CANCEL: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct Listed {
    orders: Vec<OrderSummary>,
    next: Option<String>,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    summary: Option<OrderSummary>,
    story: &'a Story,
}

#[derive(Serialize)]
struct Cancelled {
    order: OrderId,
    accepted: bool,
    reasons: Vec<String>,
    status: String,
}

pub(super) async fn run(site: &Site, json: bool, command: OrdersCommand) -> Result<(), Failure> {
    let acts = matches!(command, OrdersCommand::Cancel { .. });
    let shop = if acts { working(site).await? } else { existing(site).await? };
    match command {
        OrdersCommand::List { stuck: true, .. } => stuck(&shop, json).await,
        OrdersCommand::List { status, customer, since, stuck: false, page } => {
            list(&shop, json, Wanted { status, customer, since }, &page).await
        }
        OrdersCommand::Show { order, version, at } => {
            let moment = version.map(Moment::Version).or(at.map(Moment::Time));
            let order = find(&shop, &order).await?;
            match moment {
                Some(moment) => past::show(&shop, json, &order, moment).await,
                None => show(&shop, json, &order).await,
            }
        }
        OrdersCommand::Diff { order, from, to } => {
            let order = find(&shop, &order).await?;
            past::diff(&shop, json, &order, from, to).await
        }
        OrdersCommand::Cancel { order, reason } => cancel(shop, json, &order, &reason).await,
    }
}

async fn show(shop: &Shop, json: bool, order: &OrderId) -> Result<(), Failure> {
    let story = shop.oms().story(order).await.map_err(Failure::outside)?;
    let summary = shop.oms().order(order).await.map_err(Failure::outside)?;
    print(json, &Shown { summary, story: &story }, || story.to_string())
}

/// Which orders to list; what the flags say.
struct Wanted {
    status: Option<String>,
    customer: Option<CustomerId>,
    since: Option<Timestamp>,
}

impl Wanted {
    fn is_all(&self) -> bool {
        self.status.is_none() && self.customer.is_none() && self.since.is_none()
    }

    fn query(self, after: Option<&str>) -> Result<OrderQuery, Failure> {
        let known = |name: &str| Status::ALL.into_iter().find(|status| status.name() == name);
        let names = || Status::ALL.map(Status::name).join(", ");
        let wrong =
            |name: &str| Failure::new(Blame::Input, format!("{name:?} is no status; use one of {}", names()));
        let status = self.status.as_deref().map(|name| known(name).ok_or_else(|| wrong(name))).transpose()?;
        let after = after.map(OrderId::new).transpose().map_err(Failure::input)?;
        Ok(OrderQuery { customer: self.customer, status, since: self.since, after })
    }
}

/// Lists all orders by id, from their histories; or those that are wanted by time, from the read model.
async fn list(shop: &Shop, json: bool, wanted: Wanted, page: &Page) -> Result<(), Failure> {
    let (after, limit) = (page.after.as_deref(), page.limit as usize);
    let (orders, next) = if wanted.is_all() {
        let mut orders = shop.oms().orders(after, limit + 1).await.map_err(Failure::outside)?.orders;
        let more = orders.len() > limit;
        orders.truncate(limit);
        let next = orders.last().filter(|_| more).map(|last| last.order.to_string());
        (orders, next)
    } else {
        let query = wanted.query(after)?;
        let library = library(shop)?;
        let Some(orders) = library.projection("orders") else { return Err(Failure::input("no such model")) };
        library.refresh(orders).await.map_err(Failure::outside)?;
        let found = shop.oms().list_orders(&query, limit).await.map_err(asked)?;
        (found.orders, found.next.map(|next| next.to_string()))
    };
    let answer = Listed { orders, next };
    print(json, &answer, || {
        let cells = |one: &OrderSummary| {
            let source = one.source.clone().unwrap_or_default();
            let code = one.currency.map_or_else(String::new, |currency| currency.to_string());
            let (total, kept) = (amount(one.total_minor.into(), &code), amount(one.kept_minor, &code));
            [one.order.to_string(), source, one.status.name().to_owned(), one.lines.to_string(), total, kept]
        };
        let text =
            table(&["order", "source", "status", "lines", "total", "kept"], answer.orders.iter().map(cells));
        more(text, answer.next.as_deref())
    })
}

/// Whose fault it is that a read model cannot be asked.
fn asked(error: AskError) -> Failure {
    match error {
        AskError::NoSuchOrder(_) | AskError::Unknown(_) => Failure::input(error),
        AskError::NoModels | AskError::NotBuilt(_) | AskError::Store(_) => Failure::outside(error),
    }
}

/// Says where a list goes on.
pub(super) fn more(text: String, next: Option<&str>) -> String {
    next.map_or_else(|| text.clone(), |next| format!("{text}\nmore follow: --after {next}"))
}

async fn stuck(shop: &Shop, json: bool) -> Result<(), Failure> {
    let found = shop.oms().stuck().await.map_err(Failure::outside)?;
    let found: Vec<StuckAnswer> = found.iter().map(StuckAnswer::of).collect();
    print(json, &serde_json::json!({ "stuck": found }), || {
        table(&["order", "phase", "since", "reason"], found.iter().map(StuckAnswer::cells))
    })
}

async fn cancel(mut shop: Shop, json: bool, order: &Reference, reason: &str) -> Result<(), Failure> {
    let order = find(&shop, order).await?;
    shop.run();
    let reply = shop.oms().cancel(&order, "command line", reason).await.map_err(Failure::outside)?;
    if reply.accepted {
        // What takes longer is owed, and goes on with the next run.
        let _ = tokio::time::timeout(CANCEL, shop.oms().wait_until_settled(&order)).await;
    }
    let status = shop.oms().status(&order).await.map_err(Failure::outside)?;
    shop.close(CANCEL).await;
    let status = status.map_or("unknown", Status::name).to_owned();
    let answer = Cancelled { order, accepted: reply.accepted, reasons: reply.reasons, status };
    print(json, &answer, || match answer.accepted {
        true => format!("order {} is {}", answer.order, answer.status),
        false => format!("order {} cannot be cancelled: {}", answer.order, answer.reasons.join("; ")),
    })
}

/// Finds the order that is meant: by id, by the source's number, or by the beginning of its id.
pub(super) async fn find(shop: &Shop, reference: &Reference) -> Result<OrderId, Failure> {
    let exact = OrderId::new(&reference.text).ok();
    for order in exact.into_iter().chain([order_id(PRINCIPAL, &reference.text)]) {
        if shop.oms().order(&order).await.map_err(Failure::outside)?.is_some() {
            return Ok(order);
        }
    }
    let none = || {
        Failure::new(
            Blame::Input,
            format!("no order is named {}; list them with orders list", reference.text),
        )
    };
    let prefix = reference.prefix().ok_or_else(none)?;
    let page = shop.oms().orders(Some(prefix), 2).await.map_err(Failure::outside)?;
    let mut found =
        page.orders.into_iter().map(|one| one.order).filter(|one| one.as_str().starts_with(prefix));
    match (found.next(), found.next()) {
        (Some(order), None) => Ok(order),
        (Some(_), Some(_)) => {
            let text = format!("several orders begin with {prefix}; write more of the id");
            Err(Failure::new(Blame::Input, text))
        }
        (None, _) => Err(none()),
    }
}
