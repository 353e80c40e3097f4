//! What a suite can ask for beside the ranking: scores of training rows, targets and their curves.

use std::fs;

use bakeoff_reports::Record;

use crate::common::{Bench, exits, records};

const TASK: &str = "name = \"test\"\n[[task]]\nname = \"parity\"\n";
const MODEL: &str = "[[model]]\nname = \"nearly\"\n";

fn rows_of(bench: &Bench, metric: &str) -> Vec<Record> {
    records(&bench.path("out")).into_iter().filter(|row| row.metric == metric).collect()
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
