//! The studentised range: how far the largest of several means lies above the smallest by chance.

use super::normal;
use super::root::{root, upper_end};
use super::scaled_chi::expectation;

/// The spacing of the points of the trapezoidal rule over `z`. Half of it changes no result for up to 1,000 groups by
/// more than 2e-12.
const STEP: f64 = 0.125;

/// How far the points go to each side: the normal density beyond is below 1e-16.
const POINTS: i32 = 68;

/// The largest probability that has a quantile: beyond it, the rounding of the integral decides.
const LARGEST: f64 = 1.0 - 1e-12;

/// The probability that the range of `groups` normal values of equal mean, divided by an independent estimate of their
/// standard deviation with `degrees` of freedom, is at most `q`. `degrees` may be infinite, if the deviation is known.
/// `q` has no unit.
///
/// For a known deviation it is `P(q) = k ∫ φ(z) (Φ(z) - Φ(z - q))^{k-1} dz`, and for an estimated one the expectation
/// of `P(q S)` with `S = √(χ²_df / df)` (Lund and Lund 1983, *Algorithm AS 190*). Both integrals are computed by the
/// trapezoidal rule, which converges exponentially for such integrands. The result agrees with scipy's
/// `studentized_range` to 1e-9.
///
/// `None` for fewer than two groups, for fewer than one degree of freedom, and if `q` is no number.
pub fn studentised_range_cdf(q: f64, groups: u32, degrees: f64) -> Option<f64> {
    (valid(groups, degrees) && !q.is_nan()).then(|| cdf(q, groups, degrees))
}

/// The `q` up to which the studentised range of [`studentised_range_cdf`] lies with `probability`.
///
/// `None` where that function has no value, and unless the probability is between 0 and `1 - 1e-12`.
pub fn studentised_range_quantile(probability: f64, groups: u32, degrees: f64) -> Option<f64> {
    if !valid(groups, degrees) || !(0.0..=LARGEST).contains(&probability) {
        return None;
    }
    let above = |q: f64| cdf(q, groups, degrees) - probability;
    Some(if probability == 0.0 { 0.0 } else { root(above, 0.0, upper_end(above)) })
}

fn valid(groups: u32, degrees: f64) -> bool {
    groups >= 2 && degrees >= 1.0
}

fn cdf(q: f64, groups: u32, degrees: f64) -> f64 {
    if q <= 0.0 {
        return 0.0;
    }
    // The position, the density and the probability at each point serve every deviation.
    let points: Vec<(f64, f64, f64)> = (-POINTS..=POINTS)
        .map(|point| f64::from(point) * STEP)
        .map(|z| (z, normal::density(z), normal::cdf(z)))
        .collect();
    let exponent = groups as i32 - 1;
    let of_known_deviation = |q: f64| {
        let at = |&(z, density, below): &(f64, f64, f64)| density * (below - normal::cdf(z - q)).powi(exponent);
        f64::from(groups) * STEP * points.iter().map(at).sum::<f64>()
    };
    expectation(degrees, 1.0, |s| of_known_deviation(q * s)).min(1.0)
}
