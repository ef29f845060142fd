//! What an application's role may do: everything but change or remove what happened.

use crate::error::OpenError;

/// The tables whose rows come and go; those of events only come.
const CHANGING: &str = "lane, lease, owner, removed, sent, hears, owed, alarm, effect, parked, dead, generation, model_cursor, model_row";

/// Writes the statements that let `role` work in `schema`, for an owner of the schema to run once it is made: `role` adds and reads
/// events and never changes or removes one, makes no tables, and reaches nothing outside the schema.
///
/// ```
/// let script = oms_postgres::role_script("shop", "shop_app")?;
/// assert!(script.contains("GRANT SELECT, INSERT ON \"shop\".event TO \"shop_app\";"));
/// assert!(oms_postgres::role_script("shop", "app; DROP TABLE x").is_err());
/// # Ok::<(), oms_postgres::OpenError>(())
/// ```
///
/// # Errors
/// [`OpenError::Schema`] when either is no plain name: small letters, digits and `_`.
pub fn role_script(schema: &str, role: &str) -> Result<String, OpenError> {
    for name in [schema, role] {
        if !crate::options::is_plain(name) {
            return Err(OpenError::Schema(name.to_owned()));
        }
    }
    // A plain name may still be a word of SQL.
    let [schema, role] = [schema, role].map(|name| format!("\"{name}\""));
    let tables: Vec<String> = CHANGING.split(", ").map(|table| format!("{schema}.{table}")).collect();
    let tables = tables.join(", ");
    Ok(format!(
        "REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT ON {schema}.event TO {role};
GRANT SELECT, UPDATE ON {schema}.meta TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {role};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role};
"
    ))
}
