//! All metrics, one entry each.

use super::{Better, Estimator, Floor, Metric, Region, Score, ScoredTargets, SummaryColumn, TargetUnit};
use crate::scores::{ClassTally, Example, Sample, macro_mean, matthews, pearson, r2, spearman};

use Better::{Higher, Lower};
use Estimator::{Mean, Proportion, Statistic};
use ScoredTargets::{Classes, TwoClasses, Values};

/// The defaults of a metric that is not a score.
const METRIC: Metric =
    Metric { name: "", title: "", abbreviation: "", unit: "", better: Lower, formula: "", score: None, columns: &[] };

/// A score of classes between 0 and 1, whose floor is the score of the majority class.
const fn class_score(targets: ScoredTargets, estimator: Estimator) -> Score {
    Score {
        targets,
        estimator,
        floor: Floor::MajorityClass,
        beside: &[],
        range: (0.0, 1.0),
        // One point of accuracy.
        region: Region::Absolute(0.01),
        target_unit: TargetUnit::None,
        undefined: "",
    }
}

/// A score of numbers, whose floor is the score of the mean.
const fn value_score(estimator: Estimator) -> Score {
    Score { range: (f64::NEG_INFINITY, f64::INFINITY), floor: Floor::Mean, ..class_score(Values, estimator) }
}

/// A mean error, in the unit of the targets or in its square.
const fn error_score(target_unit: TargetUnit, score: fn(&Example<'_>) -> Option<f64>) -> Score {
    Score { range: (0.0, f64::INFINITY), region: Region::OfFloor(0.01), target_unit, ..value_score(Mean(score)) }
}

/// A correlation. A constant answer has none, so the floor is 0.
const fn correlation(score: fn(&Sample<'_>) -> Option<f64>) -> Score {
    Score {
        range: (-1.0, 1.0),
        floor: Floor::Zero,
        undefined: "all predictions or all targets are the same",
        ..value_score(Statistic(score))
    }
}

const fn column(phase: &'static str, title: &'static str) -> SummaryColumn {
    SummaryColumn { phase, title, note_title: "" }
}

/// A column, with a second one for the notes of its rows.
const fn noted(phase: &'static str, title: &'static str, note_title: &'static str) -> SummaryColumn {
    SummaryColumn { phase, title, note_title }
}

/// A score that can rank, of training rows.
macro_rules! on_training_rows {
    ($name:literal, $title:literal, $better:ident) => {
        Metric {
            name: concat!($name, "_train"),
            title: concat!($title, " on training rows"),
            better: $better,
            formula: concat!(
                $name,
                " of the first training rows that the model learned from, as many as there are test rows, at most 1000; only with train_score"
            ),
            columns: &[column("score", concat!($name, "_train"))],
            ..METRIC
        }
    };
}

/// All metrics. The columns of `summary.csv` are in this order. A new metric is one entry here. If it is a cost or a
/// count, the harness must also measure it in its phase.
pub static METRICS: &[Metric] = &[
    Metric {
        name: "floor",
        title: "floor",
        better: Higher,
        formula: "the task's primary metric of a constant answer: the majority class (for F1 the positive one) or the mean of the training rows' targets; 0 for correlations",
        columns: &[column("score", "floor")],
        ..METRIC
    },
    Metric {
        name: "examples",
        title: "test examples",
        better: Higher,
        formula: "number of test examples scored",
        columns: &[column("score", "examples")],
        ..METRIC
    },
    Metric {
        name: "accuracy",
        title: "accuracy",
        better: Higher,
        formula: "share of examples whose prediction is the target; scikit-learn accuracy_score",
        score: Some(Score {
            // Of next characters, the bits per character of a language model.
            beside: &["accuracy_mismatched", "bits_per_example"],
            ..class_score(Classes, Proportion(|example| example.is_right()))
        }),
        columns: &[column("score", "accuracy")],
        ..METRIC
    },
    Metric {
        name: "accuracy_mismatched",
        title: "accuracy, mismatched",
        better: Higher,
        formula: "accuracy on MNLI's rows of genres that the training rows do not have, from the same fit",
        columns: &[column("score", "accuracy_mismatched")],
        ..METRIC
    },
    Metric {
        name: "recall_macro",
        title: "macro recall",
        better: Higher,
        formula: "mean over classes of tp/(tp+fn); scikit-learn recall_score(average='macro')",
        score: Some(class_score(Classes, Statistic(|sample| Some(macro_mean(&sample.tallies()?, ClassTally::recall))))),
        columns: &[column("score", "recall_macro")],
        ..METRIC
    },
    Metric {
        name: "precision_macro",
        title: "macro precision",
        better: Higher,
        formula: "mean over classes of tp/(tp+fp), 0 where nothing was predicted; scikit-learn precision_score(average='macro', zero_division=0)",
        score: Some(class_score(
            Classes,
            Statistic(|sample| Some(macro_mean(&sample.tallies()?, ClassTally::precision))),
        )),
        columns: &[column("score", "precision_macro")],
        ..METRIC
    },
    Metric {
        name: "f1_macro",
        title: "macro F1",
        better: Higher,
        formula: "mean over classes of 2tp/(2tp+fp+fn); scikit-learn f1_score(average='macro')",
        score: Some(class_score(Classes, Statistic(|sample| Some(macro_mean(&sample.tallies()?, ClassTally::f1))))),
        columns: &[column("score", "f1_macro")],
        ..METRIC
    },
    Metric {
        name: "recall_positive",
        title: "recall of the positive class",
        better: Higher,
        formula: "tp/(tp+fn) of class 1 of a binary task; scikit-learn recall_score",
        score: Some(class_score(TwoClasses, Statistic(|sample| sample.positive().map(ClassTally::recall)))),
        columns: &[column("score", "recall_positive")],
        ..METRIC
    },
    Metric {
        name: "precision_positive",
        title: "precision of the positive class",
        better: Higher,
        formula: "tp/(tp+fp) of class 1 of a binary task; scikit-learn precision_score(zero_division=0)",
        score: Some(class_score(TwoClasses, Statistic(|sample| sample.positive().map(ClassTally::precision)))),
        columns: &[column("score", "precision_positive")],
        ..METRIC
    },
    Metric {
        name: "f1_positive",
        title: "F1 of the positive class",
        better: Higher,
        formula: "2tp/(2tp+fp+fn) of class 1 of a binary task; scikit-learn f1_score",
        score: Some(Score {
            floor: Floor::PositiveClass,
            beside: &["accuracy"],
            ..class_score(TwoClasses, Statistic(|sample| sample.positive().map(ClassTally::f1)))
        }),
        columns: &[column("score", "f1_positive")],
        ..METRIC
    },
    Metric {
        name: "matthews",
        title: "Matthews correlation",
        better: Higher,
        formula: "correlation of the classes of targets and predictions, 0 if targets or predictions are all of one class; Gorodkin 2004; scikit-learn matthews_corrcoef",
        score: Some(Score {
            floor: Floor::Zero,
            range: (-1.0, 1.0),
            ..class_score(Classes, Statistic(|sample| Some(matthews(&sample.tallies()?))))
        }),
        columns: &[column("score", "matthews")],
        ..METRIC
    },
    Metric {
        name: "brier",
        title: "Brier score",
        better: Lower,
        formula: "mean over examples of the sum over classes of (probability - indicator)^2; Brier 1950, scikit-learn brier_score_loss(scale_by_half=False)",
        score: Some(Score {
            floor: Floor::None,
            range: (0.0, 2.0),
            ..class_score(Classes, Mean(|example| example.brier()))
        }),
        columns: &[column("score", "brier")],
        ..METRIC
    },
    Metric {
        name: "bits_per_example",
        title: "bits per example",
        abbreviation: "bits",
        better: Lower,
        formula: "mean over examples of -log2(probability of the target, at least 2^-23); of next characters the bits per character; Shannon 1948, scikit-learn log_loss over ln 2",
        score: Some(Score {
            floor: Floor::None,
            // What the smallest probability that counts gives, 2^-23.
            range: (0.0, 23.0),
            ..class_score(Classes, Mean(|example| example.bits()))
        }),
        columns: &[column("score", "bits_per_example")],
        ..METRIC
    },
    Metric {
        name: "mse",
        title: "mean squared error",
        abbreviation: "MSE",
        better: Lower,
        formula: "mean of (prediction - target)^2; scikit-learn mean_squared_error",
        score: Some(error_score(TargetUnit::Squared, |example| example.error().map(|error| error * error))),
        columns: &[column("score", "mse")],
        ..METRIC
    },
    Metric {
        name: "mae",
        title: "mean absolute error",
        abbreviation: "MAE",
        better: Lower,
        formula: "mean of |prediction - target|; scikit-learn mean_absolute_error",
        score: Some(error_score(TargetUnit::Same, |example| example.error().map(f64::abs))),
        columns: &[column("score", "mae")],
        ..METRIC
    },
    Metric {
        name: "r2",
        title: "R²",
        better: Higher,
        formula: "1 - sum (target - prediction)^2 / sum (target - mean target)^2; scikit-learn r2_score",
        score: Some(Score {
            range: (f64::NEG_INFINITY, 1.0),
            undefined: "one example has no variance",
            ..value_score(Statistic(|sample| r2(&sample.values()?)))
        }),
        columns: &[column("score", "r2")],
        ..METRIC
    },
    Metric {
        name: "pearson",
        title: "Pearson correlation",
        better: Higher,
        formula: "sum of (prediction - mean) (target - mean) over the root of both sums of squares; undefined where either does not vary; scipy pearsonr",
        score: Some(Score { beside: &["spearman"], ..correlation(|sample| pearson(&sample.values()?)) }),
        columns: &[column("score", "pearson")],
        ..METRIC
    },
    Metric {
        name: "spearman",
        title: "Spearman correlation",
        better: Higher,
        formula: "Pearson correlation of the ranks, equal values share the mean of their ranks; scipy spearmanr",
        score: Some(correlation(|sample| spearman(&sample.values()?))),
        columns: &[column("score", "spearman")],
        ..METRIC
    },
    on_training_rows!("accuracy", "accuracy", Higher),
    on_training_rows!("recall_macro", "macro recall", Higher),
    on_training_rows!("precision_macro", "macro precision", Higher),
    on_training_rows!("f1_macro", "macro F1", Higher),
    on_training_rows!("recall_positive", "recall of the positive class", Higher),
    on_training_rows!("precision_positive", "precision of the positive class", Higher),
    on_training_rows!("f1_positive", "F1 of the positive class", Higher),
    on_training_rows!("matthews", "Matthews correlation", Higher),
    on_training_rows!("mse", "mean squared error", Lower),
    on_training_rows!("mae", "mean absolute error", Lower),
    on_training_rows!("r2", "R²", Higher),
    on_training_rows!("pearson", "Pearson correlation", Higher),
    on_training_rows!("spearman", "Spearman correlation", Higher),
    Metric {
        name: "truncated_examples",
        title: "truncated examples",
        formula: "examples longer than the model reads, so that their ends are ignored: training rows (validation included) in phase fit, test rows in phase score",
        columns: &[column("fit", "train_truncated"), column("score", "test_truncated")],
        ..METRIC
    },
    Metric {
        name: "wordless_examples",
        title: "examples without a word",
        formula: "texts in which the model finds no word that it can use: training rows (validation included) in phase fit, test rows in phase score",
        columns: &[column("fit", "train_wordless"), column("score", "test_wordless")],
        ..METRIC
    },
    Metric {
        name: "train_examples",
        title: "examples learned from",
        better: Higher,
        formula: "number of rows that the model learns from: without the validation rows if it only chooses by them",
        columns: &[column("fit", "train_examples")],
        ..METRIC
    },
    Metric {
        name: "unlabelled_examples",
        title: "unlabelled examples",
        better: Higher,
        formula: "number of further training rows that the model was given without their targets; only if its parameters ask \
                  for some",
        columns: &[column("fit", "unlabelled_examples")],
        ..METRIC
    },
    Metric {
        name: "classes_without_rows",
        title: "classes without training rows",
        formula: "number of the task's classes that no row the model learns from has; the note names them",
        columns: &[noted("fit", "classes_without_rows", "classes_without_rows_names")],
        ..METRIC
    },
    Metric {
        name: "classes_with_one_row",
        title: "classes with one training row",
        formula: "number of the task's classes that just one row the model learns from has; the note names them",
        columns: &[noted("fit", "classes_with_one_row", "classes_with_one_row_names")],
        ..METRIC
    },
    Metric {
        name: "classes_without_test_rows",
        title: "classes without test rows",
        formula: "number of the task's classes that no row of the fold has; the note names them; only with folds",
        columns: &[noted("score", "classes_without_test_rows", "classes_without_test_rows_names")],
        ..METRIC
    },
    Metric {
        name: "budget_s",
        title: "budget",
        unit: "s",
        formula: "seconds that the fit was allowed; only with a budget in seconds",
        columns: &[column("fit", "budget_s")],
        ..METRIC
    },
    Metric {
        name: "budget_j",
        title: "budget",
        unit: "J",
        formula: "joules that the fit was allowed; only with a budget in joules",
        columns: &[column("fit", "budget_j")],
        ..METRIC
    },
    Metric {
        name: "noisy_labels",
        title: "wrong labels",
        formula: "number of rows given to learn from whose labels were made wrong; only with label_noise",
        columns: &[column("fit", "noisy_labels")],
        ..METRIC
    },
    Metric {
        name: "seen_in_pretraining",
        title: "seen in pretraining",
        formula: "1 if the model's published weights learned from the training rows of the task, else 0; only for models with \
                  published weights; the note names the dataset",
        columns: &[column("fit", "seen_in_pretraining")],
        ..METRIC
    },
    Metric {
        name: "leaked_examples",
        title: "leaked test examples",
        formula: "number of test rows whose input is also that of a training row of the case, validation included",
        columns: &[column("score", "leaked_examples")],
        ..METRIC
    },
    Metric {
        name: "leaked_other_target",
        title: "leaked test examples with another target",
        formula: "number of the leaked test rows whose target differs from that of the training row",
        columns: &[column("score", "leaked_other_target")],
        ..METRIC
    },
    Metric {
        name: "leaked_unlabelled",
        title: "test examples among the unlabelled ones",
        formula: "number of test rows whose input is also that of a row that the model was given without its target",
        columns: &[column("score", "leaked_unlabelled")],
        ..METRIC
    },
    Metric {
        name: "trials",
        title: "search trials",
        better: Higher,
        formula: "number of search trials that began",
        columns: &[column("search", "search_trials")],
        ..METRIC
    },
    Metric {
        name: "failed_trials",
        title: "failed search trials",
        formula: "number of search trials that began and gave no score: failed, diverged, over a budget, or ended for time or memory",
        columns: &[column("search", "failed_search_trials")],
        ..METRIC
    },
    Metric {
        name: "best_validation",
        title: "best validation score",
        better: Higher,
        formula: "the task's primary metric of the chosen search trial on the rows held out of it; the best of several, so too good",
        columns: &[column("search", "best_validation")],
        ..METRIC
    },
    Metric {
        name: "validation",
        title: "validation score",
        better: Higher,
        formula: "the task's primary metric on the validation rows after a fit without epochs, which did not learn from them; only with a target",
        columns: &[column("fit", "validation")],
        ..METRIC
    },
    Metric {
        name: "target",
        title: "target",
        better: Higher,
        formula: "the target of the task, in its primary metric; only with a target",
        columns: &[column("fit", "target")],
        ..METRIC
    },
    Metric {
        name: "time_to_target_s",
        title: "time to target",
        unit: "s",
        formula: "seconds from the start of the fit to the end of its first epoch whose validation score is at least as good as the target, or to the end of a fit without epochs; empty if it is not reached; MLPerf's time to train, Mattson et al. 2020",
        columns: &[column("fit", "time_to_target_s")],
        ..METRIC
    },
    Metric {
        name: "energy_to_target_j",
        title: "energy to target",
        unit: "J",
        formula: "joules from the start of the fit to the same moment; empty if it is not reached",
        columns: &[column("fit", "energy_to_target_j")],
        ..METRIC
    },
    Metric {
        name: "fit_s",
        title: "fit time",
        unit: "s",
        formula: "wall-clock seconds of fit, encoders and validation included; of search the sum over the search trials",
        columns: &[column("fit", "fit_s"), column("search", "search_fit_s")],
        ..METRIC
    },
    Metric {
        name: "prepare_s",
        title: "preparation of the device",
        unit: "s",
        formula: "seconds in which a device other than the processor compiled its kernels for the fit and chose among them; no part of the fit",
        columns: &[column("fit", "prepare_s")],
        ..METRIC
    },
    Metric {
        name: "epochs",
        title: "epochs",
        formula: "epochs that the fit did, each with a row in curves.csv; in an ensemble, those of all members",
        columns: &[column("fit", "epochs")],
        ..METRIC
    },
    Metric {
        name: "load_s",
        title: "time to load",
        unit: "s",
        formula: "seconds in which a fresh process loads the saved model, whose files are in the system's cache",
        columns: &[column("serve", "load_s")],
        ..METRIC
    },
    Metric {
        name: "load_cold_s",
        title: "time to load from the disk",
        unit: "s",
        formula: "the same, if the files have to be read from the disk; empty where the system cannot be made to do that",
        columns: &[column("serve", "load_cold_s")],
        ..METRIC
    },
    Metric {
        name: "first_prediction_s",
        title: "first prediction",
        unit: "s",
        formula: "seconds from one raw example to the first prediction of the process that has loaded the model",
        columns: &[column("serve", "first_prediction_s")],
        ..METRIC
    },
    Metric {
        name: "transport_s",
        title: "sending",
        unit: "s",
        formula: "median seconds in which one example is sent to the program that is the model, and an answer comes back that nothing was computed for; it is part of the latency",
        columns: &[column("predict-single", "transport_s")],
        ..METRIC
    },
    Metric {
        name: "latency_p50_s",
        title: "latency p50",
        unit: "s",
        formula: "median seconds from one raw example to its prediction; of server from the arrival of a query to its prediction, at the highest rate that holds",
        columns: &[column("predict-single", "latency_p50_s"), column("server", "server_latency_p50_s")],
        ..METRIC
    },
    Metric {
        name: "latency_p90_s",
        title: "latency p90",
        unit: "s",
        formula: "90th percentile of the same; of server from the arrival of a query to its prediction, at the highest rate that holds",
        columns: &[column("predict-single", "latency_p90_s"), column("server", "server_latency_p90_s")],
        ..METRIC
    },
    Metric {
        name: "latency_p95_s",
        title: "latency p95",
        unit: "s",
        formula: "95th percentile of the same",
        columns: &[column("predict-single", "latency_p95_s")],
        ..METRIC
    },
    Metric {
        name: "latency_p99_s",
        title: "latency p99",
        unit: "s",
        formula: "99th percentile of the same; of server from the arrival of a query to its prediction, at the highest rate that holds",
        columns: &[column("predict-single", "latency_p99_s"), column("server", "server_latency_p99_s")],
        ..METRIC
    },
    Metric {
        name: "latency_p50_bound_s",
        title: "bound of latency p50",
        unit: "s",
        formula: "upper bound of the 50th percentile of latency at confidence 0.99; the note says VALID or how many more queries are needed; MLPerf Inference, early stopping",
        columns: &[column("predict-single", "latency_p50_bound_s")],
        ..METRIC
    },
    Metric {
        name: "latency_p90_bound_s",
        title: "bound of latency p90",
        unit: "s",
        formula: "upper bound of the 90th percentile of latency at confidence 0.99; the note says VALID or how many more queries are needed; MLPerf Inference, early stopping",
        columns: &[column("predict-single", "latency_p90_bound_s")],
        ..METRIC
    },
    Metric {
        name: "latency_p99_bound_s",
        title: "bound of latency p99",
        unit: "s",
        formula: "upper bound of the 99th percentile of latency at confidence 0.99; the note says VALID or how many more queries are needed; MLPerf Inference, early stopping",
        columns: &[column("predict-single", "latency_p99_bound_s")],
        ..METRIC
    },
    Metric {
        name: "latency_outliers",
        title: "latency outliers",
        formula: "number of latencies above the third quartile and three times the distance between the quartiles, none of which is left out; Tukey 1977",
        columns: &[column("predict-single", "latency_outliers")],
        ..METRIC
    },
    Metric {
        name: "queries",
        title: "queries",
        better: Higher,
        formula: "number of timed predictions of single examples; of server those that arrived at the highest rate that holds",
        columns: &[column("predict-single", "single_queries"), column("server", "server_queries")],
        ..METRIC
    },
    Metric {
        name: "measured_s",
        title: "measured time",
        unit: "s",
        better: Higher,
        formula: "seconds over which the scenario was measured; below the 600 of MLPerf Inference, the note says shortened",
        columns: &[
            column("predict-batch", "batch_measured_s"),
            column("predict-single", "single_measured_s"),
            column("server", "server_measured_s"),
        ],
        ..METRIC
    },
    Metric {
        name: "max_rate_per_s",
        title: "highest rate",
        unit: "1/s",
        better: Higher,
        formula: "highest rate of queries, with random arrivals, of which 99 % are answered within the declared bound, by MLPerf's early stopping at confidence 0.99; if no rate is, the note says why; MLPerf Inference, scenario server",
        columns: &[noted("server", "server_max_rate_per_s", "server_note")],
        ..METRIC
    },
    Metric {
        name: "capacity_per_s",
        title: "capacity",
        unit: "1/s",
        better: Higher,
        formula: "queries answered per second if all arrive at once and are predicted one at a time by each worker",
        columns: &[column("server", "server_capacity_per_s")],
        ..METRIC
    },
    Metric {
        name: "declared_bound_s",
        title: "declared bound",
        unit: "s",
        formula: "the bound on the latency of server, as the suite declares it",
        columns: &[column("server", "server_declared_bound_s")],
        ..METRIC
    },
    Metric {
        name: "late_queries",
        title: "late queries",
        formula: "number of queries that were answered later than the bound after their arrival",
        columns: &[column("server", "server_late_queries")],
        ..METRIC
    },
    Metric {
        name: "queueing_p50_s",
        title: "queueing p50",
        unit: "s",
        formula: "median seconds from the arrival of a query until a worker takes it",
        columns: &[column("server", "server_queueing_p50_s")],
        ..METRIC
    },
    Metric {
        name: "queueing_p99_s",
        title: "queueing p99",
        unit: "s",
        formula: "99th percentile of the seconds from the arrival of a query until a worker takes it",
        columns: &[column("server", "server_queueing_p99_s")],
        ..METRIC
    },
    Metric {
        name: "service_p50_s",
        title: "service p50",
        unit: "s",
        formula: "median seconds from then to its prediction",
        columns: &[column("server", "server_service_p50_s")],
        ..METRIC
    },
    Metric {
        name: "service_p99_s",
        title: "service p99",
        unit: "s",
        formula: "99th percentile of the seconds from then to its prediction",
        columns: &[column("server", "server_service_p99_s")],
        ..METRIC
    },
    Metric {
        name: "differing_answers",
        title: "differing answers",
        formula: "number of timed answers that are not those of the scoring pass; if they are more than one in a hundred, the note says failed; MLPerf Inference, audit TEST01",
        columns: &[noted("audit", "audit_differing_answers", "audit_test01")],
        ..METRIC
    },
    Metric {
        name: "repeat_speedup",
        title: "speedup of a repeated example",
        formula: "median latency of new examples over that of one that comes again and again, all of one length; above 1.1, the note says failed; MLPerf Inference, audit TEST04",
        columns: &[noted("audit", "audit_repeat_speedup", "audit_test04")],
        ..METRIC
    },
    Metric {
        name: "throughput",
        title: "throughput",
        unit: "1/s",
        better: Higher,
        formula: "test examples predicted per second, all in one call",
        columns: &[column("predict-batch", "throughput_per_s")],
        ..METRIC
    },
    Metric {
        name: "energy_j",
        title: "energy",
        unit: "J",
        formula: "joules of the phase; per prediction in the predict phases; of search the sum over the fits of the search trials",
        columns: &[
            column("fit", "fit_energy_j"),
            column("search", "search_energy_j"),
            column("predict-batch", "batch_energy_j_per_prediction"),
            column("predict-single", "single_energy_j_per_prediction"),
        ],
        ..METRIC
    },
    Metric {
        name: "energy_above_idle_j",
        title: "energy above idle",
        unit: "J",
        formula: "energy_j without idle_w for as many seconds; only by a meter",
        columns: &[
            column("fit", "fit_energy_above_idle_j"),
            column("predict-batch", "batch_energy_above_idle_j_per_prediction"),
            column("predict-single", "single_energy_above_idle_j_per_prediction"),
        ],
        ..METRIC
    },
    Metric {
        name: "counted_j",
        title: "energy as counted for budgets",
        unit: "J",
        formula: "joules of the fit as its own process counted them, by which budgets are kept; known for the shortest fit, where energy_j is not; only by a meter",
        columns: &[column("fit", "fit_counted_j")],
        ..METRIC
    },
    Metric {
        name: "steady_w",
        title: "steady power",
        unit: "W",
        formula: "mean power of the fit without its ramp-up, which ends with the first twentieth of the fit whose power is within 5 % of the median of its second half; only by a meter",
        columns: &[column("fit", "steady_w")],
        ..METRIC
    },
    Metric {
        name: "idle_w",
        title: "idle power",
        unit: "W",
        formula: "power of the idle machine before the first case, part of energy_j; only by a meter",
        columns: &[column("fit", "idle_w")],
        ..METRIC
    },
    Metric {
        name: "peak_memory_bytes",
        title: "peak memory",
        unit: "B",
        formula: "largest resident set of the process that fits the model; of serve that of the process that serves it",
        columns: &[column("case", "peak_memory_bytes"), column("serve", "serving_memory_bytes")],
        ..METRIC
    },
    Metric {
        name: "device_memory_bytes",
        title: "memory of the card",
        unit: "B",
        formula: "most bytes of its graphics card's memory that the process held which fits the model, reserved by its library; of serve that of the process that serves it",
        columns: &[column("case", "device_memory_bytes"), column("serve", "serving_device_memory_bytes")],
        ..METRIC
    },
    Metric {
        name: "steal_share",
        title: "stolen processor time",
        formula: "share of the processor time of all processors that a hypervisor gave to other machines meanwhile; /proc/stat",
        columns: &[column("fit", "fit_steal_share"), column("serve", "serve_steal_share")],
        ..METRIC
    },
    Metric {
        name: "involuntary_per_s",
        title: "involuntary context switches",
        unit: "1/s",
        formula: "how often a second a thread of the process was made to wait although it had work; /proc/self/task/*/status",
        columns: &[column("fit", "fit_involuntary_per_s"), column("serve", "serve_involuntary_per_s")],
        ..METRIC
    },
    Metric {
        name: "load",
        title: "load of other programs",
        formula: "processors that other programs kept busy, the mean over the phase: busy time of all processors less the processor time of the process; /proc/stat",
        columns: &[column("fit", "fit_load"), column("serve", "serve_load")],
        ..METRIC
    },
    Metric {
        name: "frequency_hz",
        title: "clock rate",
        unit: "Hz",
        better: Higher,
        formula: "mean over the processors and over the looks before, during and after the phase; the note names the governor; cpufreq/scaling_cur_freq",
        columns: &[column("fit", "fit_frequency_hz"), column("serve", "serve_frequency_hz")],
        ..METRIC
    },
    Metric {
        name: "temperature_c",
        title: "temperature",
        unit: "°C",
        formula: "the hottest sensor of the processor in the looks before, during and after the phase; hwmon, thermal",
        columns: &[column("fit", "fit_temperature_c"), column("serve", "serve_temperature_c")],
        ..METRIC
    },
    Metric {
        name: "noise_over_limits",
        title: "noise above the limits",
        formula: "number of limits in [noise] of the suite that the phase exceeded, after a second measurement if it was serve; the note names them; only with a limit",
        columns: &[
            noted("fit", "fit_noise_over_limits", "fit_noise"),
            noted("serve", "serve_noise_over_limits", "serve_noise"),
        ],
        ..METRIC
    },
    Metric {
        name: "affinity_cpus",
        title: "processors that the case may run on",
        better: Higher,
        formula: "number of processors in the affinity mask of the case's process; the note names them",
        columns: &[noted("case", "affinity_cpus", "affinity_cpus_names")],
        ..METRIC
    },
    Metric {
        name: "parameters",
        title: "parameters",
        formula: "learned numbers of the fitted model",
        columns: &[column("case", "parameters")],
        ..METRIC
    },
    Metric {
        name: "model_bytes",
        title: "model size",
        unit: "B",
        formula: "bytes of the fitted model as it is saved, encoder included",
        columns: &[column("case", "model_bytes")],
        ..METRIC
    },
    Metric {
        name: "generated_diversity",
        title: "diversity of generated images",
        abbreviation: "diversity",
        better: Higher,
        formula: "mean Euclidean distance of two of the images that a generator makes, over that of two training images, 64 of each; near 0 if the generator makes nearly the same image each time",
        columns: &[column("case", "generated_diversity")],
        ..METRIC
    },
    Metric {
        name: "flops",
        title: "FLOPs per example",
        formula: "multiply-adds of one prediction, times two",
        columns: &[column("case", "flops")],
        ..METRIC
    },
    Metric {
        name: "weight_bytes",
        title: "weights read per example",
        unit: "B",
        formula: "bytes of weights that one prediction reads at least once, without tables of embeddings, of which it reads a few rows",
        columns: &[column("case", "weight_bytes")],
        ..METRIC
    },
    Metric {
        name: "peak_flops_per_s",
        title: "peak of matrix products",
        unit: "1/s",
        better: Higher,
        formula: "floating-point operations a second of the fastest of several products of two matrices of 768 x 768 on the case's threads, by the kernel that networks use, before the run",
        columns: &[column("case", "peak_flops_per_s")],
        ..METRIC
    },
    Metric {
        name: "peak_bytes_per_s",
        title: "peak of memory",
        unit: "B/s",
        better: Higher,
        formula: "bytes a second of the fastest of several passes over 256 MiB on the case's threads, before the run",
        columns: &[column("case", "peak_bytes_per_s")],
        ..METRIC
    },
    Metric {
        name: "wall_s",
        title: "wall time",
        unit: "s",
        formula: "seconds from the start of the case's first process to the end of its last",
        columns: &[column("case", "wall_s")],
        ..METRIC
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_complete_and_alone_with_its_name_and_columns() {
        let mut names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
        let mut columns: Vec<&str> =
            METRICS.iter().flat_map(|metric| metric.columns).map(|column| column.title).collect();
        let (metrics, titles) = (names.len(), columns.len());
        [&mut names, &mut columns].into_iter().for_each(|list| {
            list.sort_unstable();
            list.dedup();
        });
        assert_eq!((names.len(), columns.len()), (metrics, titles), "a name or a column occurs twice");
        for metric in METRICS {
            let name = metric.name;
            assert!(!name.is_empty() && !metric.title.is_empty() && !metric.formula.is_empty(), "{name}");
            assert!(!metric.columns.is_empty(), "{name} is in no column of summary.csv");
            let in_score = metric.columns.iter().any(|column| column.phase == "score");
            assert!(metric.score.is_none() || in_score, "{name} is a score of another phase than score");
            let beside = metric.score.map_or(&[][..], |score| score.beside);
            assert!(beside.iter().all(|other| names.contains(other)), "{name} stands beside {beside:?}");
        }
    }

    #[test]
    fn every_score_that_can_rank_has_one_of_training_rows() {
        let can_rank = |metric: &&Metric| metric.score.is_some_and(|score| score.floor != Floor::None);
        for ranking in METRICS.iter().filter(can_rank) {
            let of_train = METRICS.iter().find(|metric| metric.name == format!("{}_train", ranking.name));
            assert_eq!(of_train.map(|metric| metric.better), Some(ranking.better), "{}", ranking.name);
        }
    }

    #[test]
    fn the_documents_name_every_metric() {
        let records = include_str!("../../../docs/records.md");
        for metric in METRICS {
            assert!(
                records.contains(&format!("`{}`", metric.name)),
                "docs/records.md lacks `{}`: add it to the table of phases and metrics",
                metric.name
            );
        }
    }
}
