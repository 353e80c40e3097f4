//! The plan. All names are resolved, all parameters are checked and unsupported cells are marked, but nothing has run.

use std::collections::BTreeSet;

use bakeoff_models::{Device, ModelEntry, Support};

use crate::case::Case;
use crate::machine::available_cpus;
use crate::program::Program;
use crate::suite::{ModelEntryWire, Source, Suite, SuiteError, not_written};
use crate::tasks::{self, OwnTask, Task};

mod filters;
mod names;
mod own;
mod params;
mod settings;
mod train_size;

pub use filters::Overrides;
pub use settings::MAX_THREADS;

use names::label;

/// The cases of a run, in the order in which they run and are stored.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The suite with the overrides applied. `run.json` stores it and `resume` reads it.
    pub suite: Suite,
    /// The cases.
    pub cases: Vec<Case>,
    /// The tasks on a user's own data.
    pub own: Vec<OwnTask>,
    /// The devices that the cases compute on.
    pub devices: Vec<Device>,
}

/// Why a plan cannot be made.
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
    /// Resolves a suite.
    ///
    /// # Errors
    /// On unknown names, values outside their range, duplicate cases, or nothing to run.
    pub fn new(program: &Program, source: &Source, overrides: &Overrides) -> Result<Plan, PlanError> {
        let mut suite = source.parse()?;
        settings::check(source, &mut suite)?;
        names::check(program, source, &suite)?;
        let own = own::open(source, &mut suite, overrides)?;
        params::check(program, &own, source, &suite)?;
        let devices = overrides.apply(&mut suite)?;
        let jobs = *suite.jobs.as_ref();
        suite.threads.get_or_insert_with(|| not_written((available_cpus() / jobs).max(1)));
        let mut cases = Vec::new();
        for task_entry in &suite.tasks {
            let task = program.task_or(&own, task_entry.name.as_ref()).expect("the names are checked");
            let train_size = train_size::check(source, task, task_entry, overrides.train_size)?;
            let own_task = own.iter().find(|own| own.name() == task.name());
            for model_entry in &suite.models {
                let model = program.model(model_entry.name.as_ref()).expect("the names are checked");
                for &device in &devices {
                    let cell = Combination { task, own: own_task, model, entry: model_entry, train_size, device };
                    for seed in suite.seeds.as_ref() {
                        cases.push(cell.case(source, &suite, *seed.as_ref())?);
                    }
                }
            }
        }
        refuse_duplicates(source, &suite, &cases)?;
        Ok(Plan { suite, cases, own, devices })
    }

    /// How many cases run at the same time.
    pub fn jobs(&self) -> usize {
        *self.suite.jobs.as_ref()
    }

    /// How many processor threads the cases that run at the same time use together.
    pub fn threads(&self) -> usize {
        self.suite.threads.as_ref().map_or(1, |threads| *threads.as_ref()) * self.jobs()
    }
}

/// One task x model x device of a suite.
struct Combination<'a> {
    task: &'a dyn Task,
    own: Option<&'a OwnTask>,
    model: &'a dyn ModelEntry,
    entry: &'a ModelEntryWire,
    train_size: usize,
    device: Device,
}

impl Combination<'_> {
    fn case(&self, source: &Source, suite: &Suite, seed: u64) -> Result<Case, SuiteError> {
        let shape = tasks::shape(self.task, self.train_size);
        let params = params::resolve(source, self.model, self.entry, self.task, &shape)?;
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
            threads: suite.threads.as_ref().map_or(1, |threads| *threads.as_ref()),
            timeout_s: *suite.timeout_s.as_ref(),
            memory_limit_bytes: (suite.memory_limit_gib.as_ref() * f64::from(1 << 30)) as u64,
            latency_examples: *suite.latency_examples.as_ref(),
            predict_hidden: suite.predict_hidden,
            keep_model: suite.keep_models,
            test_rows: None,
            energy: suite.energy.config(),
            idle: None,
        })
    }
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
                    "case '{}' is planned twice: a [[task]] is repeated, or two [[model]] entries have the same label; \
                     give each its own, e.g. label = \"{}-2\"",
                    case.id, case.label
                ),
            ));
        }
    }
    Ok(())
}
