//! How a login is shown to the brokers.

/// How user and password are shown to the brokers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// As they are: only over TLS, or where nobody listens.
    Plain,
    /// SCRAM with SHA-256; needs the feature `sasl`.
    ScramSha256,
    /// SCRAM with SHA-512; needs the feature `sasl`.
    ScramSha512,
}

impl Mechanism {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let all = [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512];
        all.into_iter().find(|one| one.name().eq_ignore_ascii_case(name))
    }
}
