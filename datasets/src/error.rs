//! Why examples could not be read. Every message names the file, what was expected and what to do.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

use crate::own::OwnError;

/// Why a dataset could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The file is not there.
    #[error("{} is not there; {remedy}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What to do.
        remedy: String,
    },
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}; {remedy}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
        /// What to do.
        remedy: String,
    },
    /// The bytes are not those of the expected file.
    #[error("{place}: expected {expected}, found {found}; the file is broken or of another version: {remedy}")]
    Checksum {
        /// The file.
        place: String,
        /// Length and checksum of the right file, in words.
        expected: String,
        /// Length and checksum of what was found, in words.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// The compressed stream is broken or ends too early.
    #[error("{place}: not a whole gzip file ({source}); {remedy}")]
    Gzip {
        /// The file.
        place: String,
        /// The decoder's reason.
        source: io::Error,
        /// What to do.
        remedy: String,
    },
    /// The content breaks the file's format.
    #[error("{place}: expected {expected}, found {found}; correct the file, or {remedy}")]
    Format {
        /// The file and the line or record in it, counted from 1.
        place: String,
        /// What the format asks for.
        expected: String,
        /// What is there.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// A user's own data cannot be read.
    #[error(transparent)]
    Own(#[from] OwnError),
    /// A file that is made from downloaded ones cannot be written, for lack of room or permission.
    #[error("cannot write {}: {source}; make room or give permission there, or set BAKEOFF_DATA to another folder", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The system does not say where a user's data belongs.
    #[error("this system names no folder for a user's data: set BAKEOFF_DATA to the folder for the datasets")]
    NoDataFolder,
}

/// A file as errors name it: where it is, and what to do if it is broken.
#[derive(Debug, Clone)]
pub(crate) struct NamedSource {
    /// Its path, or its name with a note that it is in the program.
    pub(crate) name: String,
    /// What to do. Errors write it after a semicolon.
    pub(crate) remedy: String,
}

impl NamedSource {
    /// The error for a line or record (`at`) that breaks the format.
    pub(crate) fn format(&self, at: impl Display, expected: &str, found: impl Into<String>) -> DatasetError {
        DatasetError::Format {
            place: format!("{}, {at}", self.name),
            expected: expected.to_owned(),
            found: found.into(),
            remedy: self.remedy.clone(),
        }
    }

    /// The error for a file that cannot be read.
    pub(crate) fn unreadable(&self, source: io::Error) -> DatasetError {
        DatasetError::Read { path: PathBuf::from(&self.name), source, remedy: self.remedy.clone() }
    }
}
