//! Both solvers against each other and against scikit-learn's SVC and SVR, which are LIBSVM (see
//! scripts/make-fixtures/classic.py).

use ndarray::{Array1, Array2, Axis};
use serde_json::Value;

use super::by_class;
use super::kernel::{Kernel, scale_gamma};
use super::machine::{Machine, pairs, vote};
use super::solve::{Settings, Solver};
use super::solver::{Problem, Solution};
use crate::encode::features::Features;

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

fn settings(case: &Value, train: &Features) -> Settings {
    let kernel = match case["kernel"].as_str().unwrap() {
        "linear" => Kernel::Linear,
        _ => Kernel::Rbf { gamma: scale_gamma(train) as f32 },
    };
    let epsilon = case["epsilon"].as_f64().unwrap_or(0.0);
    Settings { kernel, c: case["c"].as_f64().unwrap(), epsilon, tolerance: 1e-5 }
}

/// A one-versus-one machine on the digits.
fn classifier(train: &Features, labels: &[u16], settings: &Settings, linfa: bool) -> (Machine, Vec<u16>, usize) {
    let (order, classes) = by_class(labels);
    let train = train.select(&order);
    let solver = if linfa { Solver::linfa(&train, 200, 1).unwrap() } else { Solver::smo(&train, settings.kernel) };
    let count = pairs(classes.len()).count();
    let mut coefficients = Array2::zeros((train.len(), count));
    let mut bias = Array1::zeros(count);
    for (index, (first, second)) in pairs(classes.len()).enumerate() {
        let (first, second) = (&classes[first].1, &classes[second].1);
        let solution = solver.classify(first, second, settings).unwrap();
        for (row, coefficient) in first.clone().chain(second.clone()).zip(solution.coefficients) {
            coefficients[[row, index]] = coefficient;
        }
        bias[index] = solution.bias;
    }
    let support = coefficients.rows().into_iter().filter(|row| row.iter().any(|&c| c != 0.0)).count();
    let machine = Machine::new(settings.kernel, &train, &coefficients, bias);
    (machine, classes.into_iter().map(|(class, _)| class).collect(), support)
}

#[test]
fn gamma_scale_is_scikit_learns() {
    for name in ["digits", "diabetes"] {
        let fixture = fixture(name);
        let expected = fixture["svm"][1]["gamma"].as_f64().unwrap();
        let ours = scale_gamma(&rows(&fixture["train"]["rows"]));
        assert!((ours / expected - 1.0).abs() < 1e-6, "{name}: {ours} is not {expected}");
    }
}

#[test]
fn classification_agrees_with_libsvm() {
    let fixture = fixture("digits");
    let (train, test) = (rows(&fixture["train"]["rows"]), rows(&fixture["test"]["rows"]));
    for case in fixture["svm"].as_array().unwrap() {
        let settings = settings(case, &train);
        let (machine, classes, support) = classifier(&train, &labels(&fixture["train"]["labels"]), &settings, false);
        let values = machine.values(&test);
        let decisions: Vec<Vec<f64>> = case["decisions"].as_array().unwrap().iter().map(numbers).collect();
        for (ours, theirs) in values.rows().into_iter().zip(&decisions) {
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert!((f64::from(*ours) - theirs).abs() < 1e-3, "{}: {ours} is not {theirs}", case["kernel"]);
            }
        }
        let ours: Vec<u16> = values.rows().into_iter().map(|row| vote(row, &classes)).collect();
        assert_eq!(ours, labels(&case["predictions"]));
        assert!(support.abs_diff(case["support"].as_u64().unwrap() as usize) <= 2);
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
        for linfa in [false, true] {
            let solver =
                if linfa { Solver::linfa(&train, 300, 1).unwrap() } else { Solver::smo(&train, settings.kernel) };
            let Solution { coefficients, bias } = solver.regress(&standard, &settings).unwrap();
            let coefficients = Array1::from(coefficients).insert_axis(Axis(1));
            let machine = Machine::new(settings.kernel, &train, &coefficients, Array1::from_elem(1, bias));
            for (ours, theirs) in machine.values(&test).iter().zip(numbers(&case["predictions"])) {
                let ours = f64::from(*ours) * deviation + mean;
                // Targets span 25 to 346.
                assert!((ours - theirs).abs() < 0.1, "{}, linfa {linfa}: {ours} is not {theirs}", case["kernel"]);
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
        let labels = labels(&fixture["train"]["labels"]);
        let (smo, ..) = classifier(&train, &labels, &settings, false);
        let (linfa, ..) = classifier(&train, &labels, &settings, true);
        for (ours, theirs) in smo.values(&test).iter().zip(&linfa.values(&test)) {
            assert!((ours - theirs).abs() < 1e-3, "{}: {ours} is not {theirs}", case["kernel"]);
        }
    }
}

#[test]
fn a_sparse_kernel_is_the_dense_one() {
    let mut sparse = crate::encode::sparse::SparseRows::new(5);
    sparse.push(&[(0, 0.6), (3, 0.8)]);
    sparse.push(&[]);
    sparse.push(&[(1, 0.5), (3, -0.5), (4, 1.0)]);
    let (dense, sparse) = (Features::Dense(sparse.to_dense()), Features::Sparse(sparse));
    assert_eq!(scale_gamma(&sparse), scale_gamma(&dense));
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
    let error = Solver::linfa(&rows, 20_000, 1).err().unwrap().to_string();
    assert!(error.contains("needs 3200000000 bytes for kernels"), "{error}");
    assert!(error.contains("use fewer rows, threads or terms, or solver = \"smo\""), "{error}");
}
