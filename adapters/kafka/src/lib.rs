//! The Kafka adapter: packs in explicit partitions, one reader per lane.
