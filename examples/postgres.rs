//! A day of a small shop on PostgreSQL: `cargo run --package oms-examples --features postgres --example postgres`.
//!
//! The in-process broker carries messages within this process, and PostgreSQL keeps everything. Run it twice: nothing is placed twice.

const HERE: &str = "postgres://postgres@127.0.0.1:5432/postgres?schema=oms_example";

#[tokio::main]
async fn main() -> Result<(), oms_examples::Failure> {
    let store = oms_examples::keep(HERE).await?;
    let broker = oms_examples::connect_to("memory://").await?;
    print!("{}", oms_examples::day_on(broker, store).await?);
    Ok(())
}
