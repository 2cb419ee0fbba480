//! Runs the command in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A temporary working folder.
pub struct Session {
    folder: tempfile::TempDir,
}

/// What a command did.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// The answer.
    pub stdout: String,
    /// Everything else.
    pub stderr: String,
}

impl Session {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The folder, or a file in it.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command, ready to be run or spawned.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_duodiff"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).env("COLUMNS", "100").env_remove("NO_COLOR");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::from(self.command(arguments).output().unwrap())
    }

    /// Runs a line of shell script with the command as `$DUODIFF`.
    #[cfg(unix)]
    pub fn shell(&self, script: &str) -> Outcome {
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(self.folder.path()).env("DUODIFF", env!("CARGO_BIN_EXE_duodiff"));
        Outcome::from(command.output().unwrap())
    }

    /// Runs a command that must be refused with this code and this in its message, and that must leave no trace.
    #[track_caller]
    pub fn refuses(&self, arguments: &[&str], code: i32, message: &str) {
        let before = self.names(".");
        let outcome = self.run(arguments);
        assert_eq!(outcome.code, Some(code), "{arguments:?}: {outcome:?}");
        assert!(outcome.stderr.contains(message), "{arguments:?}: wanted {message:?} in {:?}", outcome.stderr);
        assert!(outcome.stdout.is_empty(), "{arguments:?}: an error is no answer: {outcome:?}");
        assert_eq!(self.names("."), before, "{arguments:?} left a trace");
    }

    /// The names in a folder, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Outcome {
    /// stdout of a command that must have succeeded.
    #[track_caller]
    pub fn answer(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// stdout, every line of which must be a JSON object with our schema number.
    #[track_caller]
    pub fn json(self) -> Vec<serde_json::Value> {
        let lines: Vec<serde_json::Value> = self.answer().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.iter().all(|line| line["schema"] == 1), "{lines:?}");
        lines
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8 on both streams");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}
