//! How much an in-process broker holds.

/// How much an in-process broker holds, in bytes. A pack counts its bytes and 64 more in every lane it waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// The largest pack; a larger one is rejected for good.
    pub pack: usize,
    /// What may wait, unacked, in one lane of one group; a stalled reader costs this much and no more.
    pub lane: usize,
    /// What may wait, unacked, in all lanes together.
    pub total: usize,
}

impl Default for MemoryLimits {
    /// A pack of 1 MiB, 16 MiB in a lane, 256 MiB in all.
    fn default() -> Self {
        Self { pack: 1 << 20, lane: 16 << 20, total: 256 << 20 }
    }
}
