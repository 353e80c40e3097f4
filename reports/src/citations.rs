//! What a paper on a run must cite: the works behind its data, its models, its optimisers and its statistics. Each work has a
//! condition, so that nothing is cited that a run did not use.

mod entries;

use std::collections::HashSet;
use std::fmt::Write;

use crate::methods::Method;
use crate::over_tasks::OverTasks;
use crate::results::Results;
use crate::run_info::RunInfo;
use crate::scores::Answered;

use entries::CITATIONS;

/// A work that can be cited.
#[derive(Debug, Clone, Copy)]
struct Citation {
    /// The key of its `\cite`: the first author, the year and a word.
    key: &'static str,
    /// The BibTeX type of the entry: `article`, `inproceedings`, …
    kind: &'static str,
    /// The BibTeX fields with their values, in BibTeX's own syntax.
    fields: &'static [(&'static str, &'static str)],
    /// What a run must have used; all of these.
    when: &'static [When],
}

/// What a run may have used.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    /// A built-in task of one of these names, or whose name has one of these before `-full`.
    Task(&'static [&'static str]),
    /// A task of the user whose files or description name this, in any case of letters.
    OwnTask(&'static str),
    /// One of these models, whatever its label, or as the value of a model's parameter.
    Model(&'static [&'static str]),
    /// A parameter of a case that finished, or of a model that is the value of one: its name and its value.
    Parameter(&'static str, &'static str),
    /// A parameter of this name whose value is a model.
    ModelAs(&'static str),
    /// More than one member in an ensemble.
    Ensemble,
    /// A search for parameters by this method.
    Search(&'static str),
    /// A statistical method of the tables.
    Method(Method),
    /// Joules that are an estimate.
    EstimatedEnergy,
    /// Numbers of this phase.
    Phase(&'static str),
    /// Numbers of this metric.
    Metric(&'static str),
}

/// The entries of the works that a run used, in BibTeX, in the order of the registry.
pub fn bibtex(results: &Results) -> String {
    let mut text = format!("% What run {} used: data, models, optimisers and statistics.\n", results.info.run);
    for citation in used(results) {
        let _ = write!(text, "\n@{}{{{},\n", citation.kind, citation.key);
        for (field, value) in citation.fields {
            let _ = writeln!(text, "  {field} = {{{value}}},");
        }
        text += "}\n";
    }
    text
}

/// ` \cite{a,b}` with the works behind a method; empty if it has none.
pub(crate) fn cite_method(method: Method) -> String {
    cite(CITATIONS.iter().filter(|citation| citation.when.contains(&When::Method(method))))
}

/// ` \cite{a,b}` with the works behind a task's data; empty if none is known.
pub(crate) fn cite_task(info: &RunInfo, task: &str) -> String {
    let is_of_task = |when: &When| match when {
        When::Task(names) => is_built_in(info, task) && is_one_of(task, names),
        When::OwnTask(word) => is_own(info, task, word),
        _ => false,
    };
    cite(CITATIONS.iter().filter(|citation| citation.when.len() == 1 && citation.when.iter().any(is_of_task)))
}

fn cite(citations: impl Iterator<Item = &'static Citation>) -> String {
    let keys: Vec<&str> = citations.map(|citation| citation.key).collect();
    if keys.is_empty() { String::new() } else { format!("~\\cite{{{}}}", keys.join(",")) }
}

fn used(results: &Results) -> Vec<&'static Citation> {
    let facts = Facts::new(results);
    let mut seen = HashSet::new();
    let is_used = |citation: &&Citation| citation.when.iter().all(|when| facts.has(results, *when));
    // A work may stand twice in the registry, under conditions that differ.
    CITATIONS.iter().filter(is_used).filter(|citation| seen.insert(citation.key)).collect()
}

/// What a run used, beside what stands in `run.json`.
struct Facts {
    /// `name=value` of every finished case, and of every model that is a value there.
    parameters: HashSet<String>,
    /// `name=model` of every parameter whose value is a model.
    models: HashSet<String>,
    methods: HashSet<Method>,
    searched: Option<String>,
}

impl Facts {
    fn new(results: &Results) -> Facts {
        let trials = || results.grid.trials().map(|(_, _, trial)| trial);
        let mut methods: HashSet<Method> = HashSet::new();
        for ranking in &results.rankings {
            methods.extend(Method::of(results, ranking));
        }
        if OverTasks::new(results).is_some() {
            methods.insert(Method::Ranks);
        }
        if trials().any(|trial| !trial.search.is_empty()) {
            methods.insert(Method::Search);
        }
        let is_bound = |metric: &str| metric.ends_with("_bound_s");
        if trials().any(|trial| trial.values.iter().any(|value| is_bound(&value.metric))) {
            methods.insert(Method::EarlyStopping);
        }
        if results.answers.values().any(|answers| has_probabilities(&answers.answered())) {
            methods.insert(Method::Calibration);
        }
        if !results.crossovers.is_empty() {
            methods.insert(Method::Crossover);
        }
        Facts {
            parameters: trials()
                .flat_map(|trial| trial.params.split([' ', '(', ',', ')']))
                .map(str::to_owned)
                .collect(),
            models: trials().flat_map(|trial| models_in(&trial.params)).map(str::to_owned).collect(),
            searched: methods.contains(&Method::Search).then(|| search_method(&results.info)),
            methods,
        }
    }

    fn has(&self, results: &Results, when: When) -> bool {
        let info = &results.info;
        let tasks = || info.tasks.iter().map(|task| task.name.as_str());
        match when {
            When::Task(names) => tasks().any(|task| is_built_in(info, task) && is_one_of(task, names)),
            When::OwnTask(word) => tasks().any(|task| is_own(info, task, word)),
            When::Model(names) => {
                let mut as_values = self.models.iter().filter_map(|found| found.split_once('='));
                results.grid.trials().any(|(_, _, trial)| names.contains(&trial.model.as_str()))
                    || as_values.any(|(_, model)| names.contains(&model))
            }
            When::ModelAs(name) => {
                self.models.iter().filter_map(|found| found.split_once('=')).any(|(parameter, _)| parameter == name)
            }
            When::Parameter(name, value) => self.parameters.contains(&format!("{name}={value}")),
            When::Ensemble => {
                let members = self.parameters.iter().filter_map(|parameter| parameter.strip_prefix("ensemble="));
                members.into_iter().any(|members| members != "1")
            }
            When::Search(method) => self.searched.as_deref() == Some(method),
            When::Method(method) => self.methods.contains(&method),
            When::Phase(phase) => {
                results.grid.trials().any(|(_, _, trial)| trial.values.iter().any(|value| value.phase == phase))
            }
            When::Metric(metric) => {
                results.grid.trials().any(|(_, _, trial)| trial.values.iter().any(|value| value.metric == metric))
            }
            When::EstimatedEnergy => info.energy == crate::cell::ESTIMATE,
        }
    }
}

/// `name=model` of every parameter whose value is a model: `features=resnet(depth=8,…)`.
fn models_in(params: &str) -> impl Iterator<Item = &str> {
    params.match_indices('(').filter_map(|(at, _)| params[..at].rsplit([' ', '(', ',']).next())
}

fn has_probabilities(answered: &Answered<'_>) -> bool {
    matches!(answered, Answered::Classes { probabilities: Some(_), .. })
}

/// The method of a search: what the suite says, or `random`.
fn search_method(info: &RunInfo) -> String {
    let suite: Option<toml::Table> = toml::from_str(&info.suite_toml).ok();
    let method = suite.as_ref().and_then(|suite| suite.get("search")?.get("method")?.as_str());
    method.unwrap_or("random").to_owned()
}

/// Whether a task's data are of the program: a user's files are listed under the name of their task.
fn is_built_in(info: &RunInfo, task: &str) -> bool {
    own_files(info, task).next().is_none()
}

fn own_files<'a>(info: &'a RunInfo, task: &'a str) -> impl Iterator<Item = &'a str> {
    info.datasets.keys().filter_map(move |file| file.strip_prefix(task)?.strip_prefix(", "))
}

fn is_one_of(task: &str, names: &[&str]) -> bool {
    let task = task.strip_suffix("-full").unwrap_or(task);
    // `long-range-` stands for all tasks of the family.
    names.iter().any(|name| *name == task || (name.ends_with('-') && task.starts_with(name)))
}

fn is_own(info: &RunInfo, task: &str, word: &str) -> bool {
    let named = |text: &str| text.to_lowercase().contains(word);
    let about = info.tasks.iter().find(|found| found.name == task).map_or("", |found| found.about.as_str());
    !is_built_in(info, task) && (named(about) || own_files(info, task).any(named))
}

#[cfg(test)]
mod tests {
    use super::models_in;

    #[test]
    fn models_that_are_values_are_found_at_any_depth() {
        let params = "ensemble=1 learner=svm(c=1,features=resnet(depth=8),gamma=0) teacher=mlp(epochs=3) truth=0";
        assert_eq!(models_in(params).collect::<Vec<_>>(), ["learner=svm", "features=resnet", "teacher=mlp"]);
        assert_eq!(models_in("c=1 features=hog+pixels").count(), 0);
    }
}
