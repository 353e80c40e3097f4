//! Stores the results of a run as they come. Only complete cases are stored, and a directory is never overwritten.
//!
//! A case's predictions and readings are stored first, then its curves, then its records. The last record closes the
//! case. A case that was cut off by a kill has no closing row, by which `resume` recognises and drops it.

mod kept;
mod lock;
mod tidy;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bakeoff_reports::{Curve, Record, Row, RunDir, RunInfo, encode};

use crate::case::Case;
use crate::outcome::{Outcome, RunIdentity};
use crate::phase::Phase;
use crate::usage::usage;

use tidy::{goes_on, tidy};

pub use kept::Kept;
pub use lock::RunLock;

/// The open directory of a run.
pub struct Recorder {
    dir: RunDir,
    identity: RunIdentity,
    order: Vec<String>,
    records: File,
    curves: File,
    /// Held until the report is written, so that a second process on the directory is refused.
    _lock: RunLock,
}

impl Recorder {
    /// Creates the directory of a new run.
    ///
    /// # Errors
    /// If it exists already or cannot be written.
    pub fn create(path: &Path, info: &RunInfo) -> anyhow::Result<Recorder> {
        make_folder(path)?;
        Recorder::fill(path, info).inspect_err(|_| {
            // Nothing was measured yet, and an incomplete run directory is of no use.
            let _ = fs::remove_dir_all(path);
        })
    }

    fn fill(path: &Path, info: &RunInfo) -> anyhow::Result<Recorder> {
        let dir = RunDir::new(path);
        let lock = RunLock::new(path)?;
        fs::create_dir(path.join("predictions")).context("cannot create the folder of the predictions")?;
        dir.write_rows::<Record>(&dir.records_path(), &[])?;
        dir.write_rows::<Curve>(&dir.curves_path(), &[])?;
        // Last, because a directory with it is a run that can be resumed.
        dir.write_info(info)?;
        Recorder::open(dir, info, lock)
    }

    /// Opens the directory of a run that was stopped, which `lock` is of. Drops cases that are incomplete or failed, and those that waited for a
    /// search trial that is gone. A search trial that failed is a result, and stays. `cases` have the parameters that they
    /// would be run with now.
    ///
    /// # Errors
    /// If its files are not those of a run, or if a case was measured with other parameters than it has now.
    pub fn resume(path: &Path, lock: RunLock, info: &RunInfo, cases: &[Case]) -> anyhow::Result<(Recorder, Kept)> {
        let dir = RunDir::new(path);
        refuse_incomplete(&dir)?;
        let records = dir.records()?.rows;
        let order: Vec<String> = info.cases.iter().map(|case| case.case.clone()).collect();
        refuse_lost(&dir, &order, &records)?;
        let kept = Kept::of(&dir, cases, &records)?;
        tidy(&dir, &records)?;
        rewrite(&dir, &order, &kept.done, records)?;
        Ok((Recorder::open(dir, info, lock)?, kept))
    }

    fn open(dir: RunDir, info: &RunInfo, lock: RunLock) -> anyhow::Result<Recorder> {
        let append = |path: PathBuf| {
            OpenOptions::new().append(true).open(&path).with_context(|| format!("cannot write {}", path.display()))
        };
        Ok(Recorder {
            identity: RunIdentity {
                run: info.run.clone(),
                commit: crate::COMMIT.to_owned(),
                machine: info.machine.fingerprint.clone(),
                device_names: info.devices.iter().map(|device| (device.device.clone(), device.name.clone())).collect(),
                task_versions: info.tasks.iter().map(|task| (task.name.clone(), task.version)).collect(),
                model_versions: info.cases.iter().map(|case| (case.case.clone(), case.model_version.clone())).collect(),
            },
            order: info.cases.iter().map(|case| case.case.clone()).collect(),
            records: append(dir.records_path())?,
            curves: append(dir.curves_path())?,
            dir,
            _lock: lock,
        })
    }

    /// The path of the directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Stores one case.
    ///
    /// # Errors
    /// If the disk is full or gone. The stored part of the case then has no closing row, and `resume` drops it.
    pub fn store(&mut self, case: &Case, outcome: &Outcome, wall_s: Option<f64>) -> anyhow::Result<()> {
        let records = self.identity.records(case, outcome, wall_s);
        if !outcome.predictions.is_empty() {
            self.dir.write_rows(&self.dir.predictions_path(&case.id), &outcome.predictions)?;
        }
        if !outcome.readings.is_empty() {
            self.dir.write_readings(&case.id, &outcome.readings)?;
        }
        for (split, rows) in &outcome.hidden {
            self.dir.write_rows(&self.dir.hidden_predictions_path(&case.id, split), rows)?;
        }
        append_rows(&mut self.curves, &self.dir.curves_path(), &outcome.curves)?;
        append_rows(&mut self.records, &self.dir.records_path(), &records)?;
        if !goes_on(outcome.status, case.trial) {
            // What cannot be removed now is removed when the run ends.
            let _ = fs::remove_file(self.dir.checkpoint_path(&case.id));
        }
        Ok(())
    }

    /// Sorts the rows into the order of the plan, in whichever order the cases ended. The directory stays locked for its report,
    /// as long as the recorder is there.
    ///
    /// # Errors
    /// If the files cannot be written.
    pub fn finish(&self) -> anyhow::Result<&RunDir> {
        let records = self.dir.records()?.rows;
        let stored: BTreeSet<String> = records.iter().map(|record| record.case.clone()).collect();
        tidy(&self.dir, &records)?;
        rewrite(&self.dir, &self.order, &stored, records)?;
        Ok(&self.dir)
    }
}

/// Creates the folder of a run and those above it.
fn make_folder(path: &Path) -> anyhow::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)
            .map_err(|error| usage(format!("cannot create the folder {}: {error}", parent.display())))?;
    }
    fs::create_dir(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists if path.join("run.json").exists() => usage(format!(
            "{0} exists already, and no run is ever overwritten: give another --out, or go on with that run: \
             bakeoff resume {0}",
            path.display()
        )),
        io::ErrorKind::AlreadyExists => {
            usage(format!("{} exists already: give another --out, a folder that is not there yet", path.display()))
        }
        _ => usage(format!("cannot create the run directory {}: {error}", path.display())),
    })
}

/// Whether a record is the one that closes its case.
pub(crate) fn is_closing(record: &Record) -> bool {
    record.phase == Phase::Case.name() && record.metric == "wall_s"
}

/// A directory without records or curves was copied in part. To go on would remove what else there is.
fn refuse_incomplete(dir: &RunDir) -> anyhow::Result<()> {
    for path in [dir.records_path(), dir.curves_path()] {
        if !fs::metadata(&path).is_ok_and(|file| file.len() > 0) {
            return Err(usage(format!(
                "{} is missing or empty: the directory is no whole run, perhaps an incomplete copy; copy it again, or start a \
                 new run",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Refuses a directory whose records have no case that is complete, although cases were stored. `resume` would remove all of them.
/// A kill while the first case was stored leaves the files of that case only, and no report.
fn refuse_lost(dir: &RunDir, cases: &[String], records: &[Record]) -> anyhow::Result<()> {
    if records.iter().any(is_closing) {
        return Ok(());
    }
    let is_stored = |id: &&String| dir.predictions_path(id).exists() || dir.readings_path(id).exists();
    let stored = cases.iter().filter(is_stored).count();
    if stored > 1 || (stored > 0 && dir.report_path().exists()) {
        return Err(usage(format!(
            "{} has no complete case, but predictions/ and readings/ have files of {}, which would be removed: the directory is \
             perhaps an incomplete copy; copy it again, or start a new run",
            dir.records_path().display(),
            if stored == 1 { "1 case".to_owned() } else { format!("{stored} cases") }
        )));
    }
    Ok(())
}

/// Appends rows in one write and forces them to the disk. If that fails, the file is cut back to its former length.
fn append_rows<R: Row>(file: &mut File, path: &Path, rows: &[R]) -> anyhow::Result<()> {
    let bytes = encode(rows)?;
    let before = file.metadata().with_context(|| format!("cannot write {}", path.display()))?.len();
    if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_data()) {
        // If even this fails, `resume` recognises the incomplete rows by the missing closing row.
        let _ = file.set_len(before);
        return Err(error).with_context(|| format!("cannot write {}", path.display()));
    }
    Ok(())
}

/// Rewrites records and curves with the cases in `keep`, in the order `order`. The files of other cases are removed first: a kill
/// then leaves rows without files, which are not kept, and no files without rows.
fn rewrite(dir: &RunDir, order: &[String], keep: &BTreeSet<String>, mut records: Vec<Record>) -> anyhow::Result<()> {
    let place: BTreeMap<&str, usize> = order.iter().enumerate().map(|(index, id)| (id.as_str(), index)).collect();
    let place = |id: &str| place.get(id).copied().unwrap_or(usize::MAX);
    records.retain(|record| keep.contains(&record.case));
    records.sort_by_key(|record| place(&record.case));
    let mut curves = dir.curves()?.map_or_else(Vec::new, |intact| intact.rows);
    curves.retain(|curve| keep.contains(&curve.case));
    curves.sort_by_key(|curve| place(&curve.case));
    for id in order.iter().filter(|id| !keep.contains(*id)) {
        dir.remove_case(id)?;
    }
    dir.write_rows(&dir.records_path(), &records)?;
    dir.write_rows(&dir.curves_path(), &curves)?;
    Ok(())
}
