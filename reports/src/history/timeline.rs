//! The runs of a file in the order of time, and their numbers as series.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::file::{Entry, Stored};
use super::key::{CellKey, MachineClass, Quantity, SeriesKey};
use super::line::{CellLine, EpochLine, RunKind, RunLine};
use super::series::{Epoch, Point, Run, RunCell, Series};
use super::{History, file};
use crate::error::ReportError;
use crate::format::count;

impl History {
    /// Reads the history in a folder.
    ///
    /// # Errors
    /// If there is none, or if its file is not readable, is of a newer schema, or was edited.
    pub fn read(folder: &Path) -> Result<History, ReportError> {
        let Some((stored, _)) = file::read(folder)? else {
            return Err(ReportError::NoHistory { path: folder.to_owned() });
        };
        Ok(History::of(stored))
    }

    pub(super) fn of(stored: Stored) -> History {
        let mut remarks: Vec<String> = stored.cut.into_iter().collect();
        let (mut runs, mut epochs) = (Vec::new(), Vec::new());
        for entry in stored.entries {
            match entry {
                Entry::Run { line, run, cells } => runs.push((line, run, cells)),
                Entry::Epoch { line, epoch } => epochs.push((line, epoch)),
            }
        }
        let runs = without_doubtful(runs, &mut remarks);
        let runs = in_order(runs, &mut remarks);
        let mut history =
            History { project: stored.project, runs: Vec::new(), cells: Vec::new(), series: Vec::new(), remarks };
        history.fill(runs);
        for (line, epoch) in epochs {
            history.begin(line, epoch);
        }
        history
    }

    fn fill(&mut self, runs: Vec<(usize, RunLine, Vec<CellLine>)>) {
        // The key as text, which finds a cell faster than a comparison with all others.
        let mut cells: HashMap<String, usize> = HashMap::new();
        let mut series: Vec<HashMap<Quantity, usize>> = Vec::new();
        for (line, run, lines) in runs {
            let index = self.runs.len();
            let mut of_run = Vec::with_capacity(lines.len());
            let mut seen = BTreeSet::new();
            for cell in lines {
                let key = key_of(&run, &cell);
                let text = serde_json::to_string(&key).expect("a key has plain fields");
                let at = *cells.entry(text).or_insert_with(|| {
                    self.cells.push(key);
                    series.push(HashMap::new());
                    self.cells.len() - 1
                });
                if !seen.insert(at) {
                    self.remarks.push(format!(
                        "Run {} (line {line}) has {} twice. The second is left out.",
                        run.run, self.cells[at]
                    ));
                    continue;
                }
                for (quantity, value) in cell.numbers {
                    let point = Point { run: index, value };
                    let found = match series[at].get(&quantity) {
                        Some(found) => *found,
                        None => {
                            series[at].insert(quantity.clone(), self.series.len());
                            self.series.push(Series::new(at, SeriesKey { cell: self.cells[at].clone(), quantity }));
                            self.series.len() - 1
                        }
                    };
                    let series = &mut self.series[found];
                    if run.kind == RunKind::Again { series.again.push(point) } else { series.points.push(point) }
                }
                of_run.push(RunCell {
                    cell: at,
                    status: cell.status,
                    note: cell.note,
                    model_version: cell.model_version,
                    quality: cell.quality,
                });
            }
            self.runs.push(Run {
                run: run.run,
                kind: run.kind,
                of: run.of,
                settings: run.settings,
                started: run.started,
                committed: run.committed,
                commit: run.commit,
                suite: run.suite,
                version: run.version,
                line,
                cells: of_run,
            });
        }
    }

    /// Begins an epoch of a series.
    fn begin(&mut self, line: usize, epoch: EpochLine) {
        let run = self.runs.iter().position(|run| run.run == epoch.from);
        let series = self.series.iter_mut().find(|series| series.id == epoch.series);
        let (Some(run), Some(series)) = (run, series) else {
            let what = if run.is_none() { format!("run {}", epoch.from) } else { format!("series {}", epoch.series) };
            self.remarks.push(format!(
                "Line {line} accepts a change of {} from a {what} that the history does not have. It is left out.",
                epoch.named
            ));
            return;
        };
        let first = series.points.iter().position(|point| point.run >= run).unwrap_or(series.points.len());
        series.epochs.retain(|known| known.first != first);
        series.epochs.push(Epoch { first, why: Some(epoch.why), accepted: Some(epoch.accepted) });
        series.epochs.sort_by_key(|epoch| epoch.first);
    }
}

fn key_of(run: &RunLine, cell: &CellLine) -> CellKey {
    CellKey {
        suite: run.suite.clone(),
        task: cell.task.clone(),
        task_version: cell.task_version,
        label: cell.label.clone(),
        model: cell.model.clone(),
        params: cell.params.clone(),
        train_size: cell.train_size,
        label_noise: cell.label_noise,
        folds: cell.folds,
        trials: cell.trials.clone(),
        device: cell.device.clone(),
        threads: cell.threads,
        machine: run.machines[cell.machine].clone(),
    }
}

type RunLines = (usize, RunLine, Vec<CellLine>);

/// Leaves out runs that are there twice, and what was measured again of a night that is not there. A run that replaces an earlier version
/// of itself takes its place.
fn without_doubtful(runs: Vec<RunLines>, remarks: &mut Vec<String>) -> Vec<RunLines> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<RunLines> = Vec::with_capacity(runs.len());
    for (line, run, cells) in runs {
        if let Some(place) = places.get(&run.run) {
            let (of, before, _) = &kept[*place];
            if run.takes_the_place_of(before) {
                kept[*place] = (line, run, cells);
                continue;
            }
            let what = if before.digest == run.digest { "the same run" } else { "another run of the same name" };
            remarks.push(format!("Line {line} is {what} as line {of} ({}). It is left out.", run.run));
            continue;
        }
        if let Some(night) = run.of.as_ref().filter(|night| !places.contains_key(*night)) {
            remarks.push(format!(
                "Run {} (line {line}) measured suspects of {night} again, a run that no line before has. It is left out.",
                run.run
            ));
            continue;
        }
        places.insert(run.run.clone(), kept.len());
        kept.push((line, run, cells));
    }
    kept
}

/// A night that began so much before one that stands before it in the file is not just one of another machine that was pushed later.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// The runs in the order of time: that of their clocks, and of the dates of backfilled commits. But a night that began more than a day before
/// one of the same class of machines that stands before it in the file keeps its place in the file, which only grows: a clock went
/// back. What was added later is where its clock says.
fn in_order(runs: Vec<RunLines>, remarks: &mut Vec<String>) -> Vec<RunLines> {
    let mut latest: HashMap<MachineClass, (String, String)> = HashMap::new();
    let mut back: BTreeMap<MachineClass, (String, usize)> = BTreeMap::new();
    let mut placed: Vec<(String, RunLines)> = Vec::with_capacity(runs.len());
    for (line, run, cells) in runs {
        if let Some(date) = run.committed.clone().filter(|_| run.kind == RunKind::Backfill) {
            placed.push((date, (line, run, cells)));
            continue;
        }
        let mut at = run.started.clone();
        for class in run.machines.iter().filter(|_| !run.late) {
            match latest.get(class) {
                Some((time, before)) if is_a_day_before(&run.started, time) => {
                    if run.kind == RunKind::Night {
                        let first = || {
                            format!(
                                "run {} (line {line}) began at {}, before run {before} ({time}), which stands before it in the file",
                                run.run, run.started
                            )
                        };
                        back.entry(class.clone()).or_insert_with(|| (first(), 0)).1 += 1;
                    }
                    at = at.max(time.clone());
                }
                Some((time, _)) if run.started < *time => {}
                _ => drop(latest.insert(class.clone(), (run.started.clone(), run.run.clone()))),
            }
        }
        placed.push((at, (line, run, cells)));
    }
    for (class, (first, runs)) in back {
        let others = match runs - 1 {
            0 => String::new(),
            others => format!(", and so did {}", count(others, "later run")),
        };
        remarks.push(format!(
            "On {class}, {first}{others}: a clock went back, or lines were merged late. The runs keep the order of the file."
        ));
    }
    // Stable: equal times stay in the order of the file.
    placed.sort_by(|one, other| one.0.cmp(&other.0));
    placed.into_iter().map(|(_, run)| run).collect()
}

/// Whether one time is more than a day before another. Times that cannot be read are compared as text.
fn is_a_day_before(one: &str, other: &str) -> bool {
    match (one.parse::<Timestamp>(), other.parse::<Timestamp>()) {
        (Ok(one), Ok(other)) => other.duration_since(one) > A_DAY,
        _ => one < other,
    }
}
