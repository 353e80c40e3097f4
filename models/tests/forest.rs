//! What a random forest promises: scikit-learn's quality on the same rows, probabilities, ranges, order, and the same
//! forest from the same seed on any number of threads.

#![expect(clippy::unwrap_used, reason = "tests")]

use bakeoff_models::forest::{ForestError, ForestParams, MaxFeatures};
use linfa::traits::{Fit, Predict};
use linfa::{Dataset, ParamGuard};
use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use serde_json::Value;

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn digits() -> Value {
    fixture(include_str!("fixtures/digits.json"))
}

fn diabetes() -> Value {
    fixture(include_str!("fixtures/diabetes.json"))
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn rows(value: &Value) -> Array2<f32> {
    let rows: Vec<Vec<f32>> = value.as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, column)| rows[row][column])
}

fn labels(value: &Value) -> Array1<usize> {
    numbers(value).into_iter().map(|v| v as usize).collect()
}

fn values(value: &Value) -> Array1<f32> {
    numbers(value).into()
}

#[test]
fn accuracy_on_digits_is_scikit_learns() {
    let fixture = digits();
    let train = Dataset::new(rows(&fixture["train"]["rows"]), labels(&fixture["train"]["labels"]));
    let (test, targets) = (rows(&fixture["test"]["rows"]), labels(&fixture["test"]["labels"]));
    let seeds = 5;
    let mut correct = 0;
    for seed in 0..seeds {
        let forest = ForestParams::default().trees(100).seed(seed).fit(&train).unwrap();
        correct += forest.predict(&test).iter().zip(&targets).filter(|(ours, target)| ours == target).count();
    }
    let ours = correct as f64 / (targets.len() as u64 * seeds) as f64;
    let theirs = fixture["forest"]["accuracy"].as_f64().unwrap();
    assert!((ours - theirs).abs() < 0.01, "{ours} is not within a point of scikit-learn's {theirs}");
}

#[test]
fn error_on_diabetes_is_scikit_learns() {
    let fixture = diabetes();
    let train = Dataset::new(rows(&fixture["train"]["rows"]), values(&fixture["train"]["values"]));
    let (test, targets) = (rows(&fixture["test"]["rows"]), values(&fixture["test"]["values"]));
    let seeds = 5;
    let mut mse = 0.0;
    for seed in 0..seeds {
        let params = ForestParams::default().trees(100).max_features(MaxFeatures::Share(1.0 / 3.0)).seed(seed);
        let errors = params.fit(&train).unwrap().predict(&test) - &targets;
        mse += f64::from(errors.mapv(|error| error * error).mean().unwrap()) / seeds as f64;
    }
    let theirs = fixture["forest"]["mse"].as_f64().unwrap();
    assert!((mse / theirs - 1.0).abs() < 0.03, "{mse} is not within 3 % of scikit-learn's {theirs}");
}

#[test]
fn the_same_seed_grows_the_same_forest_on_any_number_of_threads() {
    let fixture = digits();
    let train = Dataset::new(rows(&fixture["train"]["rows"]), labels(&fixture["train"]["labels"]));
    let test = rows(&fixture["test"]["rows"]);
    let grown = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| ForestParams::default().trees(9).seed(seed).fit(&train).unwrap().0.means(&test))
    };
    let one = grown(1, 7);
    assert_eq!(one, grown(2, 7));
    assert_eq!(one, grown(5, 7));
    assert_ne!(one, grown(1, 8));
}

#[test]
fn sparse_features_are_split_like_dense_ones() {
    // Turned upside down, the many zeros are the highest values: no feature is sparse any more.
    let sparse = Array2::from_shape_fn((300, 6), |(row, column)| {
        let hash = (row * 31 + column * 17) % 97;
        if hash < 12 { hash as f32 + 1.0 } else { 0.0 }
    });
    let labels: Array1<usize> = (0..300).map(|row| usize::from(sparse.row(row).sum() > 3.0)).collect();
    let dense = sparse.mapv(|v| -v);
    let fit = |rows: &Array2<f32>| {
        let params = ForestParams::default().trees(40).seed(3);
        params.fit(&Dataset::new(rows.clone(), labels.clone())).unwrap().0.means(rows)
    };
    let difference = (fit(&sparse) - fit(&dense)).mapv(f32::abs);
    // The first of equally good splits wins, and upside down they come in another order.
    assert!(difference.mean().unwrap() < 0.02, "{}", difference.mean().unwrap());
}

#[test]
fn depth_and_leaf_size_limit_the_trees() {
    let fixture = digits();
    let train = Dataset::new(rows(&fixture["train"]["rows"]), labels(&fixture["train"]["labels"]));
    let parameters = |params: ForestParams| params.trees(3).fit(&train).unwrap().0.parameters();
    // One decision and two leaves of ten classes a tree.
    assert_eq!(parameters(ForestParams::default().max_depth(Some(1))), 3 * (2 + 2 * 10));
    assert!(parameters(ForestParams::default().min_samples_leaf(20)) < parameters(ForestParams::default()) / 4);
}

#[test]
fn one_row_and_one_class_are_enough() {
    let forest = ForestParams::default().trees(2).fit(&Dataset::new(array![[1.0_f32, 2.0]], array![0_usize])).unwrap();
    assert_eq!(forest.predict(&array![[5.0_f32, 5.0]]), array![0]);
}

#[test]
fn wrong_parameters_and_wrong_rows_are_named() {
    let error = |params: ForestParams| params.check().unwrap_err().to_string();
    assert_eq!(error(ForestParams::default().trees(0)), "trees is 0, expected at least 1");
    assert_eq!(error(ForestParams::default().max_depth(Some(0))), "max_depth is 0, expected at least 1, or no limit");
    assert_eq!(error(ForestParams::default().min_samples_leaf(0)), "min_samples_leaf is 0, expected at least 1");
    assert_eq!(error(ForestParams::default().max_bins(257)), "max_bins is 257, expected 2 to 256");
    let share = ForestParams::default().max_features(MaxFeatures::Share(f64::NAN));
    assert_eq!(error(share), "max_features is NaN, expected above 0 and at most 1");

    let fit = |rows: Array2<f32>, targets: Array1<f32>| -> ForestError {
        ForestParams::default().fit(&Dataset::new(rows, targets)).unwrap_err()
    };
    let message = fit(array![[1.0], [f32::NAN]], array![1.0, 2.0]).to_string();
    assert_eq!(message, "a feature of row 1 is not a finite number");
    let message = fit(array![[1.0], [2.0]], array![f32::INFINITY, 2.0]).to_string();
    assert_eq!(message, "the target of row 0 is not a finite number");
    let message = fit(Array2::zeros((0, 3)), Array1::zeros(0)).to_string();
    assert_eq!(message, "a forest takes 1 to 16777216 rows of at least one feature, found 0 x 3");
}

/// Rows of a few distinct or many different values, with targets.
fn table() -> impl Strategy<Value = (Array2<f32>, Vec<u16>)> {
    (1_usize..60, 1_usize..5).prop_flat_map(|(rows, features)| {
        let value = prop_oneof![(-3_i8..3).prop_map(f32::from), -1e6_f32..1e6];
        let values = prop::collection::vec(value, rows * features);
        (values, prop::collection::vec(0_u16..4, rows))
            .prop_map(move |(values, targets)| (Array2::from_shape_vec((rows, features), values).unwrap(), targets))
    })
}

proptest! {
    #[test]
    fn probabilities_sum_to_one((rows, targets) in table(), seed in 0_u64..100) {
        let labels: Array1<usize> = targets.iter().map(|&t| usize::from(t)).collect();
        let forest = ForestParams::default().trees(7).seed(seed).fit(&Dataset::new(rows.clone(), labels)).unwrap();
        for row in forest.0.means(&rows).rows() {
            prop_assert!(row.iter().all(|p| (0.0..=1.0).contains(p)));
            prop_assert!((row.sum() - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn numbers_stay_within_the_range_of_the_targets((rows, targets) in table(), seed in 0_u64..100) {
        let values: Array1<f32> = targets.iter().map(|&t| f32::from(t) * 0.1 - 7.3).collect();
        let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)));
        let forest = ForestParams::default().trees(7).seed(seed).fit(&Dataset::new(rows.clone(), values)).unwrap();
        for &value in &forest.predict(&rows) {
            prop_assert!((low..=high).contains(&value));
        }
    }

    #[test]
    fn predictions_keep_the_order_of_their_rows((rows, targets) in table(), seed in 0_u64..100) {
        let labels: Array1<usize> = targets.iter().map(|&t| usize::from(t)).collect();
        let forest = ForestParams::default().trees(5).seed(seed).fit(&Dataset::new(rows.clone(), labels)).unwrap();
        let backwards: Vec<usize> = (0..rows.nrows()).rev().collect();
        prop_assert_eq!(
            forest.predict(&rows.select(Axis(0), &backwards)),
            forest.predict(&rows).select(Axis(0), &backwards)
        );
    }
}
