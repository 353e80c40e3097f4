//! The layout of a run's directory: which file holds what, and how files are read and written.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use serde::Deserialize;
use serde_json::error::Category;

use crate::error::ReportError;
use crate::fitted_task;
use crate::interpretation::Interpretation;
use crate::record::{Curve, IdleRow, PredictionRow, Reading, Record, SCHEMA, newer};
use crate::rows::{self, Intact, Row};
use crate::run_info::RunInfo;

/// `runs/<utc>-<suite>-<id>/`. A value has no state of its own: every call reads or writes the files.
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

    /// `idle.csv`: what meters showed while no case ran.
    pub fn idle_path(&self) -> PathBuf {
        self.path.join("idle.csv")
    }

    /// `predictions/<case>.csv`: one row per test example.
    pub fn predictions_path(&self, case: &str) -> PathBuf {
        self.path.join("predictions").join(format!("{case}.csv"))
    }

    /// `predictions/<case>.<split>.csv`: one row per example of a split whose targets are hidden.
    pub fn hidden_predictions_path(&self, case: &str, split: &str) -> PathBuf {
        self.path.join("predictions").join(format!("{case}.{split}.csv"))
    }

    /// `readings/<case>.csv.gz`: one row per raw number that an instrument gave.
    pub fn readings_path(&self, case: &str) -> PathBuf {
        self.path.join("readings").join(format!("{case}.csv.gz"))
    }

    /// `samples/<case>.png`: the images that a generator has made, if the model of the case has one.
    pub fn sheet_path(&self, case: &str) -> PathBuf {
        self.path.join("samples").join(format!("{case}.png"))
    }

    /// `models/<case>/`: the fitted model, if the run keeps models.
    pub fn model_path(&self, case: &str) -> PathBuf {
        self.path.join("models").join(case)
    }

    /// `checkpoints/<case>`: a fit that is under way.
    pub fn checkpoint_path(&self, case: &str) -> PathBuf {
        self.path.join("checkpoints").join(case)
    }

    /// `serving/<case>/`: a fitted model that is being served, and the inputs that it is given.
    pub fn serving_path(&self, case: &str) -> PathBuf {
        self.path.join("serving").join(case)
    }

    /// `slurm/`: what the program and its tasks on a cluster leave for each other while the run is under way.
    pub fn slurm_path(&self) -> PathBuf {
        self.path.join("slurm")
    }

    /// `report.html`: what a person opens.
    pub fn report_path(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// Reads `run.json`. A file of an older schema is completed, but [`RunInfo::schema`] still states that schema.
    ///
    /// # Errors
    /// If the file is missing (the folder is then not a run directory), is unreadable, or has a later schema than this
    /// program knows.
    pub fn info(&self) -> Result<RunInfo, ReportError> {
        #[derive(Deserialize)]
        struct Stored {
            schema: u32,
        }
        let path = self.info_path();
        let text = match fs::read_to_string(&path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(ReportError::NoRun { path: self.path.clone() });
            }
            read => read.map_err(ReportError::io("read", &path))?,
        };
        let fault = |message: String| ReportError::Info { path: path.clone(), message };
        let unreadable = |error: serde_json::Error| {
            match error.classify() {
            Category::Eof => fault(
                "it is empty or cut short: put the whole file back, as from a copy of the run; nothing can be done with the run without it"
                    .to_owned(),
            ),
            _ => fault(error.to_string()),
        }
        };
        // The number is read first, because the other fields of a later schema are unknown.
        let Stored { schema } = serde_json::from_str(&text).map_err(unreadable)?;
        match schema {
            0 => return Err(fault(format!("schema 0 does not exist, expected 1 to {SCHEMA}"))),
            1..=SCHEMA => {}
            _ => return Err(fault(newer(schema))),
        }
        let mut info: RunInfo = serde_json::from_str(&text).map_err(unreadable)?;
        info.complete().map_err(fault)?;
        Ok(info)
    }

    /// Writes `run.json`.
    ///
    /// # Errors
    /// If the run was begun with an older schema or the file cannot be written.
    pub fn write_info(&self, info: &RunInfo) -> Result<(), ReportError> {
        if info.schema != SCHEMA {
            let message =
                format!("a run of schema {} can be read but not written: this bakeoff writes {SCHEMA}", info.schema);
            return Err(ReportError::Info { path: self.info_path(), message });
        }
        let mut text = serde_json::to_string_pretty(info).expect("RunInfo has string keys only");
        text.push('\n');
        self.write("run.json", text.as_bytes())
    }

    /// The complete rows of `records.csv`. No rows if the file does not exist yet.
    ///
    /// # Errors
    /// If the file cannot be read, or if a line is not a record and is not a last line that was cut short.
    pub fn records(&self) -> Result<Intact<Record>, ReportError> {
        Ok(read(&self.records_path())?.unwrap_or(Intact { rows: Vec::new(), bytes: 0, torn_line: None }))
    }

    /// The complete rows of `curves.csv`. `None` if the file does not exist.
    ///
    /// # Errors
    /// As [`RunDir::records`].
    pub fn curves(&self) -> Result<Option<Intact<Curve>>, ReportError> {
        read(&self.curves_path())
    }

    /// The rows of `idle.csv`. No rows if the file does not exist, because no meter measured or the run is older.
    ///
    /// # Errors
    /// As [`RunDir::records`].
    pub fn idle(&self) -> Result<Vec<IdleRow>, ReportError> {
        Ok(read(&self.idle_path())?.map_or_else(Vec::new, |intact| intact.rows))
    }

    /// The complete rows of a case's predictions. `None` if the file does not exist.
    ///
    /// # Errors
    /// As [`RunDir::records`].
    pub fn predictions(&self, case: &str) -> Result<Option<Intact<PredictionRow>>, ReportError> {
        read(&self.predictions_path(case))
    }

    /// The complete rows of a case's predictions on a split whose targets are hidden. `None` if the file does not
    /// exist.
    ///
    /// # Errors
    /// As [`RunDir::records`].
    pub fn hidden_predictions(&self, case: &str, split: &str) -> Result<Option<Intact<PredictionRow>>, ReportError> {
        read(&self.hidden_predictions_path(case, split))
    }

    /// The readings of a case. `None` if the file does not exist.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged or cut short, or if a line is not a reading.
    pub fn readings(&self, case: &str) -> Result<Option<Vec<Reading>>, ReportError> {
        let path = self.readings_path(case);
        let packed = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(ReportError::io("read", &path))?,
        };
        let damaged = |message: String| ReportError::Damaged { path: path.clone(), message };
        let mut bytes = Vec::new();
        MultiGzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).map_err(|error| damaged(error.to_string()))?;
        let read = rows::decode(&path, &bytes)?;
        match read.torn_line {
            // The checksum of the whole file was right, so the line was already cut short when the file was compressed.
            Some(line) => Err(damaged(format!("line {line} is cut short"))),
            None if bytes.is_empty() => Err(damaged("it has no header".to_owned())),
            None => Ok(Some(read.rows)),
        }
    }

    /// Writes the readings of a case, completely or not at all. The same readings give the same bytes.
    ///
    /// # Errors
    /// If a reading must not be stored, or if the file cannot be written.
    pub fn write_readings(&self, case: &str, readings: &[Reading]) -> Result<(), ReportError> {
        let path = self.readings_path(case);
        let mut bytes = rows::encode_header::<Reading>();
        bytes.extend(rows::encode(readings)?);
        // The header has no time and no name, because these would differ from run to run.
        let mut packer = GzBuilder::new().write(Vec::new(), Compression::default());
        let packed = packer.write_all(&bytes).and_then(|()| packer.finish()).map_err(ReportError::io("pack", &path))?;
        replace(&path, &packed)
    }

    /// Removes all files of these cases: predictions, readings, sheets of images and models, and what is told of the models in the
    /// interpretation. It is not an error if there are none.
    ///
    /// # Errors
    /// If a folder or the interpretation cannot be read, or a file cannot be removed.
    pub fn remove_cases(&self, cases: &BTreeSet<&str>) -> Result<(), ReportError> {
        Interpretation::remove_cases(self, cases)?;
        self.remove_predictions(cases)?;
        for case in cases {
            let (readings, sheet, model) = (self.readings_path(case), self.sheet_path(case), self.model_path(case));
            gone(fs::remove_file(&readings), &readings)?;
            gone(fs::remove_file(&sheet), &sheet)?;
            gone(fs::remove_dir_all(&model), &model)?;
        }
        Ok(())
    }

    /// Removes a file of the run, by its name in the folder. It is not an error if it is not there.
    ///
    /// # Errors
    /// If the file cannot be removed.
    pub(crate) fn remove(&self, name: &str) -> Result<(), ReportError> {
        let path = self.path.join(name);
        gone(fs::remove_file(&path), &path)
    }

    fn remove_predictions(&self, cases: &BTreeSet<&str>) -> Result<(), ReportError> {
        let folder = self.path.join("predictions");
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(ReportError::io("read", &folder))?,
        };
        for entry in entries {
            let path = entry.map_err(ReportError::io("read", &folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // The id of a case has points itself.
            if name.match_indices('.').any(|(point, _)| cases.contains(&name[..point])) {
                fs::remove_file(&path).map_err(ReportError::io("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Replaces a CSV file of the run by these rows, completely or not at all.
    ///
    /// # Errors
    /// If a row must not be stored, or if the file cannot be written.
    pub fn write_rows<R: Row>(&self, path: &Path, rows: &[R]) -> Result<(), ReportError> {
        let mut bytes = rows::encode_header::<R>();
        bytes.extend(rows::encode(rows)?);
        replace(path, &bytes)
    }

    /// Writes a file of the run, by its name in the folder, completely or not at all.
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

/// The size in bytes of the files in a folder and in the folders in it. The model of an ensemble has a folder for each member.
///
/// # Errors
/// If the folder cannot be read.
fn bytes_in(folder: &Path) -> io::Result<u64> {
    let bytes = |entry: fs::DirEntry| match entry.metadata()? {
        metadata if metadata.is_dir() => bytes_in(&entry.path()),
        metadata => Ok(metadata.len()),
    };
    fs::read_dir(folder)?.map(|entry| bytes(entry?)).sum()
}

/// The size in bytes of the fitted model in a folder, as `model_bytes` records it: `task.json` is no part of the model.
///
/// # Errors
/// If the folder cannot be read.
pub fn model_bytes_in(folder: &Path) -> io::Result<u64> {
    let beside = fs::metadata(folder.join(fitted_task::FILE)).map_or(0, |file| file.len());
    Ok(bytes_in(folder)?.saturating_sub(beside))
}

/// The result of a removal. It is not an error that nothing was there.
fn gone(removed: io::Result<()>, path: &Path) -> Result<(), ReportError> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(ReportError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Writes to a hidden temporary file in the same folder and renames it, so that a reader never sees an incomplete file.
///
/// # Errors
/// If the folder cannot be made or the file cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(ReportError::io("create", folder))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            // Before the rename, so that a power cut does not leave an empty file in place of results.
            file.sync_data()
        })
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // The rest of a failed write is useless. If it cannot be removed, the first error matters more.
        let _ = fs::remove_file(&temporary);
        ReportError::io("write", path)(error)
    })
}
