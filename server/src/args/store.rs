//! Where orders are kept: a file of this process, or a server that several share.

use std::{
    convert::Infallible,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// A store by its URL. It may hold a password, so nothing ever prints it whole.
///
/// ```
/// use oms_server::args::StoreUrl;
/// let file: StoreUrl = "sqlite:shop/orders.db".parse()?;
/// assert_eq!(file.beside(), std::path::Path::new("shop/orders.db"));
/// let server: StoreUrl = "postgres://me:secret@host/shop".parse()?;
/// assert_eq!((server.to_string().as_str(), server.beside()), ("postgres://host/shop", "shop".as_ref()));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// An SQLite file: one process owns it.
    Sqlite(PathBuf),
    /// A PostgreSQL database: several processes share it.
    Postgres {
        /// The whole URL.
        secret: String,
        /// The database's name.
        name: PathBuf,
    },
}

impl StoreUrl {
    /// What the files that belong to the store are named after: the ledger and the world of the simulated gateways. A
    /// server's lie in the folder of the command, under the name of its database.
    #[must_use]
    pub fn beside(&self) -> &Path {
        match self {
            Self::Sqlite(path) => path,
            Self::Postgres { name, .. } => name,
        }
    }
}

impl FromStr for StoreUrl {
    type Err = String;

    /// No error shows the URL.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let named = Some(path).filter(|path| !path.is_empty()).map(PathBuf::from).map(Self::Sqlite);
            return named.ok_or_else(|| "name the file, such as sqlite:orders.db".to_owned());
        }
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        let place = rest.and_then(|rest| rest.split(['?', '#']).next());
        let Some(place) = place else {
            return Err("a store is sqlite:PATH or postgres://user@host/database".to_owned());
        };
        let name = place.rsplit_once('/').map_or("", |(_, name)| name);
        if name.is_empty() || name.starts_with('.') || name.contains('@') {
            return Err("name the database behind the host, such as postgres://user@host/orders".to_owned());
        }
        Ok(Self::Postgres { secret: text.to_owned(), name: PathBuf::from(name) })
    }
}

/// What was written for a store. It is read only later, for whoever reads the command line shows what it refuses.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreText(String);

impl StoreText {
    /// Reads it.
    ///
    /// # Errors
    /// What a store's URL looks like, without showing this one.
    pub fn read(&self) -> Result<StoreUrl, String> {
        self.0.parse()
    }
}

impl FromStr for StoreText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for StoreText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("StoreText")
    }
}

impl fmt::Display for StoreUrl {
    /// Shows neither user, password nor options.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(out, "{}", path.display()),
            Self::Postgres { secret, .. } => {
                let rest = secret.split_once("://").map_or("", |(_, rest)| rest);
                let rest = rest.split(['?', '#']).next().unwrap_or_default();
                write!(out, "postgres://{}", rest.rsplit_once('@').map_or(rest, |(_, shown)| shown))
            }
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "StoreUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_store_is_refused_and_no_text_shows_a_password() {
        for text in ["", "orders.db", "sqlite:", "mysql://me:secret@host/x", "postgres://me:secret@host"] {
            let error = text.parse::<StoreUrl>().expect_err(text);
            assert!(!error.contains("secret"), "{error}");
        }
        let server: StoreUrl =
            "postgresql://me:sec@ret:secret@host:5432/shop?password=secret".parse().expect("a URL");
        assert_eq!(format!("{server:?}"), "StoreUrl(postgres://host:5432/shop)");
    }
}
