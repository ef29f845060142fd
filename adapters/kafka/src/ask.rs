//! Questions to the brokers about offsets; they block, and run where that harms nobody.

use crate::{
    ends::Topic,
    errors::{closed, sort},
    group::Client,
    note::{Note, Standing},
    publisher::Live,
};
use oms_core::broker::BrokerError;
use rdkafka::{Offset, TopicPartitionList, consumer::Consumer, producer::Producer};
use std::{sync::Arc, time::Duration};

/// A topic's partition.
pub(crate) type Place = (Arc<Topic>, u16);

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

/// The offset behind the last pack of each place.
///
/// Asked by the producer: a broker answers one connection in order, and a reader's has a fetch that waits.
pub(crate) fn end_of_each(live: &Live, places: &[Place], timeout: Duration) -> Result<Vec<i64>, BrokerError> {
    let producer = live.get().ok_or_else(closed)?;
    let end = |(topic, lane): &Place| {
        let marks = producer.client().fetch_watermarks(&topic.wire, i32::from(*lane), timeout);
        marks.map(|(_, end)| end).map_err(|error| sort(&error, "asking for the end of a topic"))
    };
    places.iter().map(end).collect()
}

/// The offsets behind the last packs of many places at once.
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
