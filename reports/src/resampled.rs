//! Intervals and paired tests of scores that are no mean over examples: each resample of the test examples is scored
//! anew.

use crate::answers::Answers;
use crate::scores::{Tally, macro_mean, matthews, pearson, spearman};
use crate::statistics::{Interval, bootstrap, bootstrap_p};

/// Whether a metric is one that this file can score.
pub(crate) fn applies(metric: &str) -> bool {
    matches!(metric, "f1_positive" | "f1_macro" | "matthews" | "pearson" | "spearman")
}

/// The 95 % interval of a metric, its mean over trials (seeds) that answer the same examples.
pub(crate) fn interval(metric: &str, trials: &[&Answers]) -> Option<Interval> {
    bootstrap(trials.first()?.pairs.len(), |rows| mean_score(metric, trials, rows))
}

/// The two-sided p of "both models have the same `metric`", over examples that both have answered.
pub(crate) fn paired_p(metric: &str, first: &[&Answers], second: &[&Answers]) -> Option<f64> {
    bootstrap_p(first.first()?.pairs.len(), |rows| {
        Some(mean_score(metric, first, rows)? - mean_score(metric, second, rows)?)
    })
}

fn mean_score(metric: &str, trials: &[&Answers], rows: &[usize]) -> Option<f64> {
    let scores = trials.iter().map(|trial| score(metric, trial, rows));
    Some(scores.sum::<Option<f64>>()? / trials.len() as f64)
}

fn score(metric: &str, answers: &Answers, rows: &[usize]) -> Option<f64> {
    let pairs = || rows.iter().map(|&row| answers.pairs[row]);
    match metric {
        "pearson" => return pearson(&pairs().collect::<Vec<_>>()),
        "spearman" => return spearman(&pairs().collect::<Vec<_>>()),
        _ => {}
    }
    let mut tallies = vec![Tally::default(); answers.confusion.len()];
    for (target, prediction) in pairs() {
        tallies[target as usize].targets += 1;
        tallies[prediction as usize].predictions += 1;
        tallies[target as usize].hits += u32::from(target == prediction);
    }
    match metric {
        "f1_positive" => tallies.get(1).map(|tally| tally.f1()),
        "f1_macro" => Some(macro_mean(&tallies, Tally::f1)),
        "matthews" => Some(matthews(&tallies)),
        _ => None,
    }
}
