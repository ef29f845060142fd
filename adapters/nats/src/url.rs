//! From a URL to settings; no error shows a password.

use crate::settings::{Login, Settings};
use std::time::Duration;

/// Reads a whole URL.
pub(crate) fn parse(url: &str) -> Result<Settings, String> {
    let (scheme, rest) = url.split_once("://").ok_or("the URL does not begin with nats://")?;
    let encrypted = scheme.eq_ignore_ascii_case("natss");
    if !encrypted && !scheme.eq_ignore_ascii_case("nats") {
        return Err("the URL does not begin with nats:// or natss://".to_owned());
    }
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (login, servers) = match place.rsplit_once('@') {
        Some((login, servers)) => (Some(login), servers),
        None => (None, place),
    };
    let servers = servers.trim_end_matches('/');
    if servers.is_empty() || servers.split(',').any(str::is_empty) {
        return Err("the URL names no server; write nats://host:4222".to_owned());
    }
    let mut settings = Settings::new(servers);
    if encrypted {
        settings.encrypted();
    }
    if let Some(login) = login {
        settings.login = read_login(login)?;
    }
    let mut identity = (None, None);
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) =
            option.split_once('=').ok_or_else(|| format!("the option {option} has no value"))?;
        let value = decode(value).ok_or_else(|| bad(name))?;
        match name {
            "certificate" => identity.0 = Some(value),
            "key" => identity.1 = Some(value),
            other => set(&mut settings, other, value)?,
        }
    }
    match identity {
        (None, None) => {}
        (Some(certificate), Some(key)) => {
            settings.encrypted().identity = Some((certificate.into(), key.into()));
        }
        (Some(_), None) | (None, Some(_)) => {
            return Err("certificate and key are given together, or not at all".to_owned());
        }
    }
    Ok(settings)
}

fn read_login(login: &str) -> Result<Login, String> {
    let part = |text: &str| decode(text).ok_or_else(|| bad("user or password"));
    match login.split_once(':') {
        Some((user, password)) => Ok(Login::Password(part(user)?, part(password)?)),
        None => Ok(Login::Token(part(login)?)),
    }
}

fn set(settings: &mut Settings, name: &str, value: String) -> Result<(), String> {
    match name {
        "prefix" => settings.prefix = value,
        "timeout" => settings.timeout = Duration::from_secs(number(name, &value)?),
        "lease" => settings.lease = Duration::from_secs(number::<u64>(name, &value)?.max(1)),
        "copies" => settings.copies = number(name, &value)?,
        "window" => settings.window = number::<usize>(name, &value)?.max(1),
        "ca" => settings.encrypted().ca = Some(value.into()),
        "nkey" => settings.login = Login::NkeyFile(value.into()),
        "credentials" => settings.login = Login::Credentials(value.into()),
        other => return Err(format!("the option {other} is not known; the README lists them")),
    }
    Ok(())
}

fn bad(name: &str) -> String {
    format!("the value of {name} makes no sense; the README lists what it may be")
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| bad(name))
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
    fn a_url_says_servers_login_and_options() {
        let settings = parse("natss://me:p%40ss@one:1,two?prefix=shop&timeout=3&lease=7").unwrap();
        assert_eq!(settings.servers, ["one:1", "two"]);
        assert_eq!((settings.prefix.as_str(), settings.timeout.as_secs()), ("shop", 3));
        assert!(settings.tls.is_some() && settings.lease.as_secs() == 7);
        assert!(
            matches!(settings.login, Login::Password(user, password) if user == "me" && password == "p@ss")
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_no_refusal_shows_the_password() {
        for url in [
            "nats://",
            "nats://me:secret@",
            "nats://me:secret@one,,two",
            "nats://me:secret@one?timeout=soon",
            "nats://me:secret@one?colour=red",
            "nats://me:secret@one?prefix",
            "nats://me:%secret@one",
            "nats://me:secret@one?certificate=a.pem",
            "amqp://one",
        ] {
            let why = parse(url).err().unwrap();
            assert!(!why.contains("secret"), "{url}: {why}");
        }
    }
}
