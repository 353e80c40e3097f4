//! `[search]` and `[model.search]`: which parameters a search varies, and the search trials of a case.

use bakeoff_models::{
    Device, InputShape, ModelEntry, Param, RangeFault, Resolved, SearchRange, Support, TaskShape, unknown_name,
};
use toml::Spanned;

use super::grid::MAX_CASES;
use crate::case::Case;
use crate::program::Program;
use crate::suite::{ModelEntryWire, Source, Suite, SuiteError};
use crate::tasks::Task;

/// The methods of a search.
const METHODS: &[&str] = &["random"];

/// Draws of one search trial before its ranges count as unusable.
const MOST_DRAWS: usize = 1000;

/// What a search varies: each parameter with its range.
pub(super) type Space = Vec<(&'static str, SearchRange)>;

/// The search must be one that can be made, and each written range one of a parameter that is free. Comes before the grids
/// are expanded, so that a fault names what the user wrote.
pub(super) fn check(program: &Program, source: &Source, suite: &Suite) -> Result<(), SuiteError> {
    if let Some(search) = &suite.search {
        if !METHODS.contains(&search.method.as_ref().as_str()) {
            let message = unknown_name("search method", search.method.as_ref(), METHODS);
            return Err(source.fault(&search.method, message));
        }
        if !(1..=MAX_CASES).contains(search.trials.as_ref()) {
            let message = format!("trials is {}, expected a whole number in 1..={MAX_CASES}", search.trials.as_ref());
            return Err(source.fault(&search.trials, message));
        }
    }
    for entry in &suite.models {
        let model = program.model(entry.name.as_ref()).expect("the names are checked");
        for (name, values) in &entry.search {
            if suite.search.is_none() {
                let message =
                    "the suite searches no parameters: add [search] with trials = 20, or leave this range out";
                return Err(source.fault(name, message));
            }
            check_range(source, model, entry, name, values)?;
        }
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
    let images = InputShape::Images { channels: 3, height: 32, width: 32 };
    for input in [images, InputShape::Texts { pairs: false }] {
        written(param, &input, values).map_err(|fault| {
            let at = fault.value.map_or(values.span(), |index| values.as_ref()[index].span());
            source.fault_at(at.start, format!("model '{}': {}", model.name(), fault.message))
        })?;
    }
    Ok(())
}

fn written(
    param: &Param,
    input: &InputShape,
    values: &Spanned<Vec<Spanned<toml::Value>>>,
) -> Result<Option<SearchRange>, RangeFault> {
    let values: Vec<toml::Value> = values.as_ref().iter().map(|value| value.as_ref().clone()).collect();
    param.written_range(input, &values)
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
    let input = task.input();
    let range = |param: &Param| match entry.search.iter().find(|(name, _)| name.as_ref() == param.name) {
        Some((_, values)) => written(param, &input, values).expect("the ranges are checked"),
        None => param.declared_range(&input),
    };
    let free = model.params().iter().filter(|param| !is_fixed(param));
    free.filter_map(|param| Some((param.name, range(param)?))).collect()
}

/// The search trials of a case, in their order. The first has the parameters of the case.
///
/// # Errors
/// If the ranges hold next to no parameters that the model takes for the task.
pub(super) fn trials(
    source: &Source,
    suite: &Suite,
    model: &dyn ModelEntry,
    shape: &TaskShape,
    space: &Space,
    case: &Case,
) -> Result<Vec<Case>, SuiteError> {
    let Some(search) = suite.search.as_ref().filter(|_| case.trials > 0) else { return Ok(Vec::new()) };
    let device = Device::named(&case.device).expect("the devices are checked");
    let fits = |params: &Resolved| model.check(params).is_ok() && model.supports(shape, params, device) == Support::Yes;
    let trial = |trial: usize| {
        let mut case = Case { trial: Some(trial), trials: 0, keep_model: false, predict_hidden: false, ..case.clone() };
        case.id = case.id_of();
        let params = if trial == 1 {
            Some(case.params.clone())
        } else {
            (0..MOST_DRAWS).map(|draw| drawn(&case, space, draw)).find(fits)
        };
        let message = || {
            format!(
                "model '{}' takes none of {MOST_DRAWS} draws from its ranges on task '{}': narrow them in [model.search]",
                model.name(),
                case.task
            )
        };
        case.params = params.ok_or_else(|| source.fault(&search.trials, message()))?;
        Ok(case)
    };
    (1..=case.trials).map(trial).collect()
}

/// The parameters of a search trial, each drawn from its range.
fn drawn(case: &Case, space: &Space, draw: usize) -> Resolved {
    let mut params = case.params.clone();
    for (name, range) in space {
        params.set(name, range.at(case.search_share(name, draw)));
    }
    params
}
