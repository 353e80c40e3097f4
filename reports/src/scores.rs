//! Scores that are no mean over examples. The scorer computes them on all test examples and the bootstrap on resamples
//! of them, by these same functions.

/// What became of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Examples of the class.
    pub targets: u32,
    /// Predictions of the class.
    pub predictions: u32,
    /// Both at once: true positives.
    pub hits: u32,
}

impl Tally {
    /// tp / (tp + fn); 0 where there is no example of the class.
    pub fn recall(self) -> f64 {
        ratio(self.hits, self.targets)
    }

    /// tp / (tp + fp); 0 where the class was never predicted.
    pub fn precision(self) -> f64 {
        ratio(self.hits, self.predictions)
    }

    /// 2tp / (2tp + fp + fn), as tp + fn are the targets and tp + fp the predictions; 0 where there are neither.
    pub fn f1(self) -> f64 {
        ratio(2 * self.hits, self.targets + self.predictions)
    }
}

fn ratio(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}

/// The mean of `metric` over the classes that occur among the targets or the predictions: scikit-learn's `labels=None`.
/// There must be an example.
pub fn macro_mean(tallies: &[Tally], metric: fn(Tally) -> f64) -> f64 {
    let seen = || tallies.iter().copied().filter(|tally| tally.targets + tally.predictions > 0);
    seen().map(metric).sum::<f64>() / seen().count() as f64
}

/// Matthews' correlation coefficient, for any number of classes (Gorodkin 2004): the correlation of the indicators of
/// the targets with those of the predictions. 0 where either are all of one class; scikit-learn `matthews_corrcoef`.
pub fn matthews(tallies: &[Tally]) -> f64 {
    let sum = |of: fn(&Tally) -> f64| tallies.iter().map(of).sum::<f64>();
    let examples = sum(|tally| f64::from(tally.targets));
    let hits = sum(|tally| f64::from(tally.hits));
    let products = sum(|tally| f64::from(tally.targets) * f64::from(tally.predictions));
    let targets = examples * examples - sum(|tally| f64::from(tally.targets).powi(2));
    let predictions = examples * examples - sum(|tally| f64::from(tally.predictions).powi(2));
    if targets == 0.0 || predictions == 0.0 {
        return 0.0;
    }
    (hits * examples - products) / (targets.sqrt() * predictions.sqrt())
}

/// Pearson's correlation of the two sides of `pairs`; `None` where a side does not vary. scipy `pearsonr`.
pub fn pearson(pairs: &[(f64, f64)]) -> Option<f64> {
    let &(first_left, first_right) = pairs.first()?;
    // Asked of the values: the deviations of a constant from its rounded mean need not be zero.
    if pairs.iter().all(|pair| pair.0 == first_left) || pairs.iter().all(|pair| pair.1 == first_right) {
        return None;
    }
    let count = pairs.len() as f64;
    let (left, right) = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    let deviations = || pairs.iter().map(|pair| (pair.0 - left / count, pair.1 - right / count));
    let left = deviations().map(|(left, _)| left * left).sum::<f64>().sqrt();
    let right = deviations().map(|(_, right)| right * right).sum::<f64>().sqrt();
    let correlation = deviations().map(|pair| (pair.0 / left) * (pair.1 / right)).sum::<f64>();
    Some(correlation.clamp(-1.0, 1.0)).filter(|correlation| correlation.is_finite())
}

/// Spearman's correlation: Pearson's of the ranks, equal values having the mean of theirs. `None` where a side does not
/// vary. scipy `spearmanr`.
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let left = ranks(pairs.iter().map(|pair| pair.0).collect());
    let right = ranks(pairs.iter().map(|pair| pair.1).collect());
    pearson(&left.into_iter().zip(right).collect::<Vec<_>>())
}

/// The rank of each value, from 1.
fn ranks(values: Vec<f64>) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut place = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = place as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|&index| ranks[index] = rank);
        place += equal.len();
    }
    ranks
}
