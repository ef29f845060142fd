//! The bench as a command.

use clap::Parser as _;
use oms_benches::{
    Fault,
    args::{Cli, OnServer, Run, Task},
    house::{Keep, postgres},
    report::Report,
    workload::{brokers, dedupe, first_order, measure, memory, rebuild, relay, saga, start, stores},
};
use std::{
    env,
    error::Error as _,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, text)) => {
            eprintln!("error: {text}");
            ExitCode::from(code)
        }
    }
}

/// How a run fails: its exit code, and what to say.
type Failure = (u8, String);

/// A measurement that could not be taken.
fn failed(fault: Fault) -> Failure {
    let mut text = fault.to_string();
    let mut source = fault.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    (1, text)
}

fn run(task: Task) -> Result<(), Failure> {
    match task {
        Task::Saga { only, run } => reported(&run, || saga(&run.scale(), &only)),
        Task::Dedupe(run) => reported(&run, || dedupe(&run.scale())),
        Task::Memory(run) => reported(&run, || memory(&run.scale(), &this()?)),
        Task::Rebuild(OnServer { servers, run }) => {
            reported(&run, || with_postgres(&servers, |stores| rebuild(&run.scale(), stores)))
        }
        Task::Relay(OnServer { servers, run }) => {
            reported(&run, || with_postgres(&servers, |stores| relay(&run.scale(), stores)))
        }
        Task::Brokers { servers, run } => reported(&run, || {
            let counting = this()?.with_file_name(format!("oms-counted{}", env::consts::EXE_SUFFIX));
            brokers(&run.scale(), &servers, counting.is_file().then_some(counting.as_path()))
        }),
        Task::Start(run) => reported(&run, || {
            let (this, oms) = (this()?, this()?.with_file_name(format!("oms{}", env::consts::EXE_SUFFIX)));
            start(&run.scale(), &this, oms.is_file().then_some(oms.as_path()))
        }),
        Task::Point(point) => {
            let measured = measure(&point).map_err(failed)?;
            println!("{}", serde_json::to_string(&measured).map_err(|error| (1, error.to_string()))?);
            Ok(())
        }
        Task::FirstOrder(cold) => first_order(&cold).map_err(failed),
    }
}

/// Measures over every store, PostgreSQL on a server of its own.
fn with_postgres(
    servers: &Path,
    measure: impl FnOnce(&[Keep]) -> Result<Report, Fault>,
) -> Result<Report, Fault> {
    let server = postgres(servers)?;
    let all: Vec<Keep> = stores().into_iter().chain([Keep::Postgres(server.url())]).collect();
    measure(&all)
}

fn this() -> Result<PathBuf, Fault> {
    env::current_exe().map_err(|error| Fault::place("the program itself", error))
}

/// Measures, and says what came of it: on the screen, or into the file that was asked for.
fn reported(run: &Run, measure: impl FnOnce() -> Result<Report, Fault>) -> Result<(), Failure> {
    let unwritable = |error| {
        let path = run.json.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        (2, format!("{path} cannot be written; name another file: {error}"))
    };
    if let Some(path) = &run.json {
        // Found out before an hour of work, not after it.
        fs::File::options().append(true).create(true).open(path).map_err(unwritable)?;
    }
    let mut report = measure().map_err(failed)?;
    report.sign(env::var("OMS_COMMIT").ok().as_deref(), run.quick);
    match &run.json {
        None => print!("{report}"),
        Some(path) => {
            let text = report.json().map_err(|error| (1, error.to_string()))?;
            fs::write(path, text + "\n").map_err(unwritable)?;
            print!("{}", report.verdicts());
        }
    }
    Ok(())
}
