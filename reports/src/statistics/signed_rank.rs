//! Whether one of two models has larger scores over paired tasks or seeds.

use super::ranks::ranks;
use crate::metric::Better;

/// The two-sided exact p of "the paired differences are symmetric around zero": Wilcoxon's signed-rank test (Wilcoxon
/// 1945, *Individual comparisons by ranking methods*). The unit of the differences does not matter.
///
/// The statistic is the sum of the ranks of the positive differences, ranked by size. Under the hypothesis each rank is
/// in the sum with probability 1/2, so p is twice the smaller tail of the distribution of such sums, at most 1. The
/// distribution is computed rank by rank for any number of differences, without an approximation. Differences of equal
/// size share the mean of their ranks, and the distribution is that of these ranks, so p is exact with ties too.
///
/// Zeros are dropped before the ranking, which is Wilcoxon's way, and so are differences that are no number. If nothing
/// is left, p is 1. It can never be below `2^(1-n)` for `n` differences that are left, so five of them never reach
/// 0.05.
pub fn signed_rank_p(differences: &[f64]) -> f64 {
    let left: Vec<f64> = differences.iter().copied().filter(|difference| difference.abs() > 0.0).collect();
    let sizes: Vec<f64> = left.iter().map(|difference| difference.abs()).collect();
    // Shared ranks are halves, so that twice a rank is a whole number.
    let doubled: Vec<usize> = ranks(&sizes, Better::Lower).iter().map(|rank| (2.0 * rank) as usize).collect();
    let positive: usize = doubled.iter().zip(&left).filter(|(_, difference)| **difference > 0.0).map(|(r, _)| r).sum();
    let total: usize = doubled.iter().sum();
    // The distribution is symmetric, so that the smaller of the two sums has the smaller tail.
    let smaller = positive.min(total - positive);
    let tail: f64 = sums_of_halves(&doubled, smaller).iter().sum();
    (2.0 * tail).min(1.0)
}

/// The probabilities of the sums 0 to `largest`, if each number is added or left out with probability 1/2.
fn sums_of_halves(numbers: &[usize], largest: usize) -> Vec<f64> {
    let mut probabilities = vec![0.0; largest + 1];
    probabilities[0] = 1.0;
    for &number in numbers {
        for sum in (0..=largest).rev() {
            let with = if sum >= number { probabilities[sum - number] } else { 0.0 };
            probabilities[sum] = 0.5 * (probabilities[sum] + with);
        }
    }
    probabilities
}
