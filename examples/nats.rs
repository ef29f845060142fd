//! A day of a small shop over NATS: `cargo run --package oms-examples --features nats --example nats`.

#[tokio::main]
async fn main() -> Result<(), oms_examples::Failure> {
    let broker = oms_examples::connect("nats://127.0.0.1:4222").await?;
    print!("{}", oms_examples::day(broker).await?);
    Ok(())
}
