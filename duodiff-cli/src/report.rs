//! The answer of a command on stdout: lines, aligned tables, and JSON Lines with a schema number.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::{Failure, Result};

/// The version of every JSON line that the command writes.
pub const SCHEMA: u32 = 1;

/// A JSON object of ours, led by the schema number.
#[derive(Serialize)]
struct Line<'a, T: Serialize> {
    schema: u32,
    #[serde(flatten)]
    body: &'a T,
}

/// `value`, which must serialize as a map, as one line of JSON.
pub fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(&Line { schema: SCHEMA, body: value }).expect("invariant: our reports are maps with text keys")
}

/// Writes text to stdout, at once.
pub fn print(text: &str) -> Result {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|why| Failure::stdout(&why))
}

/// Writes text and a line break to stdout.
pub fn line(text: &str) -> Result {
    print(&format!("{text}\n"))
}

/// Where a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Names and texts.
    Left,
    /// Numbers.
    Right,
}

/// A table with a header; columns are as wide as their widest cell and two spaces apart.
pub struct Table {
    columns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(columns: &[(&str, Align)]) -> Self {
        Self { columns: columns.iter().map(|c| c.1).collect(), rows: vec![columns.iter().map(|c| c.0.to_string()).collect()] }
    }

    /// Adds a row, a cell per column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut cells: Vec<_> = cells.into_iter().collect();
        cells.resize(self.columns.len(), String::new());
        self.rows.push(cells);
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let widest = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = (0..self.columns.len()).map(widest).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&self.columns).zip(&widths).map(|((cell, align), &width)| match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// Foreign text whose control characters cannot reach the terminal; line breaks stay.
pub fn harmless(text: &str) -> String {
    let escape = |c: char| if c.is_control() && c != '\n' { c.escape_default().collect() } else { vec![c] };
    text.chars().flat_map(escape).collect()
}

/// A whole number with commas, e.g. `44,255,328`.
pub fn commas(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    Some(head.to_string()).filter(|head| !head.is_empty()).into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

/// A number of bytes for people, e.g. `1.2 MiB`.
pub fn bytes(number: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut size = number as f64 / 1024.0;
    let mut unit = 0;
    while size >= 1024.0 {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", units[unit])
}

/// Floating-point operations in units of 10⁹, two decimals where that says something.
pub fn gflop(flops: u64) -> String {
    let giga = flops as f64 / 1e9;
    if giga >= 1.0 { format!("{giga:.2}") } else { format!("{giga:.4}") }
}

/// 32 bytes in hexadecimal digits.
pub fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_legible() {
        assert_eq!([0, 7, 999, 1000, 44_255_328].map(commas), ["0", "7", "999", "1,000", "44,255,328"]);
        assert_eq!([1023, 1024, 1_300_000, u64::MAX].map(bytes), ["1023 B", "1.0 KiB", "1.2 MiB", "16.0 EiB"]);
    }

    #[test]
    fn control_characters_are_shown_not_sent() {
        assert_eq!(harmless("a\x1b[31m\nü"), "a\\u{1b}[31m\nü");
    }

    #[test]
    fn tables_are_aligned_and_have_no_trailing_spaces() {
        let mut table = Table::new(&[("name", Align::Left), ("size", Align::Right), ("note", Align::Left)]);
        table.row(["a".to_string(), "10".to_string(), "long".to_string()]);
        table.row(["longer".to_string(), "9".to_string()]);
        assert_eq!(table.to_string(), "name    size  note\na         10  long\nlonger     9\n");
    }

    #[test]
    fn json_lines_lead_with_the_schema() {
        assert_eq!(json(&serde_json::json!({"a": 1})), r#"{"schema":1,"a":1}"#);
    }
}
