//! Arithmetic on figures: median, best, percentile and ratio, as plain functions.

/// Which of two figures is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The higher one: throughput.
    Higher,
    /// The lower one: time, bytes, rows.
    Lower,
}

/// The middle of the figures, between the two middle ones when their number is even; `None` of none.
///
/// ```
/// use oms_benches::report::median;
/// assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
/// assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
/// ```
#[must_use]
pub fn median(figures: &[f64]) -> Option<f64> {
    let sorted = sorted(figures);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    sorted.get(middle - 1).map(|lower| f64::midpoint(*lower, upper))
}

/// The best of the figures; `None` of none.
#[must_use]
pub fn best(figures: &[f64], better: Better) -> Option<f64> {
    let sorted = sorted(figures);
    match better {
        Better::Higher => sorted.last().copied(),
        Better::Lower => sorted.first().copied(),
    }
}

/// The smallest figure that at least `percent` of them do not exceed (the nearest rank); `None` of none.
#[must_use]
pub fn percentile(figures: &[f64], percent: f64) -> Option<f64> {
    let sorted = sorted(figures);
    let rank = (percent.clamp(0.0, 100.0) / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

/// How often `peer` goes into `figure`; `None` where the peer is nothing.
#[must_use]
pub fn ratio(figure: f64, peer: f64) -> Option<f64> {
    let ratio = figure / peer;
    ratio.is_finite().then_some(ratio)
}

fn sorted(figures: &[f64]) -> Vec<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_and_of_an_even_number_the_middle_of_the_two() {
        assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(&[9.0, 1.0, 5.0, 7.0]), Some(6.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn the_best_is_the_highest_throughput_and_the_lowest_time() {
        assert_eq!(best(&[2.0, 3.0, 1.0], Better::Higher), Some(3.0));
        assert_eq!(best(&[2.0, 3.0, 1.0], Better::Lower), Some(1.0));
        assert_eq!(best(&[], Better::Lower), None);
    }

    #[test]
    fn a_percentile_is_a_figure_that_was_measured() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&hundred, 50.0), Some(50.0));
        assert_eq!(percentile(&hundred, 99.0), Some(99.0));
        assert_eq!(percentile(&hundred, 100.0), Some(100.0));
        assert_eq!(percentile(&hundred, 0.0), Some(1.0));
        assert_eq!(percentile(&[7.0], 99.0), Some(7.0));
        assert_eq!(percentile(&[], 50.0), None);
    }

    #[test]
    fn nothing_is_compared_with_nothing() {
        assert_eq!(ratio(3.0, 2.0), Some(1.5));
        assert_eq!(ratio(3.0, 0.0), None);
        assert_eq!(ratio(0.0, 0.0), None);
    }
}
