//! Errors between a run directory and its report.

use crate::format::shell_word;
use std::io;
use std::path::{Path, PathBuf};

/// A fault in a run directory, or in reading or writing it.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file or folder cannot be read or written.
    #[error("cannot {what} {}: {error}", path.display())]
    Io {
        /// What was tried: `read`, `write`, …
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        error: io::Error,
    },
    /// The folder is not a run directory.
    #[error(
        "{} is no run directory: it has no run.json; give the folder that `bakeoff run` named in its last line",
        path.display()
    )]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// `run.json` is not in the form that this program reads.
    #[error("{}: {message}", path.display())]
    Info {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// A compressed file cannot be unpacked completely.
    #[error("{} is damaged or cut short ({message}): bakeoff resume measures its case again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Two runs cannot be compared.
    #[error(
        "the runs {before} and {after} have no model in the same setting: compare runs of the same tasks, sizes and devices"
    )]
    NothingInCommon {
        /// The first run.
        before: String,
        /// The second run.
        after: String,
    },
    /// A line of a CSV file breaks its format.
    #[error("{}:{line}: {message}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line on which the row begins, counted from 1.
        line: u64,
        /// The column, what was found, what was expected and how to correct it.
        message: String,
    },
    /// A file of claims breaks its format, or a rule in it cannot be applied.
    #[error("{}:{line}: {message}", path.display())]
    Rule {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The claim, what was found and what was expected.
        message: String,
    },
    /// A row must not be written.
    #[error("case '{case}': column {column}: {message}")]
    Unwritable {
        /// The row's case. If the row has none, its place.
        case: String,
        /// The column.
        column: &'static str,
        /// What is wrong with its value.
        message: String,
    },
    /// Rows contradict each other, so they cannot be in one table.
    #[error("{}: case '{case}': {message}", path.display())]
    Incomparable {
        /// The file.
        path: PathBuf,
        /// The case.
        case: String,
        /// What contradicts what, and how to correct it.
        message: String,
    },
    /// The folder has no history.
    #[error(
        "{} has no history.jsonl, so it is no history: give the folder of one; `bakeoff nightly SUITE --history {}` begins one there",
        path.display(),
        path.display()
    )]
    NoHistory {
        /// The folder.
        path: PathBuf,
    },
    /// A history has another run of this name.
    #[error(
        "{}: the history has another run that is called {run}, begun at {started}: nothing was added; resume or rename one of them in its \
         folder and in its run.json", path.display()
    )]
    NameInHistory {
        /// The file.
        path: PathBuf,
        /// The run's directory name.
        run: String,
        /// When the run in the history began.
        started: String,
    },
    /// What a run measured again is of a night that the history does not have.
    #[error(
        "{}: run {run} measured suspects of night {night} again, which is not in the history: add {night} first", path.display()
    )]
    NightNotInHistory {
        /// The file.
        path: PathBuf,
        /// The run's directory name.
        run: String,
        /// That of the night.
        night: String,
    },
    /// A history has a run of this name already.
    #[error("{}: run {run} is in the history already: nothing was added", path.display())]
    InHistory {
        /// The file.
        path: PathBuf,
        /// The run's directory name.
        run: String,
    },
    /// A history is of another project.
    #[error(
        "{}:1: this is the history of project '{found}', and the run is of '{expected}': give another --history, or --project {} if it belongs \
         there",
        path.display(),
        shell_word(found)
    )]
    OtherProject {
        /// The file.
        path: PathBuf,
        /// The project of the history.
        found: String,
        /// The project of the run.
        expected: String,
    },
    /// A figure could not be drawn.
    #[error("cannot draw figure '{figure}': {message}")]
    Figure {
        /// The figure's name.
        figure: String,
        /// The drawing library's message.
        message: String,
    },
}

impl ReportError {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ReportError {
        let path = path.to_owned();
        move |error| ReportError::Io { what, path, error }
    }
}
