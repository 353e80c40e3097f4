//! The axes of a suite: training sizes, wrong labels, folds and grids of parameters.

use std::collections::{BTreeMap, BTreeSet};

use bakeoff_reports::{PredictionRow, Record, RunDir};

use crate::common::{Bench, endings, exits, records, stderr, stdout};

const TASK: &str = "name = \"test\"\n[[task]]\nname = \"parity\"\n";
const MODEL: &str = "[[model]]\nname = \"nearly\"\n";

fn cases(bench: &Bench, arguments: &[&str]) -> Vec<String> {
    let output = bench.run(&[&["run", "suite.toml", "--list"], arguments].concat());
    exits(&output, 0);
    stdout(&output).lines().map(str::to_owned).collect()
}

fn predictions(bench: &Bench, case: &str) -> Vec<PredictionRow> {
    RunDir::new(bench.path("out")).predictions(case).unwrap().unwrap().rows
}

fn rows_of(bench: &Bench, metric: &str) -> Vec<Record> {
    records(&bench.path("out")).into_iter().filter(|row| row.metric == metric).collect()
}

#[test]
fn every_value_of_an_axis_is_a_case_with_its_column_and_the_command_line_chooses_values() {
    let bench = Bench::new();
    let task = format!("{TASK}train_size = [20, 40]\nlabel_noise = [0.0, 0.125]\n");
    bench.write("suite.toml", &format!("{task}{MODEL}[model.grid]\nepochs = [1, 2]\nmood = [\"calm\", \"cross\"]\n"));
    let all = cases(&bench, &[]);
    assert_eq!(all.len(), 16);
    for id in ["parity.nearly-epochs-1-mood-calm.n20.s1.cpu", "parity.nearly-epochs-2-mood-cross.n40.noise12_5.s1.cpu"]
    {
        assert!(all.contains(&id.to_owned()), "{all:?}");
    }
    let some = cases(&bench, &["--train-size", "30,60", "--label-noise", "0.5", "-m", "nearly-epochs-2-mood-calm"]);
    let of_size = |size: usize| format!("parity.nearly-epochs-2-mood-calm.n{size}.noise50.s1.cpu");
    assert_eq!(some, [of_size(30), of_size(60)]);
    assert_eq!(cases(&bench, &["-m", "nearly"]).len(), 16, "the name of the model chooses all of its grid");

    exits(&bench.run(&["run", "suite.toml", "--out", "out", "--train-size", "40"]), 0);
    let rows = rows_of(&bench, "accuracy");
    let columns: BTreeSet<String> =
        rows.iter().map(|row| format!("{} {} {}", row.label, row.train_size, row.label_noise)).collect();
    assert_eq!(columns.len(), 8);
    assert!(columns.contains("nearly-epochs-2-mood-cross 40 0.125"), "{columns:?}");
    assert!(
        rows.iter().all(|row| row.params.contains(&format!("epochs={}", &row.label["nearly-epochs-".len()..][..1])))
    );
    let noisy: Vec<_> = rows_of(&bench, "noisy_labels").iter().map(|row| row.value).collect();
    assert_eq!(noisy, [Some(5.0); 4], "an eighth of 40 rows, and no row where no label is wrong");
}

#[test]
fn the_settings_of_two_axes_are_tables_of_their_own() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{TASK}train_size = [20, 40]\nlabel_noise = [0.0, 0.2]\n{MODEL}"));
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    let report = std::fs::read_to_string(bench.path("out/report.md")).unwrap();
    for title in ["parity, n = 20, 0 % noise", "parity, n = 40, 20 % noise"] {
        assert!(report.contains(title), "{title}: {report}");
    }
    assert!(report.contains("40 training rows, 20 % of their labels made wrong"), "{report}");
}

#[test]
fn wrong_labels_are_put_into_the_rows_to_learn_from_and_never_into_the_test_rows() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{TASK}label_noise = [0.0, 0.4]\n{MODEL}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let targets = |case: &str| predictions(&bench, case).into_iter().map(|row| row.target).collect::<Vec<_>>();
    assert_eq!(targets("parity.nearly.n60.s1.cpu"), targets("parity.nearly.n60.noise40.s1.cpu"));
    let floors: Vec<_> = rows_of(&bench, "floor").iter().map(|row| row.value).collect();
    assert_eq!(floors, [Some(2.0 / 3.0); 2], "of the true labels");
}

#[test]
fn every_row_is_scored_once_in_each_division_by_a_model_that_did_not_learn_from_it() {
    let bench = Bench::new();
    let task = TASK.replace("parity", "number");
    bench.write("suite.toml", &format!("{task}folds = 7\nrepeats = 2\n{MODEL}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let mut by_repeat: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for row in rows_of(&bench, "mse") {
        assert_eq!(row.case, format!("number.nearly.n60.s1.r{}f{}.cpu", row.repeat.unwrap(), row.fold.unwrap()));
        assert_eq!((row.folds, row.train_size), (Some(7), 60));
        let scored = predictions(&bench, &row.case);
        // A tenth of the other folds is for validation.
        let learned = rows_of(&bench, "train_examples").into_iter().find(|other| other.case == row.case).unwrap();
        let given = 60 - scored.len();
        assert_eq!(learned.value, Some(given as f64 - (given as f64 / 10.0).round()));
        assert!((8..=9).contains(&scored.len()), "{}", scored.len());
        by_repeat.entry(row.repeat.unwrap()).or_default().extend(scored.into_iter().map(|row| row.target));
    }
    assert_eq!(by_repeat.len(), 2);
    let (first, second) = (&by_repeat[&1], &by_repeat[&2]);
    assert_ne!(first, second, "the second division is another one");
    for targets in [first, second] {
        let distinct: BTreeSet<&String> = targets.iter().collect();
        assert_eq!((targets.len(), distinct.len()), (60, 60), "each number is the target of one row");
    }
    let leaked: Vec<_> = rows_of(&bench, "leaked_examples").iter().map(|row| row.value).collect();
    assert_eq!(leaked, [Some(0.0); 14]);
}

#[test]
fn the_folds_are_the_same_for_every_model_and_seed() {
    let bench = Bench::new();
    let task = TASK.replace("parity", "number");
    let settings = "folds = 3\ntrain_size = [40, 60]\n";
    bench.write("suite.toml", &format!("seeds = [1, 2]\n{task}{settings}{MODEL}[[model]]\nname = \"constant\"\n"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    for (size, fold) in [(40, 1), (40, 2), (40, 3), (60, 1), (60, 2), (60, 3)] {
        let targets = |model: &str, seed: u64| -> Vec<String> {
            let case = format!("number.{model}.n{size}.s{seed}.r1f{fold}.cpu");
            predictions(&bench, &case).into_iter().map(|row| row.target).collect()
        };
        let first = targets("nearly", 1);
        assert!(first == targets("nearly", 2) && first == targets("constant", 1), "{size} rows, fold {fold}");
    }
}

#[test]
fn folds_are_stated_with_an_interval_and_a_test_that_know_that_they_share_rows() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{TASK}folds = 5\n{MODEL}[[model]]\nname = \"constant\"\n"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let report = std::fs::read_to_string(bench.path("out/report.md")).unwrap();
    assert!(report.contains("60 rows divided into 5 folds"), "{report}");
    assert!(report.contains("ok, 5 of 5 folds"), "{report}");
    assert!(report.contains("corrected"), "{report}");
}

#[test]
fn own_data_needs_no_test_rows_where_it_is_divided_into_folds() {
    let bench = Bench::new();
    let rows: String = (0..40).map(|n| format!("{n},{}\n", if n % 2 == 1 { "odd" } else { "even" })).collect();
    bench.write("rows.csv", &format!("text,label\n{rows}"));
    let data = "[task.data]\nformat = \"csv\"\ntext = \"text\"\nlabel = \"label\"\ntrain = \"rows.csv\"\n";
    bench.write("suite.toml", &format!("name = \"test\"\n[[task]]\nname = \"mine\"\nfolds = 4\n{data}{MODEL}"));
    let output = bench.run(&["check", "suite.toml"]);
    exits(&output, 0);
    for line in [
        "rows: 40, to be divided into folds",
        "4 folds of 40 rows: each is scored once, by a model that learned from the others",
        "nearly learns from 27 of 40 rows; 3 are for validation",
        "leakage: 0 of the rows of a fold also occur in the rows of the other folds",
    ] {
        assert!(stdout(&output).contains(line), "{line}: {}", stdout(&output));
    }
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    assert_eq!(endings(&bench.path("out")).len(), 4);
}

#[test]
fn one_fold_below_its_floor_does_not_keep_a_model_from_being_ranked() {
    let bench = Bench::new();
    // With as many folds as rows, each fold has one row, and whoever answers its class scores 1, the constant answer too.
    bench.write("suite.toml", &format!("{TASK}folds = 60\n{MODEL}[[model]]\nname = \"constant\"\n"));
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    let table = stdout(&output);
    let row = |model: &str| table.lines().find(|line| line.contains(model)).unwrap().to_owned();
    assert!(row("nearly").trim_start().starts_with('1') && row("nearly").contains("ok, 60 of 60 folds"), "{table}");
    assert!(row("constant").contains("below-floor"), "{table}");
}

#[test]
fn some_of_the_folds_are_not_ranked_as_if_they_were_all() {
    let bench = Bench::new();
    let task = TASK.replace("parity", "number");
    bench.write("suite.toml", &format!("{task}folds = 4\n{MODEL}[[model]]\nname = \"nearly\"\nlabel = \"other\"\n"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let records = std::fs::read_to_string(bench.path("out/records.csv")).unwrap();
    let kept: String = records
        .lines()
        .filter(|line| !line.contains(".other.") || line.contains("r1f1"))
        .map(|line| format!("{line}\n"))
        .collect();
    bench.write("out/records.csv", &kept);
    let output = bench.run(&["report", "out"]);
    exits(&output, 0);
    let table = stdout(&output);
    let row = |model: &str| table.lines().find(|line| line.contains(model)).unwrap().to_owned();
    assert!(row("nearly").trim_start().starts_with('1'), "{table}");
    assert!(row("other").trim_start().starts_with('–') && row("other").contains("1 of 4 folds"), "{table}");
}

#[test]
fn some_of_the_folds_can_be_run_and_resumed_alone() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{TASK}folds = 4\nrepeats = 2\n{MODEL}"));
    exits(&bench.run(&["run", "suite.toml", "--fold", "2,4", "--out", "out"]), 0);
    let cases: Vec<String> = endings(&bench.path("out")).into_iter().map(|(case, ..)| case).collect();
    let expected = ["r1f2", "r1f4", "r2f2", "r2f4"].map(|fold| format!("parity.nearly.n60.s1.{fold}.cpu"));
    assert_eq!(cases, expected);
    exits(&bench.run(&["resume", "out"]), 5);
    for (arguments, says) in [
        (vec!["--fold", "5"], "--fold: fold 5 is out of range for task 'parity': expected 1 to 4"),
        (vec!["--fold", "1,1"], "--fold: fold 1 is given twice"),
    ] {
        let output = bench.run(&[&["run", "suite.toml", "--list"], &arguments[..]].concat());
        exits(&output, 2);
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
    bench.write("suite.toml", &format!("{TASK}fold = 2\n{MODEL}"));
    let output = bench.run(&["run", "suite.toml", "--list"]);
    exits(&output, 2);
    assert!(
        stderr(&output).contains("task 'parity' has no folds to choose from: add folds = 5"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_run_of_a_grid_with_long_labels_is_resumed() {
    let bench = Bench::new();
    let grid = "[model.grid]\nepochs = [1, 2]\nmood = [\"calm\", \"cross\"]\npause_s = [0.001]\n";
    bench.write("suite.toml", &format!("{TASK}[[model]]\nname = \"needs-file\"\n{grid}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    let file = bench.write("there", "");
    exits(&bench.command(&["resume", "out"]).env("FAKE_FILE", &file).output().unwrap(), 0);
    assert!(endings(&bench.path("out"))[0].0.len() > 50);
}

#[test]
fn a_record_that_says_another_fold_than_the_plan_is_refused() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{TASK}folds = 3\n{MODEL}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let records = std::fs::read_to_string(bench.path("out/records.csv")).unwrap();
    bench.write("out/records.csv", &records.replace(",3,1,2,,cpu,", ",3,1,1,,cpu,"));
    let output = bench.run(&["report", "out"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("its row has fold '1', run.json has '2'"), "{}", stderr(&output));
}

#[test]
fn a_fold_without_a_class_is_stated() {
    let bench = Bench::new();
    let label = |n: usize| if n < 3 { "rare" } else { "usual" };
    let rows: String = (0..40).map(|n| format!("{n},{}\n", label(n))).collect();
    bench.write("rows.csv", &format!("text,label\n{rows}"));
    let data = "[task.data]\nformat = \"csv\"\ntext = \"text\"\nlabel = \"label\"\ntrain = \"rows.csv\"\n";
    bench.write("suite.toml", &format!("name = \"test\"\n[[task]]\nname = \"mine\"\nfolds = 5\n{data}{MODEL}"));
    let output = bench.run(&["check", "suite.toml"]);
    let line = "classes with fewer rows than folds (1), which some folds lack: rare";
    assert!(stdout(&output).contains(line), "{}", stdout(&output));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let report = std::fs::read_to_string(bench.path("out/report.md")).unwrap();
    let warning = "1 of 2 classes has no row to be scored on: rare. The score does not cover such a class.";
    assert!(report.contains(warning), "{report}");
    let lacking = rows_of(&bench, "classes_without_test_rows").into_iter().filter(|row| row.value == Some(1.0));
    assert_eq!(lacking.count(), 2, "three rows are in three of five folds");
}

#[test]
fn a_run_of_folds_is_resumed_where_it_was_stopped() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{TASK}folds = 3\n{MODEL}[[model]]\nname = \"needs-file\"\n"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    let file = bench.write("there", "");
    let output = bench.command(&["resume", "out"]).env("FAKE_FILE", &file).output().unwrap();
    exits(&output, 0);
    assert!(stderr(&output).contains("3 cases are done, 3 are left"), "{}", stderr(&output));
}

#[test]
fn a_grid_that_no_run_could_hold_is_refused_before_it_is_made() {
    let bench = Bench::new();
    let many = |name: &str, count: usize, text: &str| {
        let values: Vec<String> = (1..=count).map(|n| format!("{n}{text}")).collect();
        format!("{name} = [{}]\n", values.join(", "))
    };
    let grid = format!("[model.grid]\n{}{}", many("epochs", 1000, ""), many("pause_s", 1000, ".0"));
    bench.write("suite.toml", &format!("{TASK}{MODEL}{grid}"));
    let output = bench.run(&["run", "suite.toml", "--list"]);
    exits(&output, 2);
    let expected = "suite.toml:8:1: the grid has 1000000 combinations or more, and a plan has at most 100000 cases";
    assert!(stderr(&output).contains(expected), "{}", stderr(&output));

    let grid = format!("[model.grid]\n{}", many("epochs", 1000, ""));
    bench.write("suite.toml", &format!("{TASK}folds = 2\nrepeats = 100\n{MODEL}{grid}"));
    let output = bench.run(&["run", "suite.toml", "--list"]);
    exits(&output, 2);
    let expected = "the suite has 200000 cases, and a plan has at most 100000: divide it into several suites";
    assert!(stderr(&output).contains(expected), "{}", stderr(&output));

    bench.write("suite.toml", &format!("{TASK}folds = 5\nrepeats = 2\n{MODEL}{grid}"));
    assert_eq!(cases(&bench, &[]).len(), 10_000);
}

#[test]
fn a_parameter_of_a_grid_is_checked_where_it_is_written() {
    let bench = Bench::new();
    for (grid, says) in [
        ("[model.grid]\nepochs = [1, 0]\n", "suite.toml:7:14: model 'nearly': parameter 'epochs' is 0"),
        (
            "[model.grid]\nepoch = [1]\n",
            "suite.toml:7:1: model 'nearly': unknown parameter 'epoch', did you mean 'epochs'?",
        ),
        ("[model.grid]\nepochs = []\n", "suite.toml:7:10: epochs is an empty list: give at least one value"),
        ("[model.grid]\npause_s = [1, 1.0]\n", "suite.toml:7:15: pause_s 1.0 is given twice"),
        ("[model.grid]\nepochs = 3\n", "suite.toml:7:10: "),
        (
            "[model.params]\nepochs = 1\n[model.grid]\nepochs = [1]\n",
            "epochs is in params and in grid: keep one of them",
        ),
        ("[model.on.parity]\nepochs = 1\n[model.grid]\nepochs = [1]\n", "epochs is in grid and in on.parity"),
    ] {
        bench.write("suite.toml", &format!("{TASK}{MODEL}{grid}"));
        let output = bench.run(&["run", "suite.toml", "--list"]);
        exits(&output, 2);
        assert!(stderr(&output).contains(says), "{says}: {}", stderr(&output));
    }
}

#[test]
fn two_labels_that_are_alike_are_refused_by_the_case_that_both_make() {
    let bench = Bench::new();
    let other = "[[model]]\nname = \"nearly\"\nlabel = \"nearly-epochs-1\"\n";
    bench.write("suite.toml", &format!("{TASK}{MODEL}[model.grid]\nepochs = [1, 2]\n{other}"));
    let output = bench.run(&["run", "suite.toml", "--list"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("'parity.nearly-epochs-1.n60.s1.cpu' is planned twice"), "{}", stderr(&output));
}
