//! Whether this machine has the memory and disk that a run needs, before anything is started.

use std::path::Path;

use crate::error::{Exit, Failure, Result, echo_path};
use crate::{file, report};

/// Refuses what does not fit into the memory that is free. `hint` says how to need less.
pub fn check_memory(needed: u64, hint: &str) -> Result {
    match available_memory() {
        Some(free) if needed > free => Err(Failure::new(
            Exit::Resources,
            format!("the run needs {} of memory, {} are free", report::bytes(needed), report::bytes(free)),
        )
        .hint(hint)),
        _ => Ok(()),
    }
}

/// Refuses what does not fit on the disk of `folder`, which need not exist yet.
pub fn check_disk(needed: u64, folder: &Path) -> Result {
    match fs4::available_space(file::existing_folder(folder)) {
        Ok(free) if needed > free => Err(Failure::new(
            Exit::Resources,
            format!("the run needs about {} of disk, {} has {}", report::bytes(needed), echo_path(folder), report::bytes(free)),
        )
        .hint("a folder on a larger disk (-o DIR), or a smaller --count")),
        // A file system that does not say how full it is may still have room.
        _ => Ok(()),
    }
}

/// Bytes that can be had without swapping, where the system says so.
pub fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_cannot_fit() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(check_disk(u64::MAX, &folder.path().join("not/there/yet")).unwrap_err().exit, Exit::Resources);
        assert_eq!(check_disk(1, folder.path()), Ok(()));
        assert_eq!(check_memory(1, ""), Ok(()));
        if available_memory().is_some() {
            assert_eq!(check_memory(u64::MAX, "a smaller --batch").unwrap_err().exit, Exit::Resources);
        }
    }
}
