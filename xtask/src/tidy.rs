//! The `tidy` task: every rule over every file, one line per violation.

use std::path::Path;

use crate::house::House;
use crate::rules;
use crate::tree::Tree;

/// Checks the workspace at `root`, prints what it finds, and says whether all is well.
pub(crate) fn run(root: &Path) -> bool {
    let tree = match Tree::read(root) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("{error}");
            return false;
        }
    };
    let files = tree.len();
    let violations = rules::check(&House::new(tree));
    for violation in &violations {
        println!("{violation}");
    }
    if violations.is_empty() {
        println!("tidy: {files} files keep all {} rules", rules::count());
    } else {
        println!("tidy: {} violations; each line says what to do", violations.len());
    }
    violations.is_empty()
}
