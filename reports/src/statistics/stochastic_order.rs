//! Whether the scores of one model are almost stochastically larger than those of another.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::normal;
use crate::metric::Better;

/// How many pairs of resamples the bound draws. deepsig draws 1,000, which leaves a noise of 0.01 in the bound.
const PAIRS_OF_RESAMPLES: usize = 10_000;

/// The seed of these resamples. It is fixed, so that the same scores always give the same bound.
const SEED_OF_ORDER: u64 = 0x6f72_6465_7265_6400;

/// How far the scores `first` are from being stochastically better than the scores `second`: 0 if every quantile of
/// `first` is at least as good, 1 if every one is at most as good.
///
/// With the quantile functions `F⁻¹` of `first` and `G⁻¹` of `second` it is `∫ ((G⁻¹ - F⁻¹)⁺)² dt / ∫ (G⁻¹ - F⁻¹)² dt`
/// over `t` in 0..1 (del Barrio, Cuesta-Albertos and Matrán 2018, *An optimal transportation approach for assessing
/// almost stochastic order*; Dror, Shlomov and Reichart 2019, *Deep dominance*, equation 4). Where lower is better, the
/// signs of the scores are changed first. The quantile functions of samples are steps, so that the integral is a sum,
/// without a grid.
///
/// The samples may differ in size. `None` if one of them is empty or has a score that is no finite number, and if both
/// have the same quantile function.
pub fn violation_ratio(first: &[f64], second: &[f64], better: Better) -> Option<f64> {
    ratio_of_sorted(&sorted(first, better)?, &sorted(second, better)?)
}

/// An upper bound of [`violation_ratio`] of the populations that the scores are drawn from, with the given `confidence`
/// (such as 0.95): "almost stochastic order", `ε_min`. Below 0.5 the first model is better; below 0.2 the finding is a
/// strong one (Ulmer, Hardmeier and Frellsen 2022, *deep-significance*). It is not symmetric: both models can be left
/// with a bound above 0.5.
///
/// It is `ratio + z σ`, cut off at 0 and 1, where `z` is the normal quantile at `confidence` and `σ` the root mean
/// square deviation of the ratios of 10,000 pairs of resamples from their mean (Dror et al. 2019; deepsig computes it
/// so). Resamples are drawn with a fixed seed. A pair with the same quantile function counts as 0.5, as in deepsig. For
/// `m` comparisons at once, use `1 - 0.05 / m` (Bonferroni).
///
/// It is about single scores, not about their mean. If each score of `first` is better than each of `second`, all
/// resamples agree and the bound is 0, however few seeds there are: read it beside
/// [`chance_of_separation`](super::sign::chance_of_separation). It says little for fewer than about five seeds, because
/// few scores resample into few different sets. `None` where [`violation_ratio`] is, for a sample of one score, and
/// unless the confidence lies between 0 and 1.
pub fn epsilon_min(first: &[f64], second: &[f64], better: Better, confidence: f64) -> Option<f64> {
    let (first, second) = (sorted(first, better)?, sorted(second, better)?);
    let ratio = ratio_of_sorted(&first, &second)?;
    if first.len() < 2 || second.len() < 2 || !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED_OF_ORDER);
    let ratios: Vec<f64> = (0..PAIRS_OF_RESAMPLES)
        .map(|_| {
            let (first, second) = (resample(&mut random, &first), resample(&mut random, &second));
            ratio_of_sorted(&first, &second).unwrap_or(0.5)
        })
        .collect();
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    let variance = ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / ratios.len() as f64;
    Some((ratio + normal::quantile(confidence) * variance.sqrt()).clamp(0.0, 1.0))
}

/// The scores in ascending order, larger being better; `None` if there is none or one that is not finite.
fn sorted(scores: &[f64], better: Better) -> Option<Vec<f64>> {
    if scores.is_empty() || scores.iter().any(|score| !score.is_finite()) {
        return None;
    }
    let mut sorted: Vec<f64> = scores.iter().map(|score| better.goodness(*score)).collect();
    sorted.sort_by(f64::total_cmp);
    Some(sorted)
}

/// As many scores, drawn with replacement, in ascending order.
fn resample(random: &mut ChaCha8Rng, scores: &[f64]) -> Vec<f64> {
    // Multiply-shift maps 32 random bits onto 0..n (Lemire 2019); its bias is below n / 2^32.
    let mut draw = || scores[((u64::from(random.next_u32()) * scores.len() as u64) >> 32) as usize];
    let mut drawn: Vec<f64> = (0..scores.len()).map(|_| draw()).collect();
    drawn.sort_by(f64::total_cmp);
    drawn
}

fn ratio_of_sorted(first: &[f64], second: &[f64]) -> Option<f64> {
    let (n, m) = (first.len(), second.len());
    let (mut violation, mut distance) = (0.0, 0.0);
    let (mut i, mut j, mut from) = (0, 0, 0);
    // Positions are in units of 1 / (n m), so that they are whole numbers.
    while i < n && j < m {
        let to = ((i + 1) * m).min((j + 1) * n);
        let difference = second[j] - first[i];
        let square = difference * difference * (to - from) as f64;
        distance += square;
        if difference > 0.0 {
            violation += square;
        }
        i += usize::from(to == (i + 1) * m);
        j += usize::from(to == (j + 1) * n);
        from = to;
    }
    (distance > 0.0).then(|| violation / distance)
}
