//! Statements that travel together: prepared once for each connection, sent in one go, answered in one.

use crate::{
    lent::{Late, Lent, Open},
    rows::failed,
};
use futures::future::{join, join_all, join3};
use oms_core::store::StoreError;
use tokio_postgres::{Error, Row, Statement, Transaction, types::ToSql};

/// One parameter of a statement.
pub(crate) type Param = Box<dyn ToSql + Sync + Send>;

/// Parameters in their order.
macro_rules! params {
    ($($one:expr),* $(,)?) => { vec![$(Box::new($one) as $crate::pipe::Param),*] };
}
pub(crate) use params;

/// A statement with its parameters.
pub(crate) struct Step {
    sql: &'static str,
    params: Vec<Param>,
}

impl Step {
    pub(crate) fn new(sql: &'static str, params: Vec<Param>) -> Self {
        Self { sql, params }
    }

    fn borrowed(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.params.iter().map(|one| &**one as &(dyn ToSql + Sync)).collect()
    }
}

/// Statements that are asked together, each known by its place.
#[derive(Default)]
pub(crate) struct Steps(Vec<Step>);

impl Steps {
    pub(crate) fn push(&mut self, sql: &'static str, params: Vec<Param>) -> usize {
        self.0.push(Step::new(sql, params));
        self.0.len() - 1
    }

    /// Adds a statement where it is wanted.
    pub(crate) fn push_if(
        &mut self,
        wanted: bool,
        sql: &'static str,
        params: impl FnOnce() -> Vec<Param>,
    ) -> Option<usize> {
        wanted.then(|| self.push(sql, params()))
    }

    /// Asks all of them over one snapshot, in one round trip; gives the rows of each.
    pub(crate) async fn snapshot(&self, client: &Lent) -> Result<Answers, StoreError> {
        let statements = prepare(client, &self.0).await?;
        let asked = statements
            .iter()
            .zip(&self.0)
            .map(|(statement, step)| async move { client.query(statement, &step.borrowed()).await });
        let begin = client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        let all = async {
            let (begun, answers, ended) = join3(begin, join_all(asked), client.batch_execute("COMMIT")).await;
            begun?;
            let answers = answers.into_iter().collect::<Result<Vec<Vec<Row>>, Error>>()?;
            ended?;
            Ok(Answers(answers))
        };
        client.answer(all).await
    }

    /// Runs all of them in one transaction, in one round trip; gives how many rows each changed. The first error is the cause
    /// of all others, and nothing stays.
    pub(crate) async fn commit(&self, client: &Lent) -> Result<Result<Vec<u64>, Error>, Late> {
        let statements = match client.wait(prepare_raw(client, &self.0)).await? {
            Ok(statements) => statements,
            Err(error) => return Ok(Err(error)),
        };
        let done = statements
            .iter()
            .zip(&self.0)
            .map(|(statement, step)| async move { client.execute(statement, &step.borrowed()).await });
        let all = async {
            let (begun, done, ended) =
                join3(client.batch_execute("BEGIN"), join_all(done), client.batch_execute("COMMIT")).await;
            begun?;
            let done = done.into_iter().collect::<Result<Vec<u64>, Error>>()?;
            ended?;
            Ok(done)
        };
        client.wait(all).await
    }

    /// As [`Steps::commit`], with what went wrong sorted.
    pub(crate) async fn done(&self, client: &Lent) -> Result<Vec<u64>, StoreError> {
        self.commit(client).await.map_err(StoreError::unavailable)?.map_err(failed)
    }

    /// Asks all of them within somebody's own transaction; each sees what is committed when its turn comes.
    pub(crate) async fn asked_in(&self, transaction: &Transaction<'_>) -> Result<Answers, StoreError> {
        let statements = prepare_in(transaction, &self.0).await?;
        let asked = statements
            .iter()
            .zip(&self.0)
            .map(|(statement, step)| async move { transaction.query(statement, &step.borrowed()).await });
        let answers: Result<Vec<Vec<Row>>, Error> = join_all(asked).await.into_iter().collect();
        Ok(Answers(answers.map_err(failed)?))
    }

    /// Runs all of them within somebody's own transaction.
    pub(crate) async fn done_in(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let statements = prepare_in(transaction, &self.0).await?;
        let done = statements
            .iter()
            .zip(&self.0)
            .map(|(statement, step)| async move { transaction.execute(statement, &step.borrowed()).await });
        let done: Result<Vec<u64>, Error> = join_all(done).await.into_iter().collect();
        done.map(drop).map_err(failed)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Rows by the place of their statement.
pub(crate) struct Answers(Vec<Vec<Row>>);

impl Answers {
    pub(crate) fn of(&self, place: usize) -> &[Row] {
        self.0.get(place).map(Vec::as_slice).unwrap_or_default()
    }

    /// Of a statement that may not have been asked.
    pub(crate) fn of_some(&self, place: Option<usize>) -> &[Row] {
        place.map(|place| self.of(place)).unwrap_or_default()
    }
}

async fn prepare_raw(client: &Lent, steps: &[Step]) -> Result<Vec<Statement>, Error> {
    // Before anything is begun: a statement that has to be prepared first would come too late for its transaction.
    let mut statements = Vec::with_capacity(steps.len());
    for step in steps {
        statements.push(client.prepare_cached(step.sql).await?);
    }
    Ok(statements)
}

async fn prepare_in(transaction: &Transaction<'_>, steps: &[Step]) -> Result<Vec<Statement>, StoreError> {
    let prepared = join_all(steps.iter().map(|step| transaction.prepare(step.sql))).await;
    prepared.into_iter().collect::<Result<_, _>>().map_err(failed)
}

async fn prepare(client: &Lent, steps: &[Step]) -> Result<Vec<Statement>, StoreError> {
    client.answer(prepare_raw(client, steps)).await
}

/// Asks one statement.
pub(crate) async fn rows(
    client: &Lent,
    sql: &'static str,
    params: Vec<Param>,
) -> Result<Vec<Row>, StoreError> {
    let step = Step::new(sql, params);
    let statement = client.answer(client.prepare_cached(sql)).await?;
    client.answer(client.query(&statement, &step.borrowed())).await
}

/// Runs one statement; gives how many rows it changed.
pub(crate) async fn execute(client: &Lent, sql: &'static str, params: Vec<Param>) -> Result<u64, StoreError> {
    let step = Step::new(sql, params);
    let statement = client.answer(client.prepare_cached(sql)).await?;
    client.answer(client.execute(&statement, &step.borrowed())).await
}

/// Two questions at once.
pub(crate) async fn both<A, B>(
    one: impl Future<Output = Result<A, StoreError>>,
    other: impl Future<Output = Result<B, StoreError>>,
) -> Result<(A, B), StoreError> {
    let (one, other) = join(one, other).await;
    Ok((one?, other?))
}

/// Asks one statement within a transaction.
pub(crate) async fn query(
    transaction: &Open<'_>,
    sql: &'static str,
    params: Vec<Param>,
) -> Result<Vec<Row>, StoreError> {
    let step = Step::new(sql, params);
    let statement = transaction.answer(transaction.prepare_cached(sql)).await?;
    transaction.answer(transaction.query(&statement, &step.borrowed())).await
}

/// Runs one statement within a transaction; gives how many rows it changed.
pub(crate) async fn run(
    transaction: &Open<'_>,
    sql: &'static str,
    params: Vec<Param>,
) -> Result<u64, StoreError> {
    let step = Step::new(sql, params);
    let statement = transaction.answer(transaction.prepare_cached(sql)).await?;
    transaction.answer(transaction.execute(&statement, &step.borrowed())).await
}
