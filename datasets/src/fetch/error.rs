//! Why a dataset could not be fetched. Every message names the address or file, what was found and what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::DatasetError;
use crate::lock::has_no_locks;

/// Why a dataset could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A file is not the right one, or there is no data folder.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// An address or a file did not give what it should.
    #[error("{place}: {fault}; {remedy}")]
    Source {
        /// The address or the file.
        place: String,
        /// What is wrong with it.
        fault: String,
        /// What to do.
        remedy: String,
    },
    /// A file cannot be written, for lack of room or permission.
    #[error("cannot write {}: {source}; make room or give permission there, or set BAKEOFF_DATA to another folder", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The data folder is on a file system without locks.
    #[error(
        "cannot lock {}: its file system has no locks ({source}); set BAKEOFF_DATA to a folder on one that has, such as a local disk",
        path.display()
    )]
    NoLocks {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The mirror holds neither the downloads nor the files.
    #[error("{mirror} does not hold {dataset}: it has no {}", looked_for.join(", no "))]
    NotInMirror {
        /// The folder or address.
        mirror: String,
        /// The dataset's id.
        dataset: String,
        /// The names that were tried.
        looked_for: Vec<String>,
    },
    /// A mirror that is no folder and no address.
    #[error("--mirror {mirror}: expected a folder that exists, or an address such as https://mirror.lan/data")]
    NoSuchMirror {
        /// What was given.
        mirror: String,
    },
    /// A variable of the environment names no proxy that can be used.
    #[error(
        "{variable}: expected the address of a proxy that speaks HTTP, such as http://proxy.lan:3128; correct or unset it"
    )]
    Proxy {
        /// The variable. Its value may hold a password.
        variable: &'static str,
    },
    /// A dataset that is not fetched.
    #[error("{dataset} is in the program: there is nothing to fetch")]
    InProgram {
        /// The dataset's id.
        dataset: String,
    },
}

impl FetchError {
    /// The error for a file that could not be locked.
    pub(super) fn lock(path: &Path, source: io::Error) -> FetchError {
        let path = path.to_owned();
        if has_no_locks(&source) { FetchError::NoLocks { path, source } } else { FetchError::Write { path, source } }
    }
}

/// A fault while fetching, before the remedy is known.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is no such file at the source.
    Absent,
    /// What the source gave is useless. What came so far must be removed.
    Bad(String),
    /// The source was cut off. What came so far is useful.
    CutOff(String),
    /// A file cannot be written.
    Write(PathBuf, io::Error),
}

impl Fault {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Fault {
        move |error| Fault::Write(path.to_owned(), error)
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn a_data_folder_without_locks_is_named_as_such_and_not_as_one_without_room_or_permission() {
        let message = |errno: Errno| FetchError::lock(Path::new("/data/.fetch/cifar10.lock"), errno.into()).to_string();
        for errno in [Errno::NOSYS, Errno::NOLCK, Errno::OPNOTSUPP] {
            let message = message(errno);
            let expected = "cannot lock /data/.fetch/cifar10.lock: its file system has no locks (";
            assert!(message.starts_with(expected) && message.contains("set BAKEOFF_DATA to a folder"), "{message}");
            assert!(!message.contains("make room") && !message.contains("permission"), "{message}");
        }
        assert!(message(Errno::ACCESS).contains("make room or give permission"));
    }
}
