//! Compares both solvers with each other and with scikit-learn's SVC and SVR, which are LIBSVM (see
//! scripts/make-fixtures/classic.py).

use ndarray::{Array1, Array2, Axis};
use serde_json::Value;

use super::machine::FittedMachine;
use super::solve::Solver;
use super::solver::{Problem, Solution};
use super::{Classifier, Features, Kernel, Method, ProblemSettings, SparseRows};
use crate::model::{EpochReport, ModelError, Watch};
use crate::parallel;

pub(super) struct Unwatched;

impl Watch for Unwatched {
    fn epoch(&mut self, _: &EpochReport<'_>) -> Result<f64, ModelError> {
        unreachable!("there are no epochs here")
    }

    fn progress(&mut self, _: usize, _: usize) {}
}

fn fixture(name: &str) -> Value {
    let text = match name {
        "digits" => include_str!("../../tests/fixtures/digits.json"),
        _ => include_str!("../../tests/fixtures/diabetes.json"),
    };
    serde_json::from_str(text).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn rows(value: &Value) -> Features {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
    Features::Dense(Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, column)| rows[row][column] as f32))
}

fn labels(value: &Value) -> Vec<u16> {
    numbers(value).into_iter().map(|v| v as u16).collect()
}

fn settings(case: &Value, train: &Features) -> ProblemSettings {
    let kernel = match case["kernel"].as_str().unwrap() {
        "linear" => Kernel::Linear,
        _ => Kernel::rbf_for(train),
    };
    let epsilon = case["epsilon"].as_f64().unwrap_or(0.0);
    ProblemSettings { kernel, c: case["c"].as_f64().unwrap(), epsilon, tolerance: 1e-5 }
}

fn classifier(fixture: &Value, settings: &ProblemSettings, method: Method) -> Classifier {
    let (train, labels) = (rows(&fixture["train"]["rows"]), labels(&fixture["train"]["labels"]));
    Classifier::fit(&train, &labels, settings, method, &parallel::pool(2).unwrap(), &mut Unwatched).unwrap()
}

fn gamma(rows: &Features) -> f64 {
    match Kernel::rbf_for(rows) {
        Kernel::Rbf { gamma } => f64::from(gamma),
        Kernel::Linear => panic!("a Gaussian kernel was asked for"),
    }
}

#[test]
fn gamma_scale_is_scikit_learns() {
    for name in ["digits", "diabetes"] {
        let fixture = fixture(name);
        let expected = fixture["svm"][1]["gamma"].as_f64().unwrap();
        let ours = gamma(&rows(&fixture["train"]["rows"]));
        assert!((ours / expected - 1.0).abs() < 1e-6, "{name}: {ours} is not {expected}");
    }
}

#[test]
fn classification_agrees_with_libsvm() {
    let fixture = fixture("digits");
    let (train, test) = (rows(&fixture["train"]["rows"]), rows(&fixture["test"]["rows"]));
    for case in fixture["svm"].as_array().unwrap() {
        let settings = settings(case, &train);
        let classifier = classifier(&fixture, &settings, Method::Smo);
        let values = classifier.machine.values(&test);
        let decisions: Vec<Vec<f64>> = case["decisions"].as_array().unwrap().iter().map(numbers).collect();
        for (ours, theirs) in values.rows().into_iter().zip(&decisions) {
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert!((f64::from(*ours) - theirs).abs() < 1e-3, "{}: {ours} is not {theirs}", case["kernel"]);
            }
        }
        assert_eq!(classifier.predict(&test), labels(&case["predictions"]));
        if let Some(support) = classifier.machine.support() {
            assert!(support.abs_diff(case["support"].as_u64().unwrap() as usize) <= 2, "{support} support vectors");
        }
    }
}

#[test]
fn regression_agrees_with_libsvm() {
    let fixture = fixture("diabetes");
    let (train, test) = (rows(&fixture["train"]["rows"]), rows(&fixture["test"]["rows"]));
    let values = Array1::from(numbers(&fixture["train"]["values"]));
    let (mean, deviation) = (values.mean().unwrap(), values.std(0.0));
    let standard: Vec<f32> = values.iter().map(|v| ((v - mean) / deviation) as f32).collect();
    for case in fixture["svm"].as_array().unwrap() {
        let settings = settings(case, &train);
        for method in [Method::Smo, Method::Linfa] {
            let solver = Solver::new(method, &train, settings.kernel, train.len(), 1).unwrap();
            let Solution { coefficients, bias } = solver.regress(&standard, &settings).unwrap();
            let coefficients = Array1::from(coefficients).insert_axis(Axis(1));
            let machine = FittedMachine::new(settings.kernel, &train, &coefficients, Array1::from_elem(1, bias));
            for (ours, theirs) in machine.values(&test).iter().zip(numbers(&case["predictions"])) {
                let ours = f64::from(*ours) * deviation + mean;
                // The targets range from 25 to 346.
                assert!((ours - theirs).abs() < 0.1, "{}, {method:?}: {ours} is not {theirs}", case["kernel"]);
            }
        }
    }
}

#[test]
fn both_solvers_find_the_same_functions() {
    let fixture = fixture("digits");
    let (train, test) = (rows(&fixture["train"]["rows"]), rows(&fixture["test"]["rows"]));
    for case in fixture["svm"].as_array().unwrap() {
        let settings = settings(case, &train);
        let [smo, linfa] = [Method::Smo, Method::Linfa].map(|method| classifier(&fixture, &settings, method));
        for (ours, theirs) in smo.machine.values(&test).iter().zip(&linfa.machine.values(&test)) {
            assert!((ours - theirs).abs() < 1e-3, "{}: {ours} is not {theirs}", case["kernel"]);
        }
    }
}

#[test]
fn a_sparse_kernel_is_the_dense_one() {
    let mut sparse = SparseRows::new(5);
    sparse.push(&[(0, 0.6), (3, 0.8)]);
    sparse.push(&[]);
    sparse.push(&[(1, 0.5), (3, -0.5), (4, 1.0)]);
    let (dense, sparse) = (Features::Dense(sparse.to_dense()), Features::Sparse(sparse));
    assert_eq!(gamma(&sparse), gamma(&dense));
    for kernel in [Kernel::Linear, Kernel::Rbf { gamma: 0.7 }] {
        let difference = kernel.between(&sparse, &sparse) - kernel.between(&dense, &dense);
        assert!(difference.iter().all(|d| d.abs() < 1e-6), "{difference}");
    }
}

#[test]
fn equal_rows_with_opposite_labels_are_solved_and_undecided() {
    let kernel = Array2::from_elem((4, 4), 1.0);
    let solution = Problem::classes(kernel.view(), &[true, true, false, false], 2.0).solve(1e-3).unwrap();
    assert!(solution.coefficients.iter().sum::<f32>().abs() < 1e-6);
    assert!((solution.coefficients.iter().sum::<f32>() + solution.bias).abs() < 1e-6);
}

#[test]
fn linfa_refuses_what_does_not_fit_and_says_what_to_change() {
    let rows = Features::Dense(Array2::zeros((20_000, 2)));
    let error = Solver::new(Method::Linfa, &rows, Kernel::Linear, 20_000, 1).err().unwrap().to_string();
    assert!(error.contains("needs 3200000000 bytes for kernels and 320000 bytes for dense rows"), "{error}");
    assert!(error.contains("use fewer rows, threads or terms, or solver = \"smo\""), "{error}");
}
