//! RabbitMQ: Debian's packages, unpacked into a folder of their own instead of installed.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::papers::{GUEST, PASSWORD, USER, folder};
use crate::port::Ports;
use crate::{Kind, ServerError, step};

/// Unpacked, not installed: that needs no root, starts no service, and leaves the machine as it was.
/// Erlang's start script names its own folder; here it takes the folder from the environment.
const INSTALL: &str = r#"
for part in base asn1 crypto eldap ftp inets mnesia os-mon parsetools public-key runtime-tools snmp ssl \
    syntax-tools tftp tools xmerl; do packages="$packages erlang-$part"; done
apt-get download -q rabbitmq-server $packages
for package in *.deb; do dpkg-deb -x "$package" .; done
rm -- *.deb
sed -i 's|ROOTDIR=/usr/lib/erlang|ROOTDIR="$OMS_ERLANG"|' usr/lib/erlang/bin/erl
"#;

/// The port mapper that Erlang asks for the node is one of its own, which dies with it: the shared one outlives all.
const RUN: &str = r#"setpriv --pdeathsig KILL epmd -address 127.0.0.1 &
exec "$OMS_RABBITMQ" -kernel inet_dist_use_interface '{127,0,0,1}'"#;

pub(crate) fn install(into: &Path) -> Result<(), ServerError> {
    step::run(Kind::RabbitMq, Command::new("sh").args(["-ec", INSTALL]).current_dir(into))
}

/// Reads the version from the name of the folder that Debian's package brings.
pub(crate) fn version(home: &Path) -> String {
    let folders = fs::read_dir(home.join("usr/lib/rabbitmq/lib")).into_iter().flatten().flatten();
    let names = folders.map(|folder| folder.file_name().to_string_lossy().into_owned());
    let mut versions = names.filter_map(|name| Some(name.strip_prefix("rabbitmq_server-")?.to_owned()));
    versions.next().unwrap_or_else(|| "unknown".to_owned())
}

pub(crate) fn command(home: &Path, data: &Path, ports: Ports, guarded: bool) -> Result<Command, ServerError> {
    let erlang = home.join("usr/lib/erlang");
    let mut path = vec![erlang.join("bin")];
    path.extend(
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<PathBuf>>(),
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", RUN])
        .env("PATH", std::env::join_paths(path).unwrap_or_default())
        .env("OMS_ERLANG", &erlang)
        .env("OMS_RABBITMQ", home.join("usr/lib/rabbitmq/bin/rabbitmq-server"));
    settle(&mut command, data, ports, guarded)?;
    Ok(command)
}

/// Writes the settings of a node below `data`, and tells the node's command of them.
pub(crate) fn settle(
    command: &mut Command,
    data: &Path,
    ports: Ports,
    guarded: bool,
) -> Result<(), ServerError> {
    let [port, mapper, distribution, encrypted] = ports;
    let (settings, plugins) = (data.join("rabbitmq.conf"), data.join("plugins"));
    let write = |file: &Path, text: String| fs::write(file, text).map_err(ServerError::file(file));
    let mut text = format!("listeners.tcp.1 = 127.0.0.1:{port}\n");
    if guarded {
        let users = data.join("users.json");
        write(&users, who_may_enter())?;
        write(&plugins, "[rabbitmq_auth_mechanism_ssl].\n".to_owned())?;
        text += &guards(&folder(data), &users, encrypted);
    }
    write(&settings, text)?;
    command
        // The cookie lies in the home folder.
        .env("HOME", data)
        .env("ERL_EPMD_PORT", mapper.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODENAME", format!("oms{port}@localhost"))
        .env("RABBITMQ_DIST_PORT", distribution.to_string())
        .env("RABBITMQ_CONFIG_FILE", &settings)
        .env("RABBITMQ_CONF_ENV_FILE", data.join("no-environment"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", plugins)
        .env("RABBITMQ_MNESIA_BASE", data.join("mnesia"))
        .env("RABBITMQ_LOG_BASE", data.join("log"))
        .env("RABBITMQ_PID_FILE", data.join("node.pid"))
        .env("RABBITMQ_LOGS", "-")
        // Makes the script become the node instead of starting it as a child, so that the pid is the node's.
        .env("detached", "true");
    Ok(())
}

/// A certificate may be shown, and says who one is where the client wants that.
fn guards(papers: &Path, users: &Path, port: u16) -> String {
    let (papers, users) = (papers.display(), users.display());
    format!(
        "listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {papers}/ours.pem
ssl_options.certfile = {papers}/server.pem
ssl_options.keyfile = {papers}/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
ssl_cert_login_from = common_name
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = EXTERNAL
load_definitions = {users}
"
    )
}

/// The visitor may enter the virtual host, and touch nothing in it.
fn who_may_enter() -> String {
    let user = |name| format!("{{\"name\": \"{name}\", \"password\": \"{PASSWORD}\", \"tags\": \"\"}}");
    let may = |name, what| {
        format!(
            "{{\"user\": \"{name}\", \"vhost\": \"/\", \"configure\": \"{what}\", \"write\": \"{what}\", \"read\": \"{what}\"}}"
        )
    };
    format!(
        "{{\"vhosts\": [{{\"name\": \"/\"}}], \"users\": [{}, {}], \"permissions\": [{}, {}]}}\n",
        user(USER),
        user(GUEST),
        may(USER, ".*"),
        may(GUEST, "")
    )
}

/// The server answers the protocol's name with its first method, `Connection.Start`.
pub(crate) fn answers(stream: &mut TcpStream) -> io::Result<bool> {
    stream.write_all(b"AMQP\x00\x00\x09\x01")?;
    let mut frame = [0; 11];
    stream.read_exact(&mut frame)?;
    Ok(frame[0] == 1 && frame[7..] == [0, 10, 0, 10])
}
