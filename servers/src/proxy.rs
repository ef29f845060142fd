//! A wire between clients and a server whose weather can change.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often a pump that has nothing to do looks at the weather.
const LOOK: Duration = Duration::from_millis(20);

/// What happens to bytes on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    /// They go through.
    #[default]
    Clear,
    /// Every connection is cut, and a new one is cut at once.
    Cut,
    /// Connections stay open, and nothing goes through, either way, until it is clear again.
    Stall,
    /// Everything comes so much later.
    Late(Duration),
    /// The server hears its clients, and they hear nothing of it. A connection on which something was lost is cut afterwards.
    Deaf,
}

/// A listener on loopback that carries every connection on to a server, as its weather lets it.
///
/// It ends, with all its connections, when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    wire: Arc<Wire>,
}

#[derive(Debug, Default)]
struct Wire {
    weather: Mutex<Weather>,
    live: AtomicUsize,
    ended: AtomicBool,
}

impl Wire {
    fn weather(&self) -> Weather {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether connections may not live on.
    fn is_cut(&self) -> bool {
        self.ended.load(Ordering::Acquire) || self.weather() == Weather::Cut
    }
}

impl Proxy {
    /// Listens on a loopback port, and carries on to another.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(listen: u16, target: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, listen))?;
        listener.set_nonblocking(true)?;
        let proxy = Self { address: listener.local_addr()?, wire: Arc::default() };
        let wire = Arc::clone(&proxy.wire);
        thread::spawn(move || accept(&listener, target, &wire));
        Ok(proxy)
    }

    /// Gives the address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather, for connections that are open too.
    pub fn set(&self, weather: Weather) {
        *self.wire.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    /// Counts the connections that are open.
    #[must_use]
    pub fn live(&self) -> usize {
        self.wire.live.load(Ordering::Acquire)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.wire.ended.store(true, Ordering::Release);
    }
}

fn accept(listener: &TcpListener, target: u16, wire: &Arc<Wire>) {
    while !wire.ended.load(Ordering::Acquire) {
        match listener.accept() {
            Ok((client, _)) if !wire.is_cut() => {
                // A server that is away refuses its clients, and so does the wire.
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) {
                    join(client, server, wire);
                }
            }
            Ok(_) => {}
            Err(_) => thread::sleep(LOOK),
        }
    }
}

/// Joins two ends by a pump for each way.
fn join(client: TcpStream, server: TcpStream, wire: &Arc<Wire>) {
    wire.live.fetch_add(1, Ordering::AcqRel);
    let (wire, ready) =
        (Arc::clone(wire), client.try_clone().and_then(|other| Ok((other, server.try_clone()?))));
    thread::spawn(move || {
        if let Ok((to_client, to_server)) = ready {
            let back = Arc::clone(&wire);
            let answers = thread::spawn(move || pump(server, to_client, &back, true));
            let _ = pump(client, to_server, &wire, false);
            let _ = answers.join();
        }
        wire.live.fetch_sub(1, Ordering::AcqRel);
    });
}

/// Carries bytes one way until either end is gone, and closes both then.
fn pump(mut from: TcpStream, mut to: TcpStream, wire: &Wire, answers: bool) -> io::Result<()> {
    let done = carry(&mut from, &mut to, wire, answers);
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
    done
}

fn carry(from: &mut TcpStream, to: &mut TcpStream, wire: &Wire, answers: bool) -> io::Result<()> {
    for end in [&*from, &*to] {
        // Accepted ends may be as their listener is.
        end.set_nonblocking(false)?;
        end.set_nodelay(true)?;
    }
    from.set_read_timeout(Some(LOOK))?;
    let (mut buffer, mut lost) = ([0; 16 << 10], false);
    while !wire.is_cut() {
        let weather = wire.weather();
        if lost && weather != Weather::Deaf {
            break;
        }
        if weather == Weather::Stall {
            thread::sleep(LOOK);
            continue;
        }
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                continue;
            }
            Err(error) => return Err(error),
        };
        match wire.weather() {
            Weather::Deaf if answers => {
                lost = true;
                continue;
            }
            Weather::Late(time) => thread::sleep(time),
            // What was read before it stalled is held.
            Weather::Stall => {
                while wire.weather() == Weather::Stall && !wire.is_cut() {
                    thread::sleep(LOOK)
                }
            }
            Weather::Clear | Weather::Cut | Weather::Deaf => {}
        }
        to.write_all(&buffer[..count])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that says everything twice.
    fn echo() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            while let Ok((mut end, _)) = listener.accept() {
                thread::spawn(move || {
                    let mut word = [0; 4];
                    while end.read_exact(&mut word).is_ok() && end.write_all(&word).is_ok() {}
                });
            }
        });
        port
    }

    fn open(proxy: &Proxy) -> TcpStream {
        let end = TcpStream::connect(proxy.address()).unwrap();
        end.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        end
    }

    fn ask(end: &mut TcpStream) -> io::Result<[u8; 4]> {
        let mut word = [0; 4];
        end.write_all(b"word")?;
        end.read_exact(&mut word).map(|()| word)
    }

    fn none_is_left(proxy: &Proxy) -> bool {
        (0..500).any(|_| {
            thread::sleep(Duration::from_millis(10));
            proxy.live() == 0
        })
    }

    #[test]
    fn in_clear_and_late_weather_everything_comes() {
        let proxy = Proxy::start(0, echo()).unwrap();
        let mut end = open(&proxy);
        assert_eq!(ask(&mut end).unwrap(), *b"word");
        proxy.set(Weather::Late(Duration::from_millis(5)));
        assert_eq!(ask(&mut end).unwrap(), *b"word");
        assert_eq!(proxy.live(), 1);
        drop(end);
        assert!(none_is_left(&proxy));
    }

    #[test]
    fn what_is_cut_is_gone_and_a_new_connection_after_it_works() {
        let proxy = Proxy::start(0, echo()).unwrap();
        let mut end = open(&proxy);
        assert!(ask(&mut end).is_ok());
        proxy.set(Weather::Cut);
        assert!(none_is_left(&proxy));
        assert!(ask(&mut end).is_err());
        proxy.set(Weather::Clear);
        assert!(ask(&mut open(&proxy)).is_ok());
    }

    #[test]
    fn what_is_stalled_comes_later() {
        let proxy = Proxy::start(0, echo()).unwrap();
        let mut end = open(&proxy);
        assert!(ask(&mut end).is_ok());
        proxy.set(Weather::Stall);
        assert!(ask(&mut end).is_err());
        proxy.set(Weather::Clear);
        let mut word = [0; 4];
        end.set_read_timeout(None).unwrap();
        end.read_exact(&mut word).unwrap();
        assert_eq!(word, *b"word");
    }

    #[test]
    fn who_hears_nothing_is_cut_off_afterwards() {
        let proxy = Proxy::start(0, echo()).unwrap();
        let mut end = open(&proxy);
        assert!(ask(&mut end).is_ok());
        proxy.set(Weather::Deaf);
        assert!(ask(&mut end).is_err());
        proxy.set(Weather::Clear);
        assert!(none_is_left(&proxy));
    }
}
