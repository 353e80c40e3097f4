//! Where a series changes its level, by the ranks of its numbers.

use super::{normal, ranks};
use crate::metric::Better;

/// The split of a series that tells most by ranks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankSplit {
    /// How many numbers are before it.
    pub at: usize,
    /// Wilcoxon's rank sum of the numbers after it, in standard deviations from its expectation: above 0 if they are larger.
    pub z: f64,
    /// The two-sided p of "all numbers come from one distribution, independently", corrected for the search over all splits.
    pub p: f64,
}

/// The split of `values` with the largest standardised rank sum (Wilcoxon 1945, ties by the mean of their ranks) among those that leave at
/// least `least` numbers on each side. The first of equal ones counts. `None` if there are fewer than `2 least` numbers, or all are equal.
///
/// A rank cannot be far out, so one number moves the sum by no more than any other.
///
/// The largest of many sums is larger than one alone. Its p is the smaller of two upper ends: the p of one sum times the number of
/// splits (Bonferroni), and `φ(z) (z - 1/z) ln((1 - ε)² / ε²) + 4 φ(z) / z`, with `ε` the share of the smallest side (Miller and Siegmund
/// 1982, "Maximally selected chi square statistics"; for ranks Lausen and Schumacher 1992, "Maximally selected rank statistics").
pub fn rank_split(values: &[f64], least: usize) -> Option<RankSplit> {
    let n = values.len();
    if least == 0 || n < 2 * least {
        return None;
    }
    // With `Lower`, rank 1 is the smallest number.
    let ranks = ranks(values, Better::Lower);
    let (count, mean) = (n as f64, (n + 1) as f64 / 2.0);
    // Of a finite population without replacement; ties make it smaller than (n² - 1) / 12.
    let variance: f64 = ranks.iter().map(|rank| (rank - mean).powi(2)).sum::<f64>() / count;
    if variance <= 0.0 {
        return None;
    }
    let mut excess = 0.0;
    let mut best: Option<(usize, f64)> = None;
    for (before, rank) in (1..=n - least).zip(&ranks) {
        excess -= rank - mean;
        if before < least {
            continue;
        }
        let (left, right) = (before as f64, (n - before) as f64);
        let z = excess / (variance * left * right / (count - 1.0)).sqrt();
        if best.is_none_or(|(_, largest)| z.abs() > largest.abs() + 1e-9) {
            best = Some((before, z));
        }
    }
    best.map(|(at, z)| RankSplit { at, z, p: searched(z.abs(), n, least) })
}

/// The p of the largest of the standardised sums of all splits.
fn searched(z: f64, n: usize, least: usize) -> f64 {
    let splits = (n - 2 * least + 1) as f64;
    let bonferroni = splits * 2.0 * normal::cdf(-z);
    let smallest = least as f64 / n as f64;
    let width = 2.0 * ((1.0 - smallest) / smallest).ln();
    let process = normal::density(z) * ((z - 1.0 / z) * width + 4.0 / z);
    // Below 1 the approximation of the process no longer falls with z.
    if z > 1.0 { bonferroni.min(process).min(1.0) } else { bonferroni.min(1.0) }
}
