//! The door: choose a broker by feature and by URL.
