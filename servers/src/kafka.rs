//! Kafka: jars out of Maven Central, one node that is broker and controller.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::papers::{GUEST, PASSWORD, USER, folder};
use crate::port::Ports;
use crate::{Kind, ServerError, step};

pub(crate) const VERSION: &str = "4.1.0";

/// How users of a guarded broker may log in beside PLAIN.
const SCRAM: &[&str] = &["SCRAM-SHA-256", "SCRAM-SHA-512"];

const POM: &str = r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>oms</groupId><artifactId>kafka-of-the-tests</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.1.0</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.24.3</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j2-impl</artifactId><version>2.24.3</version></dependency>
  </dependencies>
</project>
"#;

/// `ApiVersions`, version 0, with correlation 1 and no client id.
const WHO_ARE_YOU: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];

pub(crate) fn install(into: &Path) -> Result<(), ServerError> {
    let pom = into.join("pom.xml");
    fs::write(&pom, POM).map_err(ServerError::file(&pom))?;
    let arguments = ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs"];
    step::run(Kind::Kafka, Command::new("mvn").args(arguments).current_dir(into))
}

pub(crate) fn command(home: &Path, data: &Path, ports: Ports, guarded: bool) -> Result<Command, ServerError> {
    let file = data.join("server.properties");
    let ways = if guarded { guards(&folder(data), ports) } else { open_to_all(ports) };
    fs::write(&file, properties(data, ports) + &ways).map_err(ServerError::file(&file))?;
    if !data.join("log").exists() {
        let mut format = java(home);
        // Any 16 bytes will do: the cluster has this one node.
        format.args(["kafka.tools.StorageTool", "format", "-t", "b21zLW9mLXRoZS10ZXN0cw", "-c"]).arg(&file);
        for mechanism in if guarded { SCRAM } else { &[] } {
            for user in [USER, GUEST] {
                format.arg("--add-scram").arg(format!("{mechanism}=[name={user},password={PASSWORD}]"));
            }
        }
        step::run(Kind::Kafka, &mut format)?;
    }
    let mut command = java(home);
    command.arg("kafka.Kafka").arg(file);
    Ok(command)
}

fn java(home: &Path) -> Command {
    let mut command = Command::new("java");
    command.args(["-Xmx1g", "-cp"]).arg(home.join("libs/*"));
    command
}

/// The two session settings bring a killed broker back in 3 seconds instead of 12: the controller holds the
/// registration of the dead one until its session has ended.
fn properties(data: &Path, [_, controller, ..]: Ports) -> String {
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
log.dirs={}
",
        data.join("log").display()
    )
}

/// Clients go where a broker says it is, so that those that come by a proxy have a listener of their own, which says that it is
/// the proxy.
fn open_to_all([port, controller, afar, proxy]: Ports) -> String {
    format!(
        "listeners=PLAINTEXT://127.0.0.1:{port},AFAR://127.0.0.1:{afar},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},AFAR://127.0.0.1:{proxy}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,AFAR:PLAINTEXT,CONTROLLER:PLAINTEXT
"
    )
}

/// The broker talks to itself in the open; users log in at one port, and show a certificate at another.
fn guards(papers: &Path, [port, controller, login, shown]: Ports) -> String {
    let (papers, module) = (papers.display(), "org.apache.kafka.common.security");
    let plain = format!(
        "{module}.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\" user_{GUEST}=\"{PASSWORD}\";"
    );
    let mut text = format!(
        "listeners=PLAINTEXT://127.0.0.1:{port},LOGIN://127.0.0.1:{login},SHOWN://127.0.0.1:{shown},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},LOGIN://127.0.0.1:{login},SHOWN://127.0.0.1:{shown}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,LOGIN:SASL_SSL,SHOWN:SSL,CONTROLLER:PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={papers}/server-whole.pem
ssl.truststore.type=PEM
ssl.truststore.location={papers}/ours.pem
listener.name.shown.ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:{USER};User:CN={USER}
listener.name.login.sasl.enabled.mechanisms=PLAIN,{}
listener.name.login.plain.sasl.jaas.config={plain}
",
        SCRAM.join(",")
    );
    for mechanism in SCRAM {
        let name = mechanism.to_lowercase();
        text += &format!(
            "listener.name.login.{name}.sasl.jaas.config={module}.scram.ScramLoginModule required;\n"
        );
    }
    text
}

/// The broker answers requests once the controller has let it in.
pub(crate) fn answers(stream: &mut TcpStream) -> io::Result<bool> {
    stream.write_all(&WHO_ARE_YOU)?;
    // Length, correlation, and the error code, which is 0.
    let mut answer = [0; 10];
    stream.read_exact(&mut answer)?;
    Ok(answer[4..] == [0, 0, 0, 1, 0, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_and_the_controller_have_a_port_each() {
        let ports = [1, 2, 3, 4];
        let properties = properties(Path::new("/data"), ports) + &open_to_all(ports);
        let listeners = "\nlisteners=PLAINTEXT://127.0.0.1:1,AFAR://127.0.0.1:3,CONTROLLER://127.0.0.1:2\n";
        assert!(properties.contains(listeners), "{properties}");
        assert!(properties.contains("PLAINTEXT://127.0.0.1:1,AFAR://127.0.0.1:4\n"));
        assert!(properties.contains("\nlog.dirs=/data/log\n"));
    }

    #[test]
    fn the_jars_are_of_the_version_that_is_named() {
        assert!(POM.contains(&format!("<artifactId>kafka_2.13</artifactId><version>{VERSION}</version>")));
    }
}
