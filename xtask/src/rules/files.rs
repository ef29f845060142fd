//! A file is a room: short, and it opens with the sentence that says what lives there.

use crate::house::House;
use crate::violation::Violation;

const MOST_LINES: usize = 400;

/// Checks the length and the first line of every Rust file.
pub(crate) fn check(house: &House) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in &house.sources {
        if source.lines > MOST_LINES {
            let advice = format!("split it: {} lines, and a file stops at {MOST_LINES}", source.lines);
            found.push(Violation::new(&source.path, MOST_LINES + 1, "file length", advice));
        }
        let sentence = source.first_line.strip_prefix("//!").map(str::trim);
        if sentence.is_none_or(str::is_empty) {
            let advice = "open with one `//!` sentence that says what lives here";
            found.push(Violation::new(&source.path, 1, "file opening", advice));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        check(&House::of([("server/src/main.rs", text)])).iter().map(|found| found.rule).collect()
    }

    #[test]
    fn a_file_of_400_lines_passes_and_one_more_does_not() {
        let full = format!("//! Full.\n{}", "const _: () = ();\n".repeat(399));
        assert_eq!(rules(&full), [""; 0]);
        assert_eq!(rules(&format!("{full}\n")), ["file length"]);
    }

    #[test]
    fn a_file_opens_with_its_sentence() {
        assert_eq!(rules("//! The door.\nfn main() {}"), [""; 0]);
        assert_eq!(rules("fn main() {}"), ["file opening"]);
        assert_eq!(rules("//!\nfn main() {}"), ["file opening"]);
        assert_eq!(rules("// A comment.\n//! Too late.\nfn main() {}"), ["file opening"]);
        assert_eq!(rules(""), ["file opening"]);
    }
}
