//! The table of floors in `ARCHITECTURE.md` says what the code checks.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::floors::{CONFORMANCE, FLOORS};
use crate::house::House;
use crate::violation::Violation;

const RULE: &str = "architecture";
const PAGE: &str = "ARCHITECTURE.md";

/// The rooms by the name of their floor, as the page or the code has them.
type Floors = BTreeMap<String, BTreeSet<String>>;

/// One cell of a table: all of its text, and the words set as code.
#[derive(Default)]
struct Cell {
    text: String,
    code: BTreeSet<String>,
}

/// Compares the table on the page with the one in the code, once the page exists.
pub(crate) fn check(house: &House) -> Vec<Violation> {
    let Some(text) = house.tree.text(PAGE) else { return Vec::new() };
    let Some((line, written)) = floors_on_page(text) else {
        let advice = "add the table of floors, with the header `| floor | rooms | ...`";
        return vec![Violation::new(PAGE, 1, RULE, advice)];
    };
    let known = floors_in_code();
    let names: BTreeSet<&String> = written.keys().chain(known.keys()).collect();
    let differing = names.into_iter().filter(|name| written.get(*name) != known.get(*name));
    let report = |name: &String| {
        let advice = format!(
            "make floor {name} agree with xtask/src/rules/floors.rs: the page has {}, the code has {}",
            shown(written.get(name)),
            shown(known.get(name))
        );
        Violation::new(PAGE, line, RULE, advice)
    };
    differing.map(report).collect()
}

fn shown(rooms: Option<&BTreeSet<String>>) -> String {
    let Some(rooms) = rooms else { return "no such floor".to_owned() };
    rooms.iter().map(|room| format!("`{room}`")).collect::<Vec<_>>().join(" ")
}

fn floors_in_code() -> Floors {
    let numbered = FLOORS.iter().enumerate();
    let mut floors: Floors = numbered
        .map(|(floor, rooms)| (floor.to_string(), rooms.iter().map(|room| (*room).to_owned()).collect()))
        .collect();
    floors.insert("-".to_owned(), BTreeSet::from([CONFORMANCE.to_owned()]));
    floors
}

/// Reads the table of floors, and the line it starts on; rows of one floor count together.
fn floors_on_page(text: &str) -> Option<(usize, Floors)> {
    for (line, rows) in tables(text) {
        let Some((header, rows)) = rows.split_first() else { continue };
        let named = |at: usize, name: &str| {
            header.get(at).is_some_and(|cell| cell.text.trim().eq_ignore_ascii_case(name))
        };
        if !named(0, "floor") || !named(1, "rooms") {
            continue;
        }
        let mut floors = Floors::new();
        for row in rows {
            if let [floor, rooms, ..] = row.as_slice() {
                let name = floor.text.trim().replace(['\u{2013}', '\u{2014}'], "-");
                floors.entry(name).or_default().extend(rooms.code.iter().cloned());
            }
        }
        return Some((line, floors));
    }
    None
}

/// Reads every table of a page as rows of cells, with the line it starts on.
fn tables(text: &str) -> Vec<(usize, Vec<Vec<Cell>>)> {
    let mut tables: Vec<(usize, Vec<Vec<Cell>>)> = Vec::new();
    let mut inside = false;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Table(_)) => {
                inside = true;
                tables.push((text[..range.start].matches('\n').count() + 1, Vec::new()));
                continue;
            }
            Event::End(TagEnd::Table) => inside = false,
            _ => {}
        }
        if let Some((_, rows)) = tables.last_mut().filter(|_| inside) {
            read(event, rows);
        }
    }
    tables
}

/// Adds what one event of the parser says to the rows of a table.
fn read(event: Event<'_>, rows: &mut Vec<Vec<Cell>>) {
    match event {
        Event::Start(Tag::TableHead | Tag::TableRow) => rows.push(Vec::new()),
        Event::Start(Tag::TableCell) => {
            if let Some(row) = rows.last_mut() {
                row.push(Cell::default());
            }
        }
        Event::Text(words) | Event::Code(words) if words.is_empty() => {}
        Event::Text(words) => {
            if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
                cell.text.push_str(&words);
            }
        }
        Event::Code(words) => {
            if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
                cell.code.insert(words.into_string());
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE_TEXT: &str = "# Architecture\n\n| other | table |\n|---|---|\n| 0 | `none` |\n\n\
        | floor | rooms | what lives there |\n|---|---|---|\n\
        | 0 | `id` `money` `clock` | values, with `Clock` |\n| 1 | `event` | |\n\
        | 2 | `order` `payment` `inventory` `shipping` `notification` | |\n| 2 | `message` | |\n\
        | 3 | `broker` `store` `gateway` | |\n| 4 | `saga` `service` `projection` | |\n\
        | 5 | `worker` | |\n| 6 | `oms` | |\n| - | `conformance` | |\n";

    fn found(text: &str) -> Vec<String> {
        check(&House::of([(PAGE, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_page_that_agrees_passes_and_so_does_no_page() {
        assert_eq!(found(PAGE_TEXT), [""; 0]);
        assert!(check(&House::of([("README.md", "")])).is_empty());
    }

    #[test]
    fn a_room_on_another_floor_is_reported_with_both_sides() {
        let moved = PAGE_TEXT.replace("`worker`", "").replace("`oms`", "`oms` `worker`");
        let found = found(&moved);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[1].contains("floor 6") && found[1].contains("`oms` `worker`, the code has `oms`"),
            "{found:?}"
        );
        assert!(found[0].starts_with("ARCHITECTURE.md:7:"), "{found:?}");
    }

    #[test]
    fn a_floor_that_is_missing_or_new_is_reported() {
        assert_eq!(found(&PAGE_TEXT.replace("| 6 | `oms` | |\n", "")).len(), 1);
        assert_eq!(found(&format!("{PAGE_TEXT}| 7 | `attic` | |\n")).len(), 1);
    }

    #[test]
    fn a_page_without_the_table_is_asked_for_it() {
        assert_eq!(found("# Architecture\n").len(), 1);
    }
}
