//! Why examples could not be read. Every message names the file, what was expected and what to do.

use std::io;
use std::path::PathBuf;

use crate::own::OwnError;

/// Why a dataset could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}; `scripts/make-samples` writes this file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The bytes are not those of the expected file.
    #[error(
        "{place}: expected {expected_bytes} bytes with sha256 {expected}, found {found_bytes} bytes with sha256 {found}; \
         the file is broken or of another version: restore it from the repository or with `scripts/make-samples`"
    )]
    Checksum {
        /// The file.
        place: String,
        /// The sha256 of the right file, in hexadecimal.
        expected: String,
        /// The length of the right file.
        expected_bytes: usize,
        /// The sha256 of what was found.
        found: String,
        /// The length of what was found.
        found_bytes: usize,
    },
    /// The compressed stream is broken or ends too early.
    #[error("{place}: not a whole gzip file ({source}); restore it from the repository or with `scripts/make-samples`")]
    Gzip {
        /// The file.
        place: String,
        /// The decoder's reason.
        source: io::Error,
    },
    /// The content breaks the file's format.
    #[error(
        "{place}, {at}: expected {expected}, found {found}; \
         correct the file, or restore it from the repository or with `scripts/make-samples`"
    )]
    Format {
        /// The file.
        place: String,
        /// The line or record, counted from 1.
        at: String,
        /// What the format asks for.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A user's own data cannot be read.
    #[error(transparent)]
    Own(#[from] OwnError),
}
