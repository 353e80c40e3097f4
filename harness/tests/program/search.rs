//! A search for parameters: its trials, what it chooses, what it costs, and its faults.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use bakeoff_reports::{Record, RunDir};

use crate::common::{Bench, endings, exits, records, stderr, stdout};
#[cfg(unix)]
use crate::faults::signal;
use crate::faults::{curves, wait_until, without_times};

const SEARCH: &str = "name = \"test\"\nseeds = [1, 2]\n[search]\nmethod = \"random\"\ntrials = 6\n";
const TASKS: &str = "[[task]]\nname = \"number\"\n";
const TUNABLE: &str = "[[model]]\nname = \"tunable\"\n";

fn listed(bench: &Bench) -> Vec<String> {
    let output = bench.run(&["run", "suite.toml", "--list"]);
    exits(&output, 0);
    stdout(&output).lines().map(str::to_owned).collect()
}

/// The value of a metric in a phase of a case.
fn value(rows: &[Record], case: &str, phase: &str, metric: &str) -> Option<f64> {
    rows.iter().find(|row| row.case == case && row.phase == phase && row.metric == metric).and_then(|row| row.value)
}

fn params(rows: &[Record], case: &str) -> String {
    rows.iter().find(|row| row.case == case).unwrap().params.clone()
}

#[test]
fn search_trials_are_cases_before_the_one_that_is_scored_and_the_plan_is_the_same_each_time() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}{TUNABLE}[[model]]\nname = \"constant\"\n"));
    let all = listed(&bench);
    assert_eq!(all.len(), 2 * (6 + 1) + 2, "a model without ranges runs once as it is");
    assert_eq!(all[0], "number.tunable.n60.s1.t1.cpu");
    assert_eq!(all[5..7], ["number.tunable.n60.s1.t6.cpu", "number.tunable.n60.s1.cpu"]);
    for run in ["out", "again"] {
        // The constant answer is below the floor, which is no failure.
        exits(&bench.run(&["run", "suite.toml", "--out", run]), 0);
    }
    assert_eq!(without_times(&bench.path("out")), without_times(&bench.path("again")));
    let rows = records(&bench.path("out"));
    let tried = |seed: usize| -> Vec<String> {
        (1..=6).map(|trial| params(&rows, &format!("number.tunable.n60.s{seed}.t{trial}.cpu"))).collect()
    };
    assert_eq!(tried(1)[0], "epochs=2 pause_s=0 rate=1", "the first has the parameters as they are");
    let distinct: BTreeSet<String> = tried(1).into_iter().chain(tried(2)).collect();
    assert_eq!(distinct.len(), 11, "each draw is another one: {distinct:?}");
    let trials: BTreeSet<Option<usize>> = rows.iter().map(|row| row.trial).collect();
    assert_eq!(trials, [None, Some(1), Some(2), Some(3), Some(4), Some(5), Some(6)].into());
}

#[test]
fn what_the_search_leaves_as_it_is_is_said_before_the_run_and_in_the_report() {
    let bench = Bench::new();
    let fixed = "[[model]]\nname = \"tunable\"\nlabel = \"fixed\"\n[model.on.number]\nrate = 0.5\n";
    let tasks = format!("{TASKS}[[task]]\nname = \"parity\"\n");
    bench.write("suite.toml", &format!("name = \"test\"\n{tasks}{TUNABLE}{fixed}[[model]]\nname = \"nearly\"\n"));
    let remark =
        "The search varies no parameter of fixed (on number), nearly: the suite leaves none free that has a range";
    for command in
        [&["run", "suite.toml", "--list"][..], &["check", "suite.toml"], &["run", "suite.toml", "--out", "out"]]
    {
        let output = bench.run(&[command, &["--trials", "3"]].concat());
        exits(&output, 0);
        assert!(stderr(&output).contains(remark), "{command:?}: {}", stderr(&output));
    }
    let without = bench.run(&["run", "suite.toml", "--list"]);
    assert!(!stderr(&without).contains("The search varies"), "{}", stderr(&without));
    assert!(fs::read_to_string(bench.path("out/report.md")).unwrap().contains(remark));
}

#[test]
fn the_best_search_trial_gives_the_parameters_and_the_costs_are_summed() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}{TUNABLE}"));
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    assert!(stderr(&output).contains("validation mse"), "{}", stderr(&output));
    let rows = records(&bench.path("out"));
    for seed in [1, 2] {
        let scored = format!("number.tunable.n60.s{seed}.cpu");
        let trials: Vec<String> = (1..=6).map(|trial| format!("number.tunable.n60.s{seed}.t{trial}.cpu")).collect();
        let scores: Vec<Option<f64>> = trials.iter().map(|trial| value(&rows, trial, "validate", "mse")).collect();
        let best = scores.iter().flatten().copied().min_by(f64::total_cmp).unwrap();
        // Ties are for the first.
        let chosen = trials.iter().zip(&scores).find(|(_, score)| **score == Some(best)).unwrap().0;
        assert_eq!(params(&rows, &scored), params(&rows, chosen));
        assert_eq!(value(&rows, &scored, "search", "best_validation"), Some(best));
        let sum = |metric: &str| trials.iter().filter_map(|trial| value(&rows, trial, "fit", metric)).sum::<f64>();
        assert_eq!(value(&rows, &scored, "search", "fit_s"), Some(sum("fit_s")));
        assert_eq!(value(&rows, &scored, "search", "energy_j"), Some(sum("energy_j")));
        assert_eq!(value(&rows, &scored, "search", "trials"), Some(6.0));
        let failed = scores.iter().filter(|score| score.is_none()).count() as f64;
        assert_eq!(value(&rows, &scored, "search", "failed_trials"), Some(failed));
        for trial in &trials {
            let phases: BTreeSet<&str> =
                rows.iter().filter(|row| row.case == *trial).map(|row| row.phase.as_str()).collect();
            assert!(phases.iter().all(|phase| ["fit", "validate", "case"].contains(phase)), "{trial}: {phases:?}");
            assert_eq!(RunDir::new(bench.path("out")).predictions(trial).unwrap(), None);
            // 6 of 60 rows are held out, and 5 of the other 54 are for the choice of an epoch.
            assert_eq!(value(&rows, trial, "fit", "train_examples"), Some(49.0));
        }
        assert_eq!(value(&rows, &scored, "fit", "train_examples"), Some(54.0), "it is fitted on all its rows");
    }
    assert!(rows.iter().any(|row| row.trial.is_some() && row.status.is_failure()), "a rate of 30 diverges");
}

#[test]
fn of_equal_search_trials_the_first_is_chosen() {
    let bench = Bench::new();
    // The number of passes changes no answer of this model.
    let ranges = "[model.search]\nepochs = [3, 9]\n";
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}[[model]]\nname = \"nearly\"\n{ranges}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let rows = records(&bench.path("out"));
    assert_eq!(params(&rows, "number.nearly.n60.s1.cpu"), "epochs=2 mood=calm pause_s=0");
    assert_eq!(value(&rows, "number.nearly.n60.s1.cpu", "search", "failed_trials"), Some(0.0));
}

#[test]
fn the_report_has_a_table_and_a_figure_of_the_search_and_ranks_no_search_trial() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}{TUNABLE}[[model]]\nname = \"nearly\"\n"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let report = fs::read_to_string(bench.path("out/report.md")).unwrap();
    assert!(report.contains("4 of 4 cases with 12 search trials finished"), "{report}");
    assert!(report.contains("## Tuning") && report.contains("at random, unless [search] of the suite"), "{report}");
    assert!(report.contains("ok, 2 of 2 seeds"), "{report}");
    assert!(!report.contains(".t1."), "no search trial is in a table of results: {report}");
    let html = fs::read_to_string(bench.path("out/report.html")).unwrap();
    assert!(html.contains("id=\"tuning\"") && html.contains("rate="), "the chosen rate is shown");
    assert!(bench.path("out/figures/tuning.svg").exists() && bench.path("out/figures/tuning.png").exists());
    let summary = fs::read_to_string(bench.path("out/summary.csv")).unwrap();
    assert_eq!(summary.lines().count(), 1 + 4, "a row for each case that is scored");
    let columns = summary.lines().next().unwrap();
    for column in ["search_trials", "failed_search_trials", "best_validation", "search_fit_s", "search_energy_j"] {
        assert!(columns.split(',').any(|title| title == column), "{column}: {columns}");
    }
}

#[test]
fn a_parameter_that_is_written_is_not_searched_for_and_a_written_range_replaces_the_declared_one() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}{TUNABLE}params = {{ rate = 0.5 }}\n"));
    assert_eq!(listed(&bench), ["number.tunable.n60.s1.cpu", "number.tunable.n60.s2.cpu"], "nothing is left to search");
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}{TUNABLE}[model.on.number]\nrate = 0.5\n"));
    assert_eq!(listed(&bench).len(), 2);
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}{TUNABLE}[model.grid]\nrate = [0.5, 0.6]\n"));
    assert_eq!(listed(&bench).len(), 4);

    let ranges = "[model.search]\nrate = [0.2, 0.3]\nepochs = [3, 4]\n";
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}{TUNABLE}{ranges}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    for row in records(&bench.path("out")).iter().filter(|row| row.trial.is_some_and(|trial| trial > 1)) {
        let (epochs, rate) = row.params.split_once(" pause_s=0 rate=").unwrap();
        assert!(["epochs=3", "epochs=4"].contains(&epochs), "{}", row.params);
        assert!((0.2..=0.3).contains(&rate.parse::<f64>().unwrap()), "{}", row.params);
    }
}

#[test]
fn cases_at_the_same_time_wait_for_their_search_trials_and_give_the_same_rows() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}{TUNABLE}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out", "--threads", "1"]), 0);
    exits(&bench.run(&["run", "suite.toml", "--out", "jobs", "--threads", "1", "--jobs", "4"]), 0);
    assert_eq!(without_times(&bench.path("out")), without_times(&bench.path("jobs")));
}

/// A search of eight trials, each of which takes a while.
fn slow_suite(bench: &Bench) {
    let search = SEARCH.replace("trials = 6", "trials = 4");
    bench.write("suite.toml", &format!("{search}{TASKS}{TUNABLE}params = {{ pause_s = 0.1 }}\n"));
}

#[cfg(unix)]
#[test]
fn a_search_that_was_killed_goes_on_and_chooses_as_an_undisturbed_one() {
    let bench = Bench::new();
    slow_suite(&bench);
    exits(&bench.run(&["run", "suite.toml", "--out", "whole"]), 0);
    let mut command = bench.command(&["run", "suite.toml", "--out", "out"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let out = bench.path("out");
    wait_until("two search trials", || out.join("run.json").exists() && endings(&out).len() >= 2);
    signal(&child, "-KILL");
    child.wait().unwrap();
    let before = endings(&out).len();
    assert!(before < 10, "the run was to be killed before its end");
    let output = bench.run(&["resume", "out"]);
    exits(&output, 0);
    let expected = format!("{before} cases are done, {} are left", 10 - before);
    assert!(stderr(&output).contains(&expected), "{}", stderr(&output));
    assert_eq!(without_times(&out), without_times(&bench.path("whole")));
    assert_eq!(curves(&out), curves(&bench.path("whole")));
    exits(&bench.run(&["resume", "out"]), 5);
}

#[test]
fn a_case_is_measured_again_if_a_search_trial_of_it_is_gone() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}{TUNABLE}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let before = without_times(&bench.path("out"));
    fs::remove_file(bench.path("out/readings/number.tunable.n60.s2.t3.cpu.csv.gz")).unwrap();
    let output = bench.run(&["resume", "out"]);
    exits(&output, 0);
    assert!(stderr(&output).contains("12 cases are done, 2 are left"), "{}", stderr(&output));
    assert_eq!(without_times(&bench.path("out")), before);
}

#[test]
fn a_failed_search_trial_is_a_result_and_not_tried_again() {
    let bench = Bench::new();
    // From 50 on every draw diverges, and the first search trial does not.
    let ranges = "[model.search]\nrate = [50.0, 60.0]\n";
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}{TUNABLE}{ranges}"));
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    let rows = records(&bench.path("out"));
    assert_eq!(value(&rows, "number.tunable.n60.s1.cpu", "search", "failed_trials"), Some(5.0));
    assert_eq!(params(&rows, "number.tunable.n60.s1.cpu"), "epochs=2 pause_s=0 rate=1");
    let lost = value(&rows, "number.tunable.n60.s1.t2.cpu", "fit", "fit_s");
    assert!(lost.is_some(), "what a diverged fit cost is part of the cost of the search");
    exits(&bench.run(&["resume", "out"]), 5);
}

#[test]
fn a_search_whose_every_trial_fails_is_a_failed_case_with_the_first_reason() {
    let bench = Bench::new();
    let ranges = "[model.search]\nepochs = [1, 3]\n";
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}[[model]]\nname = \"panics\"\n{ranges}"));
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 3);
    assert!(stdout(&output).contains("2 cases failed"), "search trials do not count: {}", stdout(&output));
    let endings = endings(&bench.path("out"));
    let (_, status, note) = endings.iter().find(|(case, ..)| case == "number.panics.n60.s1.cpu").unwrap();
    assert_eq!(status, "failed");
    let expected = "all 6 search trials that began failed; the first: the model panicked: this model panics on purpose";
    assert!(note.starts_with(expected), "{note}");
    let rows = records(&bench.path("out"));
    assert_eq!(value(&rows, "number.panics.n60.s1.cpu", "search", "failed_trials"), Some(6.0));
    let output = bench.run(&["resume", "out"]);
    exits(&output, 3);
    assert!(stderr(&output).contains("0 cases are done, 14 are left"), "{}", stderr(&output));
}

#[test]
fn a_search_with_folds_chooses_in_each_fold() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{}{TASKS}folds = 3\n{TUNABLE}", SEARCH.replace("[1, 2]", "[1]")));
    let all = listed(&bench);
    assert_eq!(all.len(), 3 * 7);
    assert_eq!(all[0], "number.tunable.n60.s1.r1f1.t1.cpu");
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let report = fs::read_to_string(bench.path("out/report.md")).unwrap();
    assert!(report.contains("1, repeat 1, fold 3") && report.contains("ok, 3 of 3 folds"), "{report}");
}

#[test]
fn the_parameters_of_a_stored_case_must_be_those_of_a_search_trial() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}{TUNABLE}"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let info = fs::read_to_string(bench.path("out/run.json")).unwrap();
    assert!(info.contains("trials = 6"), "{info}");
    let ranges = "[model.search]\\nrate = [0.2, 0.3]\\n";
    let changed = info.replace("name = \\\"tunable\\\"\\n", &format!("name = \\\"tunable\\\"\\n{ranges}"));
    assert_ne!(info, changed);
    fs::write(bench.path("out/run.json"), changed).unwrap();
    let output = bench.run(&["resume", "out"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("was measured with"), "{}", stderr(&output));
}

#[test]
fn a_check_tries_the_cases_and_not_their_search_trials() {
    let bench = Bench::new();
    bench.write("suite.toml", &format!("{SEARCH}{TASKS}{TUNABLE}"));
    let output = bench.run(&["check", "suite.toml"]);
    exits(&output, 0);
    let expected = "2 of 2 cases are ready (0 unsupported); their 12 search trials were not tried";
    assert!(stdout(&output).contains(expected), "{}", stdout(&output));
}

#[test]
fn a_fault_of_a_search_is_refused_where_it_is_written() {
    let bench = Bench::new();
    let suite = |search: &str, model: &str| format!("name = \"test\"\n{search}{TASKS}{TUNABLE}{model}");
    let good = "[search]\ntrials = 3\n";
    for (search, model, says) in [
        ("[search]\ntrials = 0\n", "", "suite.toml:3:10: trials is 0, expected a whole number in 1..=100000"),
        (
            "[search]\nmethod = \"random\"\n",
            "",
            "suite.toml:2:1: the search has neither trials nor a budget: add trials = 20",
        ),
        ("[search]\ntrials = 3\ntrails = 3\n", "", "unknown key `trails`, did you mean 'trials'?"),
        (
            "[search]\nmethod = \"randam\"\ntrials = 3\n",
            "",
            "suite.toml:3:10: unknown search method 'randam', did you mean 'random'? (known: random, bayesian, halving)",
        ),
        (
            "",
            "[model.search]\nrate = [0.1, 1.0]\n",
            "suite.toml:7:1: the suite searches no parameters: add [search] with trials = 20",
        ),
        (
            good,
            "[model.search]\nrat = [0.1, 1.0]\n",
            "suite.toml:9:1: model 'tunable': unknown parameter 'rat', did you mean 'rate'?",
        ),
        (
            good,
            "[model.search]\nrate = [1.0, 0.1]\n",
            "suite.toml:9:8: model 'tunable': the range of 'rate' is from 1 to 0.1: the second is to be larger",
        ),
        (good, "[model.search]\nrate = []\n", "suite.toml:9:8: model 'tunable': the range of 'rate' has 0 values"),
        (
            good,
            "[model.search]\nrate = [0.1, 1e9]\n",
            "suite.toml:9:14: model 'tunable': parameter 'rate' is 1000000000",
        ),
        (good, "[model.search]\nrate = 0.1\n", "suite.toml:9:8: found the number `0.1`, expected a list"),
        (
            good,
            "params = { rate = 0.5 }\n[model.search]\nrate = [0.1, 1.0]\n",
            "suite.toml:10:1: rate is in params, which fixes it, and in search, which varies it: keep one of them",
        ),
        (good, "[model.grid]\nrate = [0.5]\n[model.search]\nrate = [0.1, 1.0]\n", "rate is in grid, which fixes it"),
        (good, "[model.on.parity]\nrate = 0.5\n[model.search]\nrate = [0.1, 1.0]\n", "rate is in on.parity, which"),
        (
            "[search]\ntrials = 100000\n",
            "",
            "the suite has 100001 cases, search trials included, and a plan has at most 100000",
        ),
    ] {
        bench.write("suite.toml", &suite(search, model));
        let output = bench.run(&["run", "suite.toml", "--list"]);
        exits(&output, 2);
        assert!(stderr(&output).contains(says), "{says}: {}", stderr(&output));
    }
}
