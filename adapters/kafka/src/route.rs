//! Which topic a pack goes to, and why some packs can go nowhere.

use crate::{ends::Topics, publisher::Route};
use oms_core::{id::Name, message::Pack};
use std::sync::Arc;

/// Routes packs by what is known of the topics.
pub(crate) fn routes(topics: &Topics, packs: &[Pack], max_bytes: usize) -> Vec<Route> {
    packs.iter().map(|pack| route(topics, pack, max_bytes)).collect()
}

/// Whether a pack names a topic that is not known here, so that the cluster should be asked.
pub(crate) fn has_stranger(topics: &Topics, packs: &[Pack]) -> bool {
    packs.iter().any(|pack| !topics.contains_key(&pack.topic))
}

fn route(topics: &Topics, pack: &Pack, max_bytes: usize) -> Route {
    let Pack { topic: name, lane, bytes, .. } = pack;
    let Some(topic) = topics.get(name) else {
        return Err(Name::from(format!(
            "unroutable: declare topic {name} first, with a group that hears it"
        )));
    };
    if usize::from(*lane) >= topic.lanes() {
        let lanes = topic.lanes();
        return Err(Name::from(format!("unroutable: topic {name} has {lanes} lanes, none is {lane}")));
    }
    let size = bytes.len();
    if size > max_bytes {
        return Err(Name::from(format!(
            "too large: {size} bytes, and at most {max_bytes} are taken; split the pack"
        )));
    }
    Ok(Arc::clone(topic))
}
