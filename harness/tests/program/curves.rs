//! What a suite can ask for beside the ranking: scores of training rows, targets and their curves.

use std::fs;

use bakeoff_reports::{Curve, Record, RunDir};

use crate::common::{Bench, exits, records};

const TASK: &str = "name = \"test\"\n[[task]]\nname = \"parity\"\n";
const MODEL: &str = "[[model]]\nname = \"nearly\"\n";

fn rows_of(bench: &Bench, metric: &str) -> Vec<Record> {
    records(&bench.path("out")).into_iter().filter(|row| row.metric == metric).collect()
}

fn epochs(bench: &Bench) -> Vec<Curve> {
    RunDir::new(bench.path("out")).curves().unwrap().unwrap().rows
}

fn report(bench: &Bench) -> String {
    fs::read_to_string(bench.path("out/report.md")).unwrap()
}

#[test]
fn training_rows_are_scored_only_if_the_suite_or_the_command_line_asks_for_it() {
    for (settings, arguments, expected) in
        [("", &[][..], 0), ("train_score = true\n", &[][..], 1), ("", &["--train-score"][..], 1)]
    {
        let bench = Bench::new();
        bench.write("suite.toml", &format!("{settings}{TASK}{MODEL}"));
        exits(&bench.run(&[&["run", "suite.toml", "--out", "out"], arguments].concat()), 0);
        let rows = rows_of(&bench, "accuracy_train");
        assert_eq!(rows.len(), expected, "{settings}{arguments:?}");
        assert!(rows.iter().all(|row| row.phase == "score" && row.source == "scorer" && row.value.is_some()));
        assert_eq!(report(&bench).contains("## Training and test scores"), expected == 1);
    }
}

#[test]
fn training_rows_are_scored_with_the_labels_that_the_model_saw() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("train_score = true\n{TASK}label_noise = [0.0, 0.4]\n{MODEL}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let scores: Vec<f64> = rows_of(&bench, "accuracy_train").iter().filter_map(|row| row.value).collect();
    // The model answers what is true, and every tenth number wrong.
    assert!(scores[0] > 0.8 && scores[1] < 0.75, "{scores:?}");
    // As many rows as there are test rows.
    assert!(scores.iter().all(|score| (score * 30.0 - (score * 30.0).round()).abs() < 1e-9), "{scores:?}");
    let tested = rows_of(&bench, "accuracy")[0].value.unwrap();
    let row = format!("| {:.3} | {tested:.3} | {:+.3} | 1 seed |", scores[1], scores[1] - tested);
    assert!(report(&bench).contains(&row), "{row}: {}", report(&bench));
}

#[test]
fn the_time_to_a_target_is_that_of_the_first_epoch_that_reaches_it() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("seeds = [1, 2, 3]\n{TASK}target = 0.6\n{MODEL}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let curves = epochs(&bench);
    let rows = rows_of(&bench, "time_to_target_s");
    assert_eq!(rows.len(), 3);
    for (time, energy) in rows.iter().zip(rows_of(&bench, "energy_to_target_j")) {
        let first = curves.iter().find(|epoch| epoch.case == time.case && epoch.validation >= Some(0.6)).unwrap();
        assert_eq!((time.value, energy.value), (Some(first.elapsed_s), first.energy_j));
        assert_eq!(
            (time.phase.as_str(), time.source.as_str(), energy.source.as_str()),
            ("fit", "stopwatch", "estimate")
        );
    }
    assert!(rows_of(&bench, "target").iter().all(|row| row.value == Some(0.6) && row.source == "suite"));
    assert!(rows_of(&bench, "validation").is_empty(), "epochs are in curves.csv");
    let row = "| parity | nearly | accuracy ≥ 0.600 | 3 of 3 seeds | 1.00 ms |";
    assert!(report(&bench).contains(row), "{}", report(&bench));
    let figure = fs::read_to_string(bench.path("out/figures/anytime.svg")).unwrap();
    assert!(figure.contains("\ntarget\n"), "{figure}");
}

#[test]
fn a_model_without_epochs_is_judged_by_rows_that_it_did_not_learn_from() {
    let bench = Bench::new();
    let model = "[[model]]\nname = \"one-step\"\n";
    bench.write("suite.toml", &format!("{TASK}target = 0.6\n{model}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let value = |metric: &str| rows_of(&bench, metric)[0].value;
    assert_eq!(value("train_examples"), Some(54.0), "six of 60 rows judge it");
    assert!(value("validation") >= Some(0.6));
    assert_eq!(value("time_to_target_s"), value("fit_s"));
    let fit = |row: &Record| row.phase == "fit";
    let joules: Vec<_> = rows_of(&bench, "energy_j").iter().filter(|row| fit(row)).map(|row| row.value).collect();
    assert_eq!(joules, [value("energy_to_target_j")]);
    assert!(bench.path("out/figures/anytime.svg").exists(), "it has one point");

    bench.write("without.toml", &format!("{TASK}{model}"));
    exits(&bench.run(&["run", "without.toml", "--out", "without"]), 0);
    let rows = records(&bench.path("without"));
    let learned = rows.iter().find(|row| row.metric == "train_examples").unwrap();
    assert_eq!(learned.value, Some(60.0));
    assert!(!rows.iter().any(|row| ["validation", "target", "time_to_target_s"].contains(&row.metric.as_str())));
    assert!(!bench.path("without/figures/anytime.svg").exists(), "no row is left to judge it by");
}

#[test]
fn a_target_that_no_run_reaches_is_censored_and_the_table_says_so() {
    let bench = Bench::new();
    let constant = "[[model]]\nname = \"constant\"\n[[model]]\nname = \"panics\"\n";
    bench.write("suite.toml", &format!("seeds = [1, 2]\n{TASK}target = 1\n{constant}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    let rows = rows_of(&bench, "time_to_target_s");
    assert_eq!(rows.len(), 2, "a fit that failed has no row");
    for row in rows.iter().chain(&rows_of(&bench, "energy_to_target_j")) {
        assert_eq!(row.value, None);
        assert!(row.note.starts_with("not reached: best 0.6667 after 2 epochs, 0.00"), "{}", row.note);
        assert!(row.note.ends_with(" s"), "{}", row.note);
    }
    let report = report(&bench);
    for part in [
        "| parity | constant | accuracy ≥ 1.000 | 0 of 2 seeds | median not reached |  |",
        "| parity | panics | accuracy ≥ 1.000 | 0 of 2 seeds | median not reached |  |",
        "No fit on parity reached the target.",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert!(!report.contains("time_to_target_s of fit is missing"), "a censored number is no gap: {report}");
}

#[test]
fn an_error_reaches_its_target_from_above_and_a_median_of_censored_runs_is_not_shown() {
    let bench = Bench::new();
    let task = TASK.replace("parity", "number");
    bench.write("suite.toml", &format!("seeds = [1, 2, 3, 4, 5]\n{task}target = 0.1\n{MODEL}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    // An error of one in every tenth number; some seeds have none of these among their validation rows.
    for row in rows_of(&bench, "time_to_target_s") {
        let best = epochs(&bench).into_iter().find(|epoch| epoch.case == row.case).unwrap().validation;
        assert_eq!(row.value.is_some(), best <= Some(0.1), "{row:?}");
    }
    assert!(report(&bench).contains("| number | nearly | MSE ≤ 0.100 |"), "{}", report(&bench));
}
