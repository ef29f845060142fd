//! A day of a small shop over the in-process broker: `cargo run --package oms-examples --example in_process`.

#[tokio::main]
async fn main() -> Result<(), oms_examples::Failure> {
    let broker = oms_examples::connect("memory://").await?;
    print!("{}", oms_examples::day(broker).await?);
    Ok(())
}
