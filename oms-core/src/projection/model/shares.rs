//! Shares: what one subject counts for in the sums over all.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Figures by name.
pub type Figures = BTreeMap<String, i128>;

/// What a subject counts for: figures, by the name of the sum they belong to.
///
/// ```
/// use oms_core::projection::model::Shares;
/// let (mut before, mut after) = (Shares::default(), Shares::default());
/// before.add("pending", "orders", 1);
/// after.add("completed", "orders", 1);
/// let change = after.less(&before);
/// assert_eq!((change.get("pending", "orders"), change.get("completed", "orders")), (-1, 1));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares(BTreeMap<String, Figures>);

impl Shares {
    /// Adds to a figure of a sum; what comes to nothing is not kept.
    pub fn add(&mut self, sum: &str, figure: &str, amount: i128) {
        if amount == 0 {
            return;
        }
        let figures = match self.0.get_mut(sum) {
            Some(figures) => figures,
            None => self.0.entry(sum.to_owned()).or_default(),
        };
        let figure = match figures.get_mut(figure) {
            Some(figure) => figure,
            None => figures.entry(figure.to_owned()).or_default(),
        };
        *figure += amount;
        if *figure == 0 {
            figures.retain(|_, figure| *figure != 0);
            self.0.retain(|_, figures| !figures.is_empty());
        }
    }

    /// A figure of a sum; 0 when nothing was added.
    #[must_use]
    pub fn get(&self, sum: &str, figure: &str) -> i128 {
        self.0.get(sum).and_then(|figures| figures.get(figure)).copied().unwrap_or(0)
    }

    /// What must be added to `before` to make this.
    #[must_use]
    pub fn less(&self, before: &Self) -> Self {
        let mut change = self.clone();
        change.join(before, -1);
        change
    }

    /// Adds all of another so many times.
    pub fn join(&mut self, other: &Self, times: i128) {
        for (sum, figures) in &other.0 {
            figures.iter().for_each(|(figure, amount)| self.add(sum, figure, amount * times));
        }
    }

    /// Nothing is left in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sums and their figures, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Figures)> {
        self.0.iter().map(|(sum, figures)| (sum.as_str(), figures))
    }

    /// Adds the figures of a sum.
    pub fn sum(&mut self, sum: &str, figures: &Figures) {
        figures.iter().for_each(|(figure, amount)| self.add(sum, figure, *amount));
    }
}
