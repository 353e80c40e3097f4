//! `tasks` of a `[[model]]`: a model that runs on some of the suite's tasks only.

use std::fs;

use crate::common::{Bench, endings, exits, records, stderr, stdout};

/// Two tasks, one model on both, and one on `parity` only, as a grid of two models.
const SUITE: &str = r#"
name = "test"
[[task]]
name = "parity"
[[task]]
name = "number"
[[model]]
name = "nearly"
[[model]]
name = "nearly"
label = "only-parity"
tasks = ["parity"]
grid = { epochs = [1, 2] }
"#;

const CASES: [&str; 4] = [
    "parity.nearly.n60.s1.cpu",
    "parity.only-parity-epochs-1.n60.s1.cpu",
    "parity.only-parity-epochs-2.n60.s1.cpu",
    "number.nearly.n60.s1.cpu",
];

fn listed(bench: &Bench, arguments: &[&str]) -> Vec<String> {
    let output = bench.run(&[&["run", "suite.toml", "--list"], arguments].concat());
    exits(&output, 0);
    stdout(&output).lines().map(str::to_owned).collect()
}

/// What the program says of a suite that it refuses.
#[track_caller]
fn refused(text: &str, arguments: &[&str]) -> String {
    let bench = Bench::new();
    bench.write("suite.toml", text);
    let output = bench.run(&[&["run", "suite.toml", "--out", "out"], arguments].concat());
    exits(&output, 2);
    assert!(!bench.path("out").exists(), "nothing is written for a suite that is refused");
    stderr(&output)
}

#[test]
fn a_model_with_tasks_runs_on_these_only_and_so_does_every_model_of_its_grid() {
    let bench = Bench::new();
    bench.write("suite.toml", SUITE);
    assert_eq!(listed(&bench, &[]), CASES);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let ran: Vec<String> = endings(&bench.path("out")).into_iter().map(|(case, ..)| case).collect();
    assert_eq!(ran, CASES);
    let report = fs::read_to_string(bench.path("out/report.md")).unwrap();
    let (parity, number) = report.split_once("## number").unwrap();
    assert!(parity.contains("only-parity-epochs-2"), "{report}");
    let table_of_number = number.split("## ").next().unwrap();
    assert!(table_of_number.contains("nearly") && !table_of_number.contains("only-parity"), "{report}");
}

#[test]
fn filters_leave_out_what_has_nothing_left_to_run_on() {
    let bench = Bench::new();
    bench.write("suite.toml", SUITE);
    assert_eq!(listed(&bench, &["-t", "number"]), CASES[3..]);
    assert_eq!(listed(&bench, &["-m", "only-parity"]), CASES[1..3]);
    assert_eq!(listed(&bench, &["--skip-model", "only-parity"]), [CASES[0], CASES[3]]);
    let message = refused(SUITE, &["-t", "number", "-m", "only-parity"]);
    let said = "suite 'test' has nothing to run: no model that is left runs on a task that is left; the key tasks of a [[model]]";
    assert!(message.contains(said), "{message}");
}

#[test]
fn a_filtered_run_is_resumed_although_its_suite_has_lost_tasks_that_a_model_named() {
    let bench = Bench::new();
    let both = SUITE.replace("tasks = [\"parity\"]", "tasks = [\"number\", \"parity\"]");
    bench.write("suite.toml", &both);
    exits(&bench.run(&["run", "suite.toml", "-t", "parity", "--out", "out"]), 0);
    assert_eq!(endings(&bench.path("out")).len(), 3);
    let whole = fs::read_to_string(bench.path("out/records.csv")).unwrap();
    let cut: String = whole.lines().filter(|line| !line.contains("epochs-2")).map(|line| format!("{line}\n")).collect();
    bench.write("out/records.csv", &cut);
    exits(&bench.run(&["resume", "out"]), 0);
    let cases = |rows: Vec<bakeoff_reports::Record>| rows.iter().filter(|row| row.case.contains("epochs-2")).count();
    assert!(cases(records(&bench.path("out"))) > 0);
    assert_eq!(endings(&bench.path("out")).len(), 3);
}

#[test]
fn tasks_that_the_suite_does_not_have_are_refused_with_their_line_and_the_near_name() {
    for (tasks, said) in [
        ("[\"paritty\"]", "suite.toml:12:10: unknown task 'paritty', did you mean 'parity'? (known: parity, number)"),
        ("[]", "suite.toml:12:9: tasks is an empty list: give at least one task of this suite"),
        ("[\"parity\", \"parity\"]", "suite.toml:12:20: task 'parity' is given twice"),
        ("\"parity\"", "suite.toml:12:9: found the text \"parity\", expected a list"),
    ] {
        let message = refused(&SUITE.replace("[\"parity\"]", tasks), &[]);
        assert!(message.contains(said), "{tasks}: {message}");
    }
    let without_number = SUITE.replace("[[task]]\nname = \"number\"\n", "").replace("[\"parity\"]", "[\"number\"]");
    let message = refused(&without_number, &[]);
    assert!(
        message.contains("suite.toml:10:10: unknown task 'number' (known: parity)"),
        "a task of the program that the suite does not have would never run: {message}"
    );
}

#[test]
fn a_task_that_no_model_runs_on_is_refused_with_its_line() {
    let message = refused(&SUITE.replacen("name = \"nearly\"", "name = \"nearly\"\ntasks = [\"parity\"]", 1), &[]);
    let said = "suite.toml:6:8: no model runs on task 'number': add \"number\" to the tasks of a [[model]], or leave this \
                [[task]] out";
    assert!(message.contains(said), "{message}");
}

#[test]
fn tasks_on_a_users_own_data_can_be_named_too() {
    let bench = Bench::new();
    let rows: String = (0..40).map(|n| format!("{n},{}\n", if n % 2 == 1 { "odd" } else { "even" })).collect();
    bench.write("rows.csv", &format!("text,label\n{rows}"));
    let data =
        "[task.data]\nformat = \"csv\"\ntext = \"text\"\nlabel = \"label\"\ntrain = \"rows.csv\"\ntest_part = 0.2\n";
    let mine = format!("[[task]]\nname = \"mine\"\n{data}[[model]]");
    bench.write("suite.toml", &SUITE.replacen("[[model]]", &mine, 1).replace("[\"parity\"]", "[\"mine\"]"));
    let cases = listed(&bench, &["-m", "only-parity"]);
    let expected = [1, 2].map(|epochs| format!("mine.only-parity-epochs-{epochs}.n32.s1.cpu"));
    assert_eq!(cases, expected);
}

#[test]
fn a_model_has_search_trials_on_its_own_tasks_only() {
    let bench = Bench::new();
    let suite = SUITE.replace("name = \"test\"", "name = \"test\"\n[search]\ntrials = 2");
    let suite = suite
        .replace("name = \"nearly\"\nlabel", "name = \"tunable\"\nlabel")
        .replace("grid = { epochs = [1, 2] }\n", "");
    bench.write("suite.toml", &suite);
    let of_model: Vec<String> = listed(&bench, &[]).into_iter().filter(|case| case.contains("only-parity")).collect();
    assert_eq!(of_model.len(), 3, "{of_model:?}");
    assert!(of_model.iter().all(|case| case.starts_with("parity.")), "{of_model:?}");
}
