//! Two models on the same task, rows and seeds: how far apart they are, and what can be said about it.

use crate::contrast::Contrast;
use crate::estimate::{Scored, Uncertainty};
use crate::metric::{Better, Metric};
use crate::statistics::{
    Equivalence, TaskScores, chance_of_separation, epsilon_min, equivalence, holm, probability_of_improvement,
};

/// Two models differ if the adjusted p-value is below this.
pub const ALPHA: f64 = 0.05;

/// Two models of a setting. They are paired by seed and test row.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The label of the model with the better mean score over the seeds that both have.
    pub better: usize,
    /// The label of the other.
    pub worse: usize,
    /// How much better the first is, in the unit of the primary metric; not below 0 whichever direction is better.
    pub effect: f64,
    /// How the effect might have come out otherwise.
    pub uncertainty: Uncertainty,
    /// The p-value, adjusted by Holm's method over all pairs of the setting; `None` if the pair cannot be tested.
    pub p: Option<f64>,
    /// On how many seeds the first is better.
    pub seeds_won: usize,
    /// The probabilities that the true effect is below, within and above the metric's region of practical equivalence; `None` without
    /// a standard error or a region.
    pub equivalence: Option<Equivalence>,
    /// What else several seeds say; `None` with one.
    pub seeds: Option<OverSeeds>,
}

/// What the scores of several seeds say of two models.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OverSeeds {
    /// The probability that a run of the better model scores better than a run of the other. A tie counts half.
    pub improvement: Option<f64>,
    /// The bound of almost stochastic order, at most 0.5 if the better one is better, and below 0.2 for a strong finding.
    pub epsilon: Option<f64>,
    /// The chance of equal models that all seeds of the one are better than all of the other.
    pub chance_of_separation: Option<f64>,
}

impl Comparison {
    /// Whether the test tells the two apart.
    pub fn differs(&self) -> bool {
        self.p.is_some_and(|p| p < ALPHA)
    }

    /// All pairs of these models that share a trial. A pair that cannot be tested takes no part in Holm's adjustment, and is not told
    /// apart.
    pub(crate) fn all_pairs(metric: &Metric, floor: Option<f64>, models: &[(usize, Scored<'_>)]) -> Vec<Comparison> {
        let region = metric.score.as_ref().and_then(|score| score.region.half_width(floor));
        let mut comparisons: Vec<Comparison> = Vec::new();
        for (index, one) in models.iter().enumerate() {
            comparisons.extend(models[index + 1..].iter().filter_map(|other| pair(metric.better, region, one, other)));
        }
        let tested: Vec<usize> = (0..comparisons.len()).filter(|&at| comparisons[at].p.is_some()).collect();
        let adjusted = holm(&tested.iter().filter_map(|&at| comparisons[at].p).collect::<Vec<_>>());
        for (at, p) in tested.into_iter().zip(adjusted) {
            comparisons[at].p = Some(p);
        }
        comparisons
    }
}

/// A pair whose p is not adjusted yet; `None` if the two share no trial.
fn pair(
    better: Better,
    region: Option<f64>,
    one: &(usize, Scored<'_>),
    other: &(usize, Scored<'_>),
) -> Option<Comparison> {
    let raw = Contrast::difference(&one.1, &other.1)?.value();
    let (first, second) = if better.goodness(raw) < 0.0 { (other, one) } else { (one, other) };
    // Above 0 is better, whichever direction of the metric is.
    let (more, less) = if better == Better::Higher { (first, second) } else { (second, first) };
    let contrast = Contrast::difference(&more.1, &less.1)?;
    let uncertainty = contrast.uncertainty();
    Some(Comparison {
        better: first.0,
        worse: second.0,
        effect: contrast.value(),
        p: uncertainty.p,
        uncertainty,
        equivalence: uncertainty
            .inference
            .zip(region)
            .and_then(|(found, region)| equivalence(found.value, found.error, found.df, region)),
        seeds: (uncertainty.seeds > 1).then(|| over_seeds(better, &first.1.by_seed(), &second.1.by_seed())),
        seeds_won: contrast.by_seed().into_iter().filter(|difference| *difference > 0.0).count(),
    })
}

/// What the scores of the better model and those of the other say, one score a seed.
fn over_seeds(better: Better, first: &[f64], second: &[f64]) -> OverSeeds {
    let scores = TaskScores { first, second, better };
    let seeds = u32::try_from(first.len().min(second.len())).unwrap_or(u32::MAX);
    OverSeeds {
        improvement: probability_of_improvement(&[scores]),
        epsilon: epsilon_min(first, second, better, 0.95),
        // Whichever of the two it is, so twice that of a model that was named beforehand.
        chance_of_separation: chance_of_separation(seeds).map(|chance| 2.0 * chance),
    }
}
