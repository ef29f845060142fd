//! A server behind TLS that asks everybody who they are.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::papers::{GUEST, PASSWORD, USER};
use crate::{Kind, Server, ServerError};

/// A server that only speaks TLS, with a certificate of an authority of its own, and lets in only who may enter.
///
/// Kafka takes [`Guarded::USER`] by PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512, and by certificate at an address of its own. RabbitMQ
/// takes the user by password or by certificate, NATS by password or by nkey, PostgreSQL by password. [`Guarded::GUEST`] may enter everywhere, and do
/// nothing there.
///
/// ```no_run
/// // Not run: the first start downloads the server.
/// use oms_servers::{Guarded, Kind};
/// let server = Guarded::start(Kind::Nats, "target/servers".as_ref(), &mut |line| println!("{line}"))?;
/// let (user, password) = (Guarded::USER, Guarded::PASSWORD);
/// println!("natss://{user}:{password}@{}?ca={}", server.address(), server.paper("ours.pem").display());
/// # Ok::<(), oms_servers::ServerError>(())
/// ```
pub struct Guarded(Server);

impl fmt::Debug for Guarded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Guarded").field(&self.0.kind()).finish()
    }
}

impl Guarded {
    /// Who may do everything.
    pub const USER: &str = USER;
    /// Who may enter, and do nothing.
    pub const GUEST: &str = GUEST;
    /// The password of both.
    pub const PASSWORD: &str = PASSWORD;

    /// Starts one as [`Server::start`] does.
    ///
    /// # Errors
    /// [`ServerError`], when it cannot be installed or does not answer.
    pub fn start(kind: Kind, root: &Path, progress: &mut dyn FnMut(&str)) -> Result<Self, ServerError> {
        Server::start_guarded(kind, root, progress).map(Self)
    }

    /// Gives the host and port for those who log in.
    #[must_use]
    pub fn address(&self) -> String {
        let [near, _, afar, spare] = self.0.ports();
        let port = match self.0.kind() {
            Kind::Kafka => afar,
            Kind::Nats | Kind::Postgres => near,
            Kind::RabbitMq | Kind::RabbitMq4 => spare,
        };
        format!("127.0.0.1:{port}")
    }

    /// Gives the host and port for those who show a certificate: on Kafka another one.
    #[must_use]
    pub fn certificate_address(&self) -> String {
        let [.., spare] = self.0.ports();
        if self.0.kind() == Kind::Kafka { format!("127.0.0.1:{spare}") } else { self.address() }
    }

    /// Names a file of the client's: `ours.pem` is the authority of the server and `others.pem` one that it does not trust;
    /// `client` and `stranger` have each a `.pem`, a `.key` and an `.nkey`, of which the server knows the client's.
    #[must_use]
    pub fn paper(&self, name: &str) -> PathBuf {
        self.0.papers().join(name)
    }
}
