//! The broker suite over real servers.
