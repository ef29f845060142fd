//! From a URL to settings; no error shows a password.

use crate::settings::{Login, Settings};
use std::time::Duration;

/// Reads a whole URL.
pub(crate) fn parse(url: &str) -> Result<Settings, String> {
    let (scheme, rest) = url.split_once("://").ok_or("the URL does not begin with amqp://")?;
    let encrypted = scheme.eq_ignore_ascii_case("amqps");
    if !encrypted && !scheme.eq_ignore_ascii_case("amqp") {
        return Err("the URL does not begin with amqp:// or amqps://".to_owned());
    }
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (place, vhost) = place.split_once('/').unwrap_or((place, ""));
    let (login, servers) = match place.rsplit_once('@') {
        Some((login, servers)) => (Some(login), servers),
        None => (None, place),
    };
    if servers.is_empty() || servers.split(',').any(str::is_empty) {
        return Err("the URL names no server; write amqp://host:5672".to_owned());
    }
    let mut settings = Settings::new(servers);
    if encrypted {
        settings.encrypted();
    }
    if !vhost.is_empty() {
        settings.vhost = decode(vhost).ok_or_else(|| bad("the virtual host"))?;
    }
    if let Some(login) = login {
        let (user, password) = login.split_once(':').ok_or("a user needs a password: user:password@host")?;
        let part = |text: &str| decode(text).ok_or_else(|| bad("user or password"));
        settings.login = Login::Password(part(user)?, part(password)?);
    }
    read_options(settings, options)
}

fn read_options(mut settings: Settings, options: &str) -> Result<Settings, String> {
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

fn set(settings: &mut Settings, name: &str, value: String) -> Result<(), String> {
    match name {
        "prefix" => settings.prefix = value,
        "timeout" => settings.timeout = Duration::from_secs(number(name, &value)?),
        "max-bytes" => settings.max_bytes = number(name, &value)?,
        "window" => settings.window = number::<usize>(name, &value)?.max(1),
        "copies" => settings.copies = Some(number::<u16>(name, &value)?.max(1)),
        "heartbeat" => settings.heartbeat = number::<u16>(name, &value)?.max(1),
        "external" if value == "true" => settings.login = Login::External,
        "external" if value == "false" => {}
        "external" => return Err(bad(name)),
        "ca" => settings.encrypted().ca = Some(value.into()),
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
    fn a_url_says_servers_login_virtual_host_and_options() {
        let url = "amqps://me:p%40ss@one:1,two/sh%2fop?prefix=shop&timeout=3&copies=3&heartbeat=5";
        let settings = parse(url).unwrap();
        assert_eq!(settings.servers, ["one:1", "two"]);
        assert_eq!((settings.prefix.as_str(), settings.vhost.as_str()), ("shop", "sh/op"));
        assert_eq!((settings.timeout.as_secs(), settings.copies, settings.heartbeat), (3, Some(3), 5));
        assert!(settings.tls.is_some());
        assert!(
            matches!(settings.login, Login::Password(user, password) if user == "me" && password == "p@ss")
        );
    }

    #[test]
    fn without_a_user_or_virtual_host_it_is_guest_and_the_root() {
        for url in ["amqp://one", "amqp://one/"] {
            let settings = parse(url).unwrap();
            assert_eq!(settings.vhost, "/");
            assert!(matches!(settings.login, Login::Password(user, _) if user == "guest"));
        }
        assert!(matches!(parse("amqps://one?external=true").unwrap().login, Login::External));
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_no_refusal_shows_the_password() {
        for url in [
            "amqp://",
            "amqp://me:secret@",
            "amqp://secret@one",
            "amqp://me:secret@one,,two",
            "amqp://me:secret@one?timeout=soon",
            "amqp://me:secret@one?colour=red",
            "amqp://me:secret@one?prefix",
            "amqp://me:%secret@one",
            "amqp://me:secret@one?certificate=a.pem",
            "nats://one",
        ] {
            let why = parse(url).err().unwrap();
            assert!(!why.contains("secret"), "{url}: {why}");
        }
    }
}
