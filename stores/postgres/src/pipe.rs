//! Statements that travel together: prepared once for each connection, sent in one go, answered in one.

use crate::{
    lent::{Late, Lent, Open},
    rows::{failed, uint},
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
    pub(crate) async fn look(&self, client: &Lent) -> Result<Result<Answers, Error>, Late> {
        let statements = match client.wait(prepare(client, &self.0)).await? {
            Ok(statements) => statements,
            Err(error) => return Ok(Err(error)),
        };
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
        client.wait(all).await
    }

    /// As [`Steps::look`], with what went wrong sorted.
    pub(crate) async fn snapshot(&self, client: &Lent) -> Result<Answers, StoreError> {
        self.look(client).await.map_err(StoreError::unavailable)?.map_err(failed)
    }

    /// Runs all of them in one transaction, in one round trip; gives how many rows each changed. The first error is the cause
    /// of all others, and nothing stays.
    pub(crate) async fn done(&self, client: &Lent) -> Result<Vec<u64>, StoreError> {
        let statements = client.answer(prepare(client, &self.0)).await?;
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
        client.answer(all).await
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

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Functions of the schema that are called in their order by one statement, which is a transaction of its own.
#[derive(Default)]
pub(crate) struct Calls {
    /// The calls as they are written.
    text: String,
    params: Vec<Param>,
    many: usize,
}

impl Calls {
    /// Adds a call; gives its place.
    pub(crate) fn push(&mut self, function: &str, params: Vec<Param>) -> usize {
        let places = (1..=params.len()).map(|place| format!("${}", self.params.len() + place));
        let places = places.collect::<Vec<_>>().join(", ");
        let before = if self.many == 0 { "SELECT " } else { ", " };
        self.text.push_str(&format!("{before}{function}({places})"));
        self.params.extend(params);
        self.many += 1;
        self.many - 1
    }

    /// Adds a call where it is wanted.
    pub(crate) fn push_if(
        &mut self,
        wanted: bool,
        function: &str,
        params: impl FnOnce() -> Vec<Param>,
    ) -> Option<usize> {
        wanted.then(|| self.push(function, params()))
    }

    fn borrowed(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.params.iter().map(|one| &**one as &(dyn ToSql + Sync)).collect()
    }

    /// What each call gave.
    fn given(&self, row: &Row) -> Result<Vec<u64>, Error> {
        (0..self.many).map(|place| Ok(uint(row.try_get(place)?))).collect()
    }

    /// Calls all of them; gives how many rows each changed. After an error nothing stays.
    pub(crate) async fn commit(&self, client: &Lent) -> Result<Result<Vec<u64>, Error>, Late> {
        let all = async {
            let statement = client.prepare_cached(&self.text).await?;
            self.given(&client.query_one(&statement, &self.borrowed()).await?)
        };
        client.wait(all).await
    }

    /// Calls all of them within somebody's own transaction.
    pub(crate) async fn done_in(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        transaction.query_one(&*self.text, &self.borrowed()).await.map(drop).map_err(failed)
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

async fn prepare(client: &Lent, steps: &[Step]) -> Result<Vec<Statement>, Error> {
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
