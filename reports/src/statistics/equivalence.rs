//! Whether an effect is too small to matter.

use super::student;

/// How probable it is that an effect lies below, within or above a region of practical equivalence. The three add up to
/// 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equivalence {
    /// Below the region: the effect is negative and matters.
    pub below: f64,
    /// Within the region: the effect is too small to matter.
    pub within: f64,
    /// Above the region: the effect is positive and matters.
    pub above: f64,
}

/// The probabilities of a true effect below, within and above the region from `-region` to `region`, given the observed
/// `effect`, its standard `error` and the error's `degrees` of freedom, which may be infinite. Effect, error and region
/// have the same unit.
///
/// They are those of Student's t distribution with centre `effect` and scale `error`. That is the posterior
/// distribution of the effect, if nothing is known of it and of the variance before (Corani and Benavoli 2015, *A
/// Bayesian approach for comparing cross-validated algorithms on multiple data sets*; Benavoli et al. 2017, *Time for a
/// change*; baycomp's `two_on_single`). They are no p-values: a `within` above 0.95 says that the models are equal for
/// practical purposes, which no p can say.
///
/// With an error of 0 all the probability is at the effect; the ends of the region belong to it. `None` for fewer than
/// one degree of freedom, for a negative error or region, and if a number is not one.
pub fn equivalence(effect: f64, error: f64, degrees: f64, region: f64) -> Option<Equivalence> {
    let valid = effect.is_finite() && error.is_finite() && error >= 0.0 && region >= 0.0 && degrees >= 1.0;
    if !valid {
        return None;
    }
    let up_to = |distance: f64| {
        if error > 0.0 { student::cdf(distance / error, degrees) } else { f64::from(u8::from(distance > 0.0)) }
    };
    let below = up_to(-region - effect);
    let above = up_to(effect - region);
    Some(Equivalence { below, within: (1.0 - below - above).max(0.0), above })
}
