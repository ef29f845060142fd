//! How many tests passed and failed, read from what `cargo test` prints.

use std::fmt;
use std::ops::AddAssign;

/// The sums over all test binaries and doc tests.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Counts {
    /// Reads one line of output; only the closing line of a test binary counts for anything.
    pub(crate) fn of_line(line: &str) -> Self {
        let Some(result) = line.trim().strip_prefix("test result: ") else { return Self::default() };
        Self { passed: before(result, " passed"), failed: before(result, " failed") }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

fn before(text: &str, word: &str) -> u64 {
    let number = text.split(word).next().and_then(|front| front.rsplit(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_and_failed_are_summed_over_binaries() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test a_test ... ok",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.00s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
        ] {
            counts += Counts::of_line(line);
        }
        assert_eq!(counts, Counts { passed: 15, failed: 2 });
    }

    #[test]
    fn the_last_line_has_the_form_that_scripts_read() {
        assert_eq!(Counts { passed: 412, failed: 0 }.to_string(), "412 passed, 0 failed");
    }
}
