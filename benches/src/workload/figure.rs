//! From the samples of a contender to a row.

use crate::{
    house::Keep,
    load::{Sample, Series},
    report::{Better, Row, median, ratio},
};

/// What is read off a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// Throughput.
    OrdersPerSecond,
    /// The time within which so many percent of the orders ended.
    Within(f64),
    /// Rows written.
    Rows,
    /// Bytes committed.
    Bytes,
    /// Bytes that the store's server has written ahead.
    Wal,
    /// Processor time.
    Cpu,
}

impl Figure {
    /// Reads it.
    #[must_use]
    pub fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::OrdersPerSecond => sample.per_second(),
            Self::Within(percent) => sample.within_us(percent),
            Self::Rows => sample.rows_each(),
            Self::Bytes => sample.bytes_each(),
            Self::Wal => sample.wal_each(),
            Self::Cpu => sample.cpu_us(),
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::OrdersPerSecond => "orders/s",
            Self::Within(percent) if percent < 75.0 => "µs p50",
            Self::Within(_) => "µs p99",
            Self::Rows => "rows/order",
            Self::Bytes => "bytes/order",
            Self::Wal => "WAL bytes/order",
            Self::Cpu => "CPU µs/order",
        }
    }

    fn better(self) -> Better {
        match self {
            Self::OrdersPerSecond => Better::Higher,
            Self::Within(_) | Self::Rows | Self::Bytes | Self::Wal | Self::Cpu => Better::Lower,
        }
    }

    /// A row of this figure, without a peer.
    #[must_use]
    pub fn row(self, workload: &'static str, variant: &str, keep: &Keep, series: &Series) -> Row {
        let counted = |figure: fn(&Sample) -> f64| Some(series.median(figure)).filter(|figure| *figure > 0.0);
        Row {
            workload,
            variant: variant.to_owned(),
            broker: "memory",
            store: keep.store(),
            durability: keep.durability(),
            value: series.median(|sample| self.of(sample)),
            best: series.best(self.better(), |sample| self.of(sample)),
            unit: self.unit(),
            rounds: series.samples.len(),
            cpu_us_per_order: counted(Sample::cpu_us),
            server_us_per_order: counted(Sample::server_us),
            rows_per_order: counted(Sample::rows_each),
            commits_per_order: counted(Sample::commits_each),
            pressure: series.pressure(),
            ..Row::default()
        }
    }

    /// The median over the rounds of this series' figure divided by its peer's of the same round: what disturbs a round disturbs
    /// both.
    #[must_use]
    pub fn ratio(self, series: &Series, peer: &Series) -> Option<f64> {
        let pairs = series.samples.iter().zip(&peer.samples);
        let ratios: Option<Vec<f64>> =
            pairs.map(|(sample, peer)| ratio(self.of(sample), self.of(peer))).collect();
        median(&ratios?)
    }

    /// A row of this figure beside its peer.
    #[must_use]
    pub fn beside(
        self,
        workload: &'static str,
        variant: &str,
        keep: &Keep,
        series: &Series,
        peer: &Series,
    ) -> Row {
        let (ratio, cpu_ratio) = (self.ratio(series, peer), Figure::Cpu.ratio(peer, series));
        Row { peer: Some(peer.name.clone()), ratio, cpu_ratio, ..self.row(workload, variant, keep, series) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Times;
    use std::time::Duration;

    fn series(name: &str, orders: &[u64]) -> Series {
        let times = Times { wall: Duration::from_secs(1), ..Times::default() };
        let samples = orders.iter().map(|orders| Sample { orders: *orders, times, ..Sample::default() });
        Series { name: name.to_owned(), samples: samples.collect() }
    }

    #[test]
    fn a_ratio_compares_the_samples_of_one_round() {
        // The second round ran on a machine three times as fast.
        let (one, two) = (series("one", &[10, 30, 10]), series("two", &[20, 60, 20]));
        assert_eq!(Figure::OrdersPerSecond.ratio(&one, &two), Some(0.5));
        let row = Figure::OrdersPerSecond.beside("saga", "full load", &Keep::Memory, &one, &two);
        assert_eq!((row.value, row.best, row.ratio), (10.0, 30.0, Some(0.5)));
        assert_eq!(row.peer.as_deref(), Some("two"));
    }

    #[test]
    fn what_was_not_counted_is_not_shown() {
        let row = Figure::OrdersPerSecond.row("saga", "full load", &Keep::Memory, &series("one", &[1]));
        assert_eq!((row.rows_per_order, row.cpu_us_per_order), (None, None));
    }
}
