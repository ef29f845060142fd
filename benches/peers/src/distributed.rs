//! `distributed`: its repository, which commits what an entity has recorded.

use crate::peer::{KIND, Peer, body, database, fresh};
use anyhow::Result;
use distributed::{
    CommitBatch, Entity, PostgresRepository, StreamIdentity, StreamWrite, TransactionalCommit,
};
use oms_servers::Server;

pub struct Distributed {
    repository: PostgresRepository,
    body: String,
}

impl Distributed {
    pub async fn open(server: &Server) -> Result<Self> {
        let repository =
            PostgresRepository::connect_and_migrate(&database(server, "distributed").await?).await?;
        Ok(Self { repository, body: body().to_string() })
    }
}

impl Peer for Distributed {
    type Stream = Entity;

    fn name(&self) -> &'static str {
        "distributed 4.12"
    }

    fn stream(&self, _: usize) -> Entity {
        Entity::with_id(fresh())
    }

    async fn append(&self, entity: &mut Entity) -> Result<()> {
        entity.digest(KIND, &self.body)?;
        let identity = StreamIdentity::new("order", entity.id())?;
        self.repository.commit_batch(CommitBatch::new(vec![StreamWrite::new(identity, entity)])).await?;
        // As its own aggregate repository does: what is committed is let go of, so that an entity does not grow with its history.
        entity.mark_committed();
        Ok(())
    }
}
