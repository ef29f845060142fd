//! The values of a column, as they are bound to a statement.

use crate::fault::Fault;
use oms_postgres::tokio_postgres::types::ToSql;
use serde_json::Value;

/// One column of many rows.
#[derive(Clone, Debug)]
pub(super) enum Column {
    Bool(Vec<Option<bool>>),
    Small(Vec<Option<i16>>),
    Int(Vec<Option<i32>>),
    Big(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
    /// An empty column of a type of PostgreSQL.
    pub(super) fn of(kind: &str) -> Result<Self, Fault> {
        match kind {
            "boolean" => Ok(Self::Bool(Vec::new())),
            "smallint" => Ok(Self::Small(Vec::new())),
            "integer" => Ok(Self::Int(Vec::new())),
            "bigint" => Ok(Self::Big(Vec::new())),
            "text" => Ok(Self::Text(Vec::new())),
            "bytea" => Ok(Self::Bytes(Vec::new())),
            other => Err(Fault::void(format!("the floor knows no columns of type {other}"))),
        }
    }

    /// Adds a value as JSON has it; bytes are written `\x` and digits there.
    pub(super) fn push(&mut self, value: &Value) {
        let number = value.as_i64();
        match self {
            Self::Bool(all) => all.push(value.as_bool()),
            Self::Small(all) => all.push(number.and_then(|number| number.try_into().ok())),
            Self::Int(all) => all.push(number.and_then(|number| number.try_into().ok())),
            Self::Big(all) => all.push(number),
            Self::Text(all) => all.push(value.as_str().map(str::to_owned)),
            Self::Bytes(all) => all.push(value.as_str().map(bytes)),
        }
    }

    pub(super) fn param(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Bool(all) => all,
            Self::Small(all) => all,
            Self::Int(all) => all,
            Self::Big(all) => all,
            Self::Text(all) => all,
            Self::Bytes(all) => all,
        }
    }
}

fn bytes(text: &str) -> Vec<u8> {
    let digits = text.strip_prefix("\\x").unwrap_or_default().as_bytes();
    let half =
        |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    digits.chunks_exact(2).map(|pair| half(pair[0]) << 4 | half(pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_what_json_says_of_it() {
        let mut column = Column::of("bytea").unwrap();
        column.push(&Value::from("\\x00ffa1"));
        column.push(&Value::Null);
        assert!(matches!(column, Column::Bytes(all) if all == [Some(vec![0, 255, 161]), None]));
        let mut column = Column::of("bigint").unwrap();
        column.push(&Value::from(-7));
        assert!(matches!(column, Column::Big(all) if all == [Some(-7)]));
        assert!(Column::of("money").is_err());
    }
}
