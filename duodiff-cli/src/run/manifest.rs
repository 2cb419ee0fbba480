//! `manifest.jsonl`: one line per finished image, appended after its file is in place.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{file, report};

/// A line of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Global index of the image.
    pub index: u64,
    /// The file, from the run's folder.
    pub file: String,
    /// Its class.
    pub class: Option<u32>,
}

impl Entry {
    /// The entry of an image.
    pub fn new(index: u64, class: Option<u32>) -> Self {
        Self { index, file: format!("images/{index:06}.png"), class }
    }
}

/// The open manifest.
pub struct Manifest {
    path: PathBuf,
    file: File,
    finished: BTreeSet<u64>,
}

impl Manifest {
    /// Opens the manifest of a run's folder. Lines that were cut short, or whose file is gone, are dropped: those images
    /// are made again.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("manifest.jsonl");
        let text = match fs::read(&path) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        let text = String::from_utf8_lossy(&text);
        let mut finished = BTreeSet::new();
        let kept: Vec<_> = text.split_inclusive('\n').filter(|line| keep(folder, line, &mut finished)).collect();
        let kept = kept.concat();
        if kept != text {
            file::write(&path, kept.as_bytes())?;
        }
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        Ok(Self { path, file, finished })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The images that are there.
    pub fn finished(&self) -> &BTreeSet<u64> {
        &self.finished
    }

    /// Adds entries, durably.
    pub fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        let lines: String = entries.iter().map(|entry| report::json(entry) + "\n").collect();
        self.file.write_all(lines.as_bytes())?;
        self.file.sync_data()?;
        self.finished.extend(entries.iter().map(|entry| entry.index));
        Ok(())
    }
}

/// Whether a line is whole, new and true.
fn keep(folder: &Path, line: &str, finished: &mut BTreeSet<u64>) -> bool {
    let entry = line.strip_suffix('\n').and_then(|line| serde_json::from_str::<Entry>(line).ok());
    // No path from a file is ever opened: the file of an index is the one that this program would write.
    let known = entry.filter(|entry| *entry == Entry::new(entry.index, entry.class) && folder.join(&entry.file).is_file());
    known.is_some_and(|entry| finished.insert(entry.index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with_images(indices: &[u64]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("images")).unwrap();
        for &index in indices {
            fs::write(folder.path().join(Entry::new(index, None).file), b"png").unwrap();
        }
        folder
    }

    #[test]
    fn remembers_what_was_appended() {
        let folder = folder_with_images(&[0, 1, 5]);
        Manifest::open(folder.path()).unwrap().append(&[Entry::new(0, None), Entry::new(5, Some(2))]).unwrap();
        Manifest::open(folder.path()).unwrap().append(&[Entry::new(1, None)]).unwrap();
        let again = Manifest::open(folder.path()).unwrap();
        assert_eq!(again.finished().iter().copied().collect::<Vec<_>>(), [0, 1, 5]);
    }

    #[test]
    fn drops_torn_lines_strange_paths_and_lost_files() {
        let folder = folder_with_images(&[0, 1, 2]);
        let good = report::json(&Entry::new(1, None)) + "\n";
        let strange = report::json(&Entry { index: 2, file: "../../etc/passwd".to_string(), class: None }) + "\n";
        let lost = report::json(&Entry::new(9, None)) + "\n";
        let torn = report::json(&Entry::new(0, None));
        let path = folder.path().join("manifest.jsonl");
        fs::write(&path, format!("not json\n{good}{good}{strange}{lost}{torn}")).unwrap();
        let manifest = Manifest::open(folder.path()).unwrap();
        assert_eq!(manifest.finished().iter().copied().collect::<Vec<_>>(), [1]);
        assert_eq!(fs::read_to_string(&path).unwrap(), good);
    }
}
