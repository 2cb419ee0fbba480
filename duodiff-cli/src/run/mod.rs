//! A run's folder: `run.toml`, `images/000042.png`, `manifest.jsonl`, `grid.png`. A stopped run is continued, another is
//! refused, and at no time is there half a file under a final name.

mod manifest;
mod settings;

use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};

pub use manifest::Entry;
use manifest::Manifest;
pub use settings::{Recipe, Settings};

use duodiff::graph::spec::text::echo;

use crate::error::{Exit, Failure, Result, echo_path};
use crate::file;
use crate::image;

/// Most images on a grid.
const GRID: u64 = 100;

/// Most differences that a refusal names.
const NAMED: usize = 4;

/// An open run; while it is open, no other process can open it.
pub struct Run {
    folder: PathBuf,
    settings: Settings,
    manifest: Manifest,
    /// Every image before this one is there.
    first: u64,
    /// Held until the run is dropped.
    _lock: File,
}

/// What a folder is to a run.
#[derive(Debug, PartialEq, Eq)]
enum State {
    /// No run has been here.
    Free,
    /// A run with these settings.
    Same,
}

impl Run {
    /// Starts or continues a run in `folder`.
    pub fn open(folder: &Path, settings: &Settings) -> Result<Self> {
        // Before anything is made, so that a refusal leaves no trace; and once more when nobody else can change it.
        state(folder, settings)?;
        let written = |why: io::Error| Failure::output(folder, &why);
        fs::create_dir_all(folder).map_err(written)?;
        let lock = lock(folder)?;
        if state(folder, settings)? == State::Free {
            file::write(&folder.join("run.toml"), settings.toml().as_bytes()).map_err(written)?;
            file::sync_folder(&file::folder_of(folder)).map_err(written)?;
        }
        remove_temporary(folder).map_err(written)?;
        fs::create_dir_all(folder.join("images")).and_then(|()| fs::create_dir(folder.join(".tmp"))).map_err(written)?;
        let manifest = Manifest::open(folder).map_err(written)?;
        Ok(Self { folder: folder.to_path_buf(), settings: settings.clone(), manifest, first: 0, _lock: lock })
    }

    /// The folder of a run whose folder was not named: the first of `out/NAME`, `out/NAME-2`, … that is free or has
    /// the same settings.
    pub fn default_folder(name: &str, settings: &Settings) -> PathBuf {
        let numbered = |n: u64| if n == 1 { name.to_string() } else { format!("{name}-{n}") };
        let mut folders = (1..).map(|n| Path::new("out").join(numbered(n)));
        folders.find(|folder| state(folder, settings).is_ok()).expect("invariant: there are fewer than 2^64 folders")
    }

    /// What makes its images.
    pub fn recipe(&self) -> &Recipe {
        &self.settings.recipe
    }

    /// Number of images that are there.
    pub fn finished(&self) -> u64 {
        self.manifest.finished().len() as u64
    }

    /// The first images that are not there, consecutive and at most `limit`; none if all are.
    pub fn missing(&mut self, limit: usize) -> Range<u64> {
        let finished = self.manifest.finished();
        while finished.contains(&self.first) {
            self.first += 1;
        }
        let most = self.first.saturating_add(limit as u64).min(self.settings.count);
        let end = finished.range(self.first..most.max(self.first)).next().copied().unwrap_or(most);
        self.first..end.max(self.first)
    }

    /// Publishes a batch of PNG files.
    pub fn publish(&mut self, images: &[(Entry, Vec<u8>)]) -> Result {
        for (entry, png) in images {
            let path = self.folder.join(&entry.file);
            let temporary = self.folder.join(".tmp").join(format!("{}.png", entry.index));
            file::publish(&path, &temporary, png).map_err(|why| self.unwritten(&path, &why))?;
        }
        let folder = self.folder.join("images");
        file::sync_folder(&folder).map_err(|why| self.unwritten(&folder, &why))?;
        let entries: Vec<_> = images.iter().map(|(entry, _)| entry.clone()).collect();
        let path = self.manifest.path().to_path_buf();
        self.manifest.append(&entries).map_err(|why| self.unwritten(&path, &why))
    }

    /// Writes the grid of the first images and tidies up. Returns its path.
    pub fn finish(self) -> Result<PathBuf> {
        let path = self.folder.join("grid.png");
        let read = |index: &u64| {
            let file = File::open(self.folder.join(Entry::new(*index, None).file))?;
            image::decode(BufReader::new(file)).map_err(io::Error::other)
        };
        let images: io::Result<Vec<_>> = self.manifest.finished().range(..GRID.min(self.settings.count)).map(read).collect();
        let images = images.map_err(|why| Failure::input(&self.folder.join("images"), why))?;
        if let Some(grid) = image::grid(&images) {
            let png = image::encode(&grid, &[]).map_err(|why| self.unwritten(&path, &io::Error::other(why)))?;
            file::write(&path, &png).map_err(|why| self.unwritten(&path, &why))?;
        }
        remove_temporary(&self.folder).map_err(|why| self.unwritten(&self.folder, &why))?;
        Ok(path)
    }

    fn unwritten(&self, path: &Path, why: &io::Error) -> Failure {
        let kept = format!("{} of {} images are kept", self.finished(), self.settings.count);
        Failure::new(Exit::Output, format!("could not write {}: {why}; {kept}", echo_path(path)))
            .hint("mend the cause (free space, permissions), then the same command again: it goes on from there")
    }
}

/// Compares a folder with the settings.
fn state(folder: &Path, settings: &Settings) -> Result<State> {
    let path = folder.join("run.toml");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(why) if matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return free(folder),
        Err(why) => return Err(Failure::input(&path, why)),
    };
    let other = toml::from_str(&text).map_err(|why| Failure::input(&path, echo(why.message())))?;
    let differences = settings.differences(&other);
    if differences.is_empty() {
        return Ok(State::Same);
    }
    let named = differences[..differences.len().min(NAMED)].join("; ");
    Err(Failure::usage(format!("{} holds a run with other settings: {named}", echo_path(folder)))
        .hint("another folder (-o DIR), or the settings of its run.toml"))
}

/// A folder without `run.toml` may hold anything but files that a run would write over.
fn free(folder: &Path) -> Result<State> {
    match ["images", "manifest.jsonl", "grid.png"].into_iter().find(|name| folder.join(name).exists()) {
        None => Ok(State::Free),
        Some(name) => Err(Failure::usage(format!("{} holds {name} but no run.toml, so no run to continue", echo_path(folder)))
            .hint("another folder (-o DIR)")),
    }
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(".lock");
    let file = File::options().create(true).append(true).open(&path).map_err(|why| Failure::output(&path, &why))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::usage(format!("another process is running in {}", echo_path(folder)))
            .hint("another folder (-o DIR), or the same command when that process has ended")),
        Err(TryLockError::Error(why)) => Err(Failure::output(&path, &why)),
    }
}

/// Removes what an interrupted process left.
fn remove_temporary(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder.join(".tmp")) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
