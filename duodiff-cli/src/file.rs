//! Files that are either whole or absent: written under another name, synced, renamed, and the folder synced.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `bytes` to `path` by way of `temporary`, which must lie on the same file system. The entry of `path` in its folder
/// is safe only after [`sync_folder`].
pub fn publish(path: &Path, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    publish_ready(path, temporary, bytes, |_| Ok(()))
}

/// Writes one file, temporary file beside it, and syncs the folder.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    publish(path, &temporary(path)?, bytes)?;
    sync_folder(&folder_of(path))
}

/// The same of a file that can be executed from the moment it has its name.
pub fn write_executable(path: &Path, bytes: &[u8]) -> io::Result<()> {
    publish_ready(path, &temporary(path)?, bytes, make_executable)?;
    sync_folder(&folder_of(path))
}

/// As [`publish`]; `make_ready` is done to the temporary file before it gets its name.
fn publish_ready(path: &Path, temporary: &Path, bytes: &[u8], make_ready: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let written = write_synced(temporary, bytes).and_then(|()| make_ready(temporary)).and_then(|()| fs::rename(temporary, path));
    if written.is_err() {
        // Best effort: the first error is the one to report.
        let _ = fs::remove_file(temporary);
    }
    written
}

/// A name beside `path` that no other process uses.
fn temporary(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    Ok(path.with_file_name(temporary))
}

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // Whoever may read it may execute it.
    let mode = fs::metadata(path)?.permissions().mode();
    fs::set_permissions(path, fs::Permissions::from_mode(mode | (mode & 0o444) >> 2))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes the names in a folder durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The folder that holds `path`.
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The nearest folder above `path` that exists.
pub fn existing_folder(path: &Path) -> PathBuf {
    path.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new(".")).to_path_buf()
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("taken");
        fs::create_dir(&target).unwrap();
        assert!(write(&target, b"new").is_err());
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["taken"]);
    }

    #[test]
    fn replaces_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        write(&target, b"old").unwrap();
        write(&target, b"new").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn finds_the_nearest_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(existing_folder(&folder.path().join("a/b/c")), folder.path());
        assert_eq!(existing_folder(Path::new("nowhere/at/all")), Path::new("."));
        assert_eq!(existing_folder(Path::new("/nowhere/at/all")), Path::new("/"));
    }
}
