//! A metric: its name and unit, which direction is better, how it is computed from predictions, how it is resampled,
//! and what a constant answer scores.

mod catalogue;

pub use catalogue::METRICS;

use crate::scores::{Answered, Example, Sample};

/// Which direction of a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Larger is better.
    Higher,
    /// Smaller is better.
    Lower,
}

impl Better {
    /// Whether `value` is strictly better than `other`.
    pub fn prefers(self, value: f64, other: f64) -> bool {
        self.goodness(value) > self.goodness(other)
    }

    /// The value as a score of which larger is always better. If smaller values are better, the sign is changed.
    pub fn goodness(self, value: f64) -> f64 {
        match self {
            Better::Higher => value,
            Better::Lower => -value,
        }
    }

    /// `higher is better` or `lower is better`.
    pub fn name(self) -> &'static str {
        match self {
            Better::Higher => "higher is better",
            Better::Lower => "lower is better",
        }
    }
}

/// A named quantity and all of its rules. All code that treats metrics differently reads these rules, so that a new
/// metric is one entry in [`METRICS`].
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The name in records. If the metric has a unit, the name ends in it.
    pub name: &'static str,
    /// The name in figures and tables.
    pub title: &'static str,
    /// The usual abbreviation, for a narrow axis or column. Empty if the title is short enough.
    pub abbreviation: &'static str,
    /// A plain SI unit, or empty.
    pub unit: &'static str,
    /// Which direction is better.
    pub better: Better,
    /// The formula and its source.
    pub formula: &'static str,
    /// How the metric is computed from targets and predictions. `None` for costs and counts.
    pub score: Option<Score>,
    /// The phases in which the metric is recorded, each with its column of `summary.csv`.
    pub columns: &'static [SummaryColumn],
}

/// A column of `summary.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SummaryColumn {
    /// The phase in records.
    pub phase: &'static str,
    /// The title of the column.
    pub title: &'static str,
    /// The title of the column with the notes of the metric's rows. Empty if `summary.csv` does not have the notes.
    pub note_title: &'static str,
}

/// The rules of a metric that is computed from targets and predictions.
#[derive(Debug, Clone, Copy)]
pub struct Score {
    /// The targets that the metric is for.
    pub targets: ScoredTargets,
    /// How the score is computed, which decides its interval and its paired test.
    pub estimator: Estimator,
    /// The constant answer whose score a model has to beat.
    pub floor: Floor,
    /// The metrics of which the first that was recorded is reported beside this one if this one ranks, as in GLUE (Wang et al. 2018,
    /// table 1).
    pub beside: &'static [&'static str],
    /// The smallest and the largest possible score, which are the ends of an axis.
    pub range: (f64, f64),
    /// The largest difference of two scores that does not matter in practice.
    pub region: Region,
    /// The unit of the score, if the targets have one.
    pub target_unit: TargetUnit,
    /// Why the score may be undefined although the targets are of its kind. This is the note of the empty row. Empty if
    /// there is no row in that case.
    pub undefined: &'static str,
}

/// A region of practical equivalence: the differences that do not matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Region {
    /// Up to this difference.
    Absolute(f64),
    /// Up to this share of the floor's score, for scores that have a unit.
    OfFloor(f64),
}

impl Region {
    /// The largest difference that does not matter; `None` if it needs a floor and there is none.
    pub fn half_width(self, floor: Option<f64>) -> Option<f64> {
        match self {
            Region::Absolute(difference) => Some(difference),
            Region::OfFloor(share) => floor.map(|floor| share * floor.abs()),
        }
    }
}

/// The kind of targets that a score is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoredTargets {
    /// Any number of classes.
    Classes,
    /// Two classes, of which class 1 is the positive one.
    TwoClasses,
    /// Numbers.
    Values,
}

impl ScoredTargets {
    /// Whether a task with this many classes has such targets. The number is 0 if the task's targets are numbers.
    pub fn applies(self, classes: usize) -> bool {
        match self {
            ScoredTargets::Classes => classes > 0,
            ScoredTargets::TwoClasses => classes == 2,
            ScoredTargets::Values => classes == 0,
        }
    }
}

/// How a score is computed.
#[derive(Debug, Clone, Copy)]
pub enum Estimator {
    /// The share of examples for which the function is true. The interval is Wilson's. The paired test is McNemar's
    /// exact test between single seeds, and otherwise the paired bootstrap.
    Proportion(fn(&Example<'_>) -> bool),
    /// The mean over examples of what the function returns. The interval comes from the bootstrap of these numbers, and
    /// the paired test from the bootstrap of their differences. The score is undefined if the function returns `None`
    /// for any example.
    Mean(fn(&Example<'_>) -> Option<f64>),
    /// A statistic of all examples together. Interval and paired test compute it anew on each resample.
    Statistic(fn(&Sample<'_>) -> Option<f64>),
}

impl Estimator {
    /// The score of each example. `None` for a statistic, which has no such scores, and if the score is undefined.
    pub fn of_each(&self, sample: &Sample<'_>) -> Option<Vec<f64>> {
        match self {
            Estimator::Proportion(is_hit) => {
                Some(sample.examples().map(|example| f64::from(u8::from(is_hit(&example)))).collect())
            }
            Estimator::Mean(score) => sample.examples().map(|example| score(&example)).collect(),
            Estimator::Statistic(_) => None,
        }
    }

    /// The score. `None` if it is undefined, which includes the case of no examples.
    pub fn estimate(&self, sample: &Sample<'_>) -> Option<f64> {
        if sample.is_empty() {
            return None;
        }
        match self {
            Estimator::Statistic(score) => score(sample),
            _ => self.of_each(sample).map(|scores| scores.iter().sum::<f64>() / scores.len() as f64),
        }
    }
}

/// The constant answer whose score is the floor of a task. "Training rows" are all rows given to the case, validation
/// rows included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// The most frequent class of the training rows. If several are equally frequent, the first of them in the task's
    /// list of classes.
    MajorityClass,
    /// Class 1, which scores higher than class 0.
    PositiveClass,
    /// The mean of the targets of the training rows.
    Mean,
    /// No constant answer has such a score, so a model must be above 0.
    Zero,
    /// There is no floor, so the metric cannot rank.
    None,
}

impl Floor {
    /// The constant answer in words.
    pub fn name(self) -> &'static str {
        match self {
            Floor::MajorityClass => "the majority class",
            Floor::PositiveClass => "the positive class",
            Floor::Mean => "the mean",
            Floor::Zero => "0",
            Floor::None => "none",
        }
    }
}

/// How the unit of a score follows from the unit of the targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetUnit {
    /// The score has no unit.
    None,
    /// The unit of the targets.
    Same,
    /// The square of the targets' unit.
    Squared,
}

/// Numbers of at least this size are written with a power of ten.
pub(crate) const MIN_VALUE_WITH_EXPONENT: f64 = 1e7;

impl Metric {
    /// Whether a score must be written with a power of ten to be readable. That is so for a huge score, and for a small
    /// error, because errors can be as small as the targets. A share of one that is nearly zero can be shown as zero.
    pub fn needs_power(&self, score: f64) -> bool {
        let size = score.abs();
        let is_error = self.score.is_some_and(|rules| rules.target_unit != TargetUnit::None);
        size >= MIN_VALUE_WITH_EXPONENT || (is_error && 0.0 < size && size < 0.01)
    }

    /// The usual abbreviation, or the title if it is short enough.
    pub fn short_title(&self) -> &'static str {
        if self.abbreviation.is_empty() { self.title } else { self.abbreviation }
    }

    /// The score of the answers to all examples. `None` if it is undefined or if the metric is not a score.
    pub fn score_of(&self, answered: Answered<'_>) -> Option<f64> {
        self.score?.estimator.estimate(&Sample::all(answered))
    }
}

/// The metric of this name.
pub fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}
