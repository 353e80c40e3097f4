//! What one model achieved in one setting: the numbers of its cases, and their means over seeds.

use crate::format::percent;
use crate::metric::metric;
use crate::record::Status;

/// The source of numbers that were computed from something else and not measured. An estimate is shown only if no
/// source measured the number, and ranks nothing.
pub const ESTIMATE: &str = "estimate";

/// How far an estimate of joules may be from the reading of a power meter at the wall socket, in either direction, as a share (Fischer
/// 2025, "Ground-Truthing AI Energy Consumption").
pub(crate) const ESTIMATE_ERROR: f64 = 0.4;

/// What stands after the name of such a model where its scores are shown.
pub(crate) const SEEN_MARK: &str = " †";

/// The metric that says whether a model saw a task in pretraining.
pub(crate) const SEEN_IN_PRETRAINING: &str = "seen_in_pretraining";

/// The source in words, for a title.
pub(crate) fn origin(source: &str) -> &str {
    match source {
        ESTIMATE => "estimate ± 40 %",
        "rapl" => "measured by RAPL",
        "rapl-virtual" => "RAPL of the host",
        "nvml" => "measured by NVML",
        "" => "from an unknown source",
        other => other,
    }
}

/// The source as it is shown beside joules. An estimate comes with its error.
pub fn named_source(source: &str) -> String {
    if source == ESTIMATE { format!("{source} ± {} %", percent(ESTIMATE_ERROR)) } else { source.to_owned() }
}

/// One number of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// As in [`crate::Record::phase`].
    pub phase: String,
    /// As in [`crate::Record::metric`].
    pub metric: String,
    /// The number.
    pub value: f64,
    /// As in [`crate::Record::source`].
    pub source: String,
    /// As in [`crate::Record::note`].
    pub note: String,
    /// As in [`crate::Record::conditions`].
    pub conditions: String,
}

/// A number that a case should have but does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// As in [`crate::Record::phase`].
    pub phase: String,
    /// As in [`crate::Record::metric`].
    pub metric: String,
    /// The source that did not give the number, if another source did. Empty if none did.
    pub source: String,
    /// Why the number is missing.
    pub reason: String,
}

/// How the note of a number begins that is missing because the fit did not reach its target.
pub const NOT_REACHED: &str = "not reached";

/// Whether these are the conditions of a number that was measured in one of several rounds of serving. Tables and figures show what the
/// rounds gave together.
pub(crate) fn is_of_round(conditions: &str) -> bool {
    conditions.split(' ').any(|pair| pair.starts_with("round="))
}

/// How the note of a bound of a percentile begins that is missing because there were too few queries.
pub const NEEDS_MORE_QUERIES: &str = "needs more queries";

impl Gap {
    /// Whether it is a result that the number is missing, which a table shows: the fit did not reach its target, or there were too few
    /// queries for a bound.
    pub(crate) fn is_result(&self) -> bool {
        [NOT_REACHED, NEEDS_MORE_QUERIES].iter().any(|beginning| self.reason.starts_with(beginning))
    }
}

/// A recorded score that the predictions of its case do not give.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contradiction {
    /// The metric.
    pub metric: &'static str,
    /// The score in the records.
    pub recorded: f64,
    /// What the predictions give; `None` if they give no score.
    pub recomputed: Option<f64>,
}

/// One search trial of a case: parameters that were tried for it.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchTrial {
    /// As in [`crate::Record::params`].
    pub params: String,
    /// How it ended.
    pub status: Status,
    /// The task's primary metric on the rows held out of its fit; `None` if it failed.
    pub score: Option<f64>,
    /// How many rows it learned from; `None` if it failed before that was known.
    pub train_examples: Option<f64>,
}

/// One finished case: one seed of a cell, and with cross-validation one fold of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The case.
    pub case: String,
    /// The model's name.
    pub model: String,
    /// The model's version and its library's.
    pub model_version: String,
    /// As in [`crate::Record::params`].
    pub params: String,
    /// As in [`crate::Record::threads`].
    pub threads: Option<usize>,
    /// The seed.
    pub seed: u64,
    /// Which division into folds and which fold, each from 1; `None` if the case was scored on the test rows.
    pub fold: Option<(usize, usize)>,
    /// How it ended.
    pub status: Status,
    /// The reason, or a remark.
    pub note: String,
    /// All numbers of the case, without its scores if there is a contradiction.
    pub values: Vec<Value>,
    /// That its scores are not those of its predictions, so that none of both is believed.
    pub contradiction: Option<Contradiction>,
    /// The rows without a number, except the closing row.
    pub gaps: Vec<Gap>,
    /// The search trials that chose its parameters, in their order, without those that did not begin because a budget was used
    /// up; empty if these were not searched for.
    pub search: Vec<SearchTrial>,
}

impl Trial {
    /// Leaves out all scores.
    pub(crate) fn contradict(&mut self, contradiction: Contradiction) {
        let is_score = |name: &str| metric(name).is_some_and(|metric| metric.score.is_some());
        self.values.retain(|value| value.phase != "score" || !is_score(&value.metric));
        self.contradiction = Some(contradiction);
    }

    /// The number of this metric in this phase, measured under no further conditions. If several sources give one, the
    /// first that was measured. An estimate only if none was measured.
    pub fn get(&self, phase: &str, metric: &str) -> Option<&Value> {
        let mut all = self.all(phase, metric);
        let first = all.next()?;
        if first.source == ESTIMATE {
            Some(all.find(|value| value.source != ESTIMATE).unwrap_or(first))
        } else {
            Some(first)
        }
    }

    /// The number from this source.
    pub fn get_from(&self, phase: &str, metric: &str, source: &str) -> Option<&Value> {
        self.all(phase, metric).find(|value| value.source == source)
    }

    /// The numbers of this metric in this phase that were measured under a further condition of this name, each with the number that
    /// the condition has. Numbers of a single round of serving are not among them.
    pub(crate) fn under<'a>(
        &'a self,
        phase: &'a str,
        metric: &'a str,
        condition: &'a str,
    ) -> impl Iterator<Item = (f64, &'a Value)> {
        let of_name = move |value: &Value| {
            let mut pairs = value.conditions.split(' ').filter_map(|pair| pair.split_once('='));
            pairs.find(|(name, _)| *name == condition)?.1.parse().ok()
        };
        let is_wanted =
            move |value: &&Value| value.metric == metric && value.phase == phase && !is_of_round(&value.conditions);
        self.values.iter().filter(is_wanted).filter_map(move |value| Some((of_name(value)?, value)))
    }

    /// The numbers from all sources.
    pub(crate) fn all(&self, phase: &str, metric: &str) -> impl Iterator<Item = &Value> {
        self.values
            .iter()
            .filter(move |value| value.metric == metric && value.phase == phase && value.conditions.is_empty())
    }
}

/// A mean over the trials of a cell: its seeds, and with cross-validation its folds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// Arithmetic mean.
    pub mean: f64,
    /// Trials that have the number.
    pub n: usize,
}

/// One model in one setting: its finished cases, one per seed and fold.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// How many cases the plan has for it.
    pub planned: usize,
    /// How it ended: as the first trial that failed. Without a failure, `ok` if every trial is. With folds, `ok` if the mean
    /// score of the folds is better than their mean floor, because one fold has few rows.
    pub status: Status,
    /// The cases in the order of the plan; at least one.
    pub trials: Vec<Trial>,
}

impl Cell {
    /// Whether the model of any trial saw the task's training rows in pretraining.
    pub(crate) fn is_seen_in_pretraining(&self) -> bool {
        let is_seen = |trial: &Trial| trial.get("fit", SEEN_IN_PRETRAINING).is_some_and(|value| value.value > 0.0);
        self.trials.iter().any(is_seen)
    }

    /// The mean over the trials that have the number from the cell's first source. Numbers of two sources are never
    /// averaged.
    pub fn mean(&self, phase: &str, metric: &str) -> Option<Mean> {
        self.mean_from(phase, metric, self.source(phase, metric)?)
    }

    /// The mean over the trials that have the number from this source.
    pub fn mean_from(&self, phase: &str, metric: &str, source: &str) -> Option<Mean> {
        let values: Vec<f64> = self
            .trials
            .iter()
            .filter_map(|trial| trial.get_from(phase, metric, source))
            .map(|value| value.value)
            .collect();
        if values.is_empty() {
            return None;
        }
        Some(Mean { mean: values.iter().sum::<f64>() / values.len() as f64, n: values.len() })
    }

    /// The first of [`Cell::sources`].
    pub fn source(&self, phase: &str, metric: &str) -> Option<&str> {
        self.sources(phase, metric).into_iter().next()
    }

    /// The sources of the numbers. Those that measured come before an estimate.
    pub fn sources(&self, phase: &str, metric: &str) -> Vec<&str> {
        measured_first(self.trials.iter().flat_map(|trial| trial.all(phase, metric)))
    }
}

/// The sources of these numbers in the order in which they appear, with the estimate last.
pub(crate) fn measured_first<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<&'a str> {
    let mut sources: Vec<&str> = Vec::new();
    for value in values {
        if !sources.contains(&value.source.as_str()) {
            sources.push(&value.source);
        }
    }
    sources.sort_by_key(|source| *source == ESTIMATE);
    sources
}
