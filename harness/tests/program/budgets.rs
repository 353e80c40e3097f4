//! What a budget of a fit decides, over the real models.

use std::process::{Command, Output};

use bakeoff_reports::RunDir;

use crate::common::{Bench, endings, exits, records, stderr, stdout};

fn bakeoff(bench: &Bench, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bakeoff")).current_dir(bench.path(".")).args(arguments).output().unwrap()
}

fn suite(bench: &Bench, settings: &str, models: &str) {
    let text = format!(
        "name = \"budgets\"\nlatency_examples = 5\n{settings}\n[[task]]\nname = \"cifar10\"\ntrain_size = 200\n{models}"
    );
    bench.write("suite.toml", &text);
}

/// A small network that one epoch of it takes some milliseconds, and a forest of one tree: a budget gives both more.
const MODELS: &str = "[[model]]\nname = \"lstm\"\nparams = { epochs = 1, hidden = 8, batch = 32, shard = 16 }\n\
                      [[model]]\nname = \"random-forest\"\nparams = { trees = 1 }\n";

#[test]
fn networks_and_forests_learn_until_the_budget_is_used_up_whatever_their_parameters_say() {
    let bench = Bench::new();
    suite(&bench, "budget = \"2s\"", MODELS);
    exits(&bakeoff(&bench, &["run", "suite.toml", "--out", "with"]), 0);
    suite(&bench, "", MODELS);
    exits(&bakeoff(&bench, &["run", "suite.toml", "--out", "without"]), 0);
    let of = |run: &str, model: &str, metric: &str| {
        let rows = records(&bench.path(run));
        rows.iter().find(|row| row.model == model && row.metric == metric).and_then(|row| row.value)
    };
    let epochs = |run: &str| RunDir::new(bench.path(run)).curves().unwrap().unwrap().rows.len();
    assert_eq!(epochs("without"), 1);
    assert!(epochs("with") > 1, "{}", epochs("with"));
    let bytes = |run: &str| of(run, "random-forest", "model_bytes").unwrap();
    assert!(bytes("with") > 2.0 * bytes("without"), "{} {}", bytes("with"), bytes("without"));
    let report = std::fs::read_to_string(bench.path("with/report.md")).unwrap();
    assert!(
        report.contains("Every fit had a budget of 2 s: networks and forests learned until it was used up"),
        "{report}"
    );
    for model in ["lstm", "random-forest"] {
        assert_eq!(of("with", model, "budget_s"), Some(2.0));
        assert_eq!(of("without", model, "budget_s"), None);
    }
}

#[test]
fn a_budget_that_is_too_small_is_a_stated_gap_and_no_failure() {
    let bench = Bench::new();
    let models = "[[model]]\nname = \"resnet\"\nparams = { depth = 8 }\n[[model]]\nname = \"svm\"\n[[model]]\nname = \"lstm\"\nparams = { ensemble = 2 }\n";
    suite(&bench, "budget = \"0.002s\"", models);
    let output = bakeoff(&bench, &["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    let endings = endings(&bench.path("out"));
    for (case, status, _) in &endings {
        assert_eq!(status, "over-budget", "{case}");
    }
    let notes: Vec<&str> = endings.iter().map(|(_, _, note)| note.as_str()).collect();
    assert!(notes[0].starts_with("the budget was used up in the first epoch, after "), "{notes:?}");
    assert!(notes[1].contains("budget"), "{notes:?}");
    assert!(notes[2].starts_with("member 1 of 2: the budget was used up in the first epoch"), "{notes:?}");
    let said = stdout(&output);
    assert!(said.contains("over-budget"), "{said}");
    // Nothing would be different the next time.
    exits(&bakeoff(&bench, &["resume", "out"]), 5);
}

#[test]
fn a_budget_that_is_too_small_for_every_search_trial_is_too_small_for_the_case_and_no_failure() {
    let bench = Bench::new();
    let model = "[[model]]\nname = \"resnet\"\nparams = { depth = 8 }\n";
    for (search, expected) in [
        (
            "trials = 2",
            "all 2 search trials that began were over-budget; the first: the budget was used up in the first epoch",
        ),
        ("trials = 1", "the only search trial that began was over-budget: the budget was used up in the first epoch"),
        ("method = \"halving\"\ntrials = 3", "all 3 search trials that began were over-budget; the first: "),
    ] {
        let _ = std::fs::remove_dir_all(bench.path("out"));
        suite(&bench, &format!("budget = \"0.002s\"\n[search]\n{search}"), model);
        exits(&bakeoff(&bench, &["run", "suite.toml", "--out", "out"]), 0);
        let endings = endings(&bench.path("out"));
        let (case, status, note) = endings.last().unwrap();
        assert!(!case.contains(".t"), "{case}");
        assert_eq!(status, "over-budget", "{search}: {endings:?}");
        assert!(note.starts_with(expected), "{search}: {note}");
        // Nothing would be different the next time.
        exits(&bakeoff(&bench, &["resume", "out"]), 5);
    }
}

#[test]
fn a_budget_of_joules_needs_a_meter() {
    let bench = Bench::new();
    suite(&bench, "budget = \"30J\"", MODELS);
    exits(&bakeoff(&bench, &["run", "suite.toml", "--out", "with"]), 0);
    let rows = records(&bench.path("with"));
    assert!(rows.iter().any(|row| row.metric == "budget_j" && row.value == Some(30.0)));
    // The fake machine has no meter.
    bench.suite("budget = \"30J\"", &["number"], &["nearly"]);
    let output = bench.run(&["run", "suite.toml", "--no-energy-estimate", "--list"]);
    exits(&output, 2);
    let said = stderr(&output);
    assert!(
        said.contains("suite.toml:2:10: joules can be neither measured nor estimated (") && said.contains("in seconds"),
        "{said}"
    );
    bench.suite("", &["number"], &["nearly"]);
    let output = bench.run(&["run", "suite.toml", "--no-energy-estimate", "--budget", "30J", "--list"]);
    exits(&output, 2);
    assert!(
        stderr(&output).contains("bakeoff: --budget: joules can be neither measured nor estimated ("),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_budget_without_a_number_or_a_unit_is_refused_with_its_place() {
    let bench = Bench::new();
    for (budget, at) in [("60", "3:10"), ("0s", "3:10"), ("10 parsecs", "3:10")] {
        suite(&bench, &format!("budget = \"{budget}\""), MODELS);
        let output = bakeoff(&bench, &["run", "suite.toml", "--list"]);
        exits(&output, 2);
        let said = stderr(&output);
        assert!(
            said.contains(&format!("suite.toml:{at}: expected a number above 0 and its unit, such as 60s")),
            "{said}"
        );
    }
    suite(&bench, "timeout_s = 5\nbudget = \"5s\"", MODELS);
    let output = bakeoff(&bench, &["run", "suite.toml", "--list"]);
    exits(&output, 2);
    let said = stderr(&output);
    assert!(said.contains("suite.toml:4:10: the budget of 5s is not below timeout_s = 5, which also covers"), "{said}");
    suite(&bench, "", MODELS);
    let output = bakeoff(&bench, &["run", "suite.toml", "--budget", "10min", "--list"]);
    exits(&output, 2);
    assert!(
        stderr(&output).contains("--budget: the budget of 600s is not below timeout_s = 600"),
        "{}",
        stderr(&output)
    );
    let output = bakeoff(&bench, &["run", "suite.toml", "--budget", "60", "--list"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("such as 60s, 10min, 2h, 500J or 5kJ"), "{}", stderr(&output));
}

#[test]
fn a_check_of_a_suite_with_a_budget_does_not_use_it_up() {
    let bench = Bench::new();
    suite(&bench, "timeout_s = 8000\nbudget = \"2h\"", MODELS);
    exits(&bakeoff(&bench, &["check", "suite.toml"]), 0);
}
