//! How small an effect can be found, and how many seeds or rows find a given one.

use super::root::{root, upper_end};
use super::student::{cdf, noncentral_above, upper_quantile};

/// The level of the two-sided test.
const ALPHA: f64 = 0.05;

/// The share of experiments that must find the effect.
const POWER: f64 = 0.8;

/// The largest count that is looked for.
const MOST: u64 = 1 << 40;

/// The smallest true effect that a two-sided t-test at 5 % finds in 80 % of all repetitions, given the standard `error`
/// of the effect and the error's `degrees` of freedom, which may be infinite. It has the unit of the error.
///
/// It is `δ · error`, where `δ` solves `P(|T| > t) = 0.8`: `T` has the noncentral t distribution with noncentrality
/// `δ`, and `t` is the 97.5 % quantile of Student's t (Cohen 1988, *Statistical power analysis for the behavioral
/// sciences*, chapter 2). statsmodels has it as `TTestPower().solve_power`, and both agree to 1e-9. For infinite
/// degrees `δ` is 2.80, and for 2 it is 5.65.
///
/// It says what an experiment of this size can find, before its effect is looked at. An observed effect says nothing
/// about the power of its own test (Hoenig and Heisey 2001). `None` for fewer than one degree of freedom, and if the
/// error is negative or not finite.
pub fn minimum_detectable_effect(error: f64, degrees: f64) -> Option<f64> {
    if !(error.is_finite() && error >= 0.0 && degrees >= 1.0) {
        return None;
    }
    let t = upper_quantile(1.0 - ALPHA / 2.0, degrees);
    let power = |shift: f64| noncentral_above(t, degrees, shift) + noncentral_above(t, degrees, -shift);
    let above = |shift: f64| power(shift) - POWER;
    Some(error * root(above, 0.0, upper_end(above)))
}

/// An effect and where its variance comes from.
///
/// The effect is a mean over `seeds` seeds and `rows` test rows, each seed scored on the same rows. Its variance is
/// taken as `var_seed / seeds + var_row / rows`. What depends on seed and row together is left out, because it shrinks
/// with both. So the counts are a little too small.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectOfTwoSources {
    /// The observed effect, in the unit of the metric.
    pub effect: f64,
    /// The variance of the effect from seed to seed, in that unit squared.
    pub var_seed: f64,
    /// The variance of the effect from row to row, in that unit squared.
    pub var_row: f64,
}

impl EffectOfTwoSources {
    /// Whether the effect is significant at a two-sided 5 % with so many seeds and rows. The test is Student's t, with
    /// the degrees of freedom of Satterthwaite (1946), `(a + b)² / (a² / (seeds - 1) + b² / (rows - 1))` for `a =
    /// var_seed / seeds` and `b = var_row / rows`. A variance below zero, which estimates can have, counts as zero.
    /// Fewer than two seeds or two rows are never enough.
    pub fn significant(&self, seeds: u64, rows: u64) -> bool {
        let part = |variance: f64, count: u64| if variance < 0.0 { 0.0 } else { variance / count as f64 };
        let (a, b) = (part(self.var_seed, seeds), part(self.var_row, rows));
        if seeds < 2 || rows < 2 || self.effect == 0.0 {
            return false;
        }
        if a + b == 0.0 {
            return true;
        }
        let degrees = (a + b).powi(2) / (a * a / (seeds - 1) as f64 + b * b / (rows - 1) as f64);
        2.0 * cdf(-self.effect.abs() / (a + b).sqrt(), degrees) < ALPHA
    }

    /// The smallest number of seeds in all with which this effect would be significant on `rows` rows. It is what makes
    /// the observed effect significant if it stays as it is. A repetition with so many seeds finds it only about every
    /// second time.
    ///
    /// `None` if no number is enough, because the rows alone hide the effect.
    pub fn seeds_needed(&self, rows: u64) -> Option<u64> {
        smallest(|seeds| self.significant(seeds, rows))
    }

    /// The smallest number of rows in all with which this effect would be significant with `seeds` seeds, as for
    /// [`Self::seeds_needed`].
    ///
    /// `None` if no number is enough, because the seeds alone hide the effect.
    pub fn rows_needed(&self, seeds: u64) -> Option<u64> {
        smallest(|rows| self.significant(seeds, rows))
    }
}

/// The smallest count from 2 on that is enough, if each larger one is enough too; `None` if [`MOST`] is not.
fn smallest(enough: impl Fn(u64) -> bool) -> Option<u64> {
    if !enough(MOST) {
        return None;
    }
    let (mut too_few, mut high) = (1, 2);
    while !enough(high) {
        too_few = high;
        high *= 2;
    }
    while high - too_few > 1 {
        let middle = too_few + (high - too_few) / 2;
        if enough(middle) { high = middle } else { too_few = middle }
    }
    Some(high)
}
