//! Whether several models differ over tasks at all.

use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor};

/// A statistic and its p.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// The value of the statistic.
    pub statistic: f64,
    /// The probability of a value at least as large, if the models do not differ.
    pub p: f64,
}

/// Friedman's test of several models over tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct Friedman {
    /// The mean rank of each model over the tasks; 1 is the best one possible.
    pub mean_ranks: Vec<f64>,
    /// Friedman's statistic and its p from the chi-square distribution, which is too careful with few tasks.
    pub chi_square: Tested,
    /// The statistic of Iman and Davenport and its p from the F distribution; `None` if every task ranks the models
    /// alike, because it is then infinite, and its p would be 0 even for two tasks.
    pub f: Option<Tested>,
}

/// Friedman's test of "all models have the same ranks" from the ranks of `k` models on each of `n` tasks, as
/// [`ranks`](super::ranks::ranks) gives them. Tasks may have metrics of different units and directions.
///
/// With the mean ranks `R_j`, the statistic is `χ² = n Σ (R_j - (k+1)/2)² / (k(k+1)/12 · c)` with `k - 1` degrees of
/// freedom (Friedman 1937). Ties make the ranks vary less, by the factor `c = 1 - Σ (t³ - t) / (n (k³ - k))`, where `t`
/// is the size of each group of equal scores (Conover 1999, *Practical nonparametric statistics*, section 5.8). `F =
/// (n-1) χ² / (n(k-1) - χ²)` has `k - 1` and `(k-1)(n-1)` degrees of freedom, and is less careful (Iman and Davenport
/// 1980; Demšar 2006, section 3.2.2).
///
/// Both are approximations for many tasks, and with fewer than about ten tasks they rarely say anything.
///
/// `None` for fewer than two models or two tasks, for tasks with different numbers of models, and if no task tells any
/// two models apart.
pub fn friedman(ranks: &[Vec<f64>]) -> Option<Friedman> {
    let tasks = ranks.len() as f64;
    let models = ranks.first()?.len();
    let k = models as f64;
    if ranks.len() < 2 || models < 2 || ranks.iter().any(|task| task.len() != models) {
        return None;
    }
    let mean_ranks: Vec<f64> =
        (0..models).map(|model| ranks.iter().map(|task| task[model]).sum::<f64>() / tasks).collect();
    let centre = (k + 1.0) / 2.0;
    let squares = |ranks: &[f64]| ranks.iter().map(|rank| (rank - centre).powi(2)).sum::<f64>();
    // The sum over tasks is n (k³ - k) c / 12: ties are in the ranks already.
    let within = ranks.iter().map(|task| squares(task)).sum::<f64>();
    if within <= 0.0 {
        return None;
    }
    let chi_square = tasks * tasks * squares(&mean_ranks) * (k - 1.0) / within;
    let freedom = k - 1.0;
    let left = tasks * freedom - chi_square;
    let f = if left > 1e-9 * chi_square {
        let statistic = (tasks - 1.0) * chi_square / left;
        let distribution = FisherSnedecor::new(freedom, freedom * (tasks - 1.0)).ok()?;
        Some(Tested { statistic, p: distribution.sf(statistic) })
    } else {
        None
    };
    let chi_square = Tested { statistic: chi_square, p: ChiSquared::new(freedom).ok()?.sf(chi_square) };
    Some(Friedman { mean_ranks, chi_square, f })
}
