//! The files of the repository, held in memory so that every rule is a pure function.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Says why the files could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TreeError {
    /// Git is missing or did not start.
    #[error("git could not be started: install it, or run this where it is on the PATH")]
    Start(#[source] std::io::Error),
    /// Git answered with an error.
    #[error("git could not list the files: run this inside a git checkout ({said})")]
    List { said: String },
}

/// Every file that is tracked or about to be, by its path from the root, with its text.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Makes a tree out of paths and texts, which is how the tests of the rules build one.
    #[cfg(test)]
    pub(crate) fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self { files: files.map(|(path, text)| (path.to_owned(), text.to_owned())).into() }
    }

    /// Reads what git tracks below `root`, and what it would track after `git add`.
    ///
    /// # Errors
    /// [`TreeError::Start`] without git, [`TreeError::List`] outside a checkout.
    pub(crate) fn read(root: &Path) -> Result<Self, TreeError> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .map_err(TreeError::Start)?;
        if !listed.status.success() {
            return Err(TreeError::List { said: String::from_utf8_lossy(&listed.stderr).trim().to_owned() });
        }
        let mut files = BTreeMap::new();
        for path in String::from_utf8_lossy(&listed.stdout).split('\0').filter(|path| !path.is_empty()) {
            // A file deleted but not yet committed is still listed; there is nothing in it to judge.
            if let Ok(bytes) = std::fs::read(root.join(path)) {
                files.insert(path.to_owned(), String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        Ok(Self { files })
    }

    /// Walks all files in the order of their paths.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Walks the files whose name ends in `ending`.
    pub(crate) fn ending(&self, ending: &str) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter(move |(path, _)| path.ends_with(ending))
    }

    /// Gives the text of the file at `path`.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Says whether `path` is a file, or a folder with a file in it.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        path.is_empty()
            || self.files.contains_key(path)
            || self.files.range(folder.clone()..).next().is_some_and(|(name, _)| name.starts_with(&folder))
    }

    /// Counts the files.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(root: &Path, arguments: &[&str]) {
        assert!(Command::new("git").args(arguments).current_dir(root).status().unwrap().success());
    }

    #[test]
    fn new_files_are_read_and_ignored_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet"]);
        std::fs::write(folder.path().join(".gitignore"), "target\n").unwrap();
        std::fs::write(folder.path().join("target"), "built").unwrap();
        std::fs::write(folder.path().join("new.rs"), "//! New.").unwrap();
        let tree = Tree::read(folder.path()).unwrap();
        assert_eq!(tree.text("new.rs"), Some("//! New."));
        assert_eq!(tree.text("target"), None);
    }

    #[test]
    fn a_file_deleted_but_still_tracked_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet"]);
        std::fs::write(folder.path().join("gone.rs"), "").unwrap();
        git(folder.path(), &["add", "gone.rs"]);
        std::fs::remove_file(folder.path().join("gone.rs")).unwrap();
        assert_eq!(Tree::read(folder.path()).unwrap().len(), 0);
    }

    #[test]
    fn outside_a_checkout_the_error_says_where_to_run() {
        let folder = tempfile::tempdir().unwrap();
        let error = Tree::read(folder.path()).unwrap_err();
        assert!(error.to_string().contains("inside a git checkout"), "{error}");
    }

    #[test]
    fn a_folder_is_held_when_a_file_lies_in_it() {
        let tree = Tree::of([("docs/adr/0001.md", "")]);
        assert!(tree.holds("docs/adr"));
        assert!(tree.holds("docs/"));
        assert!(!tree.holds("docs/ad"));
    }
}
