//! Shares of test examples: the interval of one, and the test of two on the same examples.

use super::{Inference, Interval};

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

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

/// The two-sided p of "the true proportion is `hypothesis`" by the score test, which Wilson's interval inverts: `z = (proportion -
/// hypothesis) / sqrt(hypothesis (1 - hypothesis) / n)`. It is defined for proportions of 0 and 1 too. `None` for no examples, and for
/// a hypothesis of 0 or 1.
pub(crate) fn score_p(proportion: f64, n: f64, hypothesis: f64) -> Option<f64> {
    let error = (hypothesis * (1.0 - hypothesis) / n).sqrt();
    Inference::new(proportion, error, f64::INFINITY).map(|found| found.p(hypothesis))
}

/// The standard error of a proportion over `n` examples: the half width of its Wilson interval, in standard deviations. So it is above
/// 0 for proportions of 0 and 1 too. `None` for no examples.
pub(crate) fn wilson_error(proportion: f64, n: f64) -> Option<f64> {
    wilson(proportion, n).map(|interval| (interval.high - interval.low) / 2.0 / Z)
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
