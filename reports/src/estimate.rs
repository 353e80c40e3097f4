//! The statistical uncertainty of a score: its interval and its paired test, by the estimator of its metric.

use std::collections::BTreeMap;

use crate::answers::Answers;
use crate::cell::Cell;
use crate::metric::{Estimator, Score};
use crate::scores::Sample;
use crate::statistics::{
    Interval, bootstrap, bootstrap_mean, bootstrap_p, corrected_t_p, mcnemar_p, paired_bootstrap_p, wilson,
};

/// The 95 % interval of a score that is `mean` over trials (seeds) on `examples` test examples. The interval of a
/// proportion follows from these two numbers. Any other interval needs the trials' answers, which must be to the same
/// examples.
pub(crate) fn interval(score: &Score, mean: f64, examples: Option<f64>, trials: &[&Answers]) -> Option<Interval> {
    match score.estimator {
        Estimator::Proportion(_) => wilson(mean, examples?),
        Estimator::Mean(_) => bootstrap_mean(&mean_of_each(&score.estimator, trials)?),
        Estimator::Statistic(_) => {
            bootstrap(same_questions(trials)?, |rows| mean_statistic(&score.estimator, trials, rows))
        }
    }
}

/// The two-sided p-value of "both models have the same score". `None` unless all trials answer the same examples.
pub(crate) fn paired_p(score: &Score, first: &[&Answers], second: &[&Answers]) -> Option<f64> {
    let (Some(one), Some(other)) = (first.first(), second.first()) else { return None };
    same_questions(&[*one, *other])?;
    let estimator = &score.estimator;
    if let Estimator::Statistic(_) = estimator {
        same_questions(second)?;
        return bootstrap_p(same_questions(first)?, |rows| {
            Some(mean_statistic(estimator, first, rows)? - mean_statistic(estimator, second, rows)?)
        });
    }
    let (one, other) = (mean_of_each(estimator, first)?, mean_of_each(estimator, second)?);
    let pairs = one.iter().zip(&other);
    if matches!(estimator, Estimator::Proportion(_)) && (first.len(), second.len()) == (1, 1) {
        let only_one = pairs.clone().filter(|(one, other)| one > other).count() as u64;
        let only_other = pairs.filter(|(one, other)| one < other).count() as u64;
        return Some(mcnemar_p(only_one, only_other));
    }
    Some(paired_bootstrap_p(&pairs.map(|(one, other)| one - other).collect::<Vec<_>>()))
}

/// The scores of a cross-validation by division and fold, each the mean over the seeds.
pub(crate) fn fold_scores(cell: &Cell, metric: &str) -> BTreeMap<(usize, usize), f64> {
    let mut scores: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    for trial in &cell.trials {
        if let (Some(fold), Some(score)) = (trial.fold, trial.get("score", metric)) {
            scores.entry(fold).or_default().push(score.value);
        }
    }
    scores.into_iter().map(|(fold, scores)| (fold, scores.iter().sum::<f64>() / scores.len() as f64)).collect()
}

/// The two-sided p of "both models have the same score" from a cross-validation with `folds` folds; `None` unless both have a
/// score in the same folds.
pub(crate) fn paired_fold_p(
    first: &BTreeMap<(usize, usize), f64>,
    second: &BTreeMap<(usize, usize), f64>,
    folds: usize,
) -> Option<f64> {
    if !first.keys().eq(second.keys()) {
        return None;
    }
    let differences: Vec<f64> = first.values().zip(second.values()).map(|(one, other)| one - other).collect();
    corrected_t_p(&differences, folds)
}

/// How many examples the trials answer; `None` unless all of them answer the same ones.
fn same_questions(trials: &[&Answers]) -> Option<usize> {
    let first = trials.first()?;
    let same = |trial: &&Answers| trial.targets == first.targets && trial.len() == first.len();
    trials.iter().all(same).then(|| first.len())
}

/// The score of each example, as the mean over trials.
fn mean_of_each(estimator: &Estimator, trials: &[&Answers]) -> Option<Vec<f64>> {
    let examples = same_questions(trials)?;
    let scores: Vec<Vec<f64>> =
        trials.iter().map(|trial| estimator.of_each(&Sample::all(trial.answered()))).collect::<Option<_>>()?;
    let mean = |index: usize| scores.iter().map(|trial| trial[index]).sum::<f64>() / trials.len() as f64;
    Some((0..examples).map(mean).collect())
}

/// The statistic on one resample, as the mean over trials. The resample has the same examples for each trial.
fn mean_statistic(estimator: &Estimator, trials: &[&Answers], rows: &[usize]) -> Option<f64> {
    let scores = trials.iter().map(|trial| estimator.estimate(&Sample::resample(trial.answered(), rows)));
    Some(scores.sum::<Option<f64>>()? / trials.len() as f64)
}
