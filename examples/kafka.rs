//! A day of a small shop over Kafka: `cargo run --package oms-examples --features kafka --example kafka`.

#[tokio::main]
async fn main() -> Result<(), oms_examples::Failure> {
    let broker = oms_examples::connect("kafka://127.0.0.1:9092").await?;
    print!("{}", oms_examples::day(broker).await?);
    Ok(())
}
