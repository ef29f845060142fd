//! Who may enter a guarded server: certificates of an authority of our own, users with passwords, and a key.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, SanType,
};

use crate::ServerError;

/// Who may do everything on a guarded server.
pub(crate) const USER: &str = "oms";
/// Who may enter a guarded server, and do nothing there.
pub(crate) const GUEST: &str = "visitor";
/// The password of both.
pub(crate) const PASSWORD: &str = "open-sesame";

/// Certificates and keys, made anew for each server; they are worth nothing to anybody else.
pub(crate) struct Papers {
    ours: Authority,
    others: Authority,
    server: Identity,
    client: Identity,
    stranger: Identity,
    nkey: nkeys::KeyPair,
    foreign_nkey: nkeys::KeyPair,
}

struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Papers {
    /// Makes all of them.
    ///
    /// # Errors
    /// [`ServerError::Papers`], when the system has no randomness to give.
    pub(crate) fn make() -> Result<Self, ServerError> {
        Self::try_make().map_err(|source| ServerError::Papers { source })
    }

    fn try_make() -> Result<Self, rcgen::Error> {
        let (ours, others) = (Authority::make("ours")?, Authority::make("others")?);
        Ok(Self {
            server: ours.identity("server")?,
            client: ours.identity(USER)?,
            stranger: others.identity(USER)?,
            ours,
            others,
            nkey: nkeys::KeyPair::new_user(),
            foreign_nkey: nkeys::KeyPair::new_user(),
        })
    }

    /// Writes them into a folder of `data`, where the server and its clients read them.
    pub(crate) fn write(&self, data: &Path) -> Result<PathBuf, ServerError> {
        let folder = folder(data);
        fs::create_dir_all(&folder).map_err(ServerError::file(&folder))?;
        let seed = |key: &nkeys::KeyPair| key.seed().unwrap_or_default();
        let whole = |identity: &Identity| format!("{}{}", identity.key, identity.certificate);
        let files = [
            ("ours.pem", self.ours.certificate.clone()),
            ("others.pem", self.others.certificate.clone()),
            ("server.pem", self.server.certificate.clone()),
            ("server.key", self.server.key.clone()),
            // Java reads both out of one file.
            ("server-whole.pem", whole(&self.server)),
            ("client.pem", self.client.certificate.clone()),
            ("client.key", self.client.key.clone()),
            ("stranger.pem", self.stranger.certificate.clone()),
            ("stranger.key", self.stranger.key.clone()),
            ("client.nkey", seed(&self.nkey)),
            ("stranger.nkey", seed(&self.foreign_nkey)),
        ];
        for (name, text) in files {
            let file = folder.join(name);
            fs::write(&file, text).map_err(ServerError::file(&file))?;
        }
        Ok(folder)
    }

    /// The key by which NATS knows the client.
    pub(crate) fn public_nkey(&self) -> String {
        self.nkey.public_key()
    }
}

/// The folder that papers are written into.
pub(crate) fn folder(data: &Path) -> PathBuf {
    data.join("papers")
}

impl Authority {
    fn make(name: &str) -> Result<Self, rcgen::Error> {
        let mut params = named(name)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// Says who somebody is; a server is known by the loopback address.
    fn identity(&self, name: &str) -> Result<Identity, rcgen::Error> {
        let mut params = named(name)?;
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Identity { certificate, key: key.serialize_pem() })
    }
}

fn named(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn papers_are_made_anew_for_each_server_and_lie_in_its_data() {
        let data = tempfile::tempdir().unwrap();
        let (one, other) = (Papers::make().unwrap(), Papers::make().unwrap());
        let read = |papers: &Papers| {
            let folder = papers.write(data.path()).unwrap();
            assert_eq!(folder, super::folder(data.path()));
            ["ours.pem", "client.key", "client.nkey"]
                .map(|name| fs::read_to_string(folder.join(name)).unwrap())
        };
        let (one, other) = (read(&one), read(&other));
        assert!(one.iter().zip(&other).all(|(one, other)| !one.is_empty() && one != other));
    }
}
