//! Memory of this process, as the kernel counts it.

use crate::fault::Fault;

const STATUS: &str = "/proc/self/status";

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Everything that is resident.
    pub resident: u64,
    /// Of it, what is no file: the heap and the stacks.
    pub anonymous: u64,
}

/// Reads the memory of this process.
///
/// # Errors
/// [`Fault::Place`] where the kernel does not tell.
pub fn memory() -> Result<Memory, Fault> {
    let text = std::fs::read_to_string(STATUS).map_err(|error| Fault::place(STATUS, error))?;
    let field = |name| bytes(&text, name).unwrap_or_default();
    Ok(Memory { resident: field("VmRSS:"), anonymous: field("RssAnon:") })
}

/// Reads what is resident.
///
/// # Errors
/// As [`memory`].
pub fn resident_bytes() -> Result<u64, Fault> {
    memory().map(|memory| memory.resident)
}

fn bytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_on_memory_are_understood() {
        let text = "Name:\tx\nVmRSS:\t    2048 kB\nRssAnon:\t     1024 kB\n";
        assert_eq!(bytes(text, "VmRSS:"), Some(2_097_152));
        assert_eq!(bytes(text, "RssAnon:"), Some(1_048_576));
        assert_eq!(bytes(text, "VmSwap:"), None);
    }
}
