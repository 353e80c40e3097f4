//! The scorer agrees with scikit-learn, keeps to what a metric may be, and refuses what is no answer.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bakeoff::scoring::{ScoreError, floor, metrics_that_rank, score, shown, undefined};
use bakeoff_datasets::Targets;
use bakeoff_models::{Matrix, Predictions};
use bakeoff_reports::{PredictionRow, decode, encode, encode_header, metric};
use proptest::prelude::*;
use serde::Deserialize;

/// What `scripts/make-fixtures/metrics.py` writes.
#[derive(Deserialize)]
struct Fixtures {
    classes: Vec<ClassCase>,
    values: Vec<ValueCase>,
}

#[derive(Deserialize)]
struct ClassCase {
    name: String,
    classes: usize,
    targets: Vec<u16>,
    predictions: Vec<u16>,
    probabilities: Option<Vec<Vec<f32>>>,
    scores: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct ValueCase {
    name: String,
    targets: Vec<f32>,
    predictions: Vec<f32>,
    scores: BTreeMap<String, f64>,
}

fn fixtures() -> Fixtures {
    serde_json::from_str(include_str!("fixtures/metrics.json")).unwrap()
}

fn classes(labels: &[u16], count: usize) -> Targets {
    let names: Arc<[String]> = (0..count).map(|class| format!("class {class}")).collect();
    Targets::Classes { labels: labels.to_vec(), names }
}

fn labels(labels: &[u16]) -> Predictions {
    Predictions::Classes { labels: labels.to_vec(), probabilities: None }
}

fn with_probabilities(labels: &[u16], rows: &[Vec<f32>]) -> Predictions {
    let matrix = Matrix { rows: rows.len(), cols: rows[0].len(), data: rows.concat() };
    Predictions::Classes { labels: labels.to_vec(), probabilities: Some(matrix) }
}

/// Asserts that `targets` and `predictions` give just the metrics in `expected`, to 1e-9.
fn assert_agrees(name: &str, targets: &Targets, predictions: &Predictions, expected: &BTreeMap<String, f64>) {
    let scores = score(targets, predictions).unwrap();
    let mut computed: Vec<&str> = scores.iter().map(|(metric, _)| *metric).collect();
    computed.sort_unstable();
    let in_fixture: Vec<&str> = expected.keys().map(String::as_str).collect();
    assert_eq!(
        computed, in_fixture,
        "{name}: left the scores of METRICS, right those of the fixture, which scripts/make-fixtures/metrics.py writes"
    );
    for (metric, value) in scores {
        let wanted = expected[metric];
        assert!((value - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{name}: {metric} {value}, not {wanted}");
        assert!(bakeoff_reports::metric(metric).is_some(), "{metric} is not in the catalogue");
    }
}

#[test]
fn class_metrics_agree_with_scikit_learn() {
    let cases = fixtures().classes;
    assert!(cases.len() >= 14);
    for case in cases {
        let predictions = match &case.probabilities {
            Some(rows) => with_probabilities(&case.predictions, rows),
            None => labels(&case.predictions),
        };
        assert_agrees(&case.name, &classes(&case.targets, case.classes), &predictions, &case.scores);
    }
}

#[test]
fn value_metrics_agree_with_scikit_learn() {
    let cases = fixtures().values;
    assert!(cases.len() >= 7);
    for case in cases {
        let predictions = Predictions::Values(case.predictions);
        assert_agrees(&case.name, &Targets::Values(case.targets), &predictions, &case.scores);
    }
}

#[test]
fn a_wrong_number_of_predictions_is_refused() {
    let error = score(&classes(&[0, 1, 0], 2), &labels(&[0, 1])).unwrap_err();
    assert_eq!(error, ScoreError::WrongCount { what: "labels", expected: 3, found: 2 });
    assert!(error.to_string().starts_with("the model gave 2 labels for 3 examples"), "{error}");
    let error = score(&Targets::Values(vec![1.0]), &Predictions::Values(vec![1.0, 2.0])).unwrap_err();
    assert_eq!(error, ScoreError::WrongCount { what: "values", expected: 1, found: 2 });
    let error = score(&classes(&[0, 1], 2), &with_probabilities(&[0, 1], &[vec![1.0, 0.0]])).unwrap_err();
    assert_eq!(error, ScoreError::WrongCount { what: "rows of probabilities", expected: 2, found: 1 });
}

#[test]
fn a_label_that_is_no_class_is_refused_by_example() {
    let error = score(&classes(&[0, 1], 2), &labels(&[0, 2])).unwrap_err();
    assert_eq!(error, ScoreError::NoSuchClass { example: 1, label: 2, classes: 2 });
    assert_eq!(error.to_string(), "example 1: the model predicted class 2, but the task has classes 0..=1");
}

#[test]
fn numbers_that_are_not_finite_are_told_apart_from_other_faults() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let error = score(&Targets::Values(vec![1.0, 2.0]), &Predictions::Values(vec![1.0, bad])).unwrap_err();
        assert!(matches!(error, ScoreError::NotFinite { example: 1, what: "prediction", .. }), "{error}");
        let rows = [vec![1.0, 0.0], vec![bad, 0.0]];
        let error = score(&classes(&[0, 1], 2), &with_probabilities(&[0, 1], &rows)).unwrap_err();
        assert!(matches!(error, ScoreError::NotFinite { example: 1, what: "probability", .. }), "{error}");
    }
}

#[test]
fn probabilities_that_are_none_are_refused() {
    for row in [vec![0.5, 0.4], vec![1.5, -0.5], vec![0.0, 0.0]] {
        let error = score(&classes(&[0], 2), &with_probabilities(&[0], std::slice::from_ref(&row))).unwrap_err();
        assert_eq!(error, ScoreError::NotProbabilities { example: 0, found: row });
    }
    let error = score(&classes(&[0], 2), &with_probabilities(&[0], &[vec![0.2, 0.3, 0.5]])).unwrap_err();
    assert_eq!(error, ScoreError::WrongColumns { expected: 2, found: 3 });
}

#[test]
fn the_wrong_kind_of_prediction_is_refused() {
    let error = score(&classes(&[0], 2), &Predictions::Values(vec![0.0])).unwrap_err();
    assert_eq!(error, ScoreError::WrongKind { expected: "classes", found: "values" });
    let error = score(&Targets::Values(vec![0.0]), &labels(&[0])).unwrap_err();
    assert_eq!(error, ScoreError::WrongKind { expected: "values", found: "classes" });
}

#[test]
fn nothing_to_score_is_refused() {
    assert_eq!(score(&classes(&[], 2), &labels(&[])), Err(ScoreError::Empty));
    assert_eq!(score(&Targets::Values(vec![]), &Predictions::Values(vec![])), Err(ScoreError::Empty));
}

#[test]
fn the_floor_is_the_score_of_the_majority_class_or_the_mean() {
    let train = classes(&[2, 1, 2, 0], 3);
    let test = classes(&[2, 0, 1, 2, 2], 3);
    assert_eq!(floor(&train, &test, "accuracy"), 0.6);
    // The first of equally frequent classes.
    assert_eq!(floor(&classes(&[2, 1], 3), &test, "accuracy"), 0.2);
    assert_eq!(floor(&Targets::Values(vec![0.0, 2.0]), &Targets::Values(vec![0.0, 4.0]), "mse"), 5.0);
}

#[test]
fn the_floor_is_the_same_in_any_order_of_the_training_rows() {
    // In this order the sum loses the small numbers, in the reverse order it keeps them.
    let values: Vec<f32> = std::iter::once(1e17).chain((0..40_000).map(|index| 1e3 + index as f32 / 7.0)).collect();
    let reversed: Vec<f32> = values.iter().rev().copied().collect();
    let test = Targets::Values(vec![0.0, 4.0]);
    for metric in ["mse", "mae", "r2"] {
        let floors = [&values, &reversed].map(|values| floor(&Targets::Values(values.clone()), &test, metric));
        assert_eq!(floors[0].to_bits(), floors[1].to_bits(), "{metric}");
    }
    // Both classes are equally frequent: the first one of the task, whichever comes first in the rows.
    let test = classes(&[0, 0, 1], 2);
    for labels in [[0, 1, 0, 1], [1, 0, 1, 0]] {
        assert_eq!(floor(&classes(&labels, 2), &test, "accuracy"), 2.0 / 3.0);
    }
}

#[test]
fn a_metric_can_rank_if_a_constant_answer_has_it() {
    let two = classes(&[0, 1], 2);
    assert!(metrics_that_rank(&two, &two).contains(&"f1_positive"));
    for other in ["brier", "bits_per_example", "accuracy_mismatched", "mse", "floor"] {
        assert!(!metrics_that_rank(&two, &two).contains(&other), "{other}");
    }
    let values = Targets::Values(vec![0.0, 1.0]);
    let (of_two, of_one) =
        (metrics_that_rank(&values, &values), metrics_that_rank(&values, &Targets::Values(vec![1.0])));
    assert!(["mse", "mae", "r2", "pearson", "spearman"].iter().all(|name| of_two.contains(name)), "{of_two:?}");
    // One example has no variance.
    assert!(of_one.contains(&"mse") && of_one.contains(&"pearson") && !of_one.contains(&"r2"), "{of_one:?}");
    assert!(!metrics_that_rank(&classes(&[0, 1, 2], 3), &classes(&[0], 3)).contains(&"f1_positive"));
}

#[test]
fn the_floor_of_f1_is_that_of_the_positive_class_and_of_correlations_is_zero() {
    let (mostly_negative, test) = (classes(&[0, 0, 1], 2), classes(&[0, 1, 0, 1, 0, 0], 2));
    assert_eq!(floor(&mostly_negative, &test, "f1_positive"), 0.5);
    assert_eq!(floor(&mostly_negative, &test, "accuracy"), 4.0 / 6.0);
    assert_eq!(floor(&mostly_negative, &test, "matthews"), 0.0);
    let values = Targets::Values(vec![0.0, 2.0, 5.0]);
    assert_eq!((floor(&values, &values, "pearson"), floor(&values, &values, "spearman")), (0.0, 0.0));
}

#[test]
fn a_correlation_with_a_constant_is_missing_and_not_zero() {
    // A third of their sum is not 0.1 itself: the deviations from the mean are not zero.
    for constant in [vec![0.1; 3], vec![2.5; 3]] {
        let varied = vec![1.0, 2.0, 4.0];
        for (targets, answers) in [(&constant, &varied), (&varied, &constant)] {
            let scores = score(&Targets::Values(targets.clone()), &Predictions::Values(answers.clone())).unwrap();
            let names: Vec<_> = scores.iter().map(|(name, _)| *name).collect();
            assert!(names.contains(&"r2") && !names.contains(&"pearson") && !names.contains(&"spearman"), "{names:?}");
            let missing: Vec<_> = undefined(&Targets::Values(targets.clone()), &scores);
            assert_eq!(missing.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["pearson", "spearman"]);
            assert!(missing.iter().all(|(_, reason)| *reason == "all predictions or all targets are the same"));
        }
    }
}

proptest! {
    #[test]
    fn class_metrics_are_in_their_range_and_do_not_depend_on_the_order(
        rows in prop::collection::vec((0_u16..5, 0_u16..5), 1..60).prop_shuffle(),
    ) {
        let of = |rows: &[(u16, u16)]| {
            let (targets, answers): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
            score(&classes(&targets, 5), &labels(&answers)).unwrap()
        };
        let scores = of(&rows);
        for &(name, value) in &scores {
            let (lowest, highest) = metric(name).unwrap().score.unwrap().range;
            prop_assert!(
                (lowest - 1e-12..=highest + 1e-12).contains(&value),
                "{} is {}, outside the range {}..={} of its entry in METRICS", name, value, lowest, highest
            );
        }
        let mut sorted = rows.clone();
        sorted.sort_unstable();
        prop_assert_eq!(scores, of(&sorted));
    }

    #[test]
    fn renaming_the_classes_changes_no_macro_metric(rows in prop::collection::vec((0_u16..4, 0_u16..4), 1..60)) {
        let of = |rename: fn(u16) -> u16| {
            let (targets, answers): (Vec<_>, Vec<_>) = rows.iter().map(|&(t, a)| (rename(t), rename(a))).unzip();
            score(&classes(&targets, 4), &labels(&answers)).unwrap()
        };
        for ((_, a), (_, b)) in of(|class| class).into_iter().zip(of(|class| 3 - class)) {
            prop_assert!((a - b).abs() < 1e-12);
        }
    }

    #[test]
    fn a_brier_score_follows_from_a_stored_file_of_predictions(
        rows in prop::collection::vec((prop::collection::vec(1e-30..1.0_f32, 5), 0..5_u16), 1..40),
    ) {
        let (mut targets, mut probabilities) = (Vec::new(), Vec::new());
        for (weights, target) in rows {
            let sum: f32 = weights.iter().sum();
            probabilities.push(weights.iter().map(|weight| weight / sum).collect::<Vec<f32>>());
            targets.push(target);
        }
        let scores = score(&classes(&targets, 5), &with_probabilities(&targets, &probabilities)).unwrap();
        let recorded = scores.iter().find(|(name, _)| *name == "brier").unwrap().1;
        let stored: Vec<PredictionRow> = targets.iter().zip(&probabilities).enumerate().map(|(example, (target, row))| {
            let target = target.to_string();
            PredictionRow { example, target: target.clone(), prediction: target, probabilities: row.clone() }
        }).collect();
        let file = [encode_header::<PredictionRow>(), encode(&stored).unwrap()].concat();
        let read = decode::<PredictionRow>(Path::new("predictions.csv"), &file).unwrap().rows;
        let distance = |row: &PredictionRow| -> f64 {
            let is = |class: usize| f64::from(u8::from(class.to_string() == row.target));
            row.probabilities.iter().enumerate().map(|(class, &p)| (f64::from(p) - is(class)).powi(2)).sum()
        };
        let brier = read.iter().map(distance).sum::<f64>() / read.len() as f64;
        prop_assert!((brier - recorded).abs() <= 1e-12, "{} and {}", brier, recorded);
    }

    #[test]
    fn value_metrics_do_not_depend_on_the_order_and_the_mean_explains_nothing(
        rows in prop::collection::vec((-60.0..60.0_f32, -60.0..60.0_f32), 2..60),
    ) {
        let of = |rows: &[(f32, f32)]| {
            let (targets, answers): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
            score(&Targets::Values(targets), &Predictions::Values(answers)).unwrap()
        };
        let reversed: Vec<_> = rows.iter().rev().copied().collect();
        for ((name, a), (_, b)) in of(&rows).into_iter().zip(of(&reversed)) {
            prop_assert!((a - b).abs() <= 1e-9 * a.abs().max(1.0), "{}: {} and {}", name, a, b);
        }
        let targets = Targets::Values(rows.iter().map(|row| row.0).collect());
        prop_assert!(floor(&targets, &targets, "r2").abs() < 1e-3);
    }
}

#[test]
fn a_score_is_told_with_digits_that_say_something() {
    for (metric, score, expected) in [
        ("accuracy", 0.44101, "0.4410"),
        ("accuracy", 0.00001, "0.0000"),
        ("mse", 22_599.0, "22599.0000"),
        ("mse", 6.331e-12, "6.331e-12"),
        ("mae", 1.1e77, "1.100e77"),
    ] {
        assert_eq!(shown(metric, score), expected);
    }
}
