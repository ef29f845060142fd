//! One step of the suite: what it runs, and the command that repeats it.

/// A step with the heading it runs under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) work: Work,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Work {
    /// The house rules, which run in this process.
    Tidy,
    /// A cargo command with its arguments and the variables set for it.
    Cargo { arguments: Vec<String>, variables: Vec<(&'static str, &'static str)> },
}

impl Step {
    /// Makes a step out of a cargo command line.
    pub(crate) fn cargo(name: &str, command: &str) -> Self {
        let arguments = command.split(' ').map(str::to_owned).collect();
        Self { name: name.to_owned(), work: Work::Cargo { arguments, variables: Vec::new() } }
    }

    /// Sets a variable for the command.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        if let Work::Cargo { variables, .. } = &mut self.work {
            variables.push((name, value));
        }
        self
    }

    /// Gives the command that repeats this step alone, ready for a shell.
    pub(crate) fn command(&self) -> String {
        match &self.work {
            Work::Tidy => "cargo xtask tidy".to_owned(),
            Work::Cargo { arguments, variables } => {
                let set: String =
                    variables.iter().map(|(name, value)| format!("{name}=\"{value}\" ")).collect();
                format!("{set}cargo {}", arguments.join(" "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_to_repeat_carries_its_variables() {
        let step = Step::cargo("docs", "doc --workspace --no-deps").with("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(step.command(), "RUSTDOCFLAGS=\"-D warnings\" cargo doc --workspace --no-deps");
    }
}
