//! Why a user's data could not be read. Every message names the file, the place in it and what was expected.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

use super::Column;

/// Why a user's data could not be read.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// The file or folder cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The content is not what the layout says.
    #[error("{place}: expected {expected}, found {found}")]
    Format {
        /// The file, and the line, record or image in it, counted from 1.
        place: String,
        /// What the layout asks for.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A column that is not there.
    #[error(
        "{} has no column {column}; it has {}{}",
        path.display(),
        columns(known, *count),
        if *count == 1 { ": is the delimiter right?" } else { "" }
    )]
    Column {
        /// The file.
        path: PathBuf,
        /// The column that was asked for.
        column: Column,
        /// The names in the header; empty if the layout has none.
        known: Vec<String>,
        /// How many columns there are.
        count: usize,
    },
    /// The data is not what it was when the run was begun.
    #[error("{name} has changed since the run was begun: its sha256 was {expected}, is {found} now; start a new run")]
    Changed {
        /// Which part of the data.
        name: String,
        /// The sha256 then.
        expected: String,
        /// The sha256 now, or `none` if the part is gone.
        found: String,
    },
}

impl OwnError {
    pub(super) fn format(place: &impl Display, expected: impl Into<String>, found: impl Display) -> OwnError {
        OwnError::Format { place: place.to_string(), expected: expected.into(), found: found.to_string() }
    }
}

fn columns(known: &[String], count: usize) -> String {
    if known.is_empty() {
        format!("{count} without names, numbered from 0 (header = false)")
    } else {
        format!("{count}: {}", known.join(", "))
    }
}
