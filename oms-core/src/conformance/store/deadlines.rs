//! Checks of deadlines (rule 3).

use super::{
    check::Check,
    kit::{Checked, Kit, LONG, SECOND, conflict, ensure, lane, local, pack, same, taking, watching, write},
};
use crate::{
    id::{Name, StreamId},
    message::PackId,
    store::{Ask, Consumed, Deadline, End, Local, LocalMessage, WaitsFor, Writes},
};

pub(super) const CHECKS: &[Check] = &[
    Check::new("due-1", "a deadline fires after its time, once, in the lane of the group it names", |kit| {
        Box::pin(fires(kit))
    }),
    Check::new(
        "due-2",
        "while its message is owed, parked included, it is put off; and once more when heard",
        |kit| Box::pin(waits(kit)),
    ),
    Check::new("due-3", "a buried message holds no deadline up", |kit| Box::pin(buried(kit))),
    Check::new("due-4", "while anything of its key is owed to its own group it is put off", |kit| {
        Box::pin(backlog(kit))
    }),
    Check::new("due-5", "a newer deadline replaces the older, and clearing removes it", |kit| {
        Box::pin(replaced(kit))
    }),
];

fn thing() -> StreamId {
    StreamId::keyed("thing", "k")
}

fn deadline(set_at: u64, waits_for: Option<&PackId>) -> Deadline {
    Deadline {
        set_at,
        delay: LONG,
        waits_for: waits_for.map(|pack| WaitsFor { pack: pack.clone(), index: 0, group: Name::from("beta") }),
        key: Name::from("k"),
        group: Name::from("alpha"),
    }
}

/// Sets a deadline that waits for a message sent in the same turn, which `alpha` hears too and has handled.
async fn awaiting(kit: &Kit<'_>) -> Result<PackId, super::kit::Failure> {
    let place = lane("place", "k");
    let mut turn = kit.turn(&place, Ask::default()).await?;
    let pack = pack(&place, turn.found().position, "news", &["k"])?;
    let id = pack.id.clone();
    let writes = watching(write(&thing(), 0, 1), Some(deadline(1, Some(&id))));
    turn.commit(Writes { packs: vec![pack], ..writes }).await?;
    kit.end(&lane("alpha", "k"), &id, &[0], End::Handled).await?;
    Ok(id)
}

async fn quiet(kit: &Kit<'_>, when: &str) -> Checked {
    same(when, kit.due(&lane("alpha", "k")).await?, Vec::new())
}

async fn fires(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    kit.commit(&lane("place", "k"), watching(write(&thing(), 0, 1), Some(deadline(1, None)))).await?;
    kit.clock.advance(LONG - SECOND);
    let (due, next) = kit.store.due(std::slice::from_ref(&alpha), 9).await?;
    same("too early", due, Vec::new())?;
    same("the next", next, Some(SECOND))?;
    kit.clock.advance(SECOND);
    same("in another lane", kit.due(&lane("place", "k")).await?, Vec::new())?;
    same("due", kit.due(&alpha).await?, vec![Local::Due(thing())])?;
    let found = kit.find(&alpha, local(Local::Due(thing()))).await?.local;
    let should = LocalMessage::Due { stream: thing(), key: Name::from("k"), set_at: 1, firing: 1 };
    same("behind the lock", found, vec![should])?;
    let firing = || taking(Consumed::Due { stream: thing(), set_at: 1, firing: 1 });
    kit.commit(&alpha, firing()).await?;
    conflict("fired twice", kit.commit(&alpha, firing()).await)?;
    kit.nothing_left().await
}

async fn waits(kit: &Kit<'_>) -> Checked {
    let pack = awaiting(kit).await?;
    let beta = lane("beta", "k");
    kit.clock.advance(LONG);
    quiet(kit, "while it is owed").await?;
    kit.park(&beta, (&pack, 0, "k"), Some(SECOND)).await?;
    kit.clock.advance(LONG);
    quiet(kit, "while it is parked").await?;
    let due = kit.due(&beta).await?;
    let Some(Local::Released(seq)) = due.first() else { return ensure(false, "nothing to release") };
    kit.commit(&beta, taking(Consumed::Released { seq: *seq, end: End::Handled })).await?;
    kit.clock.advance(LONG);
    quiet(kit, "at the first look that finds it heard").await?;
    kit.clock.advance(LONG - SECOND);
    quiet(kit, "before its full length").await?;
    kit.clock.advance(SECOND);
    same("then", kit.due(&lane("alpha", "k")).await?, vec![Local::Due(thing())])
}

async fn buried(kit: &Kit<'_>) -> Checked {
    let pack = awaiting(kit).await?;
    kit.end(&lane("beta", "k"), &pack, &[0], End::Buried).await?;
    kit.clock.advance(LONG);
    quiet(kit, "at the first look").await?;
    kit.clock.advance(LONG);
    same("then", kit.due(&lane("alpha", "k")).await?, vec![Local::Due(thing())])
}

async fn backlog(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    kit.commit(&alpha, watching(write(&thing(), 0, 1), Some(deadline(1, None)))).await?;
    let pack = kit.send(&lane("beta", "k"), "gossip", &["k"]).await?;
    kit.clock.advance(LONG);
    quiet(kit, "while its key is owed").await?;
    kit.end(&alpha, &pack, &[0], End::Handled).await?;
    quiet(kit, "before its full length").await?;
    kit.clock.advance(LONG);
    same("then", kit.due(&alpha).await?, vec![Local::Due(thing())])?;
    let late = kit.send(&lane("beta", "k"), "gossip", &["k"]).await?;
    let found = kit.find(&alpha, local(Local::Due(thing()))).await?.local;
    same("behind the lock, with a message before it", found, Vec::new())?;
    kit.end(&alpha, &late, &[0], End::Handled).await
}

async fn replaced(kit: &Kit<'_>) -> Checked {
    let alpha = lane("alpha", "k");
    kit.commit(&alpha, watching(write(&thing(), 0, 1), Some(deadline(1, None)))).await?;
    kit.clock.advance(LONG - SECOND);
    kit.commit(&alpha, watching(write(&thing(), 1, 1), Some(deadline(2, None)))).await?;
    kit.clock.advance(SECOND);
    quiet(kit, "at the older's time").await?;
    let old = taking(Consumed::Due { stream: thing(), set_at: 1, firing: 1 });
    conflict("the older's firing", kit.commit(&alpha, old).await)?;
    kit.clock.advance(LONG - SECOND);
    same("the newer", kit.due(&alpha).await?, vec![Local::Due(thing())])?;
    kit.commit(&alpha, watching(write(&thing(), 2, 1), None)).await?;
    quiet(kit, "after it was cleared").await?;
    kit.nothing_left().await
}
