//! Which column holds what: named by the user, or known from the preset's shape.

use super::{Field, SourceError};
use std::str::FromStr;

/// One `FIELD=COLUMN` of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// What is meant.
    pub field: Field,
    /// Where it stands.
    pub column: String,
}

impl FromStr for Mapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Field::ALL.map(Field::name).join(", ");
        let (name, column) = text.split_once('=').ok_or("write FIELD=COLUMN, such as sku=StockCode")?;
        let field = Field::ALL.into_iter().find(|field| field.name() == name);
        let field = field.ok_or_else(|| format!("{name:?} is no field; the fields are {}", names()))?;
        Ok(Self { field, column: column.to_owned() })
    }
}

/// Where each field stands in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// The names of the columns, in the file's order.
    names: Vec<String>,
    places: Vec<(Field, usize)>,
    /// Whether all columns are those of the preset.
    pub(super) preset: bool,
}

impl Columns {
    /// Finds every field among the columns of a file.
    pub(super) fn find(names: Vec<String>, mappings: &[Mapping]) -> Result<Self, SourceError> {
        let names: Vec<String> = names.into_iter().map(|name| name.trim().to_owned()).collect();
        if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            return Err(SourceError::ColumnTwice(twice.1.clone()));
        }
        let at = |wanted: &str| names.iter().position(|name| name == wanted);
        let (mut places, mut missing) = (Vec::new(), Vec::new());
        for field in Field::ALL {
            let mapped = mappings.iter().rev().find(|mapping| mapping.field == field);
            let place = match mapped {
                Some(mapping) => at(mapping.column.trim()),
                None => at(field.preset()).or_else(|| at(field.name())),
            };
            match place {
                Some(place) => places.push((field, place)),
                None if field.required() || mapped.is_some() => missing.push(field),
                None => {}
            }
        }
        if !missing.is_empty() {
            return Err(SourceError::MissingColumns { missing, found: names.join(", ") });
        }
        let preset = places.len() == Field::ALL.len()
            && places.iter().all(|&(field, place)| names[place] == field.preset());
        Ok(Self { names, places, preset })
    }

    /// How many columns a row has.
    pub(super) fn width(&self) -> usize {
        self.names.len()
    }

    /// The name of the column at `place`.
    pub(super) fn name(&self, place: usize) -> Option<&str> {
        self.names.get(place).map(String::as_str)
    }

    /// The column of `field`: its place from 0 and its name.
    pub(super) fn place(&self, field: Field) -> Option<(usize, &str)> {
        let (_, place) = *self.places.iter().find(|(one, _)| *one == field)?;
        Some((place, self.names.get(place)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn the_shape_of_the_sample_is_known_without_being_told() {
        let header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";
        let columns = Columns::find(names(header), &[]).expect("all columns are there");
        assert!(columns.preset);
        assert_eq!(columns.place(Field::Price), Some((5, "UnitPrice")));
    }

    #[test]
    fn missing_columns_are_named_all_at_once() {
        let found = Columns::find(names("invoice,sku,quantity,date"), &[]);
        let text = found.map(|_| ()).expect_err("three are missing").to_string();
        assert!(text.contains("no column for price, customer, country;"), "{text}");
        assert!(text.contains("invoice, sku, quantity, date"), "{text}");
    }

    #[test]
    fn a_mapped_column_wins_and_one_that_is_not_there_is_missed() {
        let header = "no,item,n,price,who,land";
        let map = ["invoice=no", "sku=item", "quantity=n", "customer=who", "country=land"];
        let map: Vec<Mapping> = map.iter().filter_map(|text| text.parse().ok()).collect();
        let columns = Columns::find(names(header), &map).expect("all are mapped");
        assert_eq!((columns.preset, columns.place(Field::Country)), (false, Some((5, "land"))));
        let wrong = [map, vec!["name=Label".parse().expect("a mapping")]].concat();
        assert!(Columns::find(names(header), &wrong).is_err());
        assert!("colour=red".parse::<Mapping>().is_err());
    }
}
