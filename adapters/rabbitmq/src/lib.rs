//! The RabbitMQ adapter: a quorum queue per group and lane.
