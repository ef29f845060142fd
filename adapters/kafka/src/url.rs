//! From a URL to settings; no error shows a password.

use crate::{
    mechanism::Mechanism,
    settings::{Login, Settings},
};
use std::time::Duration;

/// Reads a whole URL.
pub(crate) fn parse(url: &str) -> Result<Settings, String> {
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("kafka") => rest,
        Some(_) | None => return Err("the URL does not begin with kafka://".to_owned()),
    };
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (login, servers) = match place.rsplit_once('@') {
        Some((login, servers)) => (Some(login), servers),
        None => (None, place),
    };
    let servers = servers.trim_end_matches('/');
    if servers.is_empty() || servers.split(',').any(str::is_empty) {
        return Err("the URL names no broker; write kafka://host:9092".to_owned());
    }
    let settings = Settings::new(&with_ports(servers));
    let mut asked = Asked { settings, mechanism: None, certificate: None, key: None };
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) =
            option.split_once('=').ok_or_else(|| format!("the option {option} has no value"))?;
        asked = asked.option(name, decode(value).ok_or_else(|| bad(name))?)?;
    }
    asked.finish(login)
}

/// What options say that only makes sense together.
struct Asked {
    settings: Settings,
    mechanism: Option<Mechanism>,
    certificate: Option<String>,
    key: Option<String>,
}

impl Asked {
    fn option(mut self, name: &str, value: String) -> Result<Self, String> {
        let settings = &mut self.settings;
        match name {
            "prefix" => settings.prefix = value,
            "timeout" => settings.timeout = Duration::from_secs(number(name, &value)?),
            "copies" => settings.copies = Some(number(name, &value)?),
            "retention" => settings.retention = Some(Duration::from_secs(number(name, &value)?)),
            "max-bytes" => settings.max_bytes = number(name, &value)?,
            "window" => settings.window = number::<usize>(name, &value)?.max(1),
            "tls" if value == "true" => {
                settings.encrypted();
            }
            "tls" if value == "false" => {}
            "tls" => return Err(bad(name)),
            "ca" => settings.encrypted().ca = Some(value.into()),
            "certificate" => self.certificate = Some(value),
            "key" => self.key = Some(value),
            "sasl" => self.mechanism = Some(Mechanism::parse(&value).ok_or_else(|| bad(name))?),
            other => {
                let property = other.strip_prefix("client.").ok_or_else(|| {
                    format!("the option {other} is not known; client.NAME sets librdkafka's own")
                })?;
                settings.client.insert(property.to_owned(), value);
            }
        }
        Ok(self)
    }

    fn finish(self, login: Option<&str>) -> Result<Settings, String> {
        let mut settings = self.settings;
        match (self.certificate, self.key) {
            (None, None) => {}
            (Some(certificate), Some(key)) => {
                settings.encrypted().identity = Some((certificate.into(), key.into()));
            }
            (Some(_), None) | (None, Some(_)) => {
                return Err("certificate and key are given together, or not at all".to_owned());
            }
        }
        let Some(login) = login else {
            let alone = self.mechanism.is_some();
            return if alone { Err("sasl needs user:password@ in the URL".to_owned()) } else { Ok(settings) };
        };
        let parts = login.split_once(':').ok_or("a user needs a password: user:password@host")?;
        let user = decode(parts.0).ok_or_else(|| bad("the user"))?;
        let password = decode(parts.1).ok_or_else(|| bad("the password"))?;
        let mechanism = self.mechanism.unwrap_or(Mechanism::Plain);
        settings.login = Some(Login { mechanism, user, password });
        Ok(settings)
    }
}

fn bad(name: &str) -> String {
    format!("the value of {name} makes no sense; the README lists what it may be")
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| bad(name))
}

/// Kafka's own port where none is given; a bracketed address of version 6 has colons of its own.
fn with_ports(servers: &str) -> String {
    let port = |server: &str| match server.rsplit_once(':') {
        Some((_, port)) if !port.contains(']') => server.to_owned(),
        Some(_) | None => format!("{server}:9092"),
    };
    servers.split(',').map(port).collect::<Vec<_>>().join(",")
}

/// Undoes percent signs; `None` when they are no such thing.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        let hex =
            std::str::from_utf8(&digits).ok().filter(|hex| hex.bytes().all(|one| one.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(hex, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_brokers_login_and_options() {
        let settings =
            parse("kafka://me:p%40ss@one:1,two,[::1]?sasl=scram-sha-256&prefix=a%2Db&timeout=3").unwrap();
        assert_eq!(settings.servers, "one:1,two:9092,[::1]:9092");
        assert_eq!((settings.prefix.as_str(), settings.timeout.as_secs()), ("a-b", 3));
        let login = settings.login.unwrap();
        assert_eq!(
            (login.mechanism, login.user.as_str(), login.password.as_str()),
            (Mechanism::ScramSha256, "me", "p@ss")
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_no_refusal_shows_the_password() {
        for url in [
            "kafka://",
            "kafka://me:secret@",
            "kafka://me:secret@one,,two",
            "kafka://secret@one",
            "kafka://me:secret@one?timeout=soon",
            "kafka://me:secret@one?colour=red",
            "kafka://me:secret@one?prefix",
            "kafka://me:%secret@one",
            "kafka://me:secret@one?certificate=a.pem",
            "kafka://one?sasl=plain",
            "kafka://me:secret@one?sasl=magic",
            "amqp://one",
        ] {
            let why = parse(url).err().unwrap();
            assert!(!why.contains("secret"), "{url}: {why}");
        }
    }
}
