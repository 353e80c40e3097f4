//! The lock on the directory of a run: one process at a time writes into it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use anyhow::Context;

use super::changed::is_in_place;
use crate::usage::usage;

/// Locks a directory until it is dropped or the process ends.
#[derive(Debug)]
pub struct RunLock {
    file: File,
}

impl RunLock {
    /// Locks the directory of a run in which cases are measured.
    ///
    /// # Errors
    /// If another process has locked it, if it cannot be written to, or if its file system has no locks.
    pub fn new(path: &Path) -> anyhow::Result<RunLock> {
        let file = open(path)?;
        file.try_lock().map_err(|error| cannot_lock(path, error))?;
        probe(path)?;
        Ok(RunLock { file })
    }

    /// Locks the directory of a run for its report. `None` if its file system has no locks: no case is measured there, so nothing
    /// is in the way.
    ///
    /// # Errors
    /// If another process has locked it, or if it cannot be written to.
    pub fn for_report(path: &Path) -> anyhow::Result<Option<RunLock>> {
        let file = open(path)?;
        let lock = match file.try_lock() {
            Ok(()) => Some(RunLock { file }),
            Err(TryLockError::Error(error)) if bakeoff_datasets::has_no_locks(&error) => None,
            Err(error) => return Err(cannot_lock(path, error)),
        };
        probe(path)?;
        Ok(lock)
    }

    /// Checks that the lock of the directory is still this one. If its file was removed, another process can lock a new one.
    ///
    /// # Errors
    /// If it is not; `consequence` says what is missing then.
    pub(super) fn ensure_in_place(&self, path: &Path, consequence: &str) -> anyhow::Result<()> {
        let name = path.join(".lock");
        anyhow::ensure!(
            is_in_place(&self.file, &name),
            "{} was removed or replaced while the run wrote to the folder, so another bakeoff may write there too, and {consequence}. What \
             was stored before is complete. When no other bakeoff works on the folder: bakeoff resume {}",
            name.display(),
            path.display()
        );
        Ok(())
    }

    /// Whether another process works on the directory of a run, which may be read meanwhile. A folder that cannot be written to, or that
    /// has no lock, is not worked on.
    pub fn is_held(path: &Path) -> bool {
        // A lock that readers share is free again at the end of this line, and keeps no other reader out.
        File::open(path.join(".lock")).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

/// Opens the file that is locked.
fn open(folder: &Path) -> anyhow::Result<File> {
    let name = folder.join(".lock");
    File::create(&name).map_err(|error| cannot_write(folder, &name, error))
}

/// Checks that the folder can be written to. That its lock can be opened does not show it: that file may be older than the ban.
fn probe(folder: &Path) -> anyhow::Result<()> {
    let name = folder.join(format!(".probe.{}.tmp", std::process::id()));
    File::create(&name).map_err(|error| cannot_write(folder, &name, error))?;
    fs::remove_file(&name).with_context(|| format!("cannot remove {}", name.display()))
}

/// The error for a file that cannot be made in the folder of a run.
fn cannot_write(folder: &Path, file: &Path, error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => usage(format!(
            "cannot write to the folder {} ({error}): allow writing to it, or copy it to where you may write and name the copy",
            folder.display()
        )),
        _ => anyhow::Error::new(error).context(format!("cannot write {}", file.display())),
    }
}

/// The error for a directory that could not be locked.
fn cannot_lock(path: &Path, error: TryLockError) -> anyhow::Error {
    let name = path.join(".lock");
    let name = name.display();
    match error {
        TryLockError::WouldBlock => usage(format!(
            "another bakeoff works on the folder {} and writes there: wait for it, or stop it, then try again",
            path.display()
        )),
        TryLockError::Error(error) if bakeoff_datasets::has_no_locks(&error) => usage(format!(
            "cannot lock {name}: its file system has no locks ({error}); give --out a folder on one that has, such as a local \
             disk, or copy the run there to resume it"
        )),
        TryLockError::Error(error) => anyhow::Error::new(error).context(format!("cannot lock {name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(error: io::Error) -> String {
        format!("{:#}", cannot_lock(Path::new("/mnt/run"), TryLockError::Error(error)))
    }

    #[test]
    fn a_folder_without_locks_is_named_as_such_with_the_way_out() {
        // ENOSYS, ENOLCK and EOPNOTSUPP of Linux.
        for errno in if cfg!(target_os = "linux") { &[38, 37, 95][..] } else { &[] } {
            let message = said(io::Error::from_raw_os_error(*errno));
            let expected = "cannot lock /mnt/run/.lock: its file system has no locks (";
            assert!(message.starts_with(expected) && message.contains("give --out a folder"), "{message}");
        }
        let message = said(io::ErrorKind::PermissionDenied.into());
        assert_eq!(message, "cannot lock /mnt/run/.lock: permission denied");
    }
}
