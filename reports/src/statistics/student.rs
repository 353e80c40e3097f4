//! Student's t distribution, for any degrees of freedom from 1 to infinity. statrs has it too, but loses digits where
//! there are many: at 1e7 degrees its error is 3e-9, and at 1e12 it is 4e-4.

use super::normal;
use super::root::{root, upper_end};
use super::scaled_chi::expectation;

/// The probability of a value up to `t` with `degrees` of freedom, at least 1 and possibly infinite: `E[Φ(t S)]` with
/// `S = √(χ²_df / df)`.
pub(super) fn cdf(t: f64, degrees: f64) -> f64 {
    expectation(degrees, 1.0, |s| normal::cdf(t * s))
}

/// The probability that a value of the noncentral t distribution exceeds `t`: that of `(Z + shift) / S > t`, where `Z`
/// is standard normal.
pub(super) fn noncentral_above(t: f64, degrees: f64, shift: f64) -> f64 {
    expectation(degrees, 1.0 + shift.abs(), |s| normal::cdf(shift - t * s))
}

/// The value up to which one lies with `probability`, at least 0.5 and less than 1.
pub(super) fn upper_quantile(probability: f64, degrees: f64) -> f64 {
    let above = |t: f64| cdf(t, degrees) - probability;
    root(above, 0.0, upper_end(above))
}
