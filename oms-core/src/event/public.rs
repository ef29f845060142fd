//! The public events: what hearers outside the five services are told, by the field's names.
