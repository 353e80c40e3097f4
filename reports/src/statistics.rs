//! Statistical uncertainty: intervals, tests and what follows from them, one method a file. Functions take numbers; what these are
//! is known to `estimate.rs` and `comparison.rs`.

mod autocorrelation;
mod benjamini_hochberg;
mod bootstrap;
mod corrected;
mod early_stopping;
mod equivalence;
mod friedman;
mod holds_until;
mod holm;
mod huber;
mod improvement;
mod inference;
mod knee;
mod nemenyi;
mod normal;
mod outliers;
mod power;
mod prediction;
mod proportion;
mod rank_split;
mod ranks;
mod root;
mod scaled_chi;
mod seeded_intervals;
mod sign;
mod signed_rank;
mod step;
mod stochastic_order;
mod student;
mod studentised_range;
mod theil_sen;
mod trials;

pub use autocorrelation::{autocorrelation, variance_of_mean};
pub use benjamini_hochberg::benjamini_hochberg;
pub use bootstrap::{bootstrap, bootstrap_mean};
pub use corrected::corrected;
pub use early_stopping::{PercentileBound, most_over, percentile_bound, queries_needed};
pub use equivalence::{Equivalence, equivalence};
pub use friedman::{Friedman, Tested, friedman};
pub(crate) use holds_until::holds_until;
pub use holm::holm;
pub use huber::{Huber, huber};
pub use improvement::{TaskScores, probability_of_improvement};
pub use inference::Inference;
pub use knee::knee;
pub use nemenyi::{cliques, critical_difference};
pub use outliers::upper_fence;
pub use power::{EffectOfTwoSources, minimum_detectable_effect};
pub use prediction::Prediction;
pub use proportion::{mcnemar_p, wilson};
pub(crate) use proportion::{score_p, wilson_error};
pub use rank_split::{RankSplit, rank_split};
pub use ranks::ranks;
pub(crate) use seeded_intervals::seeded_intervals;
pub use sign::{chance_of_separation, chance_of_sweep};
pub use signed_rank::signed_rank_p;
pub use step::step_place;
pub use stochastic_order::{epsilon_min, violation_ratio};
pub use studentised_range::{studentised_range_cdf, studentised_range_quantile};
pub use theil_sen::theil_sen_end;
pub use trials::Trials;

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
