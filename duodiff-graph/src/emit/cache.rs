//! Cubins by what they are made of, in a folder that many processes share. An entry is its content's BLAKE3 and the content, and
//! appears whole or not at all; a damaged one counts as absent. Its time of modification is that of its last use, and those that were
//! used longest ago make room for new ones.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A folder of cubins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
    limit: u64,
}

/// Most bytes of all entries: those of some hundred plans.
const LIMIT: u64 = 512 << 20;

/// Bytes of the hash that an entry starts with.
const HASH: usize = 32;

/// What a cubin is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key([u8; 32]);

impl Key {
    /// The hash of all parts, each with its length.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("duodiff 2026-11 cubins by what they are made of");
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Self(*hasher.finalize().as_bytes())
    }
}

impl Cache {
    /// The cache in a folder, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), limit: LIMIT }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Most bytes of its entries.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Number and bytes of its entries.
    pub fn size(&self) -> (usize, u64) {
        self.files().fold((0, 0), |(count, bytes), (_, file)| (count + 1, bytes + file.len()))
    }

    /// Its entries, and what a process that was killed has left.
    fn files(&self) -> impl Iterator<Item = (PathBuf, fs::Metadata)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let files = entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)));
        files.filter(|(_, file)| file.is_file())
    }

    /// Removes what was used longest ago until the limit holds. Somebody else may do so at once: what is gone is gone.
    fn make_room(&self) {
        let mut files: Vec<_> = self.files().collect();
        files.sort_by_key(|(_, file)| file.modified().unwrap_or(SystemTime::UNIX_EPOCH));
        let mut bytes: u64 = files.iter().map(|(_, file)| file.len()).sum();
        for (path, file) in files {
            if bytes <= self.limit {
                break;
            }
            if fs::remove_file(path).is_ok() {
                bytes -= file.len();
            }
        }
    }

    /// The cubin of a key, if it is there and whole.
    pub(super) fn get(&self, key: Key) -> Option<Vec<u8>> {
        let path = self.path(key);
        let mut entry = fs::read(&path).ok()?;
        let (hash, content) = entry.split_at_checked(HASH)?;
        if blake3::hash(content).as_bytes() != hash {
            return None;
        }
        // In a folder that cannot be written, entries only stay as old as they were.
        drop(File::options().append(true).open(path).and_then(|file| file.set_modified(SystemTime::now())));
        Some(entry.split_off(HASH))
    }

    /// Keeps a cubin.
    pub(super) fn put(&self, key: Key, cubin: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&self.folder)?;
        file.write_all(blake3::hash(cubin).as_bytes())?;
        file.write_all(cubin)?;
        // Two processes may do this at once: either file is right.
        file.persist(self.path(key)).map_err(|why| why.error)?;
        self.make_room();
        Ok(())
    }

    fn path(&self, key: Key) -> PathBuf {
        self.folder.join(format!("{}.cubin", blake3::Hash::from_bytes(key.0).to_hex()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(cache: &Cache) -> PathBuf {
        let mut entries = fs::read_dir(cache.folder()).unwrap();
        let path = entries.next().unwrap().unwrap().path();
        assert!(entries.next().is_none());
        path
    }

    #[test]
    fn what_was_put_is_got_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("made/when/needed"));
        let key = Key::of(["a", "b"]);
        assert_eq!((cache.get(key), cache.size()), (None, (0, 0)));
        cache.put(key, b"cubin").unwrap();
        assert_eq!(cache.get(key).as_deref(), Some(&b"cubin"[..]));
        assert_eq!(cache.size(), (1, 37));
        for other in [Key::of(["ab"]), Key::of(["a", "b", ""]), Key::of(["b", "a"])] {
            assert_eq!(cache.get(other), None);
        }
    }

    #[test]
    fn a_damaged_entry_is_no_entry_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let key = Key::of(["key"]);
        cache.put(key, b"cubin").unwrap();
        let path = entry(&cache);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut edited = whole.clone();
            edited[at] ^= 1;
            fs::write(&path, &edited).unwrap();
            assert_eq!(cache.get(key), None, "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(cache.get(key), None, "cut at {at}");
        }
        cache.put(key, b"again").unwrap();
        assert_eq!(cache.get(key).as_deref(), Some(&b"again"[..]));
        assert_eq!(cache.size().0, 1, "no temporary file is left");
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache { folder: folder.path().into(), limit: 3 * 132 };
        let keys = ["a", "b", "c", "d"].map(|name| Key::of([name]));
        let age = |key, seconds| {
            let time = SystemTime::now() - std::time::Duration::from_secs(seconds);
            File::options().append(true).open(cache.path(key)).unwrap().set_modified(time).unwrap();
        };
        for (key, seconds) in keys.into_iter().take(3).zip([300, 200, 100]) {
            cache.put(key, &[1; 100]).unwrap();
            age(key, seconds);
        }
        assert!(cache.get(keys[0]).is_some(), "all three fit, and this one is the newest now");
        cache.put(keys[3], &[1; 100]).unwrap();
        assert_eq!(keys.map(|key| cache.get(key).is_some()), [true, false, true, true]);
        cache.put(keys[1], &[1; 500]).unwrap();
        assert_eq!(cache.size(), (0, 0), "an entry larger than the limit does not stay");
    }

    #[test]
    fn many_writers_and_readers_see_whole_entries() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let key = Key::of(["key"]);
        let contents = [vec![1; 100_000], vec![2; 90_000]];
        std::thread::scope(|scope| {
            for content in &contents {
                scope.spawn(|| (0..50).for_each(|_| cache.put(key, content).unwrap()));
            }
            scope.spawn(|| (0..200).filter_map(|_| cache.get(key)).for_each(|got| assert!(contents.contains(&got))));
        });
        assert!(contents.contains(&cache.get(key).unwrap()));
    }
}
