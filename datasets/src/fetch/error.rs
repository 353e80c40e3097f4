//! Why a dataset could not be fetched. Every message names the address or file, what was found and what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::DatasetError;

/// Why a dataset could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A file is not the right one, or there is no data folder.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// What came, or did not come, from an address or a file.
    #[error("{place}: {fault}; {remedy}")]
    Source {
        /// The address or the file.
        place: String,
        /// What is wrong with it.
        fault: String,
        /// What to do.
        remedy: String,
    },
    /// A file cannot be written: no room, no permission.
    #[error("cannot write {}: {source}; make room or give permission there, or set BAKEOFF_DATA to another folder", path.display())]
    Write {
        /// The file or folder.
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

/// A fault on the way, before it is known what is to be done about it.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is no such file at the source.
    Absent,
    /// What came from the source is of no use. What came so far must go.
    Bad(String),
    /// The source was cut off. What came so far is of use.
    CutOff(String),
    /// A file cannot be written.
    Write(PathBuf, io::Error),
}

impl Fault {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Fault {
        move |error| Fault::Write(path.to_owned(), error)
    }
}
