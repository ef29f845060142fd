//! Rounds: all contenders once, then all again, so that what disturbs the machine disturbs them alike.

use super::Sample;
use crate::{
    fault::Fault,
    progress::Progress,
    report::{Better, best, median},
};

/// One of those that are compared.
pub struct Contender<'a> {
    /// Its name.
    pub name: String,
    /// Runs it once.
    pub run: Box<dyn FnMut() -> Result<Sample, Fault> + 'a>,
}

impl<'a> Contender<'a> {
    /// Names a run.
    pub fn new(name: &str, run: impl FnMut() -> Result<Sample, Fault> + 'a) -> Self {
        Self { name: name.to_owned(), run: Box::new(run) }
    }
}

/// What a contender's rounds gave.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Whose.
    pub name: String,
    /// One for each round.
    pub samples: Vec<Sample>,
}

impl Series {
    /// The median over all rounds.
    #[must_use]
    pub fn median(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        median(&self.figures(figure)).unwrap_or_default()
    }

    /// The best round.
    #[must_use]
    pub fn best(&self, better: Better, figure: impl Fn(&Sample) -> f64) -> f64 {
        best(&self.figures(figure), better).unwrap_or_default()
    }

    /// The highest pressure under which a round ran.
    #[must_use]
    pub fn pressure(&self) -> Option<f64> {
        self.samples.iter().filter_map(|sample| sample.pressure).reduce(f64::max)
    }

    fn figures(&self, figure: impl Fn(&Sample) -> f64) -> Vec<f64> {
        self.samples.iter().map(figure).collect()
    }
}

/// Runs every contender `rounds` times, A B C A B C.
///
/// # Errors
/// The first [`Fault`] of a contender.
pub fn interleave(
    what: &'static str,
    rounds: usize,
    mut contenders: Vec<Contender<'_>>,
) -> Result<Vec<Series>, Fault> {
    let progress = Progress::new(what, (rounds * contenders.len()) as u64);
    let named = |one: &Contender<'_>| Series { name: one.name.clone(), samples: Vec::new() };
    let mut all: Vec<Series> = contenders.iter().map(named).collect();
    for _ in 0..rounds {
        for (contender, series) in contenders.iter_mut().zip(&mut all) {
            progress.says(&contender.name);
            series.samples.push((contender.run)()?);
            progress.step();
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn contenders_take_turns() {
        let order = RefCell::new(String::new());
        let contender = |name: &str| {
            let (name, order) = (name.to_owned(), &order);
            Contender::new(&name.clone(), move || {
                order.borrow_mut().push_str(&name);
                Ok(Sample { orders: order.borrow().len() as u64, ..Sample::default() })
            })
        };
        let all = interleave("a test", 3, vec![contender("a"), contender("b")]).unwrap();
        assert_eq!(*order.borrow(), "ababab");
        assert_eq!(all[1].median(|sample| sample.orders as f64), 4.0);
        assert_eq!(all[0].best(Better::Lower, |sample| sample.orders as f64), 1.0);
    }
}
