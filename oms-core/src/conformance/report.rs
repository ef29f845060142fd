//! What a suite is made of: checks, the runner that asks each of them, and the report that hides none.

use crate::clock::Clock;
use futures::{
    future::{BoxFuture, Either, select},
    pin_mut,
};
use std::{error::Error, fmt, time::Duration};

/// Why a check failed, for people.
///
/// Made from any error by `?`, causes included, or from a sentence by [`Failure::new`].
#[derive(Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// Fails with a sentence.
    #[must_use]
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    /// The sentence.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut why = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            why = format!("{why}: {cause}");
            source = cause.source();
        }
        Self(why)
    }
}

/// What one check found.
pub type Finding = Result<(), Failure>;

/// Fails with `why` unless `holds`.
///
/// # Errors
/// [`Failure`] when it does not hold.
pub fn ensure<W: Into<String>>(holds: bool, why: impl FnOnce() -> W) -> Finding {
    if holds { Ok(()) } else { Err(Failure::new(why())) }
}

/// One sentence of a port's contract, and the function that tries to prove it wrong.
///
/// `H` is the suite's harness, `N` what a check may need and a harness may declare absent.
pub struct Check<H: ?Sized + 'static, N: 'static> {
    /// Short and stable, such as `D1`.
    pub id: &'static str,
    /// The sentence.
    pub name: &'static str,
    /// Without any of these it is not applicable; what is not declared absent must work.
    pub needs: &'static [N],
    /// Asks.
    pub run: for<'a> fn(&'a H) -> BoxFuture<'a, Finding>,
}

/// What became of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The sentence holds.
    Passed,
    /// It does not, and why; also when the check did not end in its time.
    Failed(String),
    /// What it needs was declared absent.
    NotApplicable(String),
}

/// One check in a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The check's id.
    pub id: &'static str,
    /// The check's sentence.
    pub name: &'static str,
    /// What became of it.
    pub verdict: Verdict,
}

/// Every check of a suite, in order, each with its verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One line per check.
    pub lines: Vec<Line>,
}

impl Report {
    /// The lines that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| matches!(line.verdict, Verdict::Failed(_)))
    }

    /// How many passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.lines.iter().filter(|line| line.verdict == Verdict::Passed).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { id, name, verdict } in &self.lines {
            match verdict {
                Verdict::Passed => writeln!(out, "passed          {id:<4} {name}")?,
                Verdict::Failed(why) => writeln!(out, "FAILED          {id:<4} {name}: {why}")?,
                Verdict::NotApplicable(need) => writeln!(out, "not applicable  {id:<4} {name} (no {need})")?,
            }
        }
        Ok(())
    }
}

/// Runs every check, one after another, each for at most `patience` by `clock`.
///
/// `has` says whether a need is there. A check that hangs fails; none is left out.
/// Dropped half-way, the running check is dropped with it, and what it left on a server stays there.
pub async fn run<H, N>(
    harness: &H,
    checks: &[Check<H, N>],
    clock: &dyn Clock,
    patience: Duration,
    has: impl Fn(&N) -> bool,
) -> Report
where
    H: ?Sized,
    N: fmt::Display,
{
    let mut report = Report::default();
    for check in checks {
        let verdict = match check.needs.iter().find(|need| !has(need)) {
            Some(need) => Verdict::NotApplicable(need.to_string()),
            None => within(clock, patience, (check.run)(harness)).await,
        };
        report.lines.push(Line { id: check.id, name: check.name, verdict });
    }
    report
}

async fn within(clock: &dyn Clock, patience: Duration, check: BoxFuture<'_, Finding>) -> Verdict {
    let sleep = clock.sleep(patience);
    pin_mut!(check, sleep);
    match select(check, sleep).await {
        Either::Left((Ok(()), _)) => Verdict::Passed,
        Either::Left((Err(failure), _)) => Verdict::Failed(failure.0),
        Either::Right(_) => Verdict::Failed(format!("not done after {patience:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Stage;
    use futures::FutureExt;

    fn check(name: &'static str, needs: &'static [&'static str], run: Run) -> Check<(), &'static str> {
        Check { id: "T1", name, needs, run }
    }

    type Run = for<'a> fn(&'a ()) -> BoxFuture<'a, Finding>;

    #[test]
    fn no_check_passes_in_silence() {
        let stage = Stage::default();
        let checks = [
            check("holds", &[], |()| async { Ok(()) }.boxed()),
            check("does not", &[], |()| async { Err(Failure::new("broken")) }.boxed()),
            check("hangs", &[], |()| futures::future::pending().boxed()),
            check("cannot run", &["wings"], |()| async { Ok(()) }.boxed()),
        ];
        let clock = stage.clock();
        let report = run(&(), &checks, &clock, Duration::from_secs(60), |need| *need != "wings");
        let report = stage.run(report).unwrap();
        let verdicts: Vec<_> = report.lines.iter().map(|line| line.verdict.clone()).collect();
        let failed = |why: &str| Verdict::Failed(why.to_owned());
        let absent = Verdict::NotApplicable("wings".to_owned());
        assert_eq!(verdicts, [Verdict::Passed, failed("broken"), failed("not done after 60s"), absent]);
        assert_eq!((report.passed(), report.failed().count()), (1, 2));
    }
}
