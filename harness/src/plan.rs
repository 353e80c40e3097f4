//! The plan. All names are resolved, all parameters are checked and unsupported cells are marked, but nothing has run.

use std::collections::{BTreeMap, BTreeSet};

use bakeoff_models::{Device, External, ModelEntry, Resolved, Support};

use crate::case::Case;
use crate::machine::available_cpus;
use crate::program::Program;
use crate::suite::{ExecutorKind, ModelEntryWire, SlurmSettings, Source, Suite, SuiteError, not_written};
use crate::tasks::{self, OwnTask, Task};

mod axes;
mod external;
mod filters;
mod grid;
mod latency;
mod names;
mod own;
mod params;
mod search;
mod settings;
mod slurm;
mod suite_names;
mod target;
mod trials;
mod unlabelled;
mod unsearched;

pub use filters::Overrides;
pub use search::Space;
pub use settings::MAX_THREADS;
pub use suite_names::{SuiteNames, suite_names};
pub use trials::{MOST_DRAWS, SearchMethod, SearchPlan};

use axes::Axes;
use grid::MAX_CASES;
use names::label;

/// The cases of a run, in the order in which they run and are stored.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The suite with the overrides applied. `run.json` stores it and `resume` reads it.
    pub suite: Suite,
    /// The cases.
    pub cases: Vec<Case>,
    /// The searches, by the id of the case whose parameters are searched for.
    pub searches: BTreeMap<String, SearchPlan>,
    /// The tasks on a user's own data.
    pub own: Vec<OwnTask>,
    /// The models that are programs of the user's.
    pub external: Vec<External>,
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
        if !overrides.devices.is_empty() {
            // This build need not have the devices of the suite if others are asked for.
            (suite.devices, suite.device) = (None, None);
        }
        settings::check(source, &mut suite)?;
        names::check(program, source, &suite)?;
        overrides.apply_trials(&mut suite);
        search::check(program, source, &suite, overrides)?;
        grid::expand(source, &mut suite)?;
        let own = own::open(source, &mut suite, overrides)?;
        params::check(program, &own, source, &suite)?;
        let devices = overrides.apply(&mut suite)?;
        let external = external::open(source, &mut suite)?;
        slurm::check_suite(source, &suite)?;
        // What another machine can read is not known here.
        if suite.executor != Some(ExecutorKind::Slurm) {
            settings::check_named_meters(program, source, &suite)?;
            settings::check_meter(program, source, &suite, overrides)?;
        }
        settings::check_timeout(source, &suite, overrides)?;
        latency::check_jobs(source, &suite)?;
        let jobs = *suite.jobs.as_ref();
        suite.threads.get_or_insert_with(|| not_written((available_cpus() / jobs).max(1)));
        let tasks = suite.tasks.iter().map(|entry| {
            let task = program.task_or(&own, entry.name.as_ref()).expect("the names are checked");
            Ok((task, axes::check(source, task, entry, overrides)?))
        });
        let tasks = tasks.collect::<Result<Vec<(&dyn Task, Axes)>, PlanError>>()?;
        refuse_too_many(program, &external, source, &suite, &tasks, devices.len())?;
        let (mut cases, mut searches) = (Vec::new(), BTreeMap::new());
        for (task, axes) in &tasks {
            for &train_size in &axes.train_sizes {
                for entry in suite.models.iter().filter(|entry| entry.runs_on(task.name())) {
                    let combination = Combination {
                        task: *task,
                        own: own.iter().find(|own| own.name() == task.name()),
                        built_in: program.model(entry.name.as_ref()),
                        model: program.model_or(&external, entry.name.as_ref()).expect("the names are checked"),
                        external: external.iter().find(|model| model.name() == entry.name.as_ref()),
                        entry,
                        train_size,
                    };
                    combination.add_cases(source, &suite, axes, &devices, (&mut cases, &mut searches))?;
                }
            }
        }
        refuse_duplicates(source, &suite, &cases)?;
        Ok(Plan { suite, cases, searches, own, external, devices })
    }

    /// Whether there is no case that a model can do.
    pub fn is_unsupported(&self) -> bool {
        self.cases.iter().all(|case| case.unsupported.is_some())
    }

    /// What a Slurm cluster is asked for. `None` if the cases are carried out here.
    pub fn slurm(&self) -> Option<SlurmSettings> {
        (self.suite.executor == Some(ExecutorKind::Slurm)).then(|| self.suite.slurm.settings())
    }

    /// What the search leaves as it is, in sentences. None if the suite searches nothing.
    pub fn search_remarks(&self) -> Vec<String> {
        unsearched::remarks(self)
    }

    /// How many cases run at the same time.
    pub fn jobs(&self) -> usize {
        *self.suite.jobs.as_ref()
    }

    /// How many processor threads the cases that run at the same time use together.
    pub fn threads(&self) -> usize {
        self.cases.iter().map(|case| case.threads).max().unwrap_or(1) * self.jobs()
    }
}

/// One task x training size x model of a suite.
struct Combination<'a> {
    task: &'a dyn Task,
    own: Option<&'a OwnTask>,
    model: &'a dyn ModelEntry,
    /// The model, if it is not a program of the user's.
    built_in: Option<&'static dyn ModelEntry>,
    external: Option<&'a External>,
    entry: &'a ModelEntryWire,
    train_size: usize,
}

impl Combination<'_> {
    /// Its cases: one for each share of wrong labels, device, seed and fold, each after its search trials.
    fn add_cases(
        &self,
        source: &Source,
        suite: &Suite,
        axes: &Axes,
        devices: &[Device],
        (cases, searches): (&mut Vec<Case>, &mut BTreeMap<String, SearchPlan>),
    ) -> Result<(), SuiteError> {
        let shape = tasks::shape(self.task, self.train_size);
        let params = params::resolve(source, self.model, self.entry, self.task, &shape)?;
        let space = search::space(suite, self.model, self.entry, self.task);
        search::check_files(source, self.model, self.entry, &params, &space)?;
        let search = suite.search.as_ref().filter(|_| !space.is_empty());
        for &label_noise in &axes.label_noise {
            for &device in devices {
                let unsupported = match self.model.supports(&shape, &params, device) {
                    Support::Yes => None,
                    Support::No { reason } => Some(reason),
                };
                let (model, task) = ((self.model, self.entry), (self.task, &shape, device));
                unlabelled::check(source, model, task, &params, &space)?;
                for seed in suite.seeds.as_ref() {
                    for &fold in &axes.folds {
                        let mut case = self.case(suite, device, params.clone(), unsupported.clone());
                        (case.label_noise, case.seed, case.fold) = (label_noise, *seed.as_ref(), fold);
                        case.target = axes.target;
                        case.id = case.id_of();
                        let search = search.filter(|_| case.unsupported.is_none());
                        if let (Some(entry), Some(model)) = (search, self.built_in) {
                            let model = (model, shape, device);
                            let search = SearchPlan::new(source, entry.as_ref(), model, space.clone(), &case)?;
                            cases.extend(search.cases(source, suite, &case)?);
                            case.waits_for = search.trials();
                            searches.insert(case.id.clone(), search);
                        }
                        cases.push(case);
                    }
                }
            }
        }
        Ok(())
    }

    /// A case without its place on the axes.
    fn case(&self, suite: &Suite, device: Device, params: Resolved, unsupported: Option<String>) -> Case {
        Case {
            id: String::new(),
            task: self.task.name().to_owned(),
            own: self.own.cloned(),
            model: self.model.name().to_owned(),
            external: self.external.cloned(),
            label: label(self.entry).to_owned(),
            unsupported,
            params,
            train_size: self.train_size,
            label_noise: 0.0,
            seed: 0,
            fold: None,
            trial: None,
            waits_for: 0,
            row_divisor: 1,
            device: device.name().to_owned(),
            card: None,
            threads: self.entry.threads.as_ref().or(suite.threads.as_ref()).map_or(1, |threads| *threads.as_ref()),
            timeout_s: *suite.timeout_s.as_ref(),
            budget: suite.budget.as_ref().map(|budget| *budget.as_ref()),
            checkpoint_s: *suite.checkpoint_s.as_ref(),
            memory_limit_bytes: (suite.memory_limit_gib.as_ref() * f64::from(1 << 30)) as u64,
            latency_examples: *suite.latency_examples.as_ref(),
            latency: latency::config(&suite.latency),
            predict_hidden: suite.predict_hidden,
            keep_model: suite.keep_models,
            target: None,
            train_score: suite.train_score,
            test_rows: None,
            energy: suite.energy.config(),
            noise: suite.noise.limits(),
            peak: None,
        }
    }
}

/// Refuses a plan that no directory could hold, before its cases are made.
fn refuse_too_many(
    program: &Program,
    external: &[External],
    source: &Source,
    suite: &Suite,
    tasks: &[(&dyn Task, Axes)],
    devices: usize,
) -> Result<(), SuiteError> {
    let trials = suite.search.as_ref().map_or(0, |search| trials::most(search.as_ref()));
    // A model without a range has no search trials.
    let of_model = |task: &dyn Task, entry: &ModelEntryWire| {
        let model = program.model_or(external, entry.name.as_ref()).expect("the names are checked");
        if search::space(suite, model, entry, task).is_empty() { 1 } else { 1 + trials }
    };
    let of_task = |(task, axes): &(&dyn Task, Axes)| {
        let models = suite.models.iter().filter(|entry| entry.runs_on(task.name()));
        let models: usize = models.map(|entry| of_model(*task, entry)).sum();
        models.saturating_mul(axes.cases())
    };
    let per_seed = tasks.iter().map(of_task).fold(0, usize::saturating_add);
    let cases = [suite.seeds.as_ref().len(), devices].into_iter().fold(per_seed, usize::saturating_mul);
    if cases <= MAX_CASES {
        return Ok(());
    }
    let searched = if trials > 0 { ", search trials included" } else { "" };
    let message = format!(
        "the suite has {cases} cases{searched}, and a plan has at most {MAX_CASES}: divide it into several suites"
    );
    Err(source.fault(&suite.name, message))
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
