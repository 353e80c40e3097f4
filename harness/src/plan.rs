//! The plan: all names resolved, all parameters checked, unsupported cells marked, nothing run yet.

use std::collections::BTreeSet;

use bakeoff_models::{Device, ModelEntry, Resolved, Support, did_you_mean};
use toml::Spanned;

use crate::case::Case;
use crate::machine::available_cpus;
use crate::program::Program;
use crate::suite::{ModelEntryWire, Params, Source, Suite, SuiteError, TaskEntry};
use crate::tasks::{self, OwnTask, Task};

mod own;

/// More threads, or cases at a time, are a slip of the finger.
pub const MOST_THREADS: usize = 1024;

/// What the command line changes of a suite. Empty lists and `None` change nothing.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Only these tasks.
    pub tasks: Vec<String>,
    /// Not these tasks.
    pub skip_tasks: Vec<String>,
    /// Only these models, by name or label.
    pub models: Vec<String>,
    /// Not these models, by name or label.
    pub skip_models: Vec<String>,
    /// These seeds.
    pub seeds: Vec<u64>,
    /// This training size for every task.
    pub train_size: Option<usize>,
    /// This device.
    pub device: Option<String>,
    /// Cases at a time.
    pub jobs: Option<usize>,
    /// Threads of each case.
    pub threads: Option<usize>,
    /// Splits with hidden targets are predicted too.
    pub predict_hidden: bool,
    /// Joules are not estimated where no meter is readable.
    pub no_estimate: bool,
}

impl Overrides {
    /// Whether the filters leave this task in.
    fn keeps_task(&self, name: &str) -> bool {
        let is = |listed: &String| listed == name;
        (self.tasks.is_empty() || self.tasks.iter().any(is)) && !self.skip_tasks.iter().any(is)
    }
}

/// The cases of a run, in the order in which they run and are stored.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The suite with the overrides applied: what `run.json` keeps and `resume` reads.
    pub suite: Suite,
    /// The cases.
    pub cases: Vec<Case>,
    /// The tasks on the user's own data.
    pub own: Vec<OwnTask>,
}

/// A plan that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The suite is at fault.
    #[error(transparent)]
    Suite(#[from] SuiteError),
    /// The command line is at fault.
    #[error("{0}")]
    Filter(String),
}

impl Plan {
    /// Threads that all cases at work at one time have together.
    pub fn threads(&self) -> usize {
        self.suite.threads.unwrap_or(1) * self.suite.jobs
    }

    /// Resolves a suite.
    ///
    /// # Errors
    /// On unknown names, parameters outside their domain, duplicate cases, or nothing to run.
    pub fn new(program: &Program, source: &Source, overrides: &Overrides) -> Result<Plan, PlanError> {
        let mut suite = source.parse()?;
        check_settings(source, &suite)?;
        check_names(program, source, &suite)?;
        let own = own::open(source, &mut suite, overrides)?;
        check_params(program, &own, source, &suite)?;
        apply(&mut suite, overrides)?;
        suite.threads.get_or_insert_with(|| (available_cpus() / suite.jobs).max(1));
        let device = device(source, &suite, overrides)?;
        let mut cases = Vec::new();
        for task_entry in &suite.tasks {
            let task = program.task_or(&own, task_entry.name.as_ref()).expect("checked above");
            let train_size = train_size(source, task, task_entry, overrides.train_size)?;
            let own_task = own.iter().find(|own| own.name() == task.name());
            for model_entry in &suite.models {
                let model = find(program.models, model_entry.name.as_ref(), |m| m.name()).expect("checked above");
                let cell = Cell { task, own: own_task, model, entry: model_entry, train_size, device };
                for &seed in &suite.seeds {
                    cases.push(cell.case(source, &suite, seed)?);
                }
            }
        }
        refuse_duplicates(source, &suite, &cases)?;
        Ok(Plan { suite, cases, own })
    }
}

/// One task x model of a suite.
struct Cell<'a> {
    task: &'a dyn Task,
    own: Option<&'a OwnTask>,
    model: &'a dyn ModelEntry,
    entry: &'a ModelEntryWire,
    train_size: usize,
    device: Device,
}

impl Cell<'_> {
    fn case(&self, source: &Source, suite: &Suite, seed: u64) -> Result<Case, SuiteError> {
        let shape = tasks::shape(self.task, self.train_size);
        let params = self.params(source)?;
        let label = label(self.entry).to_owned();
        Ok(Case {
            id: Case::id_of(self.task.name(), &label, self.train_size, seed, self.device.name()),
            task: self.task.name().to_owned(),
            own: self.own.cloned(),
            model: self.model.name().to_owned(),
            label,
            unsupported: match self.model.supports(&shape, &params, self.device) {
                Support::Yes => None,
                Support::No { reason } => Some(reason),
            },
            params,
            train_size: self.train_size,
            seed,
            device: self.device.name().to_owned(),
            threads: suite.threads.unwrap_or(1),
            timeout_s: suite.timeout_s,
            memory_limit_bytes: (suite.memory_limit_gib * f64::from(1 << 30)) as u64,
            latency_examples: suite.latency_examples,
            predict_hidden: suite.predict_hidden,
            test_rows: None,
            energy: suite.energy,
            idle_w: None,
        })
    }

    /// Defaults, then the model's parameters, then those for this task; each checked where it is written.
    fn params(&self, source: &Source) -> Result<Resolved, SuiteError> {
        let shape = tasks::shape(self.task, self.train_size);
        let mut overrides = toml::Table::new();
        let on_task = self.entry.on.iter().find(|(name, _)| name.as_ref() == self.task.name()).map(|(_, p)| p);
        for params in std::iter::once(&self.entry.params).chain(on_task) {
            check_each(source, self.model, &shape, params)?;
            for (name, value) in params {
                overrides.insert(name.as_ref().clone(), value.as_ref().clone());
            }
        }
        let fault = |error: bakeoff_models::ParamError| {
            source.fault(&self.entry.name, format!("model '{}': {error}", self.model.name()))
        };
        let resolved = Resolved::new(self.model.params(), &shape, &overrides).map_err(fault)?;
        self.model.check(&resolved).map_err(fault)?;
        Ok(resolved)
    }
}

/// Checks parameters one by one, so that a fault is reported on its own line.
fn check_each(
    source: &Source,
    model: &dyn ModelEntry,
    shape: &bakeoff_models::TaskShape,
    params: &Params,
) -> Result<(), SuiteError> {
    for (name, value) in params {
        let one = toml::Table::from_iter([(name.as_ref().clone(), value.as_ref().clone())]);
        Resolved::new(model.params(), shape, &one)
            .map_err(|error| source.fault(name, format!("model '{}': {error}", model.name())))?;
    }
    Ok(())
}

/// The name of a model entry in case ids.
fn label(entry: &ModelEntryWire) -> &str {
    entry.label.as_ref().unwrap_or(&entry.name).as_ref()
}

fn find<'a, T: ?Sized>(all: &'a [&'a T], name: &str, name_of: impl Fn(&T) -> &'static str) -> Option<&'a T> {
    all.iter().copied().find(|item| name_of(item) == name)
}

/// `unknown task 'x', did you mean 'y'? known: …`.
fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    let near = did_you_mean(name, known.iter().copied());
    format!("unknown {kind} '{name}'{near} (known: {})", known.join(", "))
}

/// Whether a word can be part of a file's name everywhere.
fn is_plain(word: &str) -> bool {
    (1..=40).contains(&word.len())
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}

fn check_settings(source: &Source, suite: &Suite) -> Result<(), SuiteError> {
    let wrong = |key: &str, message: &str| Err(source.fault_of(key, message));
    if !is_plain(suite.name.as_ref()) {
        return wrong("name", "the suite's name is part of a directory name: use 1 to 40 of a-z, 0-9, '-' and '_'");
    }
    if suite.seeds.is_empty() {
        return wrong("seeds", "seeds is empty: give at least one, e.g. seeds = [1]");
    }
    if !(1e-3..=1e9).contains(&suite.timeout_s) {
        return wrong("timeout_s", "timeout_s must be a number of seconds in 0.001..=1000000000");
    }
    if !(suite.memory_limit_gib > 0.0 && suite.memory_limit_gib.is_finite()) {
        return wrong("memory_limit_gib", "memory_limit_gib must be a number above 0");
    }
    if suite.latency_examples == 0 {
        return wrong("latency_examples", "latency_examples must be at least 1");
    }
    if !(1..=MOST_THREADS).contains(&suite.jobs) {
        return wrong("jobs", &format!("jobs must be in 1..={MOST_THREADS}"));
    }
    if suite.threads.is_some_and(|threads| !(1..=MOST_THREADS).contains(&threads)) {
        return wrong("threads", &format!("threads must be in 1..={MOST_THREADS}"));
    }
    if !(1e-3..=1e4).contains(&suite.energy.watts_per_core) {
        return wrong("watts_per_core", "energy.watts_per_core must be a number in 0.001..=10000");
    }
    for label in suite.models.iter().filter_map(|entry| entry.label.as_ref()) {
        if !is_plain(label.as_ref()) {
            return Err(source.fault(label, "a label is part of a file name: use 1 to 40 of a-z, 0-9, '-' and '_'"));
        }
    }
    Ok(())
}

/// Every name in the suite must be known, also of tasks and models that a filter leaves out.
fn check_names(program: &Program, source: &Source, suite: &Suite) -> Result<(), SuiteError> {
    let built_in: Vec<_> = program.tasks.iter().map(|task| task.name()).collect();
    let mut tasks = built_in.clone();
    let models: Vec<_> = program.models.iter().map(|model| model.name()).collect();
    let check = |kind: &str, name: &Spanned<String>, known: &[&str]| {
        if known.contains(&name.as_ref().as_str()) {
            Ok(())
        } else {
            Err(source.fault(name, unknown(kind, name.as_ref(), known)))
        }
    };
    for entry in &suite.tasks {
        if entry.data.is_some() {
            own::check_name(source, &entry.name, &tasks, &built_in)?;
            tasks.push(entry.name.as_ref());
        } else {
            own::refuse_settings(source, entry)?;
            check("task", &entry.name, &built_in)?;
        }
    }
    for entry in &suite.models {
        check("model", &entry.name, &models)?;
        for task in entry.on.keys() {
            check("task", task, &tasks)?;
        }
    }
    Ok(())
}

/// Every parameter in the suite must be one the model takes, also where its task does not run.
fn check_params(program: &Program, own: &[OwnTask], source: &Source, suite: &Suite) -> Result<(), SuiteError> {
    for entry in &suite.models {
        let model = find(program.models, entry.name.as_ref(), |m| m.name()).expect("the names are checked");
        if let Some(label) = &entry.label
            && label.as_ref() != model.name()
            && program.model(label.as_ref()).is_some()
        {
            return Err(source.fault(label, format!("label '{}' is the name of another model", label.as_ref())));
        }
        for (task, params) in &entry.on {
            // The data of a task that a filter leaves out is not read, so its form is not known.
            if let Some(task) = program.task_or(own, task.as_ref()) {
                check_each(source, model, &tasks::shape(task, task.rows()), params)?;
            }
        }
    }
    Ok(())
}

/// Lays the command line over the suite.
fn apply(suite: &mut Suite, overrides: &Overrides) -> Result<(), PlanError> {
    let task_names: Vec<String> = suite.tasks.iter().map(|entry| entry.name.as_ref().clone()).collect();
    let model_names: Vec<String> = suite
        .models
        .iter()
        .flat_map(|entry| [entry.name.as_ref().clone(), label(entry).to_owned()])
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    for (kind, wanted, known) in [
        ("task", [&overrides.tasks, &overrides.skip_tasks], &task_names),
        ("model", [&overrides.models, &overrides.skip_models], &model_names),
    ] {
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        for name in wanted.into_iter().flatten() {
            if !known.contains(&name.as_str()) {
                return Err(PlanError::Filter(format!(
                    "{} in suite '{}'",
                    unknown(kind, name, &known),
                    suite.name.as_ref()
                )));
            }
        }
    }
    suite.tasks.retain(|entry| overrides.keeps_task(entry.name.as_ref()));
    suite.models.retain(|entry| {
        let names = [entry.name.as_ref().as_str(), label(entry)];
        (overrides.models.is_empty() || overrides.models.iter().any(|m| names.contains(&m.as_str())))
            && !overrides.skip_models.iter().any(|m| names.contains(&m.as_str()))
    });
    if let Some(twice) = overrides.seeds.iter().enumerate().find(|(at, seed)| overrides.seeds[..*at].contains(seed)) {
        return Err(PlanError::Filter(format!("--seed: {} is given twice", twice.1)));
    }
    if !overrides.seeds.is_empty() {
        suite.seeds.clone_from(&overrides.seeds);
    }
    if let Some(size) = overrides.train_size {
        for entry in &mut suite.tasks {
            entry.train_size = Some(Spanned::new(0..0, size));
        }
    }
    if let Some(device) = &overrides.device {
        suite.device = Spanned::new(0..0, device.clone());
    }
    if let Some(jobs) = overrides.jobs {
        suite.jobs = jobs;
    }
    suite.threads = overrides.threads.or(suite.threads);
    suite.predict_hidden |= overrides.predict_hidden;
    if overrides.no_estimate {
        suite.energy.estimate = false;
    }
    if suite.tasks.is_empty() || suite.models.is_empty() {
        let missing = if suite.tasks.is_empty() { "[[task]]" } else { "[[model]]" };
        return Err(PlanError::Filter(format!(
            "suite '{}' has nothing to run: no {missing} is left; 'bakeoff list' shows what there is",
            suite.name.as_ref()
        )));
    }
    Ok(())
}

fn device(source: &Source, suite: &Suite, overrides: &Overrides) -> Result<Device, PlanError> {
    let name = suite.device.as_ref();
    Device::named(name).ok_or_else(|| {
        let known: Vec<_> = Device::ALL.iter().map(|device| device.name()).collect();
        let message = unknown("device", name, &known);
        match overrides.device {
            Some(_) => PlanError::Filter(format!("--device: {message}")),
            None => source.fault(&suite.device, message).into(),
        }
    })
}

/// Smallest training size: its validation tenth has two rows.
const SMALLEST_TRAIN_SIZE: usize = 20;

fn train_size(
    source: &Source,
    task: &dyn Task,
    entry: &TaskEntry,
    from_command_line: Option<usize>,
) -> Result<usize, PlanError> {
    let rows = task.rows();
    if rows < SMALLEST_TRAIN_SIZE {
        let message =
            format!("task '{}' has {rows} training rows; at least {SMALLEST_TRAIN_SIZE} are needed", task.name());
        return Err(source.fault(&entry.name, message).into());
    }
    let Some(size) = &entry.train_size else { return Ok(rows) };
    if (SMALLEST_TRAIN_SIZE..=rows).contains(size.as_ref()) {
        return Ok(*size.as_ref());
    }
    let message = format!(
        "train_size {} is out of range for task '{}': {SMALLEST_TRAIN_SIZE} to {rows}",
        size.as_ref(),
        task.name()
    );
    Err(match from_command_line {
        Some(_) => PlanError::Filter(format!("--train-size: {message}")),
        None => source.fault(size, message).into(),
    })
}

fn refuse_duplicates(source: &Source, suite: &Suite, cases: &[Case]) -> Result<(), SuiteError> {
    let mut seen = BTreeSet::new();
    for case in cases {
        if !seen.insert(&case.id) {
            let entry = suite.models.iter().rev().find(|entry| label(entry) == case.label);
            let at = entry.map_or(&suite.name, |entry| entry.label.as_ref().unwrap_or(&entry.name));
            return Err(source.fault(
                at,
                format!(
                    "case '{}' is there twice: a task or a seed is repeated, or two [[model]] entries have one label; \
                     give each its own, e.g. label = \"{}-2\"",
                    case.id, case.label
                ),
            ));
        }
    }
    Ok(())
}
