//! Applies the command line to a suite: what it changes, and which tasks and models it keeps.

use std::collections::BTreeSet;

use bakeoff_models::{Device, unknown_name};
use toml::Spanned;

use super::names::label;
use super::settings::{self, repeated};
use super::{PlanError, latency};
use crate::budget::Budget;
use crate::suite::{ExecutorKind, ModelEntryWire, OneOrMore, SearchEntry, Suite, not_written};

/// What the command line changes in a suite. Empty lists and `None` change nothing.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Keep only these tasks.
    pub tasks: Vec<String>,
    /// Leave out these tasks.
    pub skip_tasks: Vec<String>,
    /// Keep only these models, by name or label.
    pub models: Vec<String>,
    /// Leave out these models, by name or label.
    pub skip_models: Vec<String>,
    /// Use these seeds.
    pub seeds: Vec<u64>,
    /// These training sizes for every task.
    pub train_sizes: Vec<usize>,
    /// These shares of wrong labels for every task.
    pub label_noise: Vec<f64>,
    /// So many folds for every task.
    pub folds: Option<usize>,
    /// Score these folds only.
    pub fold: Vec<usize>,
    /// So many divisions into folds for every task.
    pub repeats: Option<usize>,
    /// These devices.
    pub devices: Vec<String>,
    /// What carries out the cases.
    pub executor: Option<ExecutorKind>,
    /// Run this many cases at a time.
    pub jobs: Option<usize>,
    /// Use this many threads for each case.
    pub threads: Option<usize>,
    /// What each fit may cost.
    pub budget: Option<Budget>,
    /// So many search trials of each model, at random if the suite does not search.
    pub trials: Option<usize>,
    /// Predict splits with hidden targets too.
    pub predict_hidden: bool,
    /// Keep fitted models.
    pub keep_models: bool,
    /// Score training rows too.
    pub train_score: bool,
    /// Audit the measurement of latency.
    pub audit: bool,
    /// Measure calls of so many examples each.
    pub batch_sizes: Vec<usize>,
    /// In how many rounds models are served, if it is not as the suite says.
    pub rounds: Option<usize>,
    /// Do not estimate joules if no meter is readable.
    pub no_estimate: bool,
}

impl Overrides {
    /// Whether the filters keep this task.
    pub(super) fn keeps_task(&self, name: &str) -> bool {
        let is = |listed: &String| listed == name;
        (self.tasks.is_empty() || self.tasks.iter().any(is)) && !self.skip_tasks.iter().any(is)
    }

    /// Whether the filters keep this model, by its name or its label.
    fn keeps_model(&self, entry: &ModelEntryWire) -> bool {
        let is = |listed: &String| {
            listed == entry.name.as_ref() || listed == label(entry) || entry.grid_of.as_ref() == Some(listed)
        };
        (self.models.is_empty() || self.models.iter().any(is)) && !self.skip_models.iter().any(is)
    }

    /// Applies the number of search trials. Comes before the search is checked, because it may add the search.
    pub(super) fn apply_trials(&self, suite: &mut Suite) {
        let Some(trials) = self.trials else { return };
        let mut search = suite.search.take().map_or_else(|| SearchEntry::random(trials), Spanned::into_inner);
        search.trials = Some(not_written(trials));
        suite.search = Some(not_written(search));
    }

    /// Applies the command line to a suite whose settings are checked. Returns the devices to run on.
    ///
    /// # Errors
    /// On names that the suite does not have, on devices and seeds that are repeated or unknown, and if nothing is left
    /// to run.
    pub(super) fn apply(&self, suite: &mut Suite) -> Result<Vec<Device>, PlanError> {
        self.check_names(suite)?;
        suite.tasks.retain(|entry| self.keeps_task(entry.name.as_ref()));
        suite.models.retain(|entry| self.keeps_model(entry));
        if suite.tasks.is_empty() || suite.models.is_empty() {
            let missing = if suite.tasks.is_empty() { "[[task]]" } else { "[[model]]" };
            return Err(PlanError::Filter(format!(
                "suite '{}' has nothing to run: no {missing} is left; 'bakeoff list' shows what exists",
                suite.name
            )));
        }
        if !keep_what_runs(suite) {
            return Err(PlanError::Filter(format!(
                "suite '{}' has nothing to run: no model that is left runs on a task that is left; the key tasks of a \
                 [[model]] names the tasks that it runs on",
                suite.name
            )));
        }
        if let Some(seed) = repeated(&self.seeds) {
            return Err(PlanError::Filter(format!("--seed: {seed} is given twice")));
        }
        if let Some(device) = repeated(&self.devices) {
            return Err(PlanError::Filter(format!("--device: '{device}' is given twice")));
        }
        if !self.seeds.is_empty() {
            suite.seeds = not_written(self.seeds.iter().copied().map(not_written).collect());
        }
        if !self.devices.is_empty() {
            suite.devices = Some(not_written(self.devices.iter().cloned().map(not_written).collect()));
        }
        for entry in &mut suite.tasks {
            if !self.train_sizes.is_empty() {
                entry.train_size = Some(not_written(OneOrMore::Several(self.train_sizes.clone())));
            }
            if !self.label_noise.is_empty() {
                entry.label_noise = Some(not_written(OneOrMore::Several(self.label_noise.clone())));
            }
            entry.folds = self.folds.map(not_written).or(entry.folds.take());
            if !self.fold.is_empty() {
                entry.fold = Some(not_written(OneOrMore::Several(self.fold.clone())));
            }
            entry.repeats = self.repeats.map(not_written).or(entry.repeats.take());
        }
        suite.executor = self.executor.or(suite.executor);
        if let Some(jobs) = self.jobs {
            suite.jobs = not_written(jobs);
        }
        if let Some(threads) = self.threads {
            suite.threads = Some(not_written(threads));
            suite.models.iter_mut().for_each(|entry| entry.threads = None);
        }
        suite.budget = self.budget.map(not_written).or(suite.budget.take());
        suite.predict_hidden |= self.predict_hidden;
        suite.keep_models |= self.keep_models;
        suite.train_score |= self.train_score;
        if self.audit && suite.latency.scenarios.as_ref().is_some_and(|scenarios| scenarios.as_ref().is_empty()) {
            let message = "--audit: the suite measures no scenario, and an audit compares timed answers";
            return Err(PlanError::Filter(message.to_owned()));
        }
        suite.latency.audit |= self.audit;
        suite.energy.estimate &= !self.no_estimate;
        latency::check_batch_sizes(&self.batch_sizes)?;
        self.rounds.map_or(Ok(()), latency::check_rounds)?;
        suite.latency.rounds = self.rounds.map(not_written).or(suite.latency.rounds.take());
        if !self.batch_sizes.is_empty() {
            suite.latency.batch_sizes = self.batch_sizes.iter().copied().map(not_written).collect();
        }
        let devices = suite.devices.iter().flat_map(|devices| devices.as_ref());
        devices
            .map(|device| settings::device(device.as_ref()))
            .collect::<Result<_, String>>()
            .map_err(|message| PlanError::Filter(format!("--device: {message}")))
    }

    /// Checks that every task and model which a filter names is in the suite.
    fn check_names(&self, suite: &Suite) -> Result<(), PlanError> {
        let tasks: Vec<&str> = suite.tasks.iter().map(|entry| entry.name.as_ref().as_str()).collect();
        let models: BTreeSet<&str> = suite.models.iter().flat_map(names_of).collect();
        let models: Vec<&str> = models.into_iter().collect();
        for (kind, filters, known) in
            [("task", [&self.tasks, &self.skip_tasks], tasks), ("model", [&self.models, &self.skip_models], models)]
        {
            if let Some(name) = filters.into_iter().flatten().find(|name| !known.contains(&name.as_str())) {
                let message = unknown_name(kind, name, &known);
                return Err(PlanError::Filter(format!("suite '{}': {message}", suite.name)));
            }
        }
        Ok(())
    }
}

/// Leaves out models that run on none of the tasks, and then tasks that no model runs on. Returns whether any is left. The
/// models forget the tasks that are left out, because a stored suite names its own tasks only.
fn keep_what_runs(suite: &mut Suite) -> bool {
    let kept: BTreeSet<&str> = suite.tasks.iter().map(|entry| entry.name.as_ref().as_str()).collect();
    suite.models.retain_mut(|entry| {
        let Some(tasks) = &mut entry.tasks else { return true };
        tasks.as_mut().retain(|task| kept.contains(task.as_ref().as_str()));
        !tasks.as_ref().is_empty()
    });
    suite.tasks.retain(|entry| suite.models.iter().any(|model| model.runs_on(entry.name.as_ref())));
    !suite.models.is_empty()
}

/// The names by which a filter may choose a model.
fn names_of(entry: &ModelEntryWire) -> impl Iterator<Item = &str> {
    [entry.name.as_ref().as_str(), label(entry)].into_iter().chain(entry.grid_of.as_deref())
}
