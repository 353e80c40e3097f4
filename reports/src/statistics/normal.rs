//! The standard normal distribution.

use std::f64::consts::{PI, SQRT_2};

use super::root::root;

/// The density at `x`.
pub(super) fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// The probability of a value up to `x`: `erfc(-x / √2) / 2`, which keeps its relative precision in the lower tail.
pub(super) fn cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / SQRT_2)
}

/// The `x` up to which a value lies with `probability`. It is infinite for 0 and 1.
pub(super) fn quantile(probability: f64) -> f64 {
    if probability <= 0.0 {
        f64::NEG_INFINITY
    } else if probability >= 1.0 {
        f64::INFINITY
    } else {
        // Below -38.5 and above 8.3 the probability is 0 and 1 to the last bit.
        root(|x| cdf(x) - probability, -40.0, 10.0)
    }
}
