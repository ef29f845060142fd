//! Questions to the brokers about offsets; they block, and run where that harms nobody.

use crate::{ends::Topic, errors::sort, group::Client, note::Note};
use oms_core::broker::BrokerError;
use rdkafka::{Offset, TopicPartitionList, consumer::Consumer};
use std::{sync::Arc, time::Duration};

/// A topic's partition.
pub(crate) type Place = (Arc<Topic>, u16);

/// Where a group stands in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) offset: i64,
    pub(crate) note: Note,
}

fn list(places: &[Place]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(places.len());
    for (topic, lane) in places {
        list.add_partition(&topic.wire, i32::from(*lane));
    }
    list
}

/// Where the group of this client stands; `None` where it was never declared.
pub(crate) fn committed(
    client: &Client,
    places: &[Place],
    timeout: Duration,
) -> Result<Vec<Option<Standing>>, BrokerError> {
    let doing = "asking for committed offsets";
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let found = client.committed_offsets(list(places), timeout).map_err(|error| sort(&error, doing))?;
    let standing = |(topic, lane): &Place| {
        let Some(one) = found.find_partition(&topic.wire, i32::from(*lane)) else { return Ok(None) };
        one.error().map_err(|error| sort(&error, doing))?;
        Ok(match one.offset() {
            Offset::Offset(offset) => Some(Standing { offset, note: Note::read(one.metadata()) }),
            _ => None,
        })
    };
    places.iter().map(standing).collect()
}

/// The offsets behind the last packs.
pub(crate) fn ends(client: &Client, places: &[Place], timeout: Duration) -> Result<Vec<i64>, BrokerError> {
    let doing = "asking for the ends of topics";
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let mut wanted = list(places);
    wanted.set_all_offsets(Offset::End).map_err(|error| sort(&error, doing))?;
    let found = client.offsets_for_times(wanted, timeout).map_err(|error| sort(&error, doing))?;
    let end = |(topic, lane): &Place| {
        let Some(one) = found.find_partition(&topic.wire, i32::from(*lane)) else { return Ok(0) };
        one.error().map_err(|error| sort(&error, doing))?;
        Ok(one.offset().to_raw().unwrap_or(0).max(0))
    };
    places.iter().map(end).collect()
}
