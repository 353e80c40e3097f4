//! From the trials of cells to a score or a difference of two, with its uncertainty by the estimator of its metric.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::answers::Answers;
use crate::cell::{Cell, Trial};
use crate::metric::{Estimator, Score};
use crate::scores::Sample;
use crate::setting::Setting;
use crate::statistics::{Inference, Interval, Trials, bootstrap, bootstrap_mean, corrected, wilson};

/// What the uncertainty of a number speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Other test rows only: one trial says nothing of the spread over seeds.
    Rows,
    /// Other seeds and other test rows, each of which every trial answered.
    SeedsAndRows,
    /// Other seeds, each with a division of its own into training and test rows.
    Divisions,
    /// Other rows, by the folds of a cross-validation.
    Folds,
}

/// How a number might have come out otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uncertainty {
    /// What it speaks of.
    pub basis: Basis,
    /// How many seeds the number is a mean over.
    pub seeds: usize,
    /// How many test rows each trial answered, or in a cross-validation how many scores it gave; 0 for scores that are compared and of
    /// other rows.
    pub rows: usize,
    /// The 95 % interval; `None` if the numbers that it needs are missing or do not vary.
    pub interval: Option<Interval>,
    /// The standard error and its degrees of freedom; `None` as for the interval.
    pub inference: Option<Inference>,
    /// The two-sided p of "the number is zero"; `None` if it cannot be tested, and for a score.
    pub p: Option<f64>,
    /// The parts of the variance that seeds and rows make; `None` with one seed.
    pub variances: Option<(f64, f64)>,
}

/// The scores of a trial, or of several: what a comparison pairs.
#[derive(Debug, Clone)]
pub(crate) struct Scored<'a> {
    score: &'static Score,
    /// With folds, how many.
    folds: Option<usize>,
    trials: BTreeMap<TrialKey, ScoredTrial<'a>>,
}

/// The seed and, in a cross-validation, the division and the fold.
pub(crate) type TrialKey = (u64, Option<(usize, usize)>);

#[derive(Debug, Clone, Copy)]
struct ScoredTrial<'a> {
    value: f64,
    /// How many test rows were scored.
    examples: f64,
    answers: Option<&'a Answers>,
    /// Test rows over training rows.
    ratio: Option<f64>,
    /// Whether the value stands in for a missing one.
    is_imputed: bool,
}

impl<'a> Scored<'a> {
    /// The primary scores of a cell.
    pub(crate) fn of(setting: &Setting, cell: &Cell, answers: &'a HashMap<String, Answers>) -> Scored<'a> {
        Scored::by(setting.primary().name, setting.score(), setting, cell, answers)
    }

    /// The scores of a cell by a metric of these rules.
    pub(crate) fn by(
        metric: &str,
        score: &'static Score,
        setting: &Setting,
        cell: &Cell,
        answers: &'a HashMap<String, Answers>,
    ) -> Scored<'a> {
        let scored = |trial: &Trial| {
            let value = trial.get("score", metric)?.value;
            let examples = trial.get("score", "examples").map_or(0.0, |examples| examples.value);
            let ratio = trial.get("fit", "train_examples").map(|learned| examples / learned.value);
            let answers = answers.get(&trial.case);
            Some(((trial.seed, trial.fold), ScoredTrial { value, examples, answers, ratio, is_imputed: false }))
        };
        let trials = cell.trials.iter().filter_map(scored).collect();
        Scored { score, folds: setting.folds, trials }
    }

    /// The seeds and folds of its trials.
    pub(crate) fn keys(&self) -> BTreeSet<TrialKey> {
        self.trials.keys().copied().collect()
    }

    /// The same with `value` in place of the score of each of these trials that has none.
    pub(crate) fn imputed(mut self, keys: &BTreeSet<TrialKey>, value: f64) -> Scored<'a> {
        for key in keys {
            let missing = ScoredTrial { value, examples: 0.0, answers: None, ratio: None, is_imputed: true };
            self.trials.entry(*key).or_insert(missing);
        }
        self
    }

    /// Only these trials.
    pub(crate) fn only(&self, keys: &BTreeSet<TrialKey>) -> Scored<'a> {
        let trials = self.trials.iter().filter(|(key, _)| keys.contains(key));
        Scored { trials: trials.map(|(key, trial)| (*key, *trial)).collect(), ..self.clone() }
    }

    /// The mean over trials; `None` without one.
    pub(crate) fn mean(&self) -> Option<f64> {
        let n = self.trials.len() as f64;
        (n > 0.0).then(|| self.trials.values().map(|trial| trial.value).sum::<f64>() / n)
    }

    /// The mean score of each seed, in the order of the seeds.
    pub(crate) fn by_seed(&self) -> Vec<f64> {
        let mut seeds: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for ((seed, _), trial) in &self.trials {
            seeds.entry(*seed).or_default().push(trial.value);
        }
        seeds.into_values().map(|scores| scores.iter().sum::<f64>() / scores.len() as f64).collect()
    }

    /// The score of each fold as the mean over seeds.
    pub(crate) fn by_fold(&self) -> BTreeMap<(usize, usize), f64> {
        let mut folds: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
        for ((_, fold), trial) in &self.trials {
            folds.entry(fold.unwrap_or_default()).or_default().push(trial.value);
        }
        folds.into_iter().map(|(fold, scores)| (fold, scores.iter().sum::<f64>() / scores.len() as f64)).collect()
    }

    /// The answers of the trials, if there are any of each that is not imputed; and whether all answer the same rows.
    pub(crate) fn answers(&self) -> Option<(Vec<&'a Answers>, bool)> {
        let measured = self.trials.values().filter(|trial| !trial.is_imputed);
        let answers: Vec<&Answers> = measured.map(|trial| trial.answers).collect::<Option<_>>()?;
        let first = answers.first()?;
        let same = answers.iter().all(|other| other.targets == first.targets && other.len() == first.len());
        Some((answers, same))
    }

    /// Whether each trial answers the same rows as that of the other, as far as both have answers.
    pub(crate) fn answers_same_rows(&self, other: &Scored<'a>) -> bool {
        let answers = |scored: &Scored<'a>, key| scored.trials.get(key).and_then(|trial| trial.answers);
        let is_same = |key| match (answers(self, key), answers(other, key)) {
            (Some(one), Some(other)) => one.targets == other.targets && one.len() == other.len(),
            _ => true,
        };
        self.trials.keys().all(is_same)
    }

    /// A score of each row in each trial; `None` if an answer is missing or the trials answer different rows. Each row of an imputed
    /// trial has the imputed score.
    pub(crate) fn rows(&self) -> Option<Trials> {
        let (answers, same) = self.answers()?;
        let mut answered = answers.into_iter().map(|answers| row_scores(&self.score.estimator, answers));
        let mut scores: Vec<Option<Vec<f64>>> = Vec::new();
        for trial in self.trials.values() {
            scores.push(if trial.is_imputed { None } else { Some(answered.next()??) });
        }
        let rows = scores.iter().flatten().next()?.len();
        let constant = |trial: &ScoredTrial<'_>| vec![trial.value; rows];
        let scores = scores.into_iter().zip(self.trials.values());
        Trials::new(same.then(|| scores.map(|(scores, trial)| scores.unwrap_or_else(|| constant(trial))).collect())?)
    }

    /// The ratio of test rows to training rows of the divisions, the largest of them.
    fn ratio(&self) -> f64 {
        let measured = self.trials.values().filter(|trial| !trial.is_imputed);
        let ratios = measured.map(|trial| trial.ratio.unwrap_or(f64::INFINITY));
        ratios.fold(0.0, f64::max)
    }

    /// How many test rows each trial answered, at least; 0 if none left answers.
    pub(crate) fn answered_rows(&self) -> usize {
        self.trials.values().filter_map(|trial| trial.answers).map(Answers::len).min().unwrap_or(0)
    }

    /// The variance over seeds, and that of one row. Pseudo-values are of groups of rows.
    pub(crate) fn variances(&self, scores: &Trials) -> Option<(f64, f64)> {
        let (of_seeds, of_rows) = scores.variances()?;
        Some((of_seeds, of_rows * self.answered_rows() as f64 / scores.rows() as f64))
    }

    /// How the mean score might have come out otherwise; `None` without a trial.
    pub(crate) fn uncertainty(&self) -> Option<Uncertainty> {
        let mean = self.mean()?;
        let within = |inference: &Inference| inference.interval().within(self.score.range);
        if let Some(found) = self.uncertainty_of_divisions(&self.by_seed(), &self.by_fold()) {
            return Some(Uncertainty { interval: found.inference.as_ref().map(within), ..found });
        }
        let none = Uncertainty {
            basis: Basis::Rows,
            seeds: self.trials.len(),
            rows: self.answered_rows(),
            interval: None,
            inference: None,
            p: None,
            variances: None,
        };
        let trials = self.rows();
        if self.trials.len() > 1 {
            let inference = trials.as_ref().and_then(|trials| trials.infer(mean));
            // Where no trial and no row differs, all answers are right or all wrong, and only the number of rows is known.
            let alike =
                || trials.as_ref().filter(|_| self.is_proportion()).and_then(|_| wilson(mean, none.rows as f64));
            return Some(Uncertainty {
                basis: Basis::SeedsAndRows,
                interval: inference.as_ref().map(within).or_else(alike),
                inference,
                variances: trials.as_ref().and_then(|trials| self.variances(trials)),
                ..none
            });
        }
        let only = self.trials.values().next()?;
        let interval = interval_of_trial(self.score, mean, only.examples, only.answers);
        Some(Uncertainty { interval, inference: trials.and_then(|trials| trials.infer(mean)), ..none })
    }

    pub(crate) fn is_proportion(&self) -> bool {
        matches!(self.score.estimator, Estimator::Proportion(_))
    }

    /// The uncertainty if each trial has a division of its own into training and test rows; `None` if all answer the same rows.
    pub(crate) fn uncertainty_of_divisions(
        &self,
        by_seed: &[f64],
        by_fold: &BTreeMap<(usize, usize), f64>,
    ) -> Option<Uncertainty> {
        let (basis, scores, ratio): (_, Vec<f64>, _) = match (self.folds, self.answers()) {
            (Some(folds), _) => (Basis::Folds, by_fold.values().copied().collect(), 1.0 / (folds as f64 - 1.0)),
            (None, Some((_, false))) => (Basis::Divisions, by_seed.to_vec(), self.ratio()),
            _ => return None,
        };
        let rows = if basis == Basis::Folds { scores.len() } else { self.answered_rows() };
        let inference = corrected(&scores, ratio);
        Some(Uncertainty {
            basis,
            seeds: by_seed.len(),
            rows,
            interval: inference.map(|found| found.interval()),
            inference,
            p: None,
            variances: None,
        })
    }
}

/// The 95 % interval of the score of one trial: how it might have come out on other test rows. A share of examples needs no answers.
pub(crate) fn interval_of_trial(
    score: &Score,
    value: f64,
    examples: f64,
    answers: Option<&Answers>,
) -> Option<Interval> {
    match (&score.estimator, answers) {
        (Estimator::Proportion(_), _) => wilson(value, examples),
        (_, None) => None,
        (Estimator::Mean(_), Some(answers)) => bootstrap_mean(&row_scores(&score.estimator, answers)?),
        (estimator @ Estimator::Statistic(_), Some(answers)) => {
            bootstrap(answers.len(), |rows| estimator.estimate(&Sample::resample(answers.answered(), rows)))
        }
    }
}

/// At most how many groups of rows a statistic is computed without.
const GROUPS: usize = 400;

/// The score of each row. For a statistic of all rows together, the pseudo-values of the delete-a-group jackknife in their place:
/// `G s - (G - 1) s_g`, where `s_g` is the statistic without group `g` of `G` (Tukey 1958; Efron and Tibshirani 1993, chapter 11).
/// Their variance is that of the statistic. A group is every `G`-th row, so that it is the same in every trial.
fn row_scores(estimator: &Estimator, answers: &Answers) -> Option<Vec<f64>> {
    let answered = answers.answered();
    if !matches!(estimator, Estimator::Statistic(_)) {
        return estimator.of_each(&Sample::all(answered));
    }
    let groups = answers.len().min(GROUPS);
    let all = estimator.estimate(&Sample::all(answered))?;
    let without = |group: usize| {
        let rows: Vec<usize> = (0..answers.len()).filter(|row| row % groups != group).collect();
        let without = estimator.estimate(&Sample::resample(answered, &rows))?;
        Some(groups as f64 * all - (groups as f64 - 1.0) * without)
    };
    (0..groups).map(without).collect()
}
