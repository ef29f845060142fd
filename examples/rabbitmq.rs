//! A day of a small shop over RabbitMQ: `cargo run --package oms-examples --features rabbitmq --example rabbitmq`.

#[tokio::main]
async fn main() -> Result<(), oms_examples::Failure> {
    let broker = oms_examples::connect("amqp://guest:guest@127.0.0.1:5672").await?;
    print!("{}", oms_examples::day(broker).await?);
    Ok(())
}
