//! The PostgreSQL store: events, states and what is owed, in one schema.
