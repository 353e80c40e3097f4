//! Students that are given rows without labels, from the suite to the report.

use std::fs;
use std::process::Output;

use bakeoff_reports::Record;

use crate::common::{Bench, exits, records, stderr, stdout};

/// Writes 200 training rows and 30 test rows of three classes, and a suite of a student on 60 of them with these lines of the task
/// and of the model.
fn suite(bench: &Bench, task: &str, model: &str) {
    let words = ["dull", "fair", "good"];
    let lines = |name: &str, rows: usize| -> String {
        let class = |row: usize| (row * row + row / 7) % 3;
        let line = |row: usize| format!("{name}{row} is {} {},{}\n", words[class(row)], row % 5, words[class(row)]);
        (0..rows).map(line).collect()
    };
    bench.write("train.csv", &format!("text,label\n{}", lines("train", 200)));
    bench.write("test.csv", &format!("text,label\n{}{}", lines("test", 28), lines("train", 2)));
    bench.write(
        "suite.toml",
        &format!(
            "name = \"students\"\nthreads = 1\nlatency_examples = 1\n[energy]\nestimate = false\n[[task]]\nname = \"films\"\n{task}\n\
             [task.data]\nformat = \"csv\"\ntrain = \"train.csv\"\ntest = \"test.csv\"\ntext = \"text\"\nlabel = \"label\"\n\
             [[model]]\nname = \"student\"\n{model}\n"
        ),
    );
}

const PARAMS: &str = "teacher = { model = \"mlp\", epochs = 3, hidden = 8 }";

fn run(bench: &Bench, arguments: &[&str]) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bakeoff"));
    command.args(arguments).current_dir(bench.path("")).output().unwrap()
}

/// What an undisturbed run would have too: every number but those of the stopwatch and the kernel.
fn numbers(bench: &Bench, out: &str) -> Vec<(String, String, Option<f64>)> {
    let is_measured = |row: &Record| ["stopwatch", "kernel", ""].contains(&row.source.as_str());
    let rows = records(&bench.path(out)).into_iter().filter(|row| !is_measured(row));
    rows.map(|row| (row.case, row.metric, row.value)).collect()
}

fn predictions(bench: &Bench, out: &str, case: &str) -> String {
    fs::read_to_string(bench.path(&format!("{out}/predictions/{case}.csv"))).unwrap()
}

#[test]
fn a_child_this_process_and_a_resumed_run_give_a_student_the_same_unlabelled_rows() {
    let bench = Bench::new();
    suite(&bench, "train_size = 60", &format!("grid = {{ unlabelled = [0, 100] }}\n[model.params]\n{PARAMS}"));
    exits(&run(&bench, &["run", "suite.toml", "--out", "child"]), 0);
    exits(&run(&bench, &["run", "suite.toml", "--out", "inline", "--inline"]), 0);
    let [without, with] = ["films.student-unlabelled-0.n60.s1.cpu", "films.student-unlabelled-100.n60.s1.cpu"];
    assert_eq!(numbers(&bench, "child"), numbers(&bench, "inline"));
    for case in [without, with] {
        assert_eq!(predictions(&bench, "child", case), predictions(&bench, "inline", case));
    }
    assert_ne!(predictions(&bench, "child", with), predictions(&bench, "child", without));

    let rows = records(&bench.path("child"));
    let of = |metric: &str| -> Vec<(&str, Option<f64>)> {
        rows.iter().filter(|row| row.metric == metric).map(|row| (row.case.as_str(), row.value)).collect()
    };
    assert_eq!(of("unlabelled_examples"), [(with, Some(100.0))]);
    assert_eq!(of("train_examples"), [(without, Some(60.0)), (with, Some(60.0))], "those with labels");
    let [(_, Some(leaked)), ..] = of("leaked_unlabelled")[..] else { panic!("{:?}", of("leaked_unlabelled")) };
    assert!((0.0..=2.0).contains(&leaked));
    assert!(rows.iter().all(|row| row.params.contains(" unlabelled=") == (row.model == "student")));

    let before = predictions(&bench, "child", with);
    fs::remove_file(bench.path(&format!("child/predictions/{with}.csv"))).unwrap();
    exits(&run(&bench, &["resume", "child"]), 0);
    assert_eq!(predictions(&bench, "child", with), before);
    assert_eq!(numbers(&bench, "child"), numbers(&bench, "inline"));
}

#[test]
fn check_says_how_many_rows_have_no_labels_and_how_many_test_rows_are_among_them() {
    let bench = Bench::new();
    suite(&bench, "train_size = 60", &format!("[model.params]\nunlabelled = 140\n{PARAMS}"));
    let output = run(&bench, &["check", "suite.toml"]);
    exits(&output, 0);
    let said = stdout(&output);
    assert!(said.contains("  student learns from 60 of 200 rows; 140 more are given without labels\n"), "{said}");
    // Two test rows are training rows: each has its label or has none.
    let count = |rest: &str| -> usize {
        let line = said.lines().find(|line| line.contains(rest)).unwrap_or_else(|| panic!("{rest}: {said}"));
        line.trim_start_matches("  leakage: ").split(' ').next().unwrap().parse().unwrap()
    };
    let labelled = count("of 30 test rows also occur in the 60 training rows");
    assert_eq!(labelled + count("of 30 test rows also occur in the 140 unlabelled rows"), 2, "{said}");
}

#[test]
fn folds_wrong_labels_and_search_trials_have_unlabelled_rows_too() {
    let bench = Bench::new();
    let search = "[search]\nmethod = \"halving\"\ntrials = 3\n[[task]]";
    suite(
        &bench,
        "train_size = 140\nlabel_noise = 0.2\nfolds = 2\nfold = 1",
        &format!("search = {{ truth = [0.0, 0.9] }}\n[model.params]\nunlabelled = 60\n{PARAMS}"),
    );
    let text = fs::read_to_string(bench.path("suite.toml")).unwrap();
    bench.write("suite.toml", &text.replacen("[[task]]", search, 1));
    let output = run(&bench, &["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    let rows = records(&bench.path("out"));
    let given: Vec<Option<f64>> =
        rows.iter().filter(|row| row.metric == "unlabelled_examples").map(|row| row.value).collect();
    // Three search trials on a third of the rows, the best of them on all rows, and the case.
    assert_eq!(given, [20.0, 20.0, 20.0, 60.0, 60.0].map(Some));
}

/// What the program says of a suite that asks for rows that are not there.
#[track_caller]
fn refused(task: &str, model: &str, arguments: &[&str]) -> String {
    let bench = Bench::new();
    suite(&bench, task, model);
    let output = run(&bench, &[&["run", "suite.toml", "--out", "out"], arguments].concat());
    exits(&output, 2);
    assert!(!bench.path("out").exists(), "nothing is written for a suite that is refused");
    stderr(&output)
}

#[test]
fn more_unlabelled_rows_than_are_left_over_are_refused_with_their_line_and_what_to_do() {
    let said = [
        ("params", refused("train_size = 60", "params = { unlabelled = 141 }", &[])),
        ("more than an svm can take", refused("train_size = 60", "params = { unlabelled = 20000 }", &[])),
        ("all rows are labelled", refused("", "params = { unlabelled = 1 }", &[])),
        ("one task", refused("train_size = [60, 150]", "[model.on.films]\nunlabelled = 51", &[])),
        ("grid", refused("train_size = 60", "grid = { unlabelled = [0, 100, 200] }", &[])),
        ("command line", refused("train_size = 60", "params = { unlabelled = 100 }", &["--train-size", "190"])),
        ("folds", refused("train_size = 150\nfolds = 5\nlabel_noise = 0.1", "params = { unlabelled = 60 }", &[])),
        (
            "search",
            refused(
                "train_size = 60",
                "search = { unlabelled = [0, 150] }\nparams = { truth = 0.1 }",
                &["--trials", "3"],
            ),
        ),
        ("not a whole number", refused("train_size = 60", "params = { unlabelled = -1 }", &[])),
        ("another model", refused("train_size = 60", "[[model]]\nname = \"svm\"\nparams = { unlabelled = 10 }", &[])),
    ];
    let all: Vec<String> = said.iter().map(|(what, said)| format!("{what}: {said}")).collect();
    insta::assert_snapshot!("refused", all.concat());
}
