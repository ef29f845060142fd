//! The embedded store: events, state and what is owed in one SQLite file.
