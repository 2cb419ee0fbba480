//! The one error type of the command: what went wrong, what to type next, and the exit code that says which kind it was.

use std::io;
use std::path::Path;

use duodiff::graph::spec::text::echo;

/// What a command ends with.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; also when the reader of stdout went away.
    Done = 0,
    /// Failed while running, or a defect of this program.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// An input file is malformed, or does not belong to the pair.
    Input = 3,
    /// A bundle does not fit this machine.
    Misfit = 4,
    /// Not enough memory or disk; nothing was started.
    Resources = 5,
    /// What is executed is not what is meant.
    Unverified = 6,
    /// A device failed; what was finished is kept.
    Device = 7,
    /// An output could not be written.
    Output = 74,
    /// Stopped by a signal; what was finished is kept.
    Interrupted = 130,
}

/// Why a command ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The kind.
    pub exit: Exit,
    /// What was found and what was wanted.
    pub message: String,
    /// What to type.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// The command line makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// An input is refused.
    pub fn input(path: &Path, why: impl std::fmt::Display) -> Self {
        Self::new(Exit::Input, format!("{}: {why}", echo_path(path)))
    }

    /// An output could not be written.
    pub fn output(path: &Path, why: &io::Error) -> Self {
        Self::new(Exit::Output, format!("could not write {}: {why}", echo_path(path)))
    }

    /// stdout could not be written. A reader that went away is no failure.
    pub fn stdout(why: &io::Error) -> Self {
        match why.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Exit::Done, ""),
            _ => Self::new(Exit::Output, format!("could not write to stdout: {why}")),
        }
    }

    /// Adds what to type.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The text for stderr; empty if there is nothing to say.
    pub fn render(&self) -> String {
        match (&self.hint, self.exit) {
            (_, Exit::Done) => String::new(),
            (None, _) => format!("error: {}\n", self.message),
            (Some(hint), _) => format!("error: {}\n  try: {hint}\n", self.message),
        }
    }
}

/// A path, fit to be shown.
pub fn echo_path(path: &Path) -> String {
    echo(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_silent() {
        let failure = Failure::stdout(&io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.exit, failure.render().as_str()), (Exit::Done, ""));
    }
}
