//! From a run's directory to the lines of a history.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sha2::{Digest, Sha256};

use super::key::{MachineClass, Quantity};
use super::line::{CellLine, RunKind, RunLine};
use super::{file, quality};
use crate::cell::{Cell, Trial};
use crate::format::listed;
use crate::results::{Results, measured};
use crate::run_info::{CaseInfo, RunInfo};
use crate::setting::Setting;

/// The costs that a history keeps, by phase. Their metrics say which direction is better. Other numbers are settings, counts, or what the
/// machine was like, and the run has them.
pub(super) const COSTS: &[(&str, &str)] = &[
    ("search", "fit_s"),
    ("search", "energy_j"),
    ("fit", "fit_s"),
    ("fit", "time_to_target_s"),
    ("fit", "energy_j"),
    ("fit", "energy_to_target_j"),
    ("serve", "load_s"),
    ("serve", "load_cold_s"),
    ("serve", "first_prediction_s"),
    ("serve", "peak_memory_bytes"),
    ("predict-single", "latency_p50_s"),
    ("predict-single", "latency_p90_s"),
    ("predict-single", "latency_p99_s"),
    ("predict-single", "energy_j"),
    ("predict-batch", "throughput"),
    ("predict-batch", "energy_j"),
    ("server", "max_rate_per_s"),
    ("server", "capacity_per_s"),
    ("server", "latency_p99_s"),
    ("case", "peak_memory_bytes"),
    ("case", "model_bytes"),
];

/// Why a run is added, and what it does not know of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Why.
    pub kind: RunKind,
    /// For [`RunKind::Again`], the night.
    pub of: Option<String>,
    /// The commit that was measured, if it is not the one that the program was built from.
    pub commit: Option<String>,
    /// For [`RunKind::Backfill`], the date of the commit, RFC 3339, UTC.
    pub committed: Option<String>,
    /// Whether it is added later than others that began after it.
    pub late: bool,
}

impl Origin {
    /// A night, of the commit that the program was built from.
    pub fn night() -> Origin {
        Origin { kind: RunKind::Night, of: None, commit: None, committed: None, late: false }
    }

    /// What was measured again of suspects of the run `night`.
    pub fn again(night: &str) -> Origin {
        Origin { kind: RunKind::Again, of: Some(night.to_owned()), ..Origin::night() }
    }

    /// What `run.json` says of a run that is added later.
    pub fn later(info: &RunInfo) -> Origin {
        let late = || Origin { late: true, ..Origin::night() };
        info.again_of.as_deref().map_or_else(late, Origin::again)
    }
}

/// A run as it is added to a history.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    pub(super) run: RunLine,
    pub(super) cells: Vec<CellLine>,
    /// What the history does not keep of the run, in sentences.
    pub remarks: Vec<String>,
}

impl NewRun {
    /// The lines of a run. Its scores are tested against those of `reference`, which another run with the same rows and seeds left.
    pub fn of(results: &Results, origin: Origin, reference: Option<&Results>) -> NewRun {
        let info = &results.info;
        let mut made = NewRun {
            run: RunLine {
                run: info.run.clone(),
                kind: origin.kind,
                of: origin.of,
                replaces: None,
                late: origin.late,
                settings: short_digest(&info.suite_toml),
                started: info.started.clone(),
                committed: origin.committed,
                commit: origin.commit.unwrap_or_else(|| info.commit.clone()),
                suite: info.suite.clone(),
                version: info.version.clone(),
                machines: Vec::new(),
                cells: 0,
                digest: String::new(),
            },
            cells: Vec::new(),
            remarks: Vec::new(),
        };
        let (groups, remarks) = groups(results);
        made.remarks = remarks;
        for group in groups {
            made.add(results, &group, reference);
        }
        made.remark_on_unfinished(results);
        made.run.cells = made.cells.len();
        made.sign();
        made
    }

    /// The run in place of its former lines, which say why it was made and where it belongs. `None` if they say the same of it, whichever
    /// reference its scores were tested against.
    pub(super) fn in_place_of(mut self, before: &RunLine, cells: &[CellLine]) -> Option<NewRun> {
        let RunLine { kind, of, commit, committed, late, .. } = before.clone();
        self.run = RunLine { kind, of, commit, committed, late, ..self.run };
        let bare = |run: &RunLine| RunLine { replaces: None, digest: String::new(), ..run.clone() };
        let measured = |cells: &[CellLine]| -> Vec<CellLine> {
            cells.iter().map(|cell| CellLine { quality: None, ..cell.clone() }).collect()
        };
        if bare(&self.run) == bare(before) && measured(&self.cells) == measured(cells) {
            return None;
        }
        self.run.replaces = Some(before.digest.clone());
        self.sign();
        Some(self)
    }

    fn sign(&mut self) {
        let lines: Vec<String> =
            self.cells.iter().map(|cell| file::encode(&super::Line::Cell(Box::new(cell.clone())))).collect();
        self.run.digest = file::digest(&self.run, lines.iter().map(String::as_str));
    }

    /// The lines as the file has them.
    pub(super) fn lines(&self) -> String {
        let mut text = file::encode(&super::Line::Run(self.run.clone()));
        for cell in &self.cells {
            text += &file::encode(&super::Line::Cell(Box::new(cell.clone())));
        }
        text
    }

    fn add(&mut self, results: &Results, group: &Group<'_>, reference: Option<&Results>) {
        let Some(first) = group.cell.trials.first() else { return };
        let setting = group.setting;
        let machine = self.run.machines.iter().position(|known| *known == group.class).unwrap_or_else(|| {
            self.run.machines.push(group.class.clone());
            self.run.machines.len() - 1
        });
        let trials = &group.cell.trials;
        let failed = trials.iter().find(|trial| !measured(trial.status));
        let is_whole = trials.len() == group.planned.len();
        let (status, note) = match failed {
            Some(trial) => (trial.status, trial.note.clone()),
            None if is_whole => (first.status, String::new()),
            None => (first.status, format!("{} of {} cases have ended", trials.len(), group.planned.len())),
        };
        let numbers = if failed.is_none() && is_whole { numbers(setting, trials) } else { BTreeMap::new() };
        let is_searched = trials.iter().any(|trial| !trial.search.is_empty());
        let quality =
            (!numbers.is_empty()).then(|| quality::against(results, group.label, setting, &group.cell, reference));
        self.cells.push(CellLine {
            task: setting.task.name.clone(),
            task_version: setting.task.version,
            label: group.label.to_owned(),
            model: first.model.clone(),
            model_version: first.model_version.clone(),
            params: if is_searched { "searched".to_owned() } else { first.params.clone() },
            train_size: setting.train_size,
            label_noise: setting.label_noise,
            folds: setting.folds,
            trials: trials_of(&group.planned),
            device: setting.device.clone(),
            threads: first.threads,
            machine,
            status,
            note: note.lines().next().unwrap_or_default().replace(char::is_control, " "),
            numbers,
            quality,
        });
    }

    fn remark_on_unfinished(&mut self, results: &Results) {
        let unfinished = &results.grid.unfinished;
        if !unfinished.is_empty() {
            self.remarks.push(format!(
                "The run is not complete: {} did not end. To end it: bakeoff resume on its folder.",
                listed(unfinished)
            ));
        }
    }
}

/// A model in a setting on one class of machines.
struct Group<'a> {
    setting: &'a Setting,
    label: &'a str,
    class: MachineClass,
    /// The trials that were measured there. They may have several fingerprints.
    cell: Cell,
    /// The trials that are planned, without those that were measured on another class.
    planned: Vec<&'a CaseInfo>,
}

/// The groups of a run, and what is left out because nothing describes its machine, in sentences.
fn groups(results: &Results) -> (Vec<Group<'_>>, Vec<String>) {
    let grid = &results.grid;
    let (mut groups, mut remarks): (Vec<Group<'_>>, Vec<String>) = (Vec::new(), Vec::new());
    for (index, setting) in grid.settings.iter().enumerate() {
        for (label, cell) in grid.row(index).filter(|(_, cell)| !is_unsupported(cell)) {
            let label = grid.labels[label].as_str();
            let Some(class) = results.nodes.class_of(&results.info, &setting.machine) else {
                remarks.push(format!(
                    "{label} on {} was measured on machine {}, which neither run.json nor nodes.json describes. The history does not keep it.",
                    setting.title, setting.machine
                ));
                continue;
            };
            let is_it = |group: &&mut Group<'_>| {
                group.label == label && group.class == class && group.setting.is_same_but_for_machine(setting)
            };
            match groups.iter_mut().find(is_it) {
                Some(group) => group.cell.trials.extend_from_slice(&cell.trials),
                None => groups.push(Group { setting, label, class, cell: cell.clone(), planned: Vec::new() }),
            }
        }
    }
    move_unmeasured(&mut groups);
    let unfinished: HashSet<&str> = grid.unfinished.iter().map(String::as_str).collect();
    for group in &mut groups {
        group.planned = planned(&results.info, &unfinished, group);
        let place = |trial: &Trial| group.planned.iter().position(|case| case.case == trial.case);
        group.cell.trials.sort_by_key(place);
    }
    remarks.extend(remark_on_divided(&groups));
    (groups, remarks)
}

/// Says which cells were measured on several classes of machines: their means are over other trials than those of a whole cell.
fn remark_on_divided(groups: &[Group<'_>]) -> Option<String> {
    let is_divided = |group: &&Group<'_>| {
        let is_cell =
            |other: &&Group<'_>| group.label == other.label && group.setting.is_same_but_for_machine(other.setting);
        groups.iter().filter(is_cell).count() > 1
    };
    let names: BTreeSet<String> = groups
        .iter()
        .filter(is_divided)
        .map(|group| format!("{} on {}, n = {}", group.label, group.setting.task.name, group.setting.train_size))
        .collect();
    let names: Vec<String> = names.into_iter().collect();
    (!names.is_empty()).then(|| {
        format!(
            "These cells were measured on several classes of machines: {}. Each class has series of its own, over the seeds that it has \
             measured.",
            listed(&names)
        )
    })
}

/// The planned cases of a group: those that were measured there, and those that nobody has measured yet.
fn planned<'a>(info: &'a RunInfo, unfinished: &HashSet<&str>, group: &Group<'_>) -> Vec<&'a CaseInfo> {
    let setting = group.setting;
    let is_of_cell = |case: &&CaseInfo| {
        case.trial.is_none()
            && case.task == setting.task.name
            && case.label == group.label
            && case.train_size == setting.train_size
            && case.label_noise.to_bits() == setting.label_noise.to_bits()
            && case.folds == setting.folds
            && case.device == setting.device
    };
    let here: HashSet<&str> = group.cell.trials.iter().map(|trial| trial.case.as_str()).collect();
    let belongs = |case: &&CaseInfo| here.contains(case.case.as_str()) || unfinished.contains(case.case.as_str());
    info.cases.iter().filter(is_of_cell).filter(belongs).collect()
}

/// Whether no trial could ever give a number.
fn is_unsupported(cell: &Cell) -> bool {
    cell.trials.iter().all(|trial| trial.status == crate::record::Status::Unsupported)
}

/// Trials that nobody measured count to the machine that run.json names. If others of the same cell were measured on another class, they
/// belong there: a seed that failed takes the numbers of its cell away.
fn move_unmeasured(groups: &mut Vec<Group<'_>>) {
    let is_unmeasured = |group: &Group<'_>| group.cell.trials.iter().all(|trial| !measured(trial.status));
    let is_of_same_cell = |one: &Group<'_>, other: &Group<'_>| {
        one.label == other.label && one.setting.is_same_but_for_machine(other.setting)
    };
    let mut at = 0;
    while at < groups.len() {
        let to = (0..groups.len())
            .find(|to| *to != at && is_of_same_cell(&groups[at], &groups[*to]) && !is_unmeasured(&groups[*to]));
        match to.filter(|_| is_unmeasured(&groups[at])) {
            None => at += 1,
            Some(to) => {
                let trials = std::mem::take(&mut groups[at].cell.trials);
                groups[to].cell.trials.extend(trials);
                groups.remove(at);
            }
        }
    }
}

/// As in [`super::CellKey::trials`]. A mean is the same in whichever order the seeds are written.
fn trials_of(planned: &[&CaseInfo]) -> String {
    let mut trials: Vec<_> = planned.iter().map(|case| (case.seed, case.repeat.zip(case.fold))).collect();
    trials.sort_unstable();
    let name = |(seed, place): (u64, Option<(usize, usize)>)| match place {
        None => format!("s{seed}"),
        Some((repeat, fold)) => format!("s{seed}.r{repeat}f{fold}"),
    };
    trials.into_iter().map(name).collect::<Vec<_>>().join(" ")
}

fn short_digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// The means of the numbers that a history keeps. A number that a trial lacks is left out: the mean over the others is another number.
fn numbers(setting: &Setting, trials: &[Trial]) -> BTreeMap<Quantity, f64> {
    let primary = setting.primary();
    let beside = setting.score().beside;
    let scores = std::iter::once(primary.name).chain(beside.iter().copied()).map(|metric| ("score", metric));
    let mut sums: BTreeMap<Quantity, (usize, f64)> = BTreeMap::new();
    for (phase, metric) in COSTS.iter().copied().chain(scores) {
        for value in trials.iter().flat_map(|trial| trial.all(phase, metric)) {
            let quantity = Quantity {
                phase: phase.to_owned(),
                metric: metric.to_owned(),
                conditions: String::new(),
                source: value.source.clone(),
            };
            let sum = sums.entry(quantity).or_insert((0, 0.0));
            *sum = (sum.0 + 1, sum.1 + value.value);
        }
    }
    let n = trials.len();
    let whole = sums.into_iter().filter(|(_, (count, sum))| *count == n && sum.is_finite());
    whole.map(|(quantity, (_, sum))| (quantity, sum / n as f64)).collect()
}
