//! Free loopback ports that stay free while a server is down.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::ServerError;

/// Below the ports that the system gives to outgoing connections: one of those could take the port of a
/// server that was killed, before it is started again.
const FIRST: u32 = 20_000;
const MANY: u32 = 12_000;

/// How many ports a server takes: its own, two that it talks to itself on, and one that a [`crate::Proxy`] before it listens on.
pub(crate) type Ports = [u16; 4];

static TAKEN: AtomicU32 = AtomicU32::new(0);

/// Finds `N` free ports that this process has not given away before.
///
/// # Errors
/// [`ServerError::Ports`], when none is free.
pub(crate) fn free<const N: usize>() -> Result<[u16; N], ServerError> {
    let mut ports = [0; N];
    for port in &mut ports {
        *port = next()?;
    }
    Ok(ports)
}

fn next() -> Result<u16, ServerError> {
    // Processes start at places of their own, so that two of them seldom try the same.
    let place = std::process::id().wrapping_mul(97);
    for _ in 0..MANY {
        let step = TAKEN.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + place.wrapping_add(step) % MANY;
        if let Ok(port) = u16::try_from(port)
            && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        {
            return Ok(port);
        }
    }
    Err(ServerError::Ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice_and_each_can_be_bound() {
        let [one, two, three] = free().unwrap();
        assert!(one != two && two != three && one != three);
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, one)).is_ok());
    }
}
