//! Models whose times are compared take turns, so that drift of the machine hits all of them alike.

use std::fs;

use bakeoff_reports::{Record, RunDir};

use crate::common::{Bench, endings, exits, records, stderr, stdout};

/// The cases in the order in which they began.
fn begun(said: &str) -> Vec<String> {
    said.lines().filter_map(|line| line.trim().strip_suffix(" …")).map(str::to_owned).collect()
}

#[test]
fn the_models_of_a_setting_take_turns_over_its_seeds() {
    let bench = Bench::new();
    bench.suite("seeds = [1, 2]", &["parity", "number"], &["nearly", "constant"]);
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    let expected = ["parity", "number"].map(|task| {
        [1, 2].map(|seed| ["nearly", "constant"].map(|model| format!("{task}.{model}.n60.s{seed}.cpu")).to_vec())
    });
    assert_eq!(begun(&stderr(&output)), expected.as_flattened().concat());
}

#[test]
fn a_case_runs_after_its_own_search_trials_and_before_the_next_seed_of_another_model() {
    let bench = Bench::new();
    let text = "name = \"test\"\nseeds = [1, 2]\n[search]\ntrials = 2\n[[task]]\nname = \"number\"\n\
                [[model]]\nname = \"tunable\"\n[[model]]\nname = \"nearly\"\n";
    bench.write("suite.toml", text);
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    let of_seed = |seed| {
        [
            format!("tunable.n60.s{seed}.t1"),
            format!("tunable.n60.s{seed}.t2"),
            format!("tunable.n60.s{seed}"),
            format!("nearly.n60.s{seed}"),
        ]
        .map(|case| format!("number.{case}.cpu"))
    };
    assert_eq!(begun(&stderr(&output)), [of_seed(1), of_seed(2)].concat());
}

const ROUNDS: &str = "[latency]\nrounds = 3";

fn of(rows: &[Record], model: &str, phase: &str, metric: &str) -> Vec<(String, Option<f64>)> {
    let is_it = |row: &&Record| (&*row.model, &*row.phase, &*row.metric) == (model, phase, metric);
    rows.iter().filter(is_it).map(|row| (row.conditions.clone(), row.value)).collect()
}

#[test]
fn rounds_serve_the_models_of_a_setting_by_turns_and_each_setting_on_its_own() {
    let bench = Bench::new();
    bench.suite(ROUNDS, &["parity", "number"], &["nearly", "constant"]);
    let log = bench.path("loads");
    let output = bench.command(&["run", "suite.toml", "--out", "out"]).env("FAKE_LOADS", &log).output().unwrap();
    exits(&output, 0);
    // Each is loaded from the disk, and then loaded to be served.
    let turn = ["nearly", "nearly", "constant", "constant"];
    let loads = fs::read_to_string(&log).unwrap();
    assert_eq!(loads.lines().collect::<Vec<_>>(), [turn; 6].concat());
    assert!(!bench.path("out/serving").exists());
}

#[test]
fn a_number_of_rounds_is_their_median_and_each_round_has_its_own_rows_and_readings() {
    let bench = Bench::new();
    bench.suite(ROUNDS, &["number"], &["nearly", "constant"]);
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    let rows = records(&bench.path("out"));
    for (phase, metric) in [("serve", "load_s"), ("predict-single", "latency_p50_s"), ("predict-batch", "throughput")] {
        let found = of(&rows, "nearly", phase, metric);
        let conditions: Vec<&str> = found.iter().map(|(conditions, _)| conditions.as_str()).collect();
        assert_eq!(conditions, ["", "round=1", "round=2", "round=3"], "{metric}");
        let mut of_rounds: Vec<f64> = found[1..].iter().map(|(_, value)| value.unwrap()).collect();
        of_rounds.sort_by(f64::total_cmp);
        assert_eq!(found[0].1, Some(of_rounds[1]), "{metric}");
    }
    assert_eq!(of(&rows, "nearly", "fit", "fit_s").len(), 1, "a fit is not repeated");
    let load = rows.iter().find(|row| row.metric == "load_s" && row.conditions.is_empty()).unwrap();
    assert_eq!(load.note, "the same in 3 rounds");
    let readings = RunDir::new(bench.path("out")).readings("number.nearly.n60.s1.cpu").unwrap().unwrap();
    let in_round = |round: usize| {
        let name = format!("latency_s round={round}");
        readings.iter().filter(|reading| reading.metric == name).count()
    };
    assert_eq!([1, 2, 3].map(in_round), [30; 3]);
    let report = fs::read_to_string(bench.path("out/report.md")).unwrap();
    assert!(!report.contains("Numbers that are missing") || !report.contains("round="), "{report}");
    assert!(bench.path("out/figures/latency-ecdf.svg").exists(), "{}", stdout(&output));
}

#[test]
fn a_model_that_fails_when_it_is_served_leaves_the_rounds_of_the_others_alone() {
    let bench = Bench::new();
    bench.suite(ROUNDS, &["number"], &["nearly", "served-panics", "constant"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    let statuses: Vec<String> = endings(&bench.path("out")).into_iter().map(|(_, status, _)| status).collect();
    assert_eq!(statuses, ["ok", "failed", "below-floor"]);
    let rows = records(&bench.path("out"));
    assert_eq!(of(&rows, "constant", "serve", "load_s").len(), 4);
    assert!(of(&rows, "served-panics", "predict-single", "latency_p50_s").is_empty());
    assert!(!of(&rows, "served-panics", "fit", "fit_s").is_empty(), "what the fit gave stays");
}

#[test]
fn rounds_of_the_command_line_take_the_place_of_those_of_the_suite() {
    let bench = Bench::new();
    bench.suite("[latency]\nrounds = 5", &["number"], &["constant"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out", "--rounds", "3"]), 0);
    assert_eq!(of(&records(&bench.path("out")), "constant", "serve", "load_s").len(), 4, "three, and their median");
    for (rounds, expected) in
        [("2", "--rounds: 2 is not an odd number in 1..=99"), ("101", "--rounds: 101 is not an odd number")]
    {
        let output = bench.run(&["run", "suite.toml", "--out", "again", "--rounds", rounds]);
        exits(&output, 2);
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn rounds_without_a_median_and_latencies_of_cases_at_the_same_time_are_refused() {
    let bench = Bench::new();
    for (settings, expected) in [
        ("[latency]\nrounds = 2", "suite.toml:3:10: rounds is 2, expected an odd number in 1..=99"),
        ("[latency]\nrounds = 0", "suite.toml:3:10: rounds is 0, expected an odd number in 1..=99"),
        ("jobs = 2\n[latency]\nrounds = 3", "suite.toml:4:10: rounds is 3, and 2 cases run at a time"),
        (
            "jobs = 2\n[latency]\nscenarios = [\"server\"]\nbound_ms = 50",
            "suite.toml:4:13: the scenario server is measured, and 2 cases run at a time",
        ),
        ("jobs = 2\n[latency]\naudit = true", "latencies are audited, and 2 cases run at a time"),
    ] {
        bench.suite(settings, &["number"], &["nearly"]);
        let output = bench.run(&["run", "suite.toml", "--out", "out"]);
        exits(&output, 2);
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}
