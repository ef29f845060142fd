//! PostgreSQL: what is on this machine, else Debian's packages, unpacked into a folder of their own instead of installed.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::papers::{GUEST, PASSWORD, USER, folder};
use crate::port::Ports;
use crate::{Kind, ServerError, process, step};

/// The programs lie in `bin`. Where they are not on this machine they are unpacked, with what they need and is not here either.
const INSTALL: &str = r#"
found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
if [ -x "$found/initdb" ]; then ln -s "$found" bin; exit 0; fi
server=$(apt-cache depends postgresql | sed -n 's/.*Depends: \(postgresql-[0-9]*\)$/\1/p' | head -n 1)
needs=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
    --no-enhances "$server" | grep '^[a-z]' | sort -u)
mkdir packages
cd packages
for package in $needs; do
    if [ "$package" != "$server" ] && dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed'
    then continue; fi
    apt-get download -q "$package" || [ "$package" != "$server" ]
done
for package in *.deb; do dpkg-deb -x "$package" .; done
rm -- *.deb
cd ..
ln -s packages/usr/lib/postgresql/*/bin bin
"#;

/// A file system that is soon full, below the data, which the server alone sees and which ends with it.
const SMALL: &str = r#"mount -t tmpfs -o size=24m tmpfs "$0" && exec "$@""#;

/// Ends what the server started, and what it holds in memory with it: it takes part in no process group.
const GONE: Duration = Duration::from_secs(10);

pub(crate) fn install(into: &Path) -> Result<(), ServerError> {
    step::run(Kind::Postgres, Command::new("sh").args(["-ec", INSTALL]).current_dir(into))
}

/// Reads the version from what the program says of itself.
pub(crate) fn version(home: &Path) -> String {
    let said = program(home, "postgres").arg("--version").stderr(Stdio::null()).output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    said.split_whitespace()
        .find(|word| word.starts_with(|one: char| one.is_ascii_digit()))
        .unwrap_or("unknown")
        .to_owned()
}

fn program(home: &Path, name: &str) -> Command {
    let mut command = Command::new(home.join("bin").join(name));
    let unpacked = home.join("packages/usr/lib");
    if unpacked.exists() {
        let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
        command.env("LD_LIBRARY_PATH", unpacked.join(triple));
    }
    command
}

pub(crate) fn command(
    home: &Path,
    data: &Path,
    [port, ..]: Ports,
    guarded: bool,
) -> Result<Command, ServerError> {
    let own = cluster(data);
    if !own.exists() {
        let word = data.join("password");
        fs::write(&word, PASSWORD).map_err(ServerError::file(&word))?;
        let mut init = program(home, "initdb");
        init.args(["-U", USER, "--auth=trust", "-E", "UTF8", "--locale=C", "-N", "--pwfile"]).arg(&word);
        step::run(Kind::Postgres, &mut process::grounded(Kind::Postgres, init.arg("-D").arg(&own)))?;
        if guarded {
            guard(&own, &folder(data))?;
        }
    }
    let small = data.join("small");
    fs::create_dir_all(&small).map_err(ServerError::file(&small))?;
    let mut command = program(home, "postgres");
    if process::is_root() {
        command = process::around(&command, "sh", &["-ec", SMALL, &small.to_string_lossy()]);
    }
    command.arg("-D").arg(&own).args(["-p", &port.to_string()]);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    Ok(command)
}

const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "shared_buffers=256MB",
    "max_wal_size=4GB",
];

/// Lets in only by TLS and password; the guest may connect, and has no rights.
fn guard(own: &Path, papers: &Path) -> Result<(), ServerError> {
    let write = |name: &str, text: String| {
        let file = own.join(name);
        fs::write(&file, text).map_err(ServerError::file(&file))
    };
    let rules = format!(
        "hostssl all {USER},{GUEST} 127.0.0.1/32 scram-sha-256\nhostnossl all all 127.0.0.1/32 reject\n"
    );
    write("pg_hba.conf", rules)?;
    let papers = papers.display();
    let settings = format!(
        "ssl = on\nssl_cert_file = '{papers}/server.pem'\nssl_key_file = '{papers}/server.key'\nssl_ca_file = '{papers}/ours.pem'\n"
    );
    write("postgresql.auto.conf", settings)
}

/// Makes the key one that the server accepts: nobody else may read it.
pub(crate) fn close_key(papers: &Path) -> Result<(), ServerError> {
    let key = papers.join("server.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).map_err(ServerError::file(&key))
}

fn cluster(data: &Path) -> PathBuf {
    data.join("cluster")
}

/// Kills what a killed server left behind; it would end by itself a little later, and hold up the next start until then.
pub(crate) fn reap(data: &Path) {
    let (own, start) = (cluster(data), Instant::now());
    while start.elapsed() < GONE {
        let left: Vec<i32> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == own))
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        if left.is_empty() {
            return;
        }
        for pid in left.into_iter().filter_map(Pid::from_raw) {
            // It may have ended since.
            let _ = kill_process(pid, Signal::KILL);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// A client that says who it is is let in, or told why not; while the server starts it is told to wait.
pub(crate) fn answers(stream: &mut TcpStream) -> io::Result<bool> {
    let mut hello = vec![0, 0, 0, 0, 0, 3, 0, 0];
    hello.extend_from_slice(format!("user\0{USER}\0database\0postgres\0\0").as_bytes());
    hello[3] = u8::try_from(hello.len()).unwrap_or(u8::MAX);
    stream.write_all(&hello)?;
    let mut said = [0; 256];
    let count = stream.read(&mut said)?;
    let waits = said[..count].windows(5).any(|code| code == b"57P03");
    Ok(count > 0 && !waits)
}
