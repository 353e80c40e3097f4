//! The axes of a task: its training sizes, its shares of wrong labels, and its folds; and the target of all their cases.

use std::fmt::Display;

use bakeoff_reports::percent;
use toml::Spanned;

use super::settings::repeated;
use super::{Overrides, PlanError, target};
use crate::case::Fold;
use crate::suite::{OneOrMore, Source, TaskEntry};
use crate::tasks::Task;

/// The smallest training size: a tenth of it, the validation rows, are two.
const MIN_TRAIN_SIZE: usize = 20;
/// The smallest share that a case's id can tell from none.
const MIN_LABEL_NOISE: f64 = 1e-6;
/// The most labels that can be made wrong. With more, most labels of two classes are those of the other one.
const MAX_LABEL_NOISE: f64 = 0.9;
/// Folds and divisions into folds, beyond which a number is a slip.
const MAX_REPEATS: usize = 1000;

/// Every value of a task's axes.
pub(super) struct Axes {
    /// Rows to learn from, or to divide into folds.
    pub(super) train_sizes: Vec<usize>,
    /// Shares of wrong labels.
    pub(super) label_noise: Vec<f64>,
    /// The folds of every division, or none.
    pub(super) folds: Vec<Option<Fold>>,
    /// The target of every case.
    pub(super) target: Option<f64>,
}

impl Axes {
    /// How many cases a model has for each seed and device.
    pub(super) fn cases(&self) -> usize {
        self.train_sizes.len() * self.label_noise.len() * self.folds.len()
    }
}

/// The axes of a task: as in the suite, or as on the command line.
pub(super) fn check(
    source: &Source,
    task: &dyn Task,
    entry: &TaskEntry,
    overrides: &Overrides,
) -> Result<Axes, PlanError> {
    let rows = task.rows();
    if rows < MIN_TRAIN_SIZE {
        let message = format!("task '{}' has {rows} training rows; at least {MIN_TRAIN_SIZE} are needed", task.name());
        return Err(source.fault(&entry.name, message).into());
    }
    let setting =
        |name: &'static str, is_overridden: bool| WrittenSetting { source, task: task.name(), name, is_overridden };
    let sizes = setting("train_size", !overrides.train_sizes.is_empty());
    let train_sizes = sizes.values(entry.train_size.as_ref(), rows, |size| {
        let expected = format!("{MIN_TRAIN_SIZE} to {rows}");
        (MIN_TRAIN_SIZE..=rows).contains(size).then_some(()).ok_or(expected)
    })?;
    let noise = setting("label_noise", !overrides.label_noise.is_empty());
    let label_noise = noise.values(entry.label_noise.as_ref(), 0.0, |share| {
        if task.classes().is_empty() && *share != 0.0 {
            return Err("0: only classes have labels, and this task's targets are numbers".to_owned());
        }
        let is_share = *share == 0.0 || (MIN_LABEL_NOISE..=MAX_LABEL_NOISE).contains(share);
        is_share.then_some(()).ok_or(format!("0, or {MIN_LABEL_NOISE} to {MAX_LABEL_NOISE}"))
    })?;
    // The ids of cases have the share in percent.
    let shown: Vec<String> = label_noise.iter().map(|share| percent(*share)).collect();
    if let (Some(shown), Some(axis)) = (repeated(&shown), &entry.label_noise) {
        return Err(noise.fault(axis, format!("label_noise {shown} % is given twice")));
    }
    let folds = folds(source, task, entry, overrides, &train_sizes)?;
    Ok(Axes { train_sizes, label_noise, folds, target: target::check(source, task, entry)? })
}

/// A setting of a task, and where it is written.
struct WrittenSetting<'a> {
    source: &'a Source,
    task: &'a str,
    name: &'static str,
    is_overridden: bool,
}

impl WrittenSetting<'_> {
    fn fault<T>(&self, at: &Spanned<T>, message: String) -> PlanError {
        if self.is_overridden {
            PlanError::Filter(format!("--{}: {message}", self.name.replace('_', "-")))
        } else {
            self.source.fault(at, message).into()
        }
    }

    /// The values of an axis, each as `check` wants it and none twice; `usual` if it is not written. The error of `check` is
    /// what it expected.
    fn values<T: Copy + PartialEq + Display>(
        &self,
        written: Option<&Spanned<OneOrMore<T>>>,
        usual: T,
        check: impl Fn(&T) -> Result<(), String>,
    ) -> Result<Vec<T>, PlanError> {
        let Some(axis) = written else { return Ok(vec![usual]) };
        let (name, task) = (self.name, self.task);
        let values = axis.as_ref().values();
        if values.is_empty() {
            return Err(self.fault(axis, format!("{name} is an empty list: give at least one value")));
        }
        for value in values {
            check(value).map_err(|expected| {
                self.fault(axis, format!("{name} {value} is out of range for task '{task}': expected {expected}"))
            })?;
        }
        match repeated(values) {
            Some(value) => Err(self.fault(axis, format!("{name} {value} is given twice"))),
            None => Ok(values.to_vec()),
        }
    }
}

fn folds(
    source: &Source,
    task: &dyn Task,
    entry: &TaskEntry,
    overrides: &Overrides,
    train_sizes: &[usize],
) -> Result<Vec<Option<Fold>>, PlanError> {
    let name = task.name();
    let setting =
        |name: &'static str, is_overridden: bool| WrittenSetting { source, task: task.name(), name, is_overridden };
    let repeats_setting = setting("repeats", overrides.repeats.is_some());
    let fold_setting = setting("fold", !overrides.fold.is_empty());
    let Some(folds) = &entry.folds else {
        if let Some(fold) = &entry.fold {
            let (add, leave_out) = how(fold_setting.is_overridden, "fold");
            let message = format!("task '{name}' has no folds to choose from: add {add}, or leave {leave_out} out");
            return Err(fold_setting.fault(fold, message));
        }
        if let Some(repeats) = &entry.repeats {
            let (add, leave_out) = how(repeats_setting.is_overridden, "repeats");
            let message = format!("task '{name}' has repeats and no folds: add {add}, or leave {leave_out} out");
            return Err(repeats_setting.fault(repeats, message));
        }
        if !task.has_test_rows() {
            let message = format!(
                "task '{name}' has no test rows: test = \"…\" names a file or folder, test_part = 0.2 sets a fifth aside, and \
                 folds = 5 beside the task's name scores every row once by cross-validation"
            );
            return Err(source.fault(&entry.name, message).into());
        }
        return Ok(vec![None]);
    };
    let count = *folds.as_ref();
    let is_overridden = overrides.folds.is_some();
    let rows = train_sizes.iter().copied().min().unwrap_or_else(|| task.rows());
    if !(2..=rows).contains(&count) {
        let message = format!("folds is {count}, expected 2 to {rows}: the rows of task '{name}' that are divided");
        return Err(setting("folds", is_overridden).fault(folds, message));
    }
    if rows - rows.div_ceil(count) < MIN_TRAIN_SIZE {
        let message = format!(
            "{count} folds of {rows} rows leave fewer than {MIN_TRAIN_SIZE} rows of task '{name}' to learn from: use more \
             folds or more rows"
        );
        return Err(setting("folds", is_overridden).fault(folds, message));
    }
    let repeats = entry.repeats.as_ref().map_or(1, |repeats| *repeats.as_ref());
    if let Some(written) = entry.repeats.as_ref().filter(|_| !(1..=MAX_REPEATS).contains(&repeats)) {
        let message = format!("repeats is {repeats}, expected a whole number in 1..={MAX_REPEATS}");
        return Err(repeats_setting.fault(written, message));
    }
    if let Some(written) = entry.repeats.as_ref().filter(|_| repeats > 1 && count == rows) {
        let message = format!("every division of {rows} rows into {count} folds is the same: leave repeats out");
        return Err(repeats_setting.fault(written, message));
    }
    let expected = || format!("1 to {count}");
    let check = |fold: &usize| (1..=count).contains(fold).then_some(()).ok_or_else(expected);
    let scored = match &entry.fold {
        None => (1..=count).collect(),
        written => fold_setting.values(written.as_ref(), 1, check)?,
    };
    let of_repeat = |repeat| scored.iter().map(move |&fold| Some(Fold { fold, folds: count, repeat }));
    Ok((1..=repeats).flat_map(of_repeat).collect())
}

/// How folds are added and a setting is left out, in a suite or on the command line.
fn how(is_overridden: bool, setting: &str) -> (&'static str, String) {
    if is_overridden { ("--folds 5", format!("--{setting}")) } else { ("folds = 5", setting.to_owned()) }
}
