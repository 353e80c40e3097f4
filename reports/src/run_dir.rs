//! The layout of a run's directory: which file holds what, and how it is read and written.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::ReportError;
use crate::record::{Curve, PredictionRow, Record};
use crate::rows::{self, Intact, Row};
use crate::run_info::RunInfo;

/// `runs/<utc>-<suite>-<id>/`. Holds no state: every call reads or writes the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// The run directory at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> RunDir {
        RunDir { path: path.into() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `run.json`: what was run.
    pub fn info_path(&self) -> PathBuf {
        self.path.join("run.json")
    }

    /// `records.csv`: one row per metric of a case.
    pub fn records_path(&self) -> PathBuf {
        self.path.join("records.csv")
    }

    /// `curves.csv`: one row per epoch of a case.
    pub fn curves_path(&self) -> PathBuf {
        self.path.join("curves.csv")
    }

    /// `predictions/<case>.csv`: one row per test example.
    pub fn predictions_path(&self, case: &str) -> PathBuf {
        self.path.join("predictions").join(format!("{case}.csv"))
    }

    /// `predictions/<case>.<split>.csv`: one row per example of a split whose targets are hidden.
    pub fn hidden_predictions_path(&self, case: &str, split: &str) -> PathBuf {
        self.path.join("predictions").join(format!("{case}.{split}.csv"))
    }

    /// `report.html`: what a person opens.
    pub fn report_path(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// What was run.
    ///
    /// # Errors
    /// If the file is missing (then this is no run directory), unreadable or not of this schema.
    pub fn info(&self) -> Result<RunInfo, ReportError> {
        let path = self.info_path();
        let text = match fs::read_to_string(&path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(ReportError::NoRun { path: self.path.clone() });
            }
            read => read.map_err(ReportError::io("read", &path))?,
        };
        let fault = |message: String| ReportError::Info { path: path.clone(), message };
        let info: RunInfo = serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?;
        if info.schema != crate::SCHEMA {
            let expected = crate::SCHEMA;
            let message = format!(
                "schema {} is not readable here, expected {expected}: use the version of bakeoff that wrote it",
                info.schema
            );
            return Err(fault(message));
        }
        Ok(info)
    }

    /// Writes `run.json`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_info(&self, info: &RunInfo) -> Result<(), ReportError> {
        let mut text = serde_json::to_string_pretty(info).expect("RunInfo has string keys only");
        text.push('\n');
        self.write("run.json", text.as_bytes())
    }

    /// The complete rows of `records.csv`; none if there is no such file yet.
    ///
    /// # Errors
    /// If the file cannot be read or a line other than a torn last one is not a record.
    pub fn records(&self) -> Result<Intact<Record>, ReportError> {
        Ok(read(&self.records_path())?.unwrap_or(Intact { rows: Vec::new(), bytes: 0, torn_line: None }))
    }

    /// The complete rows of `curves.csv`; `None` if there is no such file.
    ///
    /// # Errors
    /// As [`RunDir::records`].
    pub fn curves(&self) -> Result<Option<Intact<Curve>>, ReportError> {
        read(&self.curves_path())
    }

    /// The complete rows of a case's predictions; `None` if there is no such file.
    ///
    /// # Errors
    /// As [`RunDir::records`].
    pub fn predictions(&self, case: &str) -> Result<Option<Intact<PredictionRow>>, ReportError> {
        read(&self.predictions_path(case))
    }

    /// The complete rows of a case's predictions on a split whose targets are hidden; `None` if there is no such file.
    ///
    /// # Errors
    /// As [`RunDir::records`].
    pub fn hidden_predictions(&self, case: &str, split: &str) -> Result<Option<Intact<PredictionRow>>, ReportError> {
        read(&self.hidden_predictions_path(case, split))
    }

    /// Removes all predictions of a case; that there are none is no error.
    ///
    /// # Errors
    /// If the folder cannot be read or a file not be removed.
    pub fn remove_predictions(&self, case: &str) -> Result<(), ReportError> {
        let folder = self.path.join("predictions");
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(ReportError::io("read", &folder))?,
        };
        for entry in entries {
            let path = entry.map_err(ReportError::io("read", &folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.strip_prefix(case).is_some_and(|rest| rest.starts_with('.')) {
                fs::remove_file(&path).map_err(ReportError::io("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Replaces a CSV file of the run by these rows: at once or not at all.
    ///
    /// # Errors
    /// If a row must not be stored or the file cannot be written.
    pub fn write_rows<R: Row>(&self, path: &Path, rows: &[R]) -> Result<(), ReportError> {
        let mut bytes = rows::encode_header::<R>();
        bytes.extend(rows::encode(rows)?);
        replace(path, &bytes)
    }

    /// Writes a file of the run, by its name in the folder: at once or not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ReportError> {
        replace(&self.path.join(name), bytes)
    }
}

fn read<R: Row>(path: &Path) -> Result<Option<Intact<R>>, ReportError> {
    match fs::read(path) {
        Ok(bytes) => rows::decode(path, &bytes).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ReportError::io("read", path)(error)),
    }
}

/// A reader never sees half a file: the bytes go to a temporary name in the same folder, which then takes the place.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(ReportError::io("create", folder))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            // Before the rename: a power cut must not leave an empty file where results were.
            file.sync_data()
        })
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // What is left of a failed write helps nobody; its own failure would hide the first.
        let _ = fs::remove_file(&temporary);
        ReportError::io("write", path)(error)
    })
}
