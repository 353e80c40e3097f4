//! What chance allows: intervals of a score and paired tests of two models on the same test examples.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Resamples of a bootstrap. Efron and Tibshirani 1993, section 13.3, ask for at least 1,000 for percentiles.
const RESAMPLES: usize = 2_000;

/// Fixed, so that the same predictions always give the same interval.
const SEED: u64 = 0x626f_6f74;

/// Wilson score interval of a proportion over `n` examples, at 95 %. Wilson 1927; as statsmodels
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

/// Percentile bootstrap interval of a mean, at 95 %. Efron and Tibshirani 1993, chapter 13. `None` for fewer than two
/// values.
pub fn bootstrap_mean(values: &[f64]) -> Option<Interval> {
    if values.len() < 2 {
        return None;
    }
    let means = resampled_means(values);
    Some(Interval { low: quantile(&means, 0.025), high: quantile(&means, 0.975) })
}

/// Two-sided p of "the mean of these paired differences is zero", by inverting the percentile bootstrap: twice the
/// smaller share of resamples on one side of zero. Davison and Hinkley 1997, section 4.4, with their `(count + 1) /
/// (resamples + 1)`, so it is never 0.
pub fn paired_bootstrap_p(differences: &[f64]) -> f64 {
    if differences.iter().all(|difference| *difference == 0.0) {
        return 1.0;
    }
    let means = resampled_means(differences);
    let share = |count: usize| (count + 1) as f64 / (RESAMPLES + 1) as f64;
    let below = share(means.iter().filter(|mean| **mean <= 0.0).count());
    let above = share(means.iter().filter(|mean| **mean >= 0.0).count());
    (2.0 * below.min(above)).min(1.0)
}

/// Sorted means of resamples with replacement.
fn resampled_means(values: &[f64]) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let n = values.len() as u64;
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            // Multiply-shift maps 32 random bits onto 0..n (Lemire 2019); its bias is below n / 2^32.
            let pick = |_| values[((u64::from(random.next_u32()) * n) >> 32) as usize];
            (0..n).map(pick).sum::<f64>() / n as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    means
}

/// The quantile at `q` in 0..=1 of at least one number in ascending order, interpolated linearly between the two nearest:
/// definition 7 of Hyndman and Fan 1996, numpy's default.
///
/// # Panics
/// If there is no number.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = at.ceil() as usize;
    sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64)
}

/// Two-sided exact p of McNemar's test: `only_first` examples that only the first model has right, `only_second` those
/// that only the second has. McNemar 1947; the binomial form is in Dietterich 1998, and statsmodels
/// `mcnemar(exact=True)`.
pub fn mcnemar_p(only_first: u64, only_second: u64) -> f64 {
    let n = only_first + only_second;
    let tail = only_first.min(only_second);
    // Logarithms of binomial terms, because 0.5^n underflows at n > 1074.
    let mut log_term = -(n as f64) * std::f64::consts::LN_2;
    let mut sum = log_term.exp();
    for k in 1..=tail {
        log_term += ((n - k + 1) as f64 / k as f64).ln();
        sum += log_term.exp();
    }
    (2.0 * sum).min(1.0)
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
