//! `cqrs-es` over `postgres-es`: its repository, with its own table.

use crate::peer::{KIND, Peer, body, database, fresh, pool};
use anyhow::Result;
use cqrs_es::{
    Aggregate,
    doc::Customer,
    persist::{PersistedEventRepository, SerializedEvent},
};
use oms_servers::Server;
use postgres_es::PostgresEventRepository;
use sqlx::Executor;

/// Its table, as its own `db/init.sql` makes it.
const TABLE: &str = "CREATE TABLE events (aggregate_type text NOT NULL, aggregate_id text NOT NULL,
    sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL, event_version text NOT NULL, payload json NOT NULL,
    metadata json NOT NULL, PRIMARY KEY (aggregate_type, aggregate_id, sequence))";

pub struct Cqrs {
    repository: PostgresEventRepository,
    body: serde_json::Value,
}

/// A worker's stream, and how many events it has.
pub struct Appending {
    stream: String,
    events: usize,
}

impl Cqrs {
    pub async fn open(server: &Server) -> Result<Self> {
        let pool = pool(&database(server, "cqrs").await?).await?;
        pool.execute(TABLE).await?;
        Ok(Self { repository: PostgresEventRepository::new(pool), body: body() })
    }
}

impl Peer for Cqrs {
    type Stream = Appending;

    fn name(&self) -> &'static str {
        "cqrs-es 0.5, postgres-es 0.5"
    }

    fn stream(&self, _: usize) -> Appending {
        Appending { stream: fresh(), events: 0 }
    }

    async fn append(&self, appending: &mut Appending) -> Result<()> {
        appending.events += 1;
        let event = SerializedEvent::new(
            appending.stream.clone(),
            appending.events,
            Customer::TYPE.to_owned(),
            KIND.to_owned(),
            "1.0".to_owned(),
            self.body.clone(),
            serde_json::json!({}),
        );
        // It asks for a type only to name its events.
        self.repository.persist::<Customer>(&[event], None).await?;
        Ok(())
    }
}
