//! Publishes packs through one window, and waits for the server's answers.

use crate::{connection::Connection, declare, names};
use async_nats::Client;
use oms_core::{
    broker::{BrokerError, Publish},
    id::Name,
    message::Pack,
};
use std::collections::BTreeMap;
use tokio::time::timeout;

/// Publishes in order; one answer for each.
pub(crate) async fn publish(connection: &Connection, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
    if packs.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = connection.known().clone();
    if packs.iter().any(|pack| !known.contains_key(&pack.topic)) {
        known = declare::look(connection).await?;
    }
    let mut ticket = connection.answers.call(packs.len());
    let sending = async {
        for (at, pack) in packs.into_iter().enumerate() {
            if let Some(why) = unfit(&known, &pack, connection.max_bytes) {
                ticket.refuse(at, why);
                continue;
            }
            let subject = names::subject(&connection.settings.prefix, &pack.topic, pack.lane);
            let reply = ticket.send(at).await;
            if !send(&connection.client, subject, reply, pack).await {
                break;
            }
        }
        while !ticket.call.is_done() {
            ticket.call.done.notified().await;
        }
    };
    // What has no answer by then is unknown.
    let _ = timeout(connection.settings.timeout, sending).await;
    let outcomes = ticket.call.outcomes();
    if outcomes.iter().any(is_gone) {
        connection.lost();
    }
    Ok(outcomes)
}

/// Whether the client took it; it does not, once it is closed.
async fn send(client: &Client, subject: String, reply: String, pack: Pack) -> bool {
    client.publish_with_reply(subject, reply, pack.bytes).await.is_ok()
}

fn is_gone(outcome: &Publish) -> bool {
    matches!(outcome, Publish::Rejected { for_good: false, why } if &**why == crate::answers::GONE)
}

/// Why a pack can never be taken.
fn unfit(known: &BTreeMap<Name, u16>, pack: &Pack, most: usize) -> Option<String> {
    let (size, topic) = (pack.bytes.len(), &pack.topic);
    let Some(lanes) = known.get(topic) else {
        return Some(format!("unroutable: declare topic {topic} first, with a group that hears it"));
    };
    if pack.lane >= *lanes {
        return Some(format!("unroutable: topic {topic} has {lanes} lanes, none is {}", pack.lane));
    }
    (size > most).then(|| {
        format!("too large: {size} bytes, and at most {most} are taken; split the pack, or raise max_payload")
    })
}
