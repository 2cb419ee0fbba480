//! What happened, a line each: `launch NAME X Y Z BLOCK SHARED`, `graph`, `upload BYTES`, `fill BYTES`, `move BYTES`, `download BYTES`, `sync`,
//! `error …`.

use std::fs::File;
use std::io::Write;

/// The lines since somebody asked last, and a file that gets them all.
#[derive(Default)]
pub struct Log {
    lines: Vec<String>,
    file: Option<File>,
}

impl Log {
    /// A log that also goes to a file.
    pub fn to(file: Option<File>) -> Self {
        Self { lines: Vec::new(), file }
    }

    /// One line more.
    pub fn line(&mut self, line: String) {
        if let Some(file) = &mut self.file {
            // A test that misses a line says so.
            drop(writeln!(file, "{line}"));
        }
        self.lines.push(line);
    }

    /// The lines, which are forgotten.
    pub fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}
