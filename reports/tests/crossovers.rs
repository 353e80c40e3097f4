//! Where learning curves cross.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;

use bakeoff_reports::{Crossover, Inference, Results, RunDir, build};
use common::{Plan, SMALL, write_run};

/// Two models at three sizes. The second is better at each.
const PLAN: Plan = Plan { tasks: 1, models: 2, seeds: 1, examples: 400, faults: false, axes: true, ..SMALL };

/// A made-up run in which the models have changed places at this size and above.
fn crossed_from(folder: &Path, plan: &Plan, size: usize) -> RunDir {
    let dir = write_run(folder, plan);
    let cases = dir.info().unwrap().cases;
    let partner = |case: &str| {
        let case = cases.iter().find(|other| other.case == case).unwrap();
        let is_partner = |other: &&bakeoff_reports::CaseInfo| {
            let same = (&other.task, other.seed, other.train_size) == (&case.task, case.seed, case.train_size);
            same && other.label_noise == case.label_noise && other.label != case.label
        };
        cases.iter().find(is_partner).unwrap().case.clone()
    };
    let changed: Vec<_> = cases.iter().filter(|case| case.train_size >= size).collect();
    let predictions: Vec<_> =
        changed.iter().map(|case| dir.predictions(&partner(&case.case)).unwrap().unwrap().rows).collect();
    for (case, rows) in changed.iter().zip(&predictions) {
        dir.write_rows(&dir.predictions_path(&case.case), rows).unwrap();
    }
    let before = dir.records().unwrap().rows;
    let mut records = before.clone();
    for row in records.iter_mut().filter(|row| row.train_size >= size && row.phase == "score") {
        let other = partner(&row.case);
        let same = before.iter().find(|other_row| other_row.case == other && other_row.metric == row.metric);
        row.value = same.unwrap().value;
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    dir
}

fn label(results: &Results, label: usize) -> &str {
    &results.grid.labels[label]
}

/// Whether each answer of a case is right.
fn right(dir: &RunDir, case: &str) -> Vec<f64> {
    let rows = dir.predictions(case).unwrap().unwrap().rows;
    rows.iter().map(|row| f64::from(u8::from(row.target == row.prediction))).collect()
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn covariance(one: &[f64], other: &[f64]) -> f64 {
    let (of_one, of_other) = (mean(one), mean(other));
    let products = one.iter().zip(other).map(|(a, b)| (a - of_one) * (b - of_other));
    products.sum::<f64>() / (one.len() as f64 - 1.0)
}

/// With one seed, the interval has a closed form: the roots of `d(w)² = t² var d(w)`, where `w` is the place between two sizes and
/// `d(w) = (1 - w) d₀ + w d₁` the difference there.
#[test]
fn the_interval_of_a_crossover_is_that_of_fieller() {
    let folder = tempfile::tempdir().unwrap();
    let dir = crossed_from(folder.path(), &PLAN, 2000);
    let results = Results::load(&dir).unwrap();
    let without_noise = |found: &&Crossover| results.setting(found.settings[0]).label_noise == 0.0;
    let found = results.crossovers.iter().find(without_noise).unwrap();
    assert_eq!((label(&results, found.with_fewer), label(&results, found.with_more)), ("transformer", "resnet"));
    assert_eq!(found.apart.map(|(size, _)| size), [1000, 2000]);

    let difference = |size: usize| -> Vec<f64> {
        let of = |label: &str| right(&dir, &format!("cifar10.{label}.n{size}.s1.cpu"));
        of("transformer").iter().zip(of("resnet")).map(|(one, other)| one - other).collect()
    };
    let (before, after) = (difference(1000), difference(2000));
    let (d0, slope) = (mean(&before), mean(&after) - mean(&before));
    let n = before.len() as f64;
    let slopes: Vec<f64> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
    let [var0, of_both, of_slope] =
        [covariance(&before, &before), covariance(&before, &slopes), covariance(&slopes, &slopes)].map(|of| of / n);
    // The quantile of Student's t, from the interval of a number whose error is 1.
    let squared = Inference::new(0.0, 1.0, n - 1.0).unwrap().interval().high.powi(2);
    let (a, b, c) = (slope.powi(2) - squared * of_slope, d0 * slope - squared * of_both, d0.powi(2) - squared * var0);
    let root = |sign: f64| (-b + sign * (b * b - a * c).sqrt()) / a;
    let rows = |share: f64| 1000.0 * 2f64.powf(share);
    let expected = [rows(root(-1.0)), rows(-d0 / slope), rows(root(1.0))];
    let given = [found.interval.low, found.rows, found.interval.high];
    for (given, expected) in given.iter().zip(expected) {
        assert!((given - expected).abs() < 1e-4, "{given} is not {expected}");
    }
    let score = mean(&right(&dir, "cifar10.resnet.n1000.s1.cpu")) * (1.0 + d0 / slope)
        + mean(&right(&dir, "cifar10.resnet.n2000.s1.cpu")) * (-d0 / slope);
    assert!((found.score - score).abs() < 1e-12);
}

#[test]
fn a_crossover_lies_within_its_interval_and_between_the_sizes_that_tell_the_models_apart() {
    for (tasks, seeds, at) in [(1, 3, 1000), (3, 3, 2000), (3, 1, 1000)] {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan { tasks, seeds, ..PLAN };
        let results = Results::load(&crossed_from(folder.path(), &plan, at)).unwrap();
        assert!(!results.crossovers.is_empty(), "{tasks} tasks, {seeds} seeds");
        for found in &results.crossovers {
            let [(fewer, p_fewer), (more, p_more)] = found.apart;
            let inside = [fewer as f64, found.interval.low, found.rows, found.interval.high, more as f64];
            assert!(inside.windows(2).all(|pair| pair[0] <= pair[1] * (1.0 + 1e-12)), "{found:?}");
            assert!(p_fewer < 0.05 && p_more < 0.05 && more == at, "{found:?}");
        }
    }
}

/// An error is better if it is lower.
#[test]
fn the_model_with_the_lower_error_is_the_better_one() {
    let folder = tempfile::tempdir().unwrap();
    let results = Results::load(&crossed_from(folder.path(), &Plan { tasks: 3, ..PLAN }, 2000)).unwrap();
    let is_regression = |found: &&Crossover| results.setting(found.settings[0]).task.primary == "mse";
    let found = results.crossovers.iter().find(is_regression).unwrap();
    let mse = |label: usize, at: usize| results.grid.cell(at, label).unwrap().mean("score", "mse").unwrap().mean;
    let [first, .., last] = found.settings[..] else { panic!("{found:?}") };
    assert!(mse(found.with_fewer, first) < mse(found.with_more, first), "{found:?}");
    assert!(mse(found.with_fewer, last) > mse(found.with_more, last), "{found:?}");
}

#[test]
fn lines_that_cross_without_tests_to_establish_it_are_no_crossover() {
    let folder = tempfile::tempdir().unwrap();
    // Four rows tell no models apart.
    let results = Results::load(&crossed_from(folder.path(), &Plan { examples: 4, ..PLAN }, 2000)).unwrap();
    assert_eq!(results.crossovers, []);
    let folder = tempfile::tempdir().unwrap();
    let results = Results::load(&write_run(folder.path(), &PLAN)).unwrap();
    assert_eq!(results.crossovers, [], "one model is better at every size");
}

#[test]
fn a_crossover_is_in_the_report_and_in_its_figure() {
    let folder = tempfile::tempdir().unwrap();
    let dir = crossed_from(folder.path(), &PLAN, 2000);
    build(&dir).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let rows: Vec<String> =
        Results::load(&dir).unwrap().crossovers.iter().map(|found| format!("{:.0} [", found.rows)).collect();
    assert_eq!(rows.len(), 2, "one for each share of wrong labels");
    for rows in rows {
        for name in ["report.html", "report.md", "figures/learning-curve.svg"] {
            assert!(read(name).contains(&rows), "{name} lacks {rows}");
        }
        assert!(
            read("report.md").contains("| n = 1000, p \\< 0.001 | n = 2000, p \\< 0.001 | 1 | 400 |"),
            "{}",
            read("report.md")
        );
    }
}
