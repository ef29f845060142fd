//! Time on the wall, time of the processors, and how many others wanted them.

use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// What a stopwatch shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Time that went by.
    pub wall: Duration,
    /// Processor time that this process has used, its threads and the kernel's work for them included.
    pub cpu: Duration,
}

/// Measures both times from its start.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    wall: Instant,
    cpu: Duration,
}

impl Stopwatch {
    /// Starts it.
    #[must_use]
    pub fn start() -> Self {
        Self { cpu: cpu(), wall: Instant::now() }
    }

    /// Shows it; it goes on.
    #[must_use]
    pub fn read(&self) -> Times {
        Times { wall: self.wall.elapsed(), cpu: cpu().saturating_sub(self.cpu) }
    }
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

/// The part of the last ten seconds in which something on this machine waited for a processor, in percent. Where the kernel
/// does not say, what the load leaves over for others.
#[must_use]
pub fn pressure() -> Option<f64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    read("/proc/pressure/cpu").and_then(|text| stalled(&text)).or_else(|| {
        let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
        read("/proc/loadavg").and_then(|text| waiting(&text, cores))
    })
}

/// `some avg10=1.25 avg60=...`
fn stalled(text: &str) -> Option<f64> {
    let some = text.lines().find(|line| line.starts_with("some"))?;
    some.split_whitespace().find_map(|word| word.strip_prefix("avg10="))?.parse().ok()
}

/// `5.66 4.21 2.21 ...`: what runs beyond the cores, as a part of all that runs.
fn waiting(text: &str, cores: f64) -> Option<f64> {
    let load: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(if load > cores { (load - cores) / load * 100.0 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_on_pressure_are_understood() {
        let text =
            "some avg10=12.50 avg60=3.00 avg300=0.10 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0";
        assert_eq!(stalled(text), Some(12.5));
        assert_eq!(stalled(""), None);
    }

    #[test]
    fn a_load_beyond_the_cores_is_pressure() {
        assert_eq!(waiting("4.00 1 1 1/2 3", 2.0), Some(50.0));
        assert_eq!(waiting("1.50 1 1 1/2 3", 2.0), Some(0.0));
        assert_eq!(waiting("", 2.0), None);
    }

    #[test]
    fn a_process_that_works_uses_processor_time() {
        let watch = Stopwatch::start();
        while watch.read().cpu < Duration::from_millis(2) {
            std::hint::black_box((0..1_000).sum::<u64>());
        }
        assert!(watch.read().wall >= Duration::from_millis(1));
    }
}
