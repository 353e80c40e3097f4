//! What is said of the rows that a case learns from: the floor made of them, classes left without any, leakage.

use std::fs;

use bakeoff_reports::Record;

use crate::common::{Bench, exits, records, stdout};

/// Writes `train.csv`, `test.csv` and a suite on them with these settings of the task and the suite.
fn suite(bench: &Bench, settings: &str, task: &str, target: &str, train: &str, test: &str, models: &[&str]) {
    bench.write("train.csv", &format!("text,target\n{train}"));
    bench.write("test.csv", &format!("text,target\n{test}"));
    let models: String = models.iter().map(|model| format!("[[model]]\nname = \"{model}\"\n")).collect();
    let data = "[task.data]\nformat = \"csv\"\ntrain = \"train.csv\"\ntest = \"test.csv\"\ntext = \"text\"";
    let suite = format!(
        "name = \"rows\"\nthreads = 1\n{settings}\n[[task]]\nname = \"t\"\n{task}\n{data}\n{target} = \"target\"\n"
    );
    bench.write("suite.toml", &format!("{suite}{models}"));
}

/// The rows of this metric, one for each case.
fn rows_of(bench: &Bench, metric: &str) -> Vec<Record> {
    records(&bench.path("out")).into_iter().filter(|row| row.metric == metric).collect()
}

fn values_of(bench: &Bench, metric: &str) -> Vec<Option<f64>> {
    rows_of(bench, metric).into_iter().map(|row| row.value).collect()
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|row| line(row) + "\n").collect()
}

#[test]
fn the_floor_is_the_constant_answer_of_all_rows_given_validation_included() {
    let bench = Bench::new();
    // 26 of 51 are `b`: without the validation rows of some seeds, `a` would be the more frequent one.
    let train = lines(51, |row| format!("{row},{}", if row % 2 == 0 { "b" } else { "a" }));
    // The model takes odd numbers for `b`, so it is right for 16 of 30, and the constant answer `b` for 24.
    let test = lines(30, |row| {
        format!("{},{}", 100 + if row < 10 { 20 * row + 1 } else { 2 * row }, if row < 24 { "b" } else { "a" })
    });
    suite(&bench, "seeds = [1, 2, 3, 4, 5, 6, 7, 8]", "", "label", &train, &test, &["nearly", "constant"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    assert_eq!(values_of(&bench, "floor"), [Some(0.8); 16]);
    assert!(values_of(&bench, "accuracy")[..8].iter().all(|value| *value == Some(16.0 / 30.0)));
    assert!(records(&bench.path("out")).iter().all(|row| row.status.name() == "below-floor"));
}

#[test]
fn the_floor_of_numbers_is_the_mean_of_all_rows_given_and_the_same_for_every_seed() {
    let bench = Bench::new();
    let train = lines(50, |row| format!("{row},{row}"));
    let test = lines(4, |row| format!("{row},{}", [24.5, 25.5, 23.5, 24.5][row]));
    suite(&bench, "seeds = [1, 2, 3, 4]", "", "value", &train, &test, &["constant"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    assert_eq!(values_of(&bench, "floor"), [Some(0.5); 4], "the mean is 24.5");
}

/// 980 rows of class `a` and ten each of `b` and `c`.
fn lopsided() -> String {
    lines(1000, |row| format!("{row},{}", ["b", "c"].get(row % 100).unwrap_or(&"a")))
}

#[test]
fn classes_that_a_training_size_leaves_with_no_row_or_one_are_named_by_check_and_in_the_records() {
    let bench = Bench::new();
    let test = lines(9, |row| format!("{},{}", 1000 + row, ["a", "b", "c"][row % 3]));
    suite(&bench, "seeds = [1, 2]", "train_size = 50", "label", &lopsided(), &test, &["nearly", "constant"]);
    let output = bench.run(&["check", "suite.toml"]);
    exits(&output, 0);
    assert!(stdout(&output).contains(NAMED), "{}", stdout(&output));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    assert_eq!(values_of(&bench, "train_examples"), [Some(45.0); 4]);
    for (metric, name) in [("classes_without_rows", "c"), ("classes_with_one_row", "b")] {
        for row in rows_of(&bench, metric) {
            assert_eq!((row.phase.as_str(), row.value, row.note.as_str()), ("fit", Some(1.0), name), "{metric}");
        }
    }
}

const NAMED: &str = "  nearly, constant learn from 45 of 1000 rows; 5 are for validation
    classes with no row among them (1): c
    classes with one row among them (1): b
  leakage: 0 of 9 test rows also occur in the 50 training rows (0 of them with a different target)
";

#[test]
fn a_class_whose_second_row_is_for_validation_has_one_row_only_for_a_model_that_chooses_by_it() {
    let bench = Bench::new();
    // Two rows of each of ten classes: two rows for validation are of two classes.
    let train = lines(20, |row| format!("word{row},class{}", row % 10));
    let test = lines(10, |row| format!("other{row},class{row}"));
    let models = ["svm", "random-forest", "lstm"];
    suite(&bench, "", "", "label", &train, &test, &models);
    let real = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bakeoff"));
        let output = command.args(arguments).current_dir(bench.path("")).output().unwrap();
        exits(&output, 0);
        stdout(&output)
    };
    let said = real(&["check", "suite.toml", "--seed", "1"]);
    let all = "  svm, random-forest learn from 20 of 20 rows\n  lstm learns from 18 of 20 rows; 2 are for validation\n";
    assert!(said.contains(&format!("{all}    classes with one row among them (2): class0, class1\n")), "{said}");
    real(&["run", "suite.toml", "--out", "out", "--seed", "1"]);
    assert_eq!(values_of(&bench, "train_examples"), [Some(20.0), Some(20.0), Some(18.0)]);
    assert_eq!(values_of(&bench, "classes_with_one_row"), [Some(0.0), Some(0.0), Some(2.0)]);
    let notes: Vec<String> = rows_of(&bench, "classes_with_one_row").into_iter().map(|row| row.note).collect();
    assert_eq!(notes, ["", "", "class0, class1"]);
}

#[test]
fn all_classes_with_rows_enough_are_a_zero_and_numbers_have_no_classes() {
    let bench = Bench::new();
    bench.suite("", &["parity", "number"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let tasks = |metric| -> Vec<_> { rows_of(&bench, metric).into_iter().map(|row| (row.task, row.value)).collect() };
    for metric in ["classes_without_rows", "classes_with_one_row"] {
        assert_eq!(tasks(metric), [("parity".to_owned(), Some(0.0))]);
    }
    assert_eq!(tasks("train_examples").len(), 2);
}

#[test]
fn test_rows_that_are_training_rows_of_the_case_are_counted_in_the_records_and_by_check() {
    let bench = Bench::new();
    let line = |row: usize| format!("{row},{}", if row % 2 == 1 { "odd" } else { "even" });
    let train = lines(40, line);
    // Ten are training rows, of which two have another target; ten are new.
    let test = lines(20, |row| match row {
        0 => "0,odd".to_owned(),
        1 => "1,even".to_owned(),
        2..10 => line(row),
        _ => line(row + 30),
    });
    suite(&bench, "", "", "label", &train, &test, &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let row = rows_of(&bench, "leaked_examples").remove(0);
    assert_eq!((row.phase.as_str(), row.value, row.source.as_str()), ("score", Some(10.0), "data"));
    assert_eq!(values_of(&bench, "leaked_other_target"), [Some(2.0)]);
    let output = bench.run(&["check", "suite.toml"]);
    let said = "  leakage: 10 test rows also occur in the training rows (2 of them with a different target)\n";
    assert!(stdout(&output).contains(said), "{}", stdout(&output));
    assert_eq!(stdout(&output).matches("leakage").count(), 1, "{}", stdout(&output));
    // A case that learns from fewer rows has fewer of them.
    fs::remove_dir_all(bench.path("out")).unwrap();
    exits(&bench.run(&["run", "suite.toml", "--out", "out", "--train-size", "20", "--seed", "1,2,3,4"]), 0);
    assert!(values_of(&bench, "leaked_examples").iter().all(|value| (1.0..10.0).contains(&value.unwrap())));
    let output = bench.run(&["check", "suite.toml", "--train-size", "20", "--seed", "1,2,3,4"]);
    let said = stdout(&output);
    let line = said.lines().find(|line| line.contains(" also occur in the 20 training rows (")).unwrap();
    assert!(line.contains(" to ") && line.contains(" of 20 test rows"), "seeds draw other rows: {line}");
}
