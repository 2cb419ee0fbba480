//! A table that is printed last.

use std::fmt::{self, Display, Formatter};

use crate::Result;

/// Rows under a head, columns as wide as they need to be.
pub struct Table {
    rows: Vec<Vec<String>>,
    is_good: bool,
}

impl Table {
    pub fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(str::to_owned).into()], is_good: true }
    }

    /// A row as it is.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// A row of what was found and what it may be at most; also shown at once.
    pub fn check(&mut self, what: String, found: f64, bound: f64) {
        // NaN is above every bound.
        let is_good = found <= bound;
        self.is_good &= is_good;
        let verdict = if is_good { "good" } else { "BAD" };
        eprintln!("{what}: {found:.2e} {verdict}");
        self.row([what, format!("{found:.2e}"), format!("{bound:.0e}"), verdict.into()]);
    }

    /// A row for what could not be checked at all.
    pub fn part(&mut self, what: &str, checked: Result<()>) {
        if let Err(why) = checked {
            self.is_good = false;
            eprintln!("{what}: {why}");
            self.row([what.into(), why.to_string(), String::new(), "FAILED".into()]);
        }
    }

    /// Whether every check was good.
    pub fn is_good(&self) -> bool {
        self.is_good
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..count).map(width).collect();
        for row in &self.rows {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(f, "{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}
