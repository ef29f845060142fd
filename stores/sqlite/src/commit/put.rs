//! What a turn adds: rows of streams, packs with what is owed of them, wishes.

use super::Job;
use crate::{
    alarm,
    known::Wish,
    present::present,
    rows::{execute, int, one, pack_row, rank, uint},
};
use oms_core::{
    gateway::{Effect, EffectKey},
    message::Pack,
    store::{StoreError, StreamId, Write, wire::pack_events},
};
use rusqlite::params;

impl Job<'_> {
    pub(super) fn streams(&mut self, writes: &[Write], alarms: &[StreamId]) -> Result<(), StoreError> {
        for write in writes {
            self.append(write)?;
            if alarms.contains(&write.stream) {
                let deadline = write.next.deadline.as_ref();
                let lane = deadline.map(|deadline| alarm::lane_of(deadline, self.book.lanes));
                let hearer = lane.and_then(|lane| self.book.ids.get(&lane).copied()).unwrap_or(self.turn.id);
                alarm::follow(self.db, &write.stream, deadline, hearer, self.turn.at)?;
            }
        }
        Ok(())
    }

    fn append(&self, write: &Write) -> Result<(), StoreError> {
        let id = &write.stream;
        let sql = "SELECT version, fixed_at FROM event WHERE kind = ?1 AND stream = ?2 AND rank = ?3
            ORDER BY version DESC LIMIT 1";
        let newest = one(self.db, sql, params![&*id.kind, &*id.id, rank(id.rank)], |row| {
            Ok((uint(row.get(0)?), row.get::<_, Option<i64>>(1)?))
        })?;
        let (version, fixed_at) = newest.unwrap_or_default();
        if version != write.expected {
            return Err(StoreError::Conflict);
        }
        let next = &write.next;
        let fixed = next.fixed.as_deref().filter(|_| write.fixed_is_new);
        let fixed_at = if fixed.is_some() { Some(int(next.version)) } else { fixed_at };
        let deadline = next.deadline.as_ref().map(serde_json::to_string).transpose();
        let sql = "INSERT INTO event (kind, rank, stream, version, lane, position, time, schema, fixed_at, deadline,
            state, events, fixed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
        let row = params![
            &*id.kind,
            rank(id.rank),
            &*id.id,
            int(next.version),
            self.turn.id,
            int(self.turn.position),
            self.turn.now.0,
            next.schema,
            fixed_at,
            deadline.map_err(StoreError::refused)?,
            next.state.as_deref(),
            pack_events(&write.events, &write.causes),
            fixed,
        ];
        execute(self.db, sql, row).map(drop)
    }

    pub(super) fn packs(&mut self, packs: &[Pack]) -> Result<(), StoreError> {
        packs.iter().try_for_each(|pack| self.send(pack))
    }

    fn send(&mut self, pack: &Pack) -> Result<(), StoreError> {
        let hears = present(&self.turn.shared).hears.clone();
        let groups = hears.iter().filter(|(_, topics)| topics.contains(&pack.topic)).map(|(group, _)| group);
        let hearers: Vec<i64> = groups.filter_map(|group| self.book.id(group, pack.lane)).collect();
        if hearers.is_empty() {
            return Ok(());
        }
        let row = pack_row(self.turn.id, pack.id.position);
        let keys: Vec<u8> = pack.keys.iter().flat_map(|key| key.to_be_bytes()).collect();
        let (since, bytes) = (self.turn.at.0, &pack.bytes[..]);
        // A pack that only one lane hears is its own owed row.
        let sole = if let [hearer] = hearers[..] { Some(hearer) } else { None };
        let sql = "INSERT INTO pack (id, topic, lane, hearer, since, keys, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        execute(self.db, sql, params![row, &*pack.topic, pack.lane, sole, since, keys, bytes])?;
        let sql =
            "INSERT INTO shared (hearer, pack, topic, since, size, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        for hearer in hearers {
            if sole.is_none() {
                let (size, count) = (int(bytes.len() as u64), int(pack.keys.len() as u64));
                execute(self.db, sql, params![hearer, row, &*pack.topic, since, size, count])?;
            }
            self.after.owed += 1;
            self.after.keys.extend(pack.keys.iter().map(|key| (hearer, *key, 1)));
        }
        Ok(())
    }

    pub(super) fn wish(&mut self, effects: &[Effect]) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO effect (ord, step, attempt, lane, gateway, kind, stream, rank, cause, request, look)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING";
        for effect in effects {
            let (key, id, look) = (&effect.key, &effect.stream, self.turn.at);
            let known = present(&self.turn.shared).known.has_room(self.after.wished.len());
            let row = params![
                &*key.order,
                &*key.step,
                key.attempt,
                self.turn.id,
                &*effect.gateway,
                &*id.kind,
                &*id.id,
                rank(id.rank),
                effect.cause.0.to_be_bytes(),
                &effect.request[..],
                (!known).then_some(look.0),
            ];
            if execute(self.db, sql, row)? == 0 {
                continue;
            }
            self.after.effects += 1;
            let queue = (self.turn.id, effect.gateway.clone());
            if !known {
                self.after.looks.push((queue, look));
                continue;
            }
            let row = self.db.last_insert_rowid();
            let wish = Wish { row, queue, stream: id.clone(), look, claimed: false, maybe_told: false };
            self.after.wished.push((key.clone(), wish));
        }
        Ok(())
    }

    pub(super) fn withdraw(&mut self, keys: &[EffectKey]) -> Result<(), StoreError> {
        for key in keys {
            if !present(&self.turn.shared).known.is_untold(key) {
                return Err(StoreError::Conflict);
            }
            self.end(key)?;
        }
        Ok(())
    }

    /// Ends a wish, which must still be there.
    pub(super) fn end(&mut self, key: &EffectKey) -> Result<(), StoreError> {
        let sql = "DELETE FROM effect WHERE ord = ?1 AND step = ?2 AND attempt = ?3 AND lane = ?4";
        if execute(self.db, sql, params![&*key.order, &*key.step, key.attempt, self.turn.id])? == 0 {
            return Err(StoreError::Conflict);
        }
        self.after.effects -= 1;
        self.after.gone.push(key.clone());
        Ok(())
    }
}
