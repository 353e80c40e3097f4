//! Scores of test rows in several trials. **Seeds replicate, rows do not**: the same rows are answered in every trial, so 3 seeds
//! of 1,000 rows are not 3,000 independent scores.

use super::Inference;

/// A score of each test row in each trial of a model: one trial a seed, the same rows in all of them. There is no way to the
/// scores but by trial, so that rows of several seeds cannot be counted as independent.
#[derive(Debug, Clone, PartialEq)]
pub struct Trials {
    rows: usize,
    /// The scores of the rows, by trial.
    scores: Vec<Vec<f64>>,
}

/// The mean squares of the trials-by-rows table: Searle, Casella and McCulloch 1992, "Variance Components", section 4.2, for two
/// crossed random factors with one score a cell.
struct MeanSquares {
    trials: f64,
    rows: f64,
    rest: f64,
}

impl Trials {
    /// `None` without a trial, with fewer than two rows, if the trials have different numbers of rows, or if a score is not finite.
    pub fn new(scores: Vec<Vec<f64>>) -> Option<Trials> {
        let rows = scores.first()?.len();
        let is_sound = |trial: &Vec<f64>| trial.len() == rows && trial.iter().all(|score| score.is_finite());
        (rows >= 2 && scores.iter().all(is_sound)).then_some(Trials { rows, scores })
    }

    /// The sum of the scores of each row in each trial, each times its factor: a difference has the factors 1 and -1. Trials are
    /// paired by their order. `None` without a term, and unless all have the same numbers of trials and rows.
    pub fn combination(terms: &[(f64, Trials)]) -> Option<Trials> {
        let (first, rest) = terms.split_first()?;
        let mut sum = first.1.clone();
        sum.scores.iter_mut().flatten().for_each(|score| *score *= first.0);
        for (factor, trials) in rest {
            if (trials.rows, trials.scores.len()) != (sum.rows, sum.scores.len()) {
                return None;
            }
            let others = trials.scores.iter().flatten();
            sum.scores.iter_mut().flatten().zip(others).for_each(|(score, other)| *score += factor * other);
        }
        Some(sum)
    }

    /// How many trials there are.
    pub fn seeds(&self) -> usize {
        self.scores.len()
    }

    /// How many rows each trial scores.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// All scores, trial by trial.
    pub(crate) fn all(&self) -> impl Iterator<Item = f64> {
        self.scores.iter().flatten().copied()
    }

    /// The mean score of each trial.
    pub fn means(&self) -> Vec<f64> {
        self.scores.iter().map(|trial| trial.iter().sum::<f64>() / self.rows as f64).collect()
    }

    /// Whether every score is zero.
    pub fn is_zero(&self) -> bool {
        self.all().all(|score| score == 0.0)
    }

    /// `value`, which is the mean over trials and rows or a statistic whose pseudo-values these scores are, with its error. With one
    /// trial the error is that of other rows alone. With several it is that of other seeds and other rows. `None` if nothing varies.
    ///
    /// The variance of the mean over `s` trials and `r` rows is `(M_trials + M_rows - M_rest) / (s r)`, with the mean squares of
    /// two crossed random factors. Its first part has only `s - 1` degrees of freedom. So the quantile of the interval is the mean
    /// of the quantiles of both parts, weighted by the parts: `(t_{s-1} M_trials + t_{r-1} (M_rows - M_rest)) / (M_trials +
    /// M_rows - M_rest)`, which is the approximation of Cochran and Cox 1957, "Experimental Designs", section 4.14. The degrees
    /// of freedom are those of the t distribution with this quantile. Satterthwaite's degrees of freedom cover too little with
    /// 2 or 3 seeds (docs/methodology.md). The whole is at least `M_rest`, which is the least that it can be: two seeds can agree by
    /// chance, and would then leave nothing.
    pub fn infer(&self, value: f64) -> Option<Inference> {
        let rows = self.rows as f64;
        let MeanSquares { trials, rows: of_rows, rest } = self.mean_squares();
        if self.seeds() == 1 {
            return Inference::new(value, (of_rows / rows).sqrt(), rows - 1.0);
        }
        let seeds = self.seeds() as f64;
        let of_rows = (of_rows - rest).max(rest - trials).max(0.0);
        let cells = seeds * rows;
        Inference::of_parts(value, [(trials / cells, seeds - 1.0), (of_rows / cells, rows - 1.0)])
    }

    fn mean_squares(&self) -> MeanSquares {
        let (seeds, rows) = (self.seeds() as f64, self.rows as f64);
        let by_trial = self.means();
        let mean = by_trial.iter().sum::<f64>() / seeds;
        let by_row: Vec<f64> =
            (0..self.rows).map(|row| self.scores.iter().map(|trial| trial[row]).sum::<f64>() / seeds).collect();
        let squares = |means: &[f64]| means.iter().map(|other| (other - mean).powi(2)).sum::<f64>();
        let rest: f64 = self
            .scores
            .iter()
            .zip(&by_trial)
            .map(|(trial, of_trial)| {
                trial.iter().zip(&by_row).map(|(score, of_row)| (score - of_trial - of_row + mean).powi(2)).sum::<f64>()
            })
            .sum();
        MeanSquares {
            trials: rows * squares(&by_trial) / (seeds - 1.0),
            rows: seeds * squares(&by_row) / (rows - 1.0),
            rest: rest / ((seeds - 1.0) * (rows - 1.0)),
        }
    }

    /// The parts of the variance of one score: that of seeds, and that of rows. Neither is below 0. `None` for one trial, which
    /// does not show the spread over seeds.
    pub fn variances(&self) -> Option<(f64, f64)> {
        let MeanSquares { trials, rows, rest } = self.mean_squares();
        let above = |square: f64, others: f64| ((square - rest) / others).max(0.0);
        (self.seeds() > 1).then(|| (above(trials, self.rows as f64), above(rows, self.seeds() as f64)))
    }
}
