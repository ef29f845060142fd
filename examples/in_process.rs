//! A day of a small shop over the in-process broker: `cargo run --package oms-examples --example in_process`.

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let broker = oms_broker::connect("memory://").await?;
    print!("{}", oms_examples::day(broker).await?);
    Ok(())
}
