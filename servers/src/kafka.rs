//! Kafka: jars out of Maven Central, one node that is broker and controller.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::port::Ports;
use crate::{Kind, ServerError, step};

pub(crate) const VERSION: &str = "4.1.0";

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

pub(crate) fn command(home: &Path, data: &Path, ports: Ports) -> Result<Command, ServerError> {
    let file = data.join("server.properties");
    fs::write(&file, properties(data, ports)).map_err(ServerError::file(&file))?;
    if !data.join("log").exists() {
        let mut format = java(home);
        // Any 16 bytes will do: the cluster has this one node.
        format.args(["kafka.tools.StorageTool", "format", "-t", "b21zLW9mLXRoZS10ZXN0cw", "-c"]).arg(&file);
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
/// registration of the dead one until its session has ended. Clients go where a broker says it is, so that those that come by a
/// proxy have a listener of their own, which says that it is the proxy.
fn properties(data: &Path, [port, controller, afar, proxy]: Ports) -> String {
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},AFAR://127.0.0.1:{afar},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},AFAR://127.0.0.1:{proxy}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,AFAR:PLAINTEXT,CONTROLLER:PLAINTEXT
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
        let properties = properties(Path::new("/data"), [1, 2, 3, 4]);
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
