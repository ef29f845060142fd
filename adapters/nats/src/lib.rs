//! The NATS JetStream adapter: a durable pull consumer per group and lane.
