//! The percentile bootstrap over the test examples of one trial.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::{Interval, quantile};

/// How many resamples a bootstrap draws. For percentiles, Efron and Tibshirani 1993, section 13.3, ask for at least
/// 1,000.
const RESAMPLES: usize = 2_000;

/// The seed of the resamples. It is fixed, so that the same predictions always give the same interval.
const SEED: u64 = 0x626f_6f74;

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
