//! Statistical uncertainty: intervals of a score, and paired tests of two models on the same test examples.

mod equivalence;
mod friedman;
mod improvement;
mod nemenyi;
mod normal;
mod power;
mod ranks;
mod root;
mod scaled_chi;
mod sign;
mod signed_rank;
mod stochastic_order;
mod student;
mod studentised_range;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use statrs::distribution::{ContinuousCDF, StudentsT};

pub use equivalence::{Equivalence, equivalence};
pub use friedman::{Friedman, Tested, friedman};
pub use improvement::{TaskScores, probability_of_improvement};
pub use nemenyi::{cliques, critical_difference};
pub use power::{EffectOfTwoSources, minimum_detectable_effect};
pub use ranks::ranks;
pub use sign::{chance_of_separation, chance_of_sweep};
pub use signed_rank::signed_rank_p;
pub use stochastic_order::{epsilon_min, violation_ratio};
pub use studentised_range::{studentised_range_cdf, studentised_range_quantile};

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// The part of it that a score can have, between the lowest and the highest possible one.
    pub(crate) fn within(self, (lowest, highest): (f64, f64)) -> Interval {
        Interval { low: self.low.clamp(lowest, highest), high: self.high.clamp(lowest, highest) }
    }
}

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// How many resamples a bootstrap draws. For percentiles, Efron and Tibshirani 1993, section 13.3, ask for at least
/// 1,000.
const RESAMPLES: usize = 2_000;

/// The seed of the resamples. It is fixed, so that the same predictions always give the same interval.
const SEED: u64 = 0x626f_6f74;

/// The 95 % Wilson score interval of a proportion over `n` examples (Wilson 1927). statsmodels has it as
/// `proportion_confint(method='wilson')`. `None` for no examples.
pub fn wilson(proportion: f64, n: f64) -> Option<Interval> {
    if n <= 0.0 {
        return None;
    }
    let z2 = Z * Z / n;
    let centre = (proportion + z2 / 2.0) / (1.0 + z2);
    let half = Z / (1.0 + z2) * (proportion * (1.0 - proportion) / n + z2 / (4.0 * n)).sqrt();
    Some(Interval { low: (centre - half).max(0.0), high: (centre + half).min(1.0) })
}

/// The 95 % percentile bootstrap interval of a mean (Efron and Tibshirani 1993, chapter 13). `None` for fewer than two
/// values.
pub fn bootstrap_mean(values: &[f64]) -> Option<Interval> {
    bootstrap(values.len(), |rows| Some(mean(values, rows)))
}

/// The 95 % percentile bootstrap interval of any statistic of `examples` examples (Efron and Tibshirani 1993, chapter
/// 13). `statistic` takes the indices of the examples in a resample. Resamples for which it is undefined are left out.
/// `None` for fewer than two examples, or if the statistic is undefined for every resample.
pub fn bootstrap(examples: usize, statistic: impl FnMut(&[usize]) -> Option<f64>) -> Option<Interval> {
    if examples < 2 {
        return None;
    }
    let values = resampled(examples, statistic);
    let at = |q: f64| (!values.is_empty()).then(|| quantile(&values, q));
    Some(Interval { low: at(0.025)?, high: at(0.975)? })
}

/// The two-sided p-value of "the mean of these paired differences is zero". It inverts the percentile bootstrap: p is
/// twice the smaller share of resamples on one side of zero. The share is `(count + 1) / (resamples + 1)`, as in
/// Davison and Hinkley 1997, section 4.4, so p is never 0.
pub fn paired_bootstrap_p(differences: &[f64]) -> f64 {
    if differences.iter().all(|difference| *difference == 0.0) {
        return 1.0;
    }
    bootstrap_p(differences.len(), |rows| Some(mean(differences, rows))).unwrap_or(1.0)
}

/// [`paired_bootstrap_p`] for any difference between two statistics of the same `examples` examples. `difference` takes
/// indices, as in [`bootstrap`]. `None` if it is undefined for every resample.
pub fn bootstrap_p(examples: usize, difference: impl FnMut(&[usize]) -> Option<f64>) -> Option<f64> {
    let values = resampled(examples, difference);
    let share = |count: usize| (count + 1) as f64 / (values.len() + 1) as f64;
    let below = share(values.iter().filter(|value| **value <= 0.0).count());
    let above = share(values.iter().filter(|value| **value >= 0.0).count());
    (!values.is_empty()).then(|| (2.0 * below.min(above)).min(1.0))
}

/// The expected largest of `draws` draws with replacement from `values`: the sum over the sorted values `v_i`, with `i` from 1
/// to `n`, of `v_i ((i/n)^draws - ((i-1)/n)^draws)`. Dodge et al. 2019, "Show Your Work: Improved Reporting of Experimental
/// Results", section 3.1. `None` without a value.
pub fn expected_max(values: &[f64], draws: u32) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let below = |count: usize| (count as f64 / sorted.len() as f64).powf(f64::from(draws));
    Some(sorted.iter().enumerate().map(|(index, value)| value * (below(index + 1) - below(index))).sum())
}

fn mean(values: &[f64], rows: &[usize]) -> f64 {
    rows.iter().map(|&row| values[row]).sum::<f64>() / rows.len() as f64
}

/// The values of a statistic on resamples drawn with replacement, sorted. Resamples for which it is undefined are left
/// out.
fn resampled(examples: usize, mut statistic: impl FnMut(&[usize]) -> Option<f64>) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut rows = vec![0; examples];
    let mut values: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            // Multiply-shift maps 32 random bits onto 0..n (Lemire 2019); its bias is below n / 2^32.
            rows.fill_with(|| ((u64::from(random.next_u32()) * examples as u64) >> 32) as usize);
            statistic(&rows)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The quantile at `q` in 0..=1 of at least one number in ascending order. It is interpolated linearly between the two
/// nearest numbers, which is definition 7 of Hyndman and Fan 1996 and numpy's default.
///
/// # Panics
/// If there is no number.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = at.ceil() as usize;
    sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64)
}

/// The two-sided exact p-value of McNemar's test (McNemar 1947). `only_first` counts the examples that only the first
/// model has right, and `only_second` those that only the second has right. The binomial form is in Dietterich 1998;
/// statsmodels has it as `mcnemar(exact=True)`.
pub fn mcnemar_p(only_first: u64, only_second: u64) -> f64 {
    let n = only_first + only_second;
    let tail = only_first.min(only_second);
    // The sum uses logarithms of the binomial terms, because 0.5^n underflows at n > 1074.
    let mut log_term = -(n as f64) * std::f64::consts::LN_2;
    let mut sum = log_term.exp();
    for k in 1..=tail {
        log_term += ((n - k + 1) as f64 / k as f64).ln();
        sum += log_term.exp();
    }
    (2.0 * sum).min(1.0)
}

/// The 95 % interval of the mean score of a cross-validation with `folds` folds, from the scores of all folds of all
/// divisions; `None` for fewer than two scores, and if they are all the same.
///
/// Two folds share most of their training rows, so their scores are no independent runs. The variance of the mean is corrected
/// for that: `(1 / n + 1 / (folds - 1)) s²`, with Student's t of `n - 1` degrees of freedom. `1 / (folds - 1)` is the ratio of
/// scored rows to training rows (Nadeau and Bengio, *Inference for the Generalization Error*, Machine Learning 52, 2003).
pub fn corrected_t_interval(scores: &[f64], folds: usize) -> Option<Interval> {
    let (mean, error) = corrected_error(scores, folds)?;
    let t = student(scores.len())?.inverse_cdf(0.975);
    Some(Interval { low: mean - t * error, high: mean + t * error })
}

/// The two-sided p of "the mean difference of a cross-validation is zero", by the test of [`corrected_t_interval`]; `None`
/// for fewer than two differences, and if they are all the same and not zero.
pub fn corrected_t_p(differences: &[f64], folds: usize) -> Option<f64> {
    if differences.len() > 1 && differences.iter().all(|difference| *difference == 0.0) {
        return Some(1.0);
    }
    let (mean, error) = corrected_error(differences, folds)?;
    Some(2.0 * student(differences.len())?.sf((mean / error).abs()))
}

/// The mean, and its standard error as corrected for folds.
fn corrected_error(scores: &[f64], folds: usize) -> Option<(f64, f64)> {
    let n = scores.len() as f64;
    if scores.len() < 2 || folds < 2 {
        return None;
    }
    let mean = scores.iter().sum::<f64>() / n;
    let variance = scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let error = ((1.0 / n + 1.0 / (folds as f64 - 1.0)) * variance).sqrt();
    // A few folds of one size can agree by chance, which would make everything certain.
    (error > 1e-9 * mean.abs()).then_some((mean, error))
}

fn student(scores: usize) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, scores as f64 - 1.0).ok()
}

/// Holm's step-down adjustment of p-values for testing several hypotheses at once. Holm 1979; as statsmodels
/// `multipletests(method='holm')`.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, index) in order.into_iter().enumerate() {
        largest = largest.max(p_values[index] * (p_values.len() - rank) as f64).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}
