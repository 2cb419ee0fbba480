//! Cubins by what they are made of, in a folder that many processes share. An entry is its content's BLAKE3 and the content, and
//! appears whole or not at all; a damaged one counts as absent.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{fs, mem};

/// A folder of cubins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
}

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
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Number and bytes of its entries.
    pub fn size(&self) -> (usize, u64) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let sizes = entries.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len());
        sizes.fold((0, 0), |(count, bytes), size| (count + 1, bytes + size))
    }

    /// The cubin of a key, if it is there and whole.
    pub(super) fn get(&self, key: Key) -> Option<Vec<u8>> {
        let mut entry = fs::read(self.path(key)).ok()?;
        let (hash, content) = entry.split_at_checked(HASH)?;
        if blake3::hash(content).as_bytes() != hash {
            return None;
        }
        let content = entry.split_off(HASH);
        Some(content)
    }

    /// Keeps a cubin.
    pub(super) fn put(&self, key: Key, cubin: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&self.folder)?;
        file.write_all(blake3::hash(cubin).as_bytes())?;
        file.write_all(cubin)?;
        // Two processes may do this at once: either file is right.
        file.persist(self.path(key)).map(mem::drop).map_err(|why| why.error)
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
