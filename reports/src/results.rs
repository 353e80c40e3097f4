//! Everything a report shows, read from a run directory once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::answers::Answers;
use crate::cell::{Cell, Gap, SEEN_MARK, Trial};
use crate::crossovers::{Crossover, crossovers};
use crate::energy_table::{remark_on_drift, remark_on_grams};
use crate::error::ReportError;
use crate::estimate::TrialKey;
use crate::format::{count, listed};
use crate::grid::Grid;
use crate::history::MachineClass;
use crate::interpretation::Interpretation;
use crate::latencies::{CaseReadings, PowerTrace, case_readings};
use crate::metric::metric;
use crate::nodes::Nodes;
use crate::ranking::{Impute, Ranking};
use crate::recomputed::contradiction;
use crate::record::{Curve, IdleRow, Status};
use crate::run_dir::RunDir;
use crate::run_info::RunInfo;
use crate::setting::Setting;
use crate::table::Subject;
use crate::warnings::contradicted;

/// A run that was read and compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// What was run.
    pub info: RunInfo,
    /// The machines of a cluster on which it was measured; none if it was measured on one machine.
    pub nodes: Nodes,
    /// How each model did on each task.
    pub grid: Grid,
    /// The ranking of each setting, in the order of the grid.
    pub rankings: Vec<Ranking>,
    /// Where learning curves cross.
    pub crossovers: Vec<Crossover>,
    /// The epochs of each case that has any.
    pub curves: HashMap<String, Vec<Curve>>,
    /// The answers of each measured case whose predictions are there and give the recorded score.
    pub answers: HashMap<String, Answers>,
    /// The seconds of each single prediction of each case that has any, ascending.
    pub latencies: HashMap<String, Vec<f64>>,
    /// What meters showed during the fit of each case that has such readings.
    pub power: HashMap<String, Vec<PowerTrace>>,
    /// What meters showed of the idle machine.
    pub idle: Vec<IdleRow>,
    /// What fitted models learned, if that was explained.
    pub interpretation: Option<Interpretation>,
    /// Remarks about the run as a whole that a reader must know: parts that are missing or were left out.
    pub remarks: Vec<String>,
    /// The numbers that are missing, and why. In tables, a missing number is an empty cell.
    pub gaps: Vec<String>,
}

impl Results {
    /// Reads a run.
    ///
    /// # Errors
    /// If a file of the run is not readable or breaks its format. Missing curves and predictions are remarks and no
    /// errors, and so are lines cut short by a kill.
    pub fn load(dir: &RunDir) -> Result<Results, ReportError> {
        Results::load_with(dir, Impute::Nothing)
    }

    /// [`Results::load`] with scores in place of missing ones.
    ///
    /// # Errors
    /// As in [`Results::load`].
    pub fn load_with(dir: &RunDir, impute: Impute) -> Result<Results, ReportError> {
        let info = dir.info()?;
        let nodes = Nodes::read(dir)?;
        let records = dir.records()?;
        let mut remarks = info.remarks.clone();
        let mut torn = |file: &str, line: Option<u64>| {
            if let Some(line) = line {
                remarks.push(format!(
                    "Line {line} of {file} is incomplete, as if the run had been killed while writing it. It is left out."
                ));
            }
        };
        torn("records.csv", records.torn_line);
        let curves = dir.curves()?;
        torn("curves.csv", curves.as_ref().and_then(|curves| curves.torn_line));
        if curves.is_none() {
            remarks.push("There is no curves.csv, so training curves are not shown.".to_owned());
        }
        let mut grid = Grid::new(&info, &records.rows, &dir.records_path())?;
        let answers = load_answers(dir, &mut grid, &mut remarks)?;
        remark_on_test_rows(&grid, &answers, &mut remarks);
        let CaseReadings { latencies, power } = case_readings(dir, &grid, &mut remarks);
        let idle = dir.idle()?;
        remark_on_drift(&idle, &mut remarks);
        remark_on_grams(&info, &grid, &mut remarks);
        remark_on_plan(&info, &grid, &mut remarks);
        remark_on_machines(&grid, |machine| nodes.class_of(&info, machine), &mut remarks);
        remark_on_commits(&records.rows, &mut remarks);
        remark_on_metrics(&records.rows, &mut remarks);
        let gaps = gaps(&grid);
        let rankings: Vec<Ranking> =
            (0..grid.settings.len()).map(|setting| Ranking::new(&grid, setting, &answers, impute)).collect();
        let crossovers = crossovers(&grid, &rankings, &answers);
        let mut by_case: HashMap<String, Vec<Curve>> = HashMap::new();
        for curve in curves.map(|curves| curves.rows).unwrap_or_default() {
            by_case.entry(curve.case.clone()).or_default().push(curve);
        }
        let interpretation = Interpretation::read(dir)?;
        let curves = by_case;
        Ok(Results {
            info,
            nodes,
            grid,
            rankings,
            crossovers,
            curves,
            answers,
            latencies,
            power,
            idle,
            interpretation,
            remarks,
            gaps,
        })
    }

    /// The first trial of a setting and label, for figures that can show one seed only.
    pub fn first_trial(&self, setting: usize, label: usize) -> Option<&Trial> {
        self.grid.cell(setting, label).and_then(|cell| cell.trials.first())
    }

    /// Whether a label has a place in a setting.
    pub(crate) fn is_ranked(&self, setting: usize, label: usize) -> bool {
        self.rankings[setting].ranked().any(|model| model.label == label)
    }

    /// The setting with this index, which must be one of this grid.
    pub fn setting(&self, setting: usize) -> &Setting {
        &self.grid.settings[setting]
    }

    /// A label as it is written beside its scores of a setting: with a mark if its model saw the task in pretraining.
    pub(crate) fn name_in(&self, setting: usize, label: usize) -> String {
        let is_seen = self.grid.cell(setting, label).is_some_and(Cell::is_seen_in_pretraining);
        format!("{}{}", self.grid.labels[label], if is_seen { SEEN_MARK } else { "" })
    }

    /// What a table's row about a label in a setting is about.
    pub(crate) fn subject(&self, setting: usize, label: usize, status: Status) -> Subject {
        let (setting, model) = (self.setting(setting).title.clone(), self.grid.labels[label].clone());
        Subject { setting, model, status }
    }
}

/// Whether a case was measured: its answers were scored, whether or not they beat the floor.
pub(crate) fn measured(status: Status) -> bool {
    matches!(status, Status::Ok | Status::BelowFloor)
}

/// The answers of each measured case. Leaves out those that contradict the recorded score, and the scores of their cases.
fn load_answers(
    dir: &RunDir,
    grid: &mut Grid,
    remarks: &mut Vec<String>,
) -> Result<HashMap<String, Answers>, ReportError> {
    let mut answers = HashMap::new();
    let mut missing = Vec::new();
    let mut contradictions = HashMap::new();
    for (setting, _, trial) in grid.trials().filter(|(_, _, trial)| measured(trial.status)) {
        let path = dir.predictions_path(&trial.case);
        match dir.predictions(&trial.case)? {
            Some(rows) if rows.torn_line.is_none() && has_all(trial, rows.rows.len()) => {
                let setting = &grid.settings[setting];
                let read = Answers::new(&setting.task, &rows.rows, &path)?;
                match contradiction(setting.primary(), trial, &read) {
                    Some(found) => {
                        contradictions.insert(trial.case.clone(), found);
                    }
                    None => {
                        answers.insert(trial.case.clone(), read);
                    }
                }
            }
            _ => missing.push(trial.case.clone()),
        }
    }
    if !missing.is_empty() {
        remarks.push(format!(
            "{} left no complete predictions file. There is no paired test, no bootstrap interval and no confusion matrix \
             for {}.",
            count(missing.len(), "case"),
            listed(&missing)
        ));
    }
    grid.contradict(&contradictions);
    remarks.extend(contradicted(grid));
    Ok(answers)
}

/// Whether these are all of the rows that the case was scored on, as far as it says how many these were.
fn has_all(trial: &Trial, rows: usize) -> bool {
    trial.get("score", "examples").is_none_or(|examples| examples.value == rows as f64)
}

/// Adds a remark for each setting in which models answered other test rows on the same seed. They cannot be paired.
fn remark_on_test_rows(grid: &Grid, answers: &HashMap<String, Answers>, remarks: &mut Vec<String>) {
    for (index, setting) in grid.settings.iter().enumerate() {
        let mut first: HashMap<TrialKey, (&str, u64)> = HashMap::new();
        let mut others: Vec<String> = Vec::new();
        for (_, cell) in grid.row(index) {
            for trial in &cell.trials {
                let Some(found) = answers.get(&trial.case) else { continue };
                let (case, targets) = *first.entry((trial.seed, trial.fold)).or_insert((&trial.case, found.targets));
                if targets != found.targets {
                    others.push(format!("{} than {case}", trial.case));
                }
            }
        }
        if !others.is_empty() {
            remarks.push(format!(
                "On {}, cases of one seed answered other test rows: {}. There is no paired test of their models; run them again \
                 on the same data.",
                setting.title,
                listed(&others)
            ));
        }
    }
}

fn remark_on_plan(info: &RunInfo, grid: &Grid, remarks: &mut Vec<String>) {
    if grid.unfinished.is_empty() {
        return;
    }
    let planned = info.cases.len();
    let (have, them) = if grid.unfinished.len() == 1 { ("has", "it") } else { ("have", "them") };
    remarks.push(format!(
        "{} of {planned} planned {have} no result yet: {}. Run {them} with `bakeoff resume` on this folder.",
        count(grid.unfinished.len(), "case"),
        listed(&grid.unfinished)
    ));
}

/// Adds a remark if there are two machines. Their costs must not be compared, so their models are in two tables.
fn remark_on_machines(grid: &Grid, class_of: impl Fn(&str) -> Option<MachineClass>, remarks: &mut Vec<String>) {
    let mut machines: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for setting in &grid.settings {
        let class = class_of(&setting.machine).map_or(String::new(), |class| format!(" ({class})"));
        machines.entry(&setting.device).or_default().insert(format!("{}{class}", setting.machine));
    }
    for (device, machines) in machines.into_iter().filter(|(_, machines)| machines.len() > 1) {
        let named: Vec<String> = machines.into_iter().collect();
        remarks.push(format!(
            "The cases on {device} were measured on {}: {}. Models are compared within each machine only.",
            count(named.len(), "machine"),
            listed(&named)
        ));
    }
}

fn remark_on_commits(records: &[crate::record::Record], remarks: &mut Vec<String>) {
    let mut commits = BTreeMap::new();
    for record in records {
        *commits.entry(record.commit.as_str()).or_insert(0_usize) += 1;
    }
    if commits.len() > 1 {
        let named: Vec<String> = commits.into_keys().map(str::to_owned).collect();
        remarks.push(format!("Several commits of bakeoff made the rows: {}.", listed(&named)));
    }
}

/// Adds a remark if rows have metrics of another program. Nothing shows them.
fn remark_on_metrics(records: &[crate::record::Record], remarks: &mut Vec<String>) {
    let unknown: BTreeSet<&str> =
        records.iter().map(|row| row.metric.as_str()).filter(|name| metric(name).is_none()).collect();
    if !unknown.is_empty() {
        let named: Vec<String> = unknown.into_iter().map(|name| format!("'{name}'")).collect();
        remarks.push(format!(
            "records.csv has rows of {} that this program does not know: {}. They are left out; `bakeoff list metrics` \
             shows the known ones.",
            count(named.len(), "metric"),
            listed(&named)
        ));
    }
}

/// One sentence for all numbers that are missing for the same reason.
fn gaps(grid: &Grid) -> Vec<String> {
    let mut gaps: BTreeMap<&Gap, usize> = BTreeMap::new();
    for gap in grid.trials().flat_map(|(_, _, trial)| &trial.gaps).filter(|gap| !gap.is_result()) {
        *gaps.entry(gap).or_insert(0) += 1;
    }
    let sentence = |(Gap { phase, metric, source, reason }, cases): (&Gap, usize)| {
        let reason = if reason.is_empty() { "no reason was recorded" } else { reason };
        let by = if source.is_empty() { String::new() } else { format!(" by {source}") };
        format!("{metric} of {phase}{by} is missing in {}: {reason}.", count(cases, "case"))
    };
    gaps.into_iter().map(sentence).collect()
}
