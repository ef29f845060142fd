//! What a turn takes away: each of it must still be there, else it is a conflict (rule 8).

use super::{Job, Origin};
use crate::{
    alarm,
    letters::{HANDLED, REDRIVEN, REDRIVEN_PARKED},
    owed,
    rows::{blob, execute, int, name, one, pack_row},
    wishes,
};
use bytes::Bytes;
use oms_core::{
    gateway::EffectKey,
    message::PackId,
    store::{
        Consumed, End, StoreError, Then, Writes,
        marks::{BURIED, LEFT, PARKED},
        wire::unpack_message,
    },
};
use rusqlite::{Row, params};

/// A message that was put aside: its bytes, where it came from, and the dead letter that it is.
type Aside = (Bytes, Option<(i64, u16)>, Option<i64>);

fn aside(row: &Row<'_>) -> rusqlite::Result<Aside> {
    let pack: Option<i64> = row.get(1)?;
    let place: Option<u16> = row.get(2)?;
    Ok((blob(row, 0)?, pack.zip(place), row.get(3)?))
}

impl Job<'_> {
    pub(super) fn consume(&mut self, writes: &Writes) -> Result<(), StoreError> {
        for one in &writes.consumed {
            match one {
                Consumed::Owed { pack, indexes, end } => self.owed(pack, indexes, *end)?,
                Consumed::Due { stream, set_at, firing } => {
                    let set_again = writes.alarms.contains(stream);
                    alarm::fire(self.db, stream, (*set_at, *firing), self.turn.id, set_again)?;
                }
                Consumed::Released { seq, end } => self.released(*seq, *end)?,
                Consumed::Redriven { number, end } => self.redriven(*number, *end)?,
                Consumed::Answered { effect, then } => self.answered(effect, *then)?,
            }
        }
        Ok(())
    }

    fn owed(&mut self, pack: &PackId, indexes: &[u16], end: End) -> Result<(), StoreError> {
        let sender = self.book.ids.get(&pack.sender).copied().ok_or(StoreError::Conflict)?;
        let row = pack_row(sender, pack.position);
        owed::settle(self.db, &mut self.after, self.turn.id, row, indexes, LEFT, end)
    }

    fn released(&mut self, seq: u64, end: End) -> Result<(), StoreError> {
        let sql = "SELECT message, pack, place, letter FROM parked WHERE seq = ?1 AND hearer = ?2";
        let found = one(self.db, sql, params![int(seq), self.turn.id], aside)?;
        let (message, origin, letter) = found.ok_or(StoreError::Conflict)?;
        if end == End::Parked {
            // Its row is changed with the message's new error, and stays where it is.
            return Ok(());
        }
        execute(self.db, "DELETE FROM parked WHERE seq = ?1", params![int(seq)])?;
        self.after.parked -= 1;
        if let (Some(letter), End::Handled) = (letter, end) {
            execute(self.db, "UPDATE dead SET state = 2 WHERE number = ?1", params![letter])?;
        }
        self.came_from(&message, (origin, letter), PARKED, end)
    }

    fn redriven(&mut self, number: u64, end: End) -> Result<(), StoreError> {
        let sql =
            "SELECT message, pack, place, number FROM dead WHERE number = ?1 AND hearer = ?2 AND state = 1";
        let found = one(self.db, sql, params![int(number), self.turn.id], aside)?;
        let (message, origin, letter) = found.ok_or(StoreError::Conflict)?;
        let state = match end {
            End::Handled => HANDLED,
            // The parked message stands for it until it is released.
            End::Parked => REDRIVEN_PARKED,
            // Opened again with the message's new error.
            End::Buried => REDRIVEN,
        };
        if end != End::Buried {
            execute(self.db, "UPDATE dead SET state = ?2 WHERE number = ?1", params![int(number), state])?;
        }
        self.came_from(&message, (origin, letter), BURIED, end)
    }

    /// Settles the owed place that a message stayed tied to, and remembers it for where the message goes.
    fn came_from(&mut self, message: &[u8], origin: Origin, mark: u8, end: End) -> Result<(), StoreError> {
        self.origins.insert(unpack_message(message)?.envelope.id, origin);
        let Some((pack, place)) = origin.0 else { return Ok(()) };
        if owed::find(self.db, self.turn.id, pack)?.is_some_and(|row| row.marks.of(place) == mark) {
            owed::settle(self.db, &mut self.after, self.turn.id, pack, &[place], mark, end)?;
        }
        Ok(())
    }

    /// Whatever comes after an answer, its wish must still stand.
    fn answered(&mut self, key: &EffectKey, then: Then) -> Result<(), StoreError> {
        let (again, heard) = match then {
            Then::Gone => return self.end(key),
            Then::Kept if wishes::stands(self.db, self.turn.id, key)? => return Ok(()),
            Then::Kept => return Err(StoreError::Conflict),
            Then::LetGo { again, heard } => (again, heard),
        };
        let look = self.turn.at.after(again);
        let sql = "UPDATE effect SET look = ?5, heard = ?6, calls = 0
            WHERE ord = ?1 AND step = ?2 AND attempt = ?3 AND lane = ?4 RETURNING gateway";
        let heard = heard.0.to_be_bytes();
        let row = params![&*key.order, &*key.step, key.attempt, self.turn.id, look.0, heard];
        let gateway = one(self.db, sql, row, |row| name(row, 0))?.ok_or(StoreError::Conflict)?;
        self.after.parted.push(key.clone());
        self.after.looks.push(((self.turn.id, gateway), look));
        Ok(())
    }
}
