//! Alarms: when each stream is looked at next, and whether its clock has started (rule 3).

use super::owing::Owing;
use crate::{
    clock::Timestamp,
    id::{Name, StreamId, Table},
    message::{GroupLane, key_hash, lane_of},
    store::{Deadline, LocalMessage, Waiting},
};
use std::collections::{BTreeMap, BTreeSet};

struct Alarm {
    lane: GroupLane,
    deadline: Deadline,
    /// When it stands in the index. A later deadline does not move it; the look does (one row less for each).
    look: Timestamp,
    /// When it is to be looked at in truth.
    due: Timestamp,
    heard: bool,
    firing: u64,
}

impl Alarm {
    fn is_awaited(&self, owing: &Owing) -> bool {
        let waits = self.deadline.waits_for.as_ref();
        waits.is_some_and(|waits| owing.waits(&waits.group, &waits.pack, waits.index))
    }

    fn key_waits(&self, owing: &Owing) -> bool {
        owing.key_waits(&self.lane, key_hash(&self.deadline.key))
    }
}

/// The alarms of all streams, at most one each.
#[derive(Default)]
pub(super) struct Alarms {
    all: Table<StreamId, Alarm>,
    /// When to look at which, lane by lane.
    looks: BTreeMap<GroupLane, BTreeSet<(Timestamp, StreamId)>>,
    pub(super) rows: u64,
}

impl Alarms {
    /// Lets the alarm of a stream follow its newest deadline.
    pub(super) fn follow(
        &mut self,
        stream: &StreamId,
        newest: Option<&Deadline>,
        lanes: u16,
        now: Timestamp,
    ) {
        let Some(deadline) = newest else { return self.remove(stream) };
        let lane =
            GroupLane { group: Name::clone(&deadline.group), lane: lane_of(key_hash(&deadline.key), lanes) };
        let due = now.after(deadline.delay);
        let heard = deadline.waits_for.is_none();
        let mut alarm = Alarm { lane, deadline: deadline.clone(), look: due, due, heard, firing: 1 };
        if let Some(old) = self.all.remove(stream) {
            self.unlist(&old.lane, old.look, stream);
            if old.deadline.set_at == deadline.set_at {
                alarm.firing = old.firing + 1;
            }
            if old.lane == alarm.lane && old.look <= due {
                alarm.look = old.look;
            } else {
                self.rows += 1;
            }
        } else {
            self.rows += 1;
        }
        self.list(&alarm.lane, alarm.look, stream);
        self.all.insert(stream.clone(), alarm);
    }

    fn list(&mut self, lane: &GroupLane, look: Timestamp, stream: &StreamId) {
        if let Some(looks) = self.looks.get_mut(lane) {
            looks.insert((look, stream.clone()));
        } else {
            self.looks.insert(lane.clone(), BTreeSet::from([(look, stream.clone())]));
        }
    }

    fn unlist(&mut self, lane: &GroupLane, look: Timestamp, stream: &StreamId) {
        if let Some(looks) = self.looks.get_mut(lane) {
            looks.remove(&(look, stream.clone()));
        }
    }

    /// Removes an alarm.
    pub(super) fn remove(&mut self, stream: &StreamId) {
        if let Some(old) = self.all.remove(stream) {
            self.unlist(&old.lane, old.look, stream);
            self.rows += 1;
        }
    }

    /// Removes those of a group, and gives how many.
    pub(super) fn remove_group(&mut self, group: &str) -> u64 {
        let own = self.all.iter().filter(|(_, alarm)| &*alarm.lane.group == group);
        let streams: BTreeSet<StreamId> = own.map(|(stream, _)| stream.clone()).collect();
        streams.iter().for_each(|stream| self.remove(stream));
        streams.len() as u64
    }

    /// Looks at every alarm of a lane whose time has come: gives those that fire, puts off the others.
    pub(super) fn look(&mut self, lane: &GroupLane, owing: &Owing, now: Timestamp) -> Vec<StreamId> {
        let Some(looks) = self.looks.get(lane) else { return Vec::new() };
        let come: Vec<StreamId> =
            looks.iter().take_while(|(look, _)| *look <= now).map(|(_, stream)| stream.clone()).collect();
        come.into_iter().filter(|stream| self.fires(stream, owing, now)).collect()
    }

    fn fires(&mut self, stream: &StreamId, owing: &Owing, now: Timestamp) -> bool {
        let Some(alarm) = self.all.get_mut(stream) else { return false };
        let put_off = now.after(alarm.deadline.delay);
        let next = if alarm.look < alarm.due {
            alarm.due
        } else if alarm.is_awaited(owing) {
            put_off
        } else {
            let started = std::mem::replace(&mut alarm.heard, true);
            if started && !alarm.key_waits(owing) {
                return true;
            }
            put_off
        };
        let (lane, look) = (alarm.lane.clone(), std::mem::replace(&mut alarm.look, next));
        alarm.due = next;
        self.unlist(&lane, look, stream);
        self.list(&lane, next, stream);
        self.rows += 1;
        // A lazily moved alarm may be due in truth as well.
        next <= now && self.fires(stream, owing, now)
    }

    /// When the next alarm of a lane after `now` is looked at.
    pub(super) fn next(&self, lane: &GroupLane, now: Timestamp) -> Option<Timestamp> {
        let from = (now.after(std::time::Duration::from_micros(1)), StreamId::keyed("", ""));
        self.looks.get(lane)?.range(from..).next().map(|(look, _)| *look)
    }

    /// The firing of a stream's deadline, if it is due behind the lock.
    pub(super) fn firing(
        &self,
        lane: &GroupLane,
        stream: &StreamId,
        owing: &Owing,
        now: Timestamp,
    ) -> Option<LocalMessage> {
        let alarm = self.all.get(stream).filter(|alarm| alarm.lane == *lane && alarm.heard)?;
        if alarm.look.max(alarm.due) > now || alarm.is_awaited(owing) || alarm.key_waits(owing) {
            return None;
        }
        Some(LocalMessage::Due {
            stream: stream.clone(),
            key: Name::clone(&alarm.deadline.key),
            set_at: alarm.deadline.set_at,
            firing: alarm.firing,
        })
    }

    /// Whether that firing is still to be handled in that lane.
    pub(super) fn stands(&self, lane: &GroupLane, stream: &StreamId, set_at: u64, firing: u64) -> bool {
        self.all.get(stream).is_some_and(|alarm| {
            alarm.lane == *lane && alarm.deadline.set_at == set_at && alarm.firing == firing
        })
    }

    /// The running deadlines, of one key or all.
    pub(super) fn waiting(&self, key: Option<&str>) -> impl Iterator<Item = Waiting> {
        let own = self.all.iter().filter(|(_, alarm)| key.is_none_or(|key| &*alarm.deadline.key == key));
        let own: BTreeMap<&StreamId, &Alarm> = own.collect();
        own.into_iter().map(|(stream, alarm)| Waiting::Deadline {
            lane: alarm.lane.clone(),
            stream: stream.clone(),
            look: alarm.look.max(alarm.due),
        })
    }
}
