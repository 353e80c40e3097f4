//! Files that the system keeps in memory: how to have them read from the disk again, and how to see that they were.

use std::path::Path;

/// Drops the files below `folder` from the page cache (`posix_fadvise` with `POSIX_FADV_DONTNEED`, which anyone may do with a file
/// that is on the disk). It is advice: the system may keep them, so whoever needs to know looks at [`fetched_bytes`].
///
/// # Errors
/// If the folder or a file in it cannot be read, or on a system without this call.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub(super) fn evict(folder: &Path) -> Result<(), String> {
    use rustix::fs::{Advice, fadvise};
    use std::fs::{self, File};

    let failed = |path: &Path, error: std::io::Error| {
        format!("the files could not be dropped from the system's cache: {}: {error}", path.display())
    };
    for entry in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let path = entry.map_err(|error| failed(folder, error))?.path();
        if path.is_dir() {
            evict(&path)?;
            continue;
        }
        let file = File::open(&path).map_err(|error| failed(&path, error))?;
        // Pages that are not written yet cannot be dropped.
        file.sync_all().map_err(|error| failed(&path, error))?;
        // No length means: to the end of the file.
        fadvise(&file, 0, None, Advice::DontNeed).map_err(|error| failed(&path, error.into()))?;
    }
    Ok(())
}

/// On a system without `posix_fadvise`.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub(super) fn evict(_folder: &Path) -> Result<(), String> {
    Err("this system has no call that drops files from its cache".to_owned())
}

/// The bytes that a process has fetched from storage, by the text of its `/proc/<pid>/io`. Bytes that came from the page cache are
/// not among them.
pub(super) fn fetched_bytes(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("read_bytes:"))?.trim().parse().ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn bytes_from_storage_are_those_of_the_line_read_bytes() {
        let text =
            "rchar: 3980\nwchar: 0\nsyscr: 12\nsyscw: 0\nread_bytes: 8192\nwrite_bytes: 0\ncancelled_write_bytes: 0\n";
        assert_eq!(fetched_bytes(text), Some(8192));
        assert_eq!(fetched_bytes("rchar: 1\n"), None);
        assert_eq!(fetched_bytes("read_bytes: many\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn files_that_were_dropped_hold_what_they_held_and_a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("part-1");
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(inside.join("arrays"), vec![7; 10_000]).unwrap();
        evict(folder.path()).unwrap();
        assert_eq!(std::fs::read(inside.join("arrays")).unwrap(), vec![7; 10_000]);
        let gone = folder.path().join("gone");
        assert!(evict(&gone).unwrap_err().contains(&gone.display().to_string()));
    }
}
