//! RabbitMQ 4 of Debian 13: a whole small system in a folder, for it wants a newer C library than Debian 12 has.

use std::path::Path;
use std::process::Command;

use crate::port::Ports;
use crate::{Kind, ServerError, rabbitmq, step};

/// The system is made by Debian's own tool, which is unpacked for it, from the mirror that `apt` is configured with.
const INSTALL: &str = r#"
[ "$(id -u)" = 0 ] || { echo "only root can make a system in a folder; run it as root, or use rabbitmq"; exit 1; }
apt-get download -q debootstrap
dpkg-deb -x debootstrap*.deb tool
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' | head -n 1)
DEBOOTSTRAP_DIR="$PWD/tool/usr/share/debootstrap" sh tool/usr/sbin/debootstrap --variant=minbase \
    --include=rabbitmq-server trixie "$PWD/made" "${mirror:-http://deb.debian.org/debian}"
mv made/* .
rm -r made tool debootstrap*.deb var/cache/apt/archives
"#;

/// What is mounted is so for this node alone, and gone with it.
const RUN: &str = r#"mkdir -p "$OMS_ROOT$HOME"
mount --bind /proc "$OMS_ROOT/proc"
mount --rbind /dev "$OMS_ROOT/dev"
mount --bind "$HOME" "$OMS_ROOT$HOME"
exec chroot "$OMS_ROOT" sh -c 'cd "$HOME"
setpriv --pdeathsig KILL epmd -address 127.0.0.1 &
exec /usr/lib/rabbitmq/bin/rabbitmq-server -kernel inet_dist_use_interface "{127,0,0,1}"'"#;

pub(crate) fn install(into: &Path) -> Result<(), ServerError> {
    step::run(Kind::RabbitMq4, Command::new("sh").args(["-ec", INSTALL]).current_dir(into))
}

pub(crate) fn command(home: &Path, data: &Path, ports: Ports, guarded: bool) -> Result<Command, ServerError> {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--", "sh", "-ec", RUN])
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("OMS_ROOT", home);
    rabbitmq::settle(&mut command, data, ports, guarded)?;
    Ok(command)
}
