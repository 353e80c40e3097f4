//! `[search]` and `[model.search]`: which parameters a search varies, and whether the search can be made.

use bakeoff_models::{InputKind, ModelEntry, Param, ParamValue, RangeFault, Resolved, SearchRange, unknown_name};
use toml::Spanned;

use super::grid::MAX_CASES;
use super::trials::{FEWEST_TO_HALVE, SearchMethod};
use super::{Overrides, PlanError};
use crate::program::Program;
use crate::suite::{ModelEntryWire, SearchEntry, Source, Suite, SuiteError};
use crate::tasks::{self, Task};

/// What a search varies: each parameter with its range.
pub type Space = Vec<(&'static str, SearchRange)>;

/// The search must be one that can be made, and each written range one of a parameter that is free. Comes before the grids
/// are expanded, so that a fault names what the user wrote.
pub(super) fn check(program: &Program, source: &Source, suite: &Suite, overrides: &Overrides) -> Result<(), PlanError> {
    if let Some(search) = &suite.search {
        check_settings(source, search).map_err(|error| match error {
            SettingFault::Trials(message) if overrides.trials.is_some() => {
                PlanError::Filter(format!("--trials: {message}"))
            }
            SettingFault::Trials(message) => {
                let at = search.as_ref().trials.as_ref().map_or(search.span(), Spanned::span);
                source.fault_at(at.start, message).into()
            }
            SettingFault::Other(error) => error.into(),
        })?;
    }
    for entry in &suite.models {
        // A program of the user's has no ranges.
        let Some(model) = program.model(entry.name.as_ref()) else { continue };
        for (name, values) in &entry.search {
            if suite.search.is_none() {
                let message =
                    "the suite searches no parameters: add [search] with trials = 20, or leave this range out";
                return Err(source.fault(name, message).into());
            }
            check_range(source, model, entry, name, values)?;
        }
    }
    Ok(())
}

/// What is wrong with `[search]`.
enum SettingFault {
    /// The number of search trials, which may be from the command line.
    Trials(String),
    /// Anything else.
    Other(SuiteError),
}

fn check_settings(source: &Source, search: &Spanned<SearchEntry>) -> Result<(), SettingFault> {
    let entry = search.as_ref();
    let Some(method) = SearchMethod::named(entry.method.as_ref()) else {
        let known: Vec<_> = SearchMethod::ALL.iter().map(|method| method.name()).collect();
        let message = unknown_name("search method", entry.method.as_ref(), &known);
        return Err(SettingFault::Other(source.fault(&entry.method, message)));
    };
    let Some(trials) = &entry.trials else {
        return match entry.budget {
            Some(_) => Ok(()),
            None => Err(SettingFault::Other(source.fault(
                search,
                "the search has neither trials nor a budget: add trials = 20, or budget = \"600s\", or both",
            ))),
        };
    };
    if !(1..=MAX_CASES).contains(trials.as_ref()) {
        let message = format!("trials is {trials}, expected a whole number in 1..={MAX_CASES}");
        return Err(SettingFault::Trials(message));
    }
    if method == SearchMethod::Halving && *trials.as_ref() < FEWEST_TO_HALVE {
        let message = format!(
            "trials is {trials}, and halving keeps one of {FEWEST_TO_HALVE}: give at least {FEWEST_TO_HALVE}, or \
             method = \"random\""
        );
        return Err(SettingFault::Trials(message));
    }
    Ok(())
}

fn check_range(
    source: &Source,
    model: &dyn ModelEntry,
    entry: &ModelEntryWire,
    name: &Spanned<String>,
    values: &Spanned<Vec<Spanned<toml::Value>>>,
) -> Result<(), SuiteError> {
    let Some(param) = model.params().iter().find(|param| param.name == name.as_ref()) else {
        let known: Vec<_> = model.params().iter().map(|param| param.name).collect();
        let message = unknown_name("parameter", name.as_ref(), &known);
        return Err(source.fault(name, format!("model '{}': {message}", model.name())));
    };
    let on = entry.on.iter().find(|(_, params)| params.contains_key(name)).map(|(task, _)| format!("on.{task}"));
    let in_params = entry.params.contains_key(name).then(|| "params".to_owned());
    let in_grid = entry.grid.contains_key(name).then(|| "grid".to_owned());
    if let Some(place) = in_params.or(in_grid).or(on) {
        let message = format!("{name} is in {place}, which fixes it, and in search, which varies it: keep one of them");
        return Err(source.fault(name, message));
    }
    for kind in [InputKind::Images, InputKind::Texts, InputKind::Tables] {
        written(param, kind, values).map_err(|fault| {
            let at = fault.value.map_or(values.span(), |index| values.as_ref()[index].span());
            source.fault_at(at.start, format!("model '{}': {}", model.name(), fault.message))
        })?;
    }
    Ok(())
}

fn written(
    param: &Param,
    kind: InputKind,
    values: &Spanned<Vec<Spanned<toml::Value>>>,
) -> Result<Option<SearchRange>, RangeFault> {
    let values: Vec<toml::Value> = values.as_ref().iter().map(|value| value.as_ref().clone()).collect();
    param.written_range(kind, &values)
}

/// What the search of a suite varies of a model on a task: the parameters that the user did not fix, where they have a
/// range, declared or written. Empty if there is no search.
pub(super) fn space(suite: &Suite, model: &dyn ModelEntry, entry: &ModelEntryWire, task: &dyn Task) -> Space {
    if suite.search.is_none() {
        return Vec::new();
    }
    let on_task = entry.on.iter().find(|(name, _)| name.as_ref() == task.name()).map(|(_, params)| params);
    let is_fixed = |param: &Param| {
        let layers = std::iter::once(&entry.params).chain(on_task);
        layers.flat_map(|params| params.keys()).any(|name| name.as_ref() == param.name)
    };
    let kind = InputKind::of(&tasks::shape(task, task.rows()));
    let range = |param: &Param| match entry.search.iter().find(|(name, _)| name.as_ref() == param.name) {
        Some((_, values)) => written(param, kind, values).expect("the ranges are checked"),
        None => param.declared_range(kind),
    };
    let free = model.params().iter().filter(|param| !is_fixed(param));
    free.filter_map(|param| Some((param.name, range(param)?))).collect()
}

/// Parameters with one value of a list that a search chooses from.
pub(super) struct Choice {
    /// The parameter that has the list.
    pub(super) name: &'static str,
    /// The place of the value in the list.
    pub(super) index: usize,
    /// The parameters with that value.
    pub(super) params: Resolved,
}

/// `params` with each value of each list of `space` in its turn. Numbers that are searched for too are the lowest of their ranges.
pub(super) fn choices(space: &Space, params: &Resolved) -> Vec<Choice> {
    let mut lowest = params.clone();
    for (name, range) in space.iter().filter(|(_, range)| matches!(range, SearchRange::Between { .. })) {
        lowest.set(name, range.at(0.0));
    }
    let of_list = |(name, range): &(&'static str, SearchRange)| -> Vec<Choice> {
        let SearchRange::OneOf(values) = range else { return Vec::new() };
        let with = |value: &ParamValue| {
            let mut params = lowest.clone();
            params.set(name, value.clone());
            params
        };
        let choice = |(index, value)| Choice { name, index, params: with(value) };
        values.iter().enumerate().map(choice).collect()
    };
    space.iter().flat_map(of_list).collect()
}

/// Checks each value that a search may choose from a list against the files that it names, so that a search trial does not fail for it.
pub(super) fn check_files(
    source: &Source,
    model: &dyn ModelEntry,
    entry: &ModelEntryWire,
    params: &Resolved,
    space: &Space,
) -> Result<(), SuiteError> {
    for Choice { name, index, params } in choices(space, params) {
        model.check_files(&params).map_err(|error| {
            let written = entry.search.iter().find(|(other, _)| other.as_ref() == name);
            let value = written.and_then(|(_, values)| values.as_ref().get(index));
            let start = value.map_or(entry.name.span().start, |value| value.span().start);
            source.fault_at(start, format!("model '{}': {error}", model.name()))
        })?;
    }
    Ok(())
}
