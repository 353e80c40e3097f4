//! How the test examples were answered, and the scores computed from that. The scorer computes scores on all test
//! examples and the bootstrap computes them on resamples. Both call the same functions.

/// The targets and the predictions of some examples, in the same order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answered<'a> {
    /// Classes, as indices into the task's list of classes.
    Classes {
        /// For each example, the class of the target and the predicted class. Both are below `classes`.
        pairs: &'a [(u16, u16)],
        /// How many classes the task has.
        classes: usize,
        /// For each example, the probability of each class: `classes` numbers an example. `None` if the model gives
        /// none.
        probabilities: Option<&'a [f32]>,
    },
    /// Numbers. For each example, the target and the prediction.
    Values(&'a [(f64, f64)]),
}

impl<'a> Answered<'a> {
    /// How many examples there are.
    pub fn len(self) -> usize {
        match self {
            Answered::Classes { pairs, .. } => pairs.len(),
            Answered::Values(pairs) => pairs.len(),
        }
    }

    /// Whether there is no example.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The example at an index.
    ///
    /// # Panics
    /// If there is no such example, or if there are too few probabilities.
    pub fn example(self, index: usize) -> Example<'a> {
        match self {
            Answered::Classes { pairs, classes, probabilities } => {
                let (target, prediction) = pairs[index];
                let row = |all: &'a [f32]| &all[index * classes..(index + 1) * classes];
                Example::Class { target, prediction, probabilities: probabilities.map(row) }
            }
            Answered::Values(pairs) => Example::Value { target: pairs[index].0, prediction: pairs[index].1 },
        }
    }
}

/// How one example was answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Example<'a> {
    /// The target and the prediction are classes, as indices into the task's list.
    Class {
        /// The right class.
        target: u16,
        /// The predicted class.
        prediction: u16,
        /// The probability of each class, if the model gives any.
        probabilities: Option<&'a [f32]>,
    },
    /// The target and the prediction are numbers.
    Value {
        /// The right number.
        target: f64,
        /// The predicted number.
        prediction: f64,
    },
}

impl Example<'_> {
    /// Whether the prediction equals the target.
    pub fn is_right(&self) -> bool {
        match self {
            Example::Class { target, prediction, .. } => target == prediction,
            Example::Value { target, prediction } => target == prediction,
        }
    }

    /// Prediction minus target; `None` for classes.
    pub fn error(&self) -> Option<f64> {
        match self {
            Example::Class { .. } => None,
            Example::Value { target, prediction } => Some(prediction - target),
        }
    }

    /// The Brier score of one example (Brier 1950): the squared distance between the probabilities and the indicator of
    /// the target. 0 is perfect and 2 is the worst. `None` without probabilities.
    pub fn brier(&self) -> Option<f64> {
        let Example::Class { target, probabilities: Some(row), .. } = *self else { return None };
        let squared = |(class, &p): (usize, &f32)| {
            let indicator = f64::from(u8::from(class == usize::from(target)));
            (f64::from(p) - indicator).powi(2)
        };
        Some(row.iter().enumerate().map(squared).sum())
    }

    /// The negative logarithm to the base 2 of the probability that was given to the target: how many bits an ideal code for these
    /// probabilities needs for the target (Shannon 1948). A probability below 2^-23 counts as 2^-23, the precision of the
    /// probabilities, as in scikit-learn. `None` without probabilities.
    pub fn bits(&self) -> Option<f64> {
        let Example::Class { target, probabilities: Some(row), .. } = *self else { return None };
        Some(-f64::from(row[usize::from(target)].clamp(f32::EPSILON, 1.0)).log2() + 0.0)
    }
}

/// Answered examples: each of them once, or a resample of them. An example may occur several times in a resample.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    answered: Answered<'a>,
    rows: Option<&'a [usize]>,
}

impl<'a> Sample<'a> {
    /// Each example once.
    pub fn all(answered: Answered<'a>) -> Sample<'a> {
        Sample { answered, rows: None }
    }

    /// The examples at these indices.
    pub fn resample(answered: Answered<'a>, rows: &'a [usize]) -> Sample<'a> {
        Sample { answered, rows: Some(rows) }
    }

    /// How many examples there are. A repeated example counts each time.
    pub fn len(&self) -> usize {
        self.rows.map_or(self.answered.len(), <[usize]>::len)
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The examples, in order.
    pub fn examples(&self) -> impl Iterator<Item = Example<'a>> {
        let Sample { answered, rows } = *self;
        (0..self.len()).map(move |index| answered.example(rows.map_or(index, |rows| rows[index])))
    }

    /// The numbers of targets, predictions and hits of each class. `None` if the targets are numbers.
    pub fn tallies(&self) -> Option<Vec<ClassTally>> {
        let Answered::Classes { pairs, classes, .. } = self.answered else { return None };
        let mut tallies = vec![ClassTally::default(); classes];
        let mut count = |(target, prediction): (u16, u16)| {
            tallies[usize::from(target)].targets += 1;
            tallies[usize::from(prediction)].predictions += 1;
            tallies[usize::from(target)].hits += u32::from(target == prediction);
        };
        match self.rows {
            Some(rows) => rows.iter().for_each(|&row| count(pairs[row])),
            None => pairs.iter().for_each(|&pair| count(pair)),
        }
        Some(tallies)
    }

    /// The tally of class 1, if the task has two classes. `None` for any other task.
    pub fn positive(&self) -> Option<ClassTally> {
        match self.tallies()?[..] {
            [_, positive] => Some(positive),
            _ => None,
        }
    }

    /// The targets and predictions of a task of numbers. `None` for classes.
    pub fn values(&self) -> Option<Vec<(f64, f64)>> {
        let Answered::Values(pairs) = self.answered else { return None };
        Some(match self.rows {
            Some(rows) => rows.iter().map(|&row| pairs[row]).collect(),
            None => pairs.to_vec(),
        })
    }
}

/// How often one class was the target, the prediction, and both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClassTally {
    /// Examples whose target is the class.
    pub targets: u32,
    /// Examples for which the class was predicted.
    pub predictions: u32,
    /// Examples for which both hold: true positives.
    pub hits: u32,
}

impl ClassTally {
    /// tp / (tp + fn); 0 if no example is of the class.
    pub fn recall(self) -> f64 {
        ratio(self.hits, self.targets)
    }

    /// tp / (tp + fp); 0 if the class was never predicted.
    pub fn precision(self) -> f64 {
        ratio(self.hits, self.predictions)
    }

    /// 2tp / (2tp + fp + fn). The denominator is the sum of the targets, tp + fn, and the predictions, tp + fp. 0 if
    /// there are neither.
    pub fn f1(self) -> f64 {
        ratio(2 * self.hits, self.targets + self.predictions)
    }
}

fn ratio(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}

/// The mean of `metric` over the classes that occur among the targets or the predictions. scikit-learn does this for
/// `labels=None`. There must be at least one example.
pub(crate) fn macro_mean(tallies: &[ClassTally], metric: fn(ClassTally) -> f64) -> f64 {
    let seen = || tallies.iter().copied().filter(|tally| tally.targets + tally.predictions > 0);
    seen().map(metric).sum::<f64>() / seen().count() as f64
}

/// Matthews' correlation coefficient for any number of classes (Gorodkin 2004): the correlation between the indicators
/// of the targets and those of the predictions. 0 if the targets or the predictions are all of one class. scikit-learn
/// has it as `matthews_corrcoef`.
pub(crate) fn matthews(tallies: &[ClassTally]) -> f64 {
    let sum = |of: fn(&ClassTally) -> f64| tallies.iter().map(of).sum::<f64>();
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

/// R², the share of the targets' variance that the predictions explain. If all targets are equal, there is nothing to
/// explain: the result is 1 for perfect predictions and 0 for others. scikit-learn has it as `r2_score`. `None` for
/// fewer than two examples.
pub(crate) fn r2(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < 2 {
        return None;
    }
    let mean = pairs.iter().map(|pair| pair.0).sum::<f64>() / pairs.len() as f64;
    let squared: f64 = pairs.iter().map(|(target, prediction)| (prediction - target).powi(2)).sum();
    let total: f64 = pairs.iter().map(|(target, _)| (target - mean).powi(2)).sum();
    Some(if total > 0.0 {
        1.0 - squared / total
    } else if squared > 0.0 {
        0.0
    } else {
        1.0
    })
}

/// Pearson's correlation of the two sides of `pairs`. `None` if a side does not vary. scipy has it as `pearsonr`.
pub(crate) fn pearson(pairs: &[(f64, f64)]) -> Option<f64> {
    let &(first_left, first_right) = pairs.first()?;
    // This compares the values themselves, because the deviations of a constant from its rounded mean may differ from
    // zero.
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

/// Spearman's correlation: Pearson's correlation of the ranks. Equal values share the mean of their ranks. `None` if a
/// side does not vary. scipy has it as `spearmanr`.
pub(crate) fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let left = ranks(pairs.iter().map(|pair| pair.0).collect());
    let right = ranks(pairs.iter().map(|pair| pair.1).collect());
    pearson(&left.into_iter().zip(right).collect::<Vec<_>>())
}

/// The rank of each value, from 1. Equal values share the mean of their ranks.
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
