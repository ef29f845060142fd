//! What a turn puts aside: parked messages, and dead letters with their original bytes.

use super::{Job, Origin};
use crate::{
    letters::{REDRIVEN, REPLACED},
    owed,
    rows::{execute, int, one, pack_row},
};
use oms_core::{
    message::{Message, PackId},
    store::{Buried, End, PUBLIC, Parked, StoreError, Verdict, marks, wire::pack_message},
};
use rusqlite::params;

impl Job<'_> {
    pub(super) fn park(&mut self, parked: &[Parked]) -> Result<(), StoreError> {
        for one in parked {
            let next = one.next.map(|wait| self.turn.at.after(wait).0);
            if let Some(seq) = one.again {
                let sql =
                    "UPDATE parked SET error = ?3, attempts = ?4, next = ?5 WHERE seq = ?1 AND hearer = ?2";
                let row = params![int(seq), self.turn.id, &*one.error, one.attempts, next];
                if execute(self.db, sql, row)? == 0 {
                    return Err(StoreError::Conflict);
                }
                continue;
            }
            let (origin, letter) = self.origin(&one.message, one.origin.as_ref());
            let sql = "INSERT INTO parked (hearer, key, pack, place, error, attempts, next, message, letter)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
            let row = params![
                self.turn.id,
                &**one.message.envelope.key.text(),
                origin.map(|(pack, _)| pack),
                origin.map(|(_, place)| place),
                &*one.error,
                one.attempts,
                next,
                pack_message(&one.message),
                letter,
            ];
            execute(self.db, sql, row)?;
            self.after.parked += 1;
        }
        Ok(())
    }

    pub(super) fn bury(&mut self, buried: &[Buried]) -> Result<(), StoreError> {
        for one in buried {
            self.after.buried += 1;
            let (origin, letter) = self.origin(&one.message, one.origin.as_ref());
            if let Some(number) = one.again.map(int).or(letter) {
                let sql = "UPDATE dead SET error = ?3, attempts = ?4, time = ?5, state = 0
                    WHERE number = ?1 AND hearer = ?2";
                let row = params![number, self.turn.id, &*one.error, one.attempts, self.turn.at.0];
                if execute(self.db, sql, row)? == 0 {
                    return Err(StoreError::Conflict);
                }
                continue;
            }
            let sql = "INSERT INTO dead (hearer, kind, pack, place, error, attempts, time, state, message)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8)";
            let row = params![
                self.turn.id,
                &*one.message.envelope.kind,
                origin.map(|(pack, _)| pack),
                origin.map(|(_, place)| place),
                &*one.error,
                one.attempts,
                self.turn.at.0,
                pack_message(&one.message),
            ];
            execute(self.db, sql, row)?;
        }
        Ok(())
    }

    /// Notes what a person decided about dead letters; what the broker never takes is nobody's to redrive.
    pub(super) fn judge(&mut self, judged: &[(u64, Verdict)]) -> Result<(), StoreError> {
        if &*self.turn.lane.group == PUBLIC && !judged.is_empty() {
            return Err(StoreError::Conflict);
        }
        for (number, verdict) in judged {
            let sql = "SELECT pack, place FROM dead WHERE number = ?1 AND hearer = ?2 AND state = 0";
            let origin = one(self.db, sql, params![int(*number), self.turn.id], |row| {
                Ok(row.get::<_, Option<i64>>(0)?.zip(row.get::<_, Option<u16>>(1)?))
            })?;
            let origin = origin.ok_or(StoreError::Conflict)?;
            let state = match verdict {
                Verdict::Redrive => REDRIVEN,
                Verdict::Replace => REPLACED,
            };
            execute(self.db, "UPDATE dead SET state = ?2 WHERE number = ?1", params![int(*number), state])?;
            self.after.buried -= 1;
            if let (Verdict::Replace, Some((pack, place))) = (verdict, origin) {
                // It is owed until the copy is handled.
                owed::settle(
                    self.db,
                    &mut self.after,
                    self.turn.id,
                    pack,
                    &[place],
                    marks::BURIED,
                    End::Parked,
                )?;
            }
        }
        Ok(())
    }

    fn origin(&self, message: &Message, given: Option<&(PackId, u16)>) -> Origin {
        let (known, letter) = self.origins.get(&message.envelope.id).copied().unwrap_or_default();
        let given = given.and_then(|(pack, place)| {
            let sender = self.book.ids.get(&pack.sender)?;
            Some((pack_row(*sender, pack.position), *place))
        });
        (given.or(known), letter)
    }
}
