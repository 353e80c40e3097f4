//! Stores the results of a run as they come. Only complete cases are stored, and a directory is never overwritten.
//!
//! The predictions and the readings of cases are stored first, then their curves, then their records. The last record closes the
//! case. A case that was cut off by a kill has no closing row, by which `resume` recognises and drops it.

mod changed;
mod kept;
mod lock;
mod storing;
mod tidy;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use bakeoff_reports::{Curve, IdleRow, Node, Nodes, Record, Results, Row, RunDir, RunInfo, encode, replace};

use crate::case::Case;
use crate::outcome::{Outcome, RunIdentity};
use crate::phase::Phase;
use crate::usage::usage;

use changed::{is_in_place, lacking, refuse_gone, replaced};
use kept::has_files;
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
    /// How many rows each case has in the files of rows.
    stored: BTreeMap<String, RowCounts>,
    /// Whether a machine has measured a case, so that `run.json` names it.
    names_machine: bool,
    /// The other machines that have measured cases.
    nodes: Nodes,
    /// Held until the report is written, so that a second process on the directory is refused.
    lock: RunLock,
}

/// A case that has ended, as it is stored.
pub struct Ended {
    /// The place of the case in the plan.
    pub index: usize,
    /// The case with the parameters that it was run with.
    pub case: Case,
    /// What it gave.
    pub outcome: Outcome,
    /// Its wall time; `None` if it did not begin.
    pub wall_s: Option<f64>,
}

/// The rows of `records.csv` and `curves.csv`.
#[derive(Debug, Default)]
struct StoredRows {
    records: Vec<Record>,
    curves: Vec<Curve>,
}

/// How many rows a case has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct RowCounts {
    records: usize,
    curves: usize,
}

impl StoredRows {
    fn read(dir: &RunDir) -> anyhow::Result<StoredRows> {
        let curves = dir.curves()?.map_or_else(Vec::new, |intact| intact.rows);
        Ok(StoredRows { records: dir.records()?.rows, curves })
    }

    /// The rows of the cases in `keep`, in the order `order`.
    fn sorted(mut self, order: &[String], keep: &BTreeSet<String>) -> StoredRows {
        let place: BTreeMap<&str, usize> = order.iter().enumerate().map(|(index, id)| (id.as_str(), index)).collect();
        let place = |id: &str| place.get(id).copied().unwrap_or(usize::MAX);
        self.records.retain(|record| keep.contains(&record.case));
        self.records.sort_by_key(|record| place(&record.case));
        self.curves.retain(|curve| keep.contains(&curve.case));
        self.curves.sort_by_key(|curve| place(&curve.case));
        self
    }

    /// How many rows each case has.
    fn counts(&self) -> BTreeMap<String, RowCounts> {
        let mut counts: BTreeMap<String, RowCounts> = BTreeMap::new();
        for record in &self.records {
            counts.entry(record.case.clone()).or_default().records += 1;
        }
        for curve in &self.curves {
            counts.entry(curve.case.clone()).or_default().curves += 1;
        }
        counts
    }
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
        Recorder::open(dir, info, lock, &StoredRows::default())
    }

    /// Opens the directory of a run that was stopped, which `lock` is of. Drops cases that are incomplete or failed, and those that waited for a
    /// search trial that is gone. A search trial that failed is a result, and stays, unless its process was killed or could not be
    /// started, or its case had no search trial left to choose from. `cases` have the parameters that they would be run with now. `results` are what the files gave
    /// when they were read, so that predictions and readings are not read twice.
    ///
    /// # Errors
    /// If its files are not those of a run, if rows of several cases were lost, or if a case was measured with other parameters than it
    /// has now.
    pub fn resume(
        path: &Path,
        lock: RunLock,
        info: &RunInfo,
        cases: &[Case],
        results: &Results,
    ) -> anyhow::Result<(Recorder, Kept)> {
        let dir = RunDir::new(path);
        refuse_incomplete(&dir)?;
        let rows = StoredRows::read(&dir)?;
        let order: Vec<String> = info.cases.iter().map(|case| case.case.clone()).collect();
        refuse_lost(&dir, &order, &rows.records)?;
        let kept = Kept::of(&dir, cases, &rows, results)?;
        tidy(&dir, &rows.records, order.len())?;
        let rows = rewrite(&dir, &order, &kept.done, rows)?;
        storing::end(&dir);
        Ok((Recorder::open(dir, info, lock, &rows)?, kept))
    }

    fn open(dir: RunDir, info: &RunInfo, lock: RunLock, rows: &StoredRows) -> anyhow::Result<Recorder> {
        Ok(Recorder {
            nodes: Nodes::read(&dir)?,
            identity: RunIdentity {
                run: info.run.clone(),
                commit: crate::COMMIT.to_owned(),
                devices: info
                    .devices
                    .iter()
                    .map(|device| (device.device.clone(), (device.fingerprint.clone(), device.name.clone())))
                    .collect(),
                task_versions: info.tasks.iter().map(|task| (task.name.clone(), task.version)).collect(),
                model_versions: info.cases.iter().map(|case| (case.case.clone(), case.model_version.clone())).collect(),
            },
            order: info.cases.iter().map(|case| case.case.clone()).collect(),
            records: open_to_append(&dir.records_path())?,
            curves: open_to_append(&dir.curves_path())?,
            dir,
            stored: rows.counts(),
            names_machine: rows.records.iter().any(|record| !record.machine.is_empty()),
            lock,
        })
    }

    /// The path of the directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Stores cases that have ended.
    ///
    /// # Errors
    /// If the disk is full or gone. The stored part of a case then has no closing row, and `resume` drops it. Also if what was stored
    /// before is not there any more. Nothing is written then.
    pub fn store(&mut self, ended: &[Ended]) -> anyhow::Result<()> {
        let ids: Vec<&str> = ended.iter().map(|one| one.case.id.as_str()).collect();
        let of = if ids.len() == 1 { "case" } else { "cases" };
        self.ensure_in_place(&format!("the results of {of} {} were not stored", ids.join(", ")))?;
        self.append(ended).with_context(|| {
            format!(
                "the results of the last {of} could not be stored; what was stored before is complete. Correct the cause, then: \
                 bakeoff resume {}",
                self.path().display()
            )
        })
    }

    /// Rows that nobody measures will name no machine, because other machines than this one measure.
    pub fn measures_elsewhere(&mut self) {
        self.identity.devices.clear();
    }

    /// Stores which other machine measured a case. The first one becomes the machine of the run, which reports name and to which cases
    /// count that nobody measured.
    ///
    /// # Errors
    /// If `run.json` cannot be read, or if the machine cannot be written.
    pub fn measured_on(&mut self, node: Node) -> anyhow::Result<()> {
        const CONSEQUENCE: &str = "the machine of a case was not stored";
        if self.nodes.add(&node) {
            self.ensure_there(CONSEQUENCE)?;
            self.nodes.write(&self.dir)?;
        }
        if self.names_machine {
            return Ok(());
        }
        self.ensure_there(CONSEQUENCE)?;
        let mut info = self.dir.info()?;
        for device in &mut info.devices {
            if let Some(there) = node.devices.iter().find(|there| there.device == device.device) {
                *device = there.clone();
            }
        }
        (info.machine, info.energy) = (node.machine, node.energy);
        self.dir.write_info(&info)?;
        self.names_machine = true;
        Ok(())
    }

    /// Stores what meters showed of the idle machine.
    ///
    /// # Errors
    /// If the file cannot be written, or if the folder is gone.
    pub fn store_idle(&self, rows: &[IdleRow]) -> anyhow::Result<()> {
        self.ensure_there("the power of the idle machine was not stored")?;
        let path = self.dir.idle_path();
        // A line that a kill cut short would make one line with the next.
        let stored = self.dir.idle()?;
        self.dir.write_rows(&path, &[stored.as_slice(), rows].concat())?;
        Ok(())
    }

    fn append(&mut self, ended: &[Ended]) -> anyhow::Result<()> {
        storing::begin(&self.dir, ended)?;
        storing::write_large_files(&self.dir, ended)?;
        let (mut records, mut curves) = (Vec::new(), Vec::new());
        let mut counts = Vec::with_capacity(ended.len());
        for Ended { case, outcome, wall_s, .. } in ended {
            if !outcome.sheet.is_empty() {
                replace(&self.dir.sheet_path(&case.id), &outcome.sheet)?;
            }
            for (split, rows) in &outcome.hidden {
                self.dir.write_rows(&self.dir.hidden_predictions_path(&case.id, split), rows)?;
            }
            let rows = self.identity.records(case, outcome, *wall_s);
            counts.push(RowCounts { records: rows.len(), curves: outcome.curves.len() });
            records.extend(rows);
            curves.extend_from_slice(&outcome.curves);
        }
        if !curves.is_empty() {
            append_rows(&mut self.curves, &self.dir.curves_path(), &curves)?;
        }
        append_rows(&mut self.records, &self.dir.records_path(), &records)?;
        for (Ended { case, outcome, .. }, counts) in ended.iter().zip(counts) {
            self.stored.insert(case.id.clone(), counts);
            if !goes_on(outcome.status, case.trial) {
                // What cannot be removed now is removed when the run ends.
                let _ = fs::remove_file(self.dir.checkpoint_path(&case.id));
            }
        }
        if ended.len() > 1 {
            storing::end(&self.dir);
        }
        Ok(())
    }

    /// Sorts the rows into the order of the plan, in whichever order the cases ended. The directory stays locked for its report,
    /// as long as the recorder is there.
    ///
    /// # Errors
    /// If the files cannot be written, or if what was stored is not there any more. Nothing is removed then.
    pub fn finish(&self) -> anyhow::Result<&RunDir> {
        self.ensure_whole("there is no report")?;
        let context = || {
            format!(
                "what was measured is stored, but its rows are not in the order of the plan yet, and there is no report; correct the \
                 cause, then: bakeoff resume {}",
                self.path().display()
            )
        };
        let rows = StoredRows::read(&self.dir).with_context(context)?;
        tidy(&self.dir, &rows.records, self.order.len()).with_context(context)?;
        let stored = self.stored.keys().cloned().collect();
        rewrite(&self.dir, &self.order, &stored, rows).with_context(context)?;
        Ok(&self.dir)
    }

    /// Checks that the folder, its lock and the two files of rows are still those that this process has open. A file of rows that was
    /// replaced by one with all rows is opened again. `consequence` is what is missing otherwise.
    fn ensure_in_place(&mut self, consequence: &str) -> anyhow::Result<()> {
        self.ensure_there(consequence)?;
        self.lock.ensure_in_place(self.dir.path(), consequence)?;
        let (records, curves) = (self.dir.records_path(), self.dir.curves_path());
        if is_in_place(&self.records, &records) && is_in_place(&self.curves, &curves) {
            return Ok(());
        }
        self.ensure_whole(consequence)?;
        self.records = open_to_append(&records)?;
        self.curves = open_to_append(&curves)?;
        Ok(())
    }

    /// Checks that the folder is still there. `consequence` is what is missing otherwise.
    ///
    /// # Errors
    /// If it was moved or removed. Says what to do.
    pub fn ensure_there(&self, consequence: &str) -> anyhow::Result<()> {
        refuse_gone(&self.dir, consequence)
    }

    /// Checks that the two files of rows have all rows that this process has found or stored.
    fn ensure_whole(&self, consequence: &str) -> anyhow::Result<()> {
        self.ensure_there(consequence)?;
        match lacking(&self.dir, &self.stored) {
            None => Ok(()),
            Some(what) => Err(replaced(&self.dir, &what, consequence)),
        }
    }
}

fn open_to_append(path: &Path) -> anyhow::Result<File> {
    OpenOptions::new().append(true).open(path).with_context(|| format!("cannot write {}", path.display()))
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

/// Refuses a directory that has files of cases whose rows were lost, because `resume` would remove them. A stop while a case was stored
/// leaves the files of that one case without a closing row. Those that were being stored together are known.
fn refuse_lost(dir: &RunDir, cases: &[String], records: &[Record]) -> anyhow::Result<()> {
    let closed: BTreeSet<&str> =
        records.iter().filter(|record| is_closing(record)).map(|record| record.case.as_str()).collect();
    let interrupted = storing::interrupted(dir);
    let is_lost = |id: &&String| !closed.contains(id.as_str()) && !interrupted.contains(*id) && has_files(dir, id);
    let lost: Vec<&str> = cases.iter().filter(is_lost).map(String::as_str).collect();
    let evidence = match lost[..] {
        [] => return Ok(()),
        // The report of a run whose first case was cut off has no case.
        [only] if closed.is_empty() && is_reported(dir, only) => "summary.csv has it",
        [_] => return Ok(()),
        _ => "a stop leaves one such case at most",
    };
    Err(usage(format!(
        "{} has no closing row of {}, of which predictions/ or readings/ have files: {}; {evidence}, so rows were lost, perhaps in an \
         incomplete copy, and to go on would remove these files. Put the whole records.csv back, or copy the run again; to measure the \
         cases again, remove their files in predictions/ and readings/",
        dir.records_path().display(),
        if lost.len() == 1 { "1 case".to_owned() } else { format!("{} cases", lost.len()) },
        lost.join(", ")
    )))
}

/// Whether the report of a run has a case. It is made of the records, and removed before cases are run again.
fn is_reported(dir: &RunDir, case: &str) -> bool {
    let summary = fs::read_to_string(dir.path().join("summary.csv")).unwrap_or_default();
    dir.report_path().exists() && summary.lines().any(|line| line.split(',').next() == Some(case))
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

/// Rewrites records and curves with the cases in `keep`, in the order `order`, and gives their rows. The files of other cases are
/// removed first: a kill then leaves rows without files, which are not kept, and no files without rows.
fn rewrite(dir: &RunDir, order: &[String], keep: &BTreeSet<String>, rows: StoredRows) -> anyhow::Result<StoredRows> {
    let rows = rows.sorted(order, keep);
    dir.remove_cases(&order.iter().filter(|id| !keep.contains(*id)).map(String::as_str).collect())?;
    dir.write_rows(&dir.records_path(), &rows.records)?;
    dir.write_rows(&dir.curves_path(), &rows.curves)?;
    Ok(rows)
}
