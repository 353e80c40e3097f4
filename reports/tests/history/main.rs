//! The history: its file, its series, and what is said of a night.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod export_properties;
mod exports;
mod file;
mod judged;
mod kept_apart;
mod pages;
mod quality;
mod rules;
mod years;

use std::path::{Path, PathBuf};

use bakeoff_reports::{CellLine, History, NewRun, Origin, Record, Results, RunDir, Series, add_runs};
use common::{Plan, write_run};
use tempfile::TempDir;

/// Two models on one task, two seeds.
const SMALL: Plan = Plan { tasks: 1, models: 2, seeds: 2, examples: 60, faults: false, ..common::SMALL };

/// The project of all histories here.
const PROJECT: &str = "example";

/// A folder with a history and the runs that are added to it.
struct Bench {
    folder: TempDir,
    plan: Plan,
}

impl Bench {
    fn new() -> Bench {
        Bench::of(SMALL)
    }

    fn of(plan: Plan) -> Bench {
        Bench { folder: tempfile::tempdir().unwrap(), plan }
    }

    fn history(&self) -> PathBuf {
        self.folder.path().join("perf")
    }

    fn file(&self) -> PathBuf {
        self.history().join("history.jsonl")
    }

    fn read(&self) -> History {
        History::read(&self.history()).unwrap()
    }

    /// The run of night `n`, whose records are as `change` leaves them.
    fn night(&self, n: usize, change: impl Fn(&mut Record)) -> RunDir {
        let dir = write_run(&self.folder.path().join(name(n)), &self.plan);
        rename(&dir, &name(n), &format!("2026-{:02}-{:02}T02:00:00Z", n / 28 + 1, n % 28 + 1));
        change_records(&dir, change);
        dir
    }

    /// Adds the run of night `n`.
    fn add(&self, n: usize, change: impl Fn(&mut Record)) {
        let results = Results::load(&self.night(n, change)).unwrap();
        self.add_run(&results, Origin::night());
    }

    fn add_run(&self, results: &Results, origin: Origin) {
        let remarks = add_runs(&self.history(), PROJECT, &[NewRun::of(results, origin, None)]).unwrap();
        assert_eq!(remarks, [""; 0]);
    }

    /// Adds what was measured again of night `n`.
    fn add_again(&self, n: usize, round: usize, change: impl Fn(&mut Record)) {
        let dir = self.night(n, change);
        let again = format!("{}-again{round}", name(n));
        rename(&dir, &again, &dir.info().unwrap().started);
        let results = Results::load(&dir).unwrap();
        self.add_run(&results, Origin::again(&name(n)));
    }
}

fn name(n: usize) -> String {
    format!("night-{n}")
}

/// Gives a run another name and another beginning.
fn rename(dir: &RunDir, name: &str, started: &str) {
    let mut info = dir.info().unwrap();
    (info.run, info.started, info.commit) = (name.to_owned(), started.to_owned(), format!("{name:0>12}"));
    dir.write_info(&info).unwrap();
    change_records(dir, |record| name.clone_into(&mut record.run));
}

fn change_records(dir: &RunDir, change: impl Fn(&mut Record)) {
    let mut rows = dir.records().unwrap().rows;
    rows.iter_mut().for_each(change);
    dir.write_rows(&dir.records_path(), &rows).unwrap();
}

/// Multiplies a metric of all cases.
fn scaled(metric: &str, factor: f64) -> impl Fn(&mut Record) {
    move |record| {
        if record.metric == metric {
            record.value = record.value.map(|value| value * factor);
        }
    }
}

/// A night like any other: every cost is within a percent of its level.
fn quiet(n: usize) -> impl Fn(&mut Record) {
    // Steps around the golden ratio, which follow no trend.
    let noise = 0.01 * ((n as f64 * 0.618_033_988_75).fract() - 0.5);
    move |record| {
        let is_cost = matches!(record.unit.as_str(), "s" | "1/s" | "B" | "J") && record.phase != "score";
        if is_cost && record.metric != "wall_s" {
            record.value = record.value.map(|value| value * (1.0 + noise));
        }
    }
}

/// The one series of a metric of `resnet`, the first model.
fn series<'a>(history: &'a History, metric: &str) -> &'a Series {
    let is_it = |series: &&Series| series.key.cell.label == "resnet" && series.key.quantity.metric == metric;
    let found: Vec<&Series> = history.series.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1, "{metric}");
    found[0]
}

/// The message of an error.
fn said<T: std::fmt::Debug>(result: Result<T, bakeoff_reports::ReportError>, folder: &Path) -> String {
    result.unwrap_err().to_string().replace(&folder.display().to_string(), "perf")
}

/// The cells of a file, as it stores them.
fn cells(file: &Path) -> Vec<CellLine> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap());
    let cell = |line| match line {
        bakeoff_reports::Line::Cell(cell) => Some(*cell),
        _ => None,
    };
    lines.filter_map(cell).collect()
}
