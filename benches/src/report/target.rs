//! Targets: what a figure should reach, and by how much it falls short.

use std::fmt;

/// The side on which a figure must lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// This much, or more.
    AtLeast(f64),
    /// This much, or less.
    AtMost(f64),
}

impl Bound {
    /// By how many percent of the bound a figure falls short of it; `None` when it is met.
    ///
    /// ```
    /// use oms_benches::report::Bound;
    /// assert_eq!(Bound::AtLeast(0.5).missed_by(0.4).map(f64::round), Some(20.0));
    /// assert_eq!(Bound::AtMost(50.0).missed_by(44.0), None);
    /// ```
    #[must_use]
    pub fn missed_by(self, figure: f64) -> Option<f64> {
        let (over, bound) = match self {
            Self::AtLeast(bound) => (bound - figure, bound),
            Self::AtMost(bound) => (figure - bound, bound),
        };
        (over > 0.0).then(|| over / bound.abs().max(f64::MIN_POSITIVE) * 100.0)
    }
}

/// What a figure should reach.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The figure that is held against the bound.
    pub figure: f64,
    /// The bound.
    pub bound: Bound,
    /// What the figure is: "of the pipeline", "rows per order".
    pub what: String,
}

impl Target {
    /// Holds `figure` against `bound`.
    #[must_use]
    pub fn new(figure: f64, bound: Bound, what: &str) -> Self {
        Self { figure, bound, what: what.to_owned() }
    }

    /// By how many percent it is missed; `None` when it is met.
    #[must_use]
    pub fn missed_by(&self) -> Option<f64> {
        self.bound.missed_by(self.figure)
    }

    /// What is asked for, without the figure.
    #[must_use]
    pub fn asked(&self) -> String {
        match self.bound {
            Bound::AtLeast(bound) => format!("at least {} {}", short(bound), self.what),
            Bound::AtMost(bound) => format!("at most {} {}", short(bound), self.what),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (asked, found) = (self.asked(), short(self.figure));
        match self.missed_by() {
            None => write!(out, "met: {asked}: {found}"),
            Some(percent) => write!(out, "MISSED by {} %: {asked}: {found}", short(percent)),
        }
    }
}

/// Writes a figure with three digits that count, and no fraction where it is large.
#[must_use]
pub fn short(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_met_on_its_own_side_and_when_it_is_touched() {
        assert_eq!(Bound::AtLeast(8.0).missed_by(8.0), None);
        assert_eq!(Bound::AtMost(8.0).missed_by(8.0), None);
        assert_eq!(Bound::AtLeast(8.0).missed_by(6.0), Some(25.0));
        assert_eq!(Bound::AtMost(8.0).missed_by(10.0), Some(25.0));
    }

    #[test]
    fn a_missed_target_says_by_how_much() {
        let target = Target::new(0.3, Bound::AtLeast(0.5), "of the pipeline");
        assert_eq!(target.to_string(), "MISSED by 40.0 %: at least 0.50 of the pipeline: 0.30");
        let target = Target::new(44.0, Bound::AtMost(50.0), "rows per order");
        assert_eq!(target.to_string(), "met: at most 50.0 rows per order: 44.0");
    }

    #[test]
    fn large_figures_have_no_fraction() {
        assert_eq!([12_345.6, 99.94, 9.876].map(short), ["12346", "99.9", "9.88"]);
    }
}
