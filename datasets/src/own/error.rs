//! Why a user's data could not be read. Every message names the file, the place in it and what was expected.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use super::kind::FileKind;
use super::names::{LookAlikes, code_points};
use super::{Column, missing};

/// Why a user's data could not be read.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// The file or folder cannot be opened or read.
    #[error("cannot read {}: {source}{}", path.display(), hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
        /// If it is not there: what the path probably means, and what to write instead.
        hint: Option<String>,
    },
    /// The file is of a kind that is not read.
    #[error("{}: expected {expected}, found {found}, which bakeoff does not read: {remedy}", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// What is read.
        expected: String,
        /// What the file is.
        found: &'static str,
        /// What to do.
        remedy: String,
    },
    /// Two names of classes that a reader cannot distinguish.
    #[error(
        "{place}: the class {names}; use one spelling for both{}",
        first_place.as_ref().map(|place| format!(" (the other is in {place})")).unwrap_or_default(),
    )]
    LookAlikes {
        /// Where the second name is: the file and the line or image in it.
        place: String,
        /// Where the first name is, if it is not in the suite.
        first_place: Option<String>,
        /// The two names.
        names: LookAlikes,
    },
    /// The content is not what the format says.
    #[error("{place}: expected {expected}, found {found}")]
    Format {
        /// The file, and the line, record or image in it, counted from 1.
        place: String,
        /// What the format asks for.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The file has no such column.
    #[error(
        "{} has no column {column}; it has {}{}",
        path.display(),
        columns(known, *count),
        column_hint(column, known, *count, look_alike.as_deref())
    )]
    Column {
        /// The file.
        path: PathBuf,
        /// The column that was asked for.
        column: Column,
        /// The names in the header; empty if there is no header.
        known: Vec<String>,
        /// How many columns there are.
        count: usize,
        /// The name in the header that looks like the one asked for, but is another.
        look_alike: Option<String>,
    },
    /// The images that were decoded when the run began cannot be read back.
    #[error("the decoded images of this run cannot be read back from {}: {source}; resume the run", path.display())]
    Decoded {
        /// The file that holds them.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
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
    /// The error for a file or folder that could not be opened or read.
    pub(super) fn read(path: &Path, source: io::Error) -> OwnError {
        let hint = if source.kind() == io::ErrorKind::NotFound { missing::hint(path) } else { None };
        OwnError::Read { path: path.to_owned(), source, hint }
    }

    /// The error for a file that is of `kind` where `expected` was wanted.
    pub(super) fn kind(path: &Path, expected: impl Into<String>, kind: FileKind) -> OwnError {
        let (expected, remedy) = (expected.into(), kind.remedy(path));
        OwnError::Kind { path: path.to_owned(), expected, found: kind.what, remedy }
    }

    /// Adds that the same fault occurs `count` more times.
    pub(super) fn and_more(self, count: usize) -> OwnError {
        match self {
            OwnError::Format { place, expected, found } if count > 0 => OwnError::Format {
                place,
                expected,
                found: format!("{found}; {count} more files cannot be read either"),
            },
            other => other,
        }
    }

    /// Whether the fault is in the file or folder at `path`.
    pub fn is_in(&self, path: &Path) -> bool {
        match self {
            OwnError::Read { path: at, .. } | OwnError::Kind { path: at, .. } | OwnError::Column { path: at, .. } => {
                at.starts_with(path)
            }
            OwnError::Format { place, .. } | OwnError::LookAlikes { place, .. } => {
                // After the path follows a comma and the line, or a file in the folder, or another folder.
                let rest = place.strip_prefix(&path.display().to_string());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([',', '/', '\\', ' ']))
            }
            OwnError::Decoded { .. } | OwnError::Changed { .. } => false,
        }
    }

    pub(super) fn format(place: &impl Display, expected: impl Into<String>, found: impl Display) -> OwnError {
        OwnError::Format { place: place.to_string(), expected: expected.into(), found: found.to_string() }
    }
}

/// The likely cause. The error states it after the list of columns.
fn column_hint(column: &Column, known: &[String], count: usize, look_alike: Option<&str>) -> String {
    if let (Column::Name(name), Some(other)) = (column, look_alike) {
        let (points, other_points) = (code_points(name), code_points(other));
        return format!(
            "; '{other}' ({other_points}) looks like it, but is a different name from '{name}' ({points}): use one spelling for both"
        );
    }
    // A header of one column that contains another delimiter was probably meant to be several columns.
    let only = match known {
        [only] => only,
        [] if count == 1 => return ": is the delimiter right?".to_owned(),
        _ => return String::new(),
    };
    match only.chars().find(|c| [';', '\t', '|', ','].contains(c)) {
        Some('\t') => ": is a tab the delimiter (format = \"tsv\")?".to_owned(),
        Some(',') => ": is ',' the delimiter (format = \"csv\")?".to_owned(),
        Some(other) => format!(": is '{other}' the delimiter (format = \"csv\", delimiter = \"{other}\")?"),
        None => String::new(),
    }
}

fn columns(known: &[String], count: usize) -> String {
    if known.is_empty() {
        format!("{count} without names, numbered from 0 (header = false)")
    } else {
        format!("{count}: {}", known.join(", "))
    }
}
