//! The catalogue of metrics: what each number is called, its unit, and which direction is better.

/// Which direction of a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Larger is better.
    Higher,
    /// Smaller is better.
    Lower,
}

/// A named quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// The name in records, with its unit where it has one.
    pub name: &'static str,
    /// The name in figures and tables.
    pub title: &'static str,
    /// A plain SI unit, or empty.
    pub unit: &'static str,
    /// Which direction is better.
    pub better: Better,
    /// The formula and where it comes from.
    pub formula: &'static str,
}

/// From here on a number is written with a power of ten.
pub(crate) const LONG: f64 = 1e7;

impl Metric {
    /// Whether a score says something only with a power of ten: one that is huge, or a small error, which is as small as the
    /// targets are. A share of one next to zero is as good as zero.
    pub fn needs_power(&self, score: f64) -> bool {
        let size = score.abs();
        let is_error = matches!(self.name, "mse" | "mae");
        size >= LONG || (is_error && 0.0 < size && size < 0.01)
    }

    /// The usual abbreviation, where the title is too long for a narrow axis or column.
    pub fn short_title(&self) -> &'static str {
        match self.name {
            "mse" => "MSE",
            "mae" => "MAE",
            _ => self.title,
        }
    }
}

const fn metric_row(
    name: &'static str,
    title: &'static str,
    unit: &'static str,
    better: Better,
    formula: &'static str,
) -> Metric {
    Metric { name, title, unit, better, formula }
}

use Better::{Higher, Lower};

/// Every metric. Adding one is one line here and, if it is a score, one in the harness's scorer.
pub const METRICS: &[Metric] = &[
    metric_row(
        "accuracy",
        "accuracy",
        "",
        Higher,
        "share of examples whose prediction is the target; scikit-learn accuracy_score",
    ),
    metric_row(
        "accuracy_mismatched",
        "accuracy, mismatched",
        "",
        Higher,
        "accuracy on MNLI's rows of genres that the training rows do not have, from the same fit",
    ),
    metric_row(
        "recall_macro",
        "macro recall",
        "",
        Higher,
        "mean over classes of tp/(tp+fn); scikit-learn recall_score(average='macro')",
    ),
    metric_row(
        "precision_macro",
        "macro precision",
        "",
        Higher,
        "mean over classes of tp/(tp+fp), 0 where nothing was predicted; scikit-learn precision_score(average='macro', zero_division=0)",
    ),
    metric_row(
        "f1_macro",
        "macro F1",
        "",
        Higher,
        "mean over classes of 2tp/(2tp+fp+fn); scikit-learn f1_score(average='macro')",
    ),
    metric_row(
        "recall_positive",
        "recall of the positive class",
        "",
        Higher,
        "tp/(tp+fn) of class 1 of a binary task; scikit-learn recall_score",
    ),
    metric_row(
        "precision_positive",
        "precision of the positive class",
        "",
        Higher,
        "tp/(tp+fp) of class 1 of a binary task; scikit-learn precision_score(zero_division=0)",
    ),
    metric_row(
        "f1_positive",
        "F1 of the positive class",
        "",
        Higher,
        "2tp/(2tp+fp+fn) of class 1 of a binary task; scikit-learn f1_score",
    ),
    metric_row(
        "matthews",
        "Matthews correlation",
        "",
        Higher,
        "correlation of the classes of targets and predictions, 0 where either are all of one; Gorodkin 2004; scikit-learn matthews_corrcoef",
    ),
    metric_row(
        "brier",
        "Brier score",
        "",
        Lower,
        "mean over examples of the sum over classes of (probability - indicator)^2; Brier 1950, scikit-learn brier_score_loss(scale_by_half=False)",
    ),
    metric_row(
        "mse",
        "mean squared error",
        "",
        Lower,
        "mean of (prediction - target)^2; scikit-learn mean_squared_error",
    ),
    metric_row(
        "mae",
        "mean absolute error",
        "",
        Lower,
        "mean of |prediction - target|; scikit-learn mean_absolute_error",
    ),
    metric_row(
        "r2",
        "R²",
        "",
        Higher,
        "1 - sum (target - prediction)^2 / sum (target - mean target)^2; scikit-learn r2_score",
    ),
    metric_row(
        "pearson",
        "Pearson correlation",
        "",
        Higher,
        "sum of (prediction - mean) (target - mean) over the root of both sums of squares; undefined where either does not vary; scipy pearsonr",
    ),
    metric_row(
        "spearman",
        "Spearman correlation",
        "",
        Higher,
        "Pearson correlation of the ranks, equal values having the mean of theirs; scipy spearmanr",
    ),
    metric_row(
        "floor",
        "floor",
        "",
        Higher,
        "the task's primary metric of a constant answer: the majority class (for F1 the positive one) or the mean of the training targets; 0 for correlations",
    ),
    metric_row("examples", "test examples", "", Higher, "number of test examples scored"),
    metric_row(
        "truncated_examples",
        "truncated examples",
        "",
        Lower,
        "examples longer than the model reads, so that it does without their ends: of fit the training rows, validation included, of score the test rows",
    ),
    metric_row(
        "train_examples",
        "examples learned from",
        "",
        Higher,
        "number of rows that the case really learns from, validation included",
    ),
    metric_row(
        "classes_without_rows",
        "classes without training rows",
        "",
        Lower,
        "number of the task's classes that no row the case learns from has; the note names them",
    ),
    metric_row(
        "classes_with_one_row",
        "classes with one training row",
        "",
        Lower,
        "number of the task's classes that just one row the case learns from has; the note names them",
    ),
    metric_row(
        "leaked_examples",
        "leaked test examples",
        "",
        Lower,
        "number of test rows whose input is also that of a row the case learns from",
    ),
    metric_row(
        "leaked_other_target",
        "leaked test examples with another target",
        "",
        Lower,
        "number of the leaked test rows whose target differs from that of the training row",
    ),
    metric_row(
        "wordless_examples",
        "examples without a word",
        "",
        Lower,
        "number of texts in which the model finds no word it can use: of fit the training rows, validation included, of score the test rows",
    ),
    metric_row("fit_s", "fit time", "s", Lower, "wall-clock seconds of fit, encoders and validation included"),
    metric_row("latency_p50_s", "latency p50", "s", Lower, "median seconds from one raw example to its prediction"),
    metric_row("latency_p90_s", "latency p90", "s", Lower, "90th percentile of the same"),
    metric_row("latency_p95_s", "latency p95", "s", Lower, "95th percentile of the same"),
    metric_row("latency_p99_s", "latency p99", "s", Lower, "99th percentile of the same"),
    metric_row("throughput", "throughput", "1/s", Higher, "test examples predicted per second, all in one call"),
    metric_row("energy_j", "energy", "J", Lower, "joules of the phase; per prediction in the predict phases"),
    metric_row("idle_w", "idle power", "W", Lower, "power of the idle machine, part of energy_j"),
    metric_row("peak_memory_bytes", "peak memory", "B", Lower, "largest resident set of the case's process"),
    metric_row("parameters", "parameters", "", Lower, "learned numbers of the fitted model"),
    metric_row("model_bytes", "model size", "B", Lower, "bytes that a prediction needs of the fitted model"),
    metric_row("flops", "FLOPs per example", "", Lower, "multiply-adds of one prediction, times two"),
    metric_row("wall_s", "wall time", "s", Lower, "seconds from the start of the case's process to its end"),
];

/// The metric of this name.
pub fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}
