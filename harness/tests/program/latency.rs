//! Latency and throughput on virtual time: what the scenarios store, which rate holds a bound, and what a fault under load becomes.

use std::collections::BTreeSet;
use std::path::Path;

use bakeoff_reports::{Reading, Record, RunDir, quantile};

use crate::common::{Bench, endings, exits, records, stderr, stdout};

/// A suite of a model with a fault and of a sound one after it, on one task, with these settings.
fn suite(bench: &Bench, latency: &str, fault: &str) {
    let text = format!(
        "name = \"test\"\nthreads = 2\n{latency}\n[[task]]\nname = \"parity\"\n[[model]]\nname = \"under-load\"\n\
         [model.params]\nfault = \"{fault}\"\n[[model]]\nname = \"nearly\"\n"
    );
    bench.write("suite.toml", &text);
}

/// Runs that suite and gives the rows of the model with the fault.
#[track_caller]
fn rows(bench: &Bench, latency: &str, fault: &str) -> Vec<Record> {
    suite(bench, latency, fault);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    of_under_load(&bench.path("out"))
}

fn of_under_load(run: &Path) -> Vec<Record> {
    let endings = endings(run);
    assert_eq!(endings.len(), 2, "{endings:?}");
    assert_eq!(endings[1].1, "ok", "the next case is not touched: {endings:?}");
    records(run).into_iter().filter(|row| row.model == "under-load").collect()
}

/// The row of a metric, measured under no further conditions.
#[track_caller]
fn row<'a>(rows: &'a [Record], phase: &str, metric: &str) -> &'a Record {
    let is_it = |row: &&Record| (&*row.phase, &*row.metric, &*row.conditions) == (phase, metric, "");
    let mut found = rows.iter().filter(is_it);
    let row = found.next().unwrap_or_else(|| panic!("no {metric} of {phase}"));
    assert!(found.next().is_none(), "{metric} of {phase} is there twice");
    row
}

#[track_caller]
fn value(rows: &[Record], phase: &str, metric: &str) -> f64 {
    let row = row(rows, phase, metric);
    row.value.unwrap_or_else(|| panic!("{metric} of {phase}: {}", row.note))
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in: {text}");
    }
}

const CASE: &str = "parity.under-load.n60.s1.cpu";

fn readings(bench: &Bench) -> Vec<Reading> {
    RunDir::new(bench.path("out")).readings(CASE).unwrap().unwrap()
}

#[test]
fn single_stream_repeats_all_examples_in_turn_until_it_has_enough_queries() {
    let bench = Bench::new();
    let rows = rows(&bench, "[latency]\nmin_queries = 700", "none");
    assert_eq!(value(&rows, "predict-single", "queries"), 700.0);
    // Five milliseconds of work, and one for the reading of the clock.
    assert_eq!(value(&rows, "predict-single", "latency_p99_s"), 0.006);
    let measured = row(&rows, "predict-single", "measured_s");
    assert!((measured.value.unwrap() - 4.2).abs() < 1e-9, "{measured:?}");
    assert_eq!(measured.note, "shortened: MLPerf measures for 600 s");
    let latencies: Vec<Reading> =
        readings(&bench).into_iter().filter(|reading| reading.metric == "latency_s").collect();
    assert_eq!(latencies.len(), 700);
    assert!(latencies.iter().enumerate().all(|(query, reading)| reading.example == Some(query % 30)));
}

#[test]
fn single_stream_goes_on_for_the_duration_of_the_suite_and_ends_at_the_most_of_one() {
    for (latency, queries) in [
        ("min_duration_s = 1.2", 200.0),
        ("min_duration_s = 1.2\nmin_queries = 300", 300.0),
        ("min_duration_s = 600\nmax_queries = 45\nscenarios = [\"single-stream\"]", 45.0),
        ("min_queries = 1000\nmax_duration_s = 0.6", 100.0),
    ] {
        let bench = Bench::new();
        let rows = rows(&bench, &format!("timeout_s = 4000\n[latency]\n{latency}"), "none");
        let found = value(&rows, "predict-single", "queries");
        assert!((found - queries).abs() <= 1.0, "{latency}: {found}");
    }
}

#[test]
fn a_duration_of_mlperf_is_not_shortened() {
    let bench = Bench::new();
    let latency = "timeout_s = 4000\n[latency]\nmin_duration_s = 600.0\nscenarios = [\"offline\"]";
    let rows = rows(&bench, latency, "none");
    let measured = row(&rows, "predict-batch", "measured_s");
    assert!(measured.value.unwrap() >= 600.0 && measured.note.is_empty(), "{measured:?}");
    assert!(rows.iter().all(|row| row.phase != "predict-single"), "only what the suite asks for");
}

#[test]
fn a_bound_of_a_percentile_is_valid_or_says_how_many_queries_it_needs() {
    let bench = Bench::new();
    let few = rows(&bench, "", "none");
    let p99 = row(&few, "predict-single", "latency_p99_bound_s");
    assert_eq!((p99.value, p99.note.as_str()), (None, "needs more queries: 632"));
    assert_eq!(row(&few, "predict-single", "latency_p50_bound_s").note, "VALID: 7 of 30 queries are higher");
    let report = std::fs::read_to_string(bench.path("out/report.md")).unwrap();
    assert!(!report.contains("latency_p99_bound_s of predict-single is missing"), "it is a result and no gap");
    let bench = Bench::new();
    let enough = rows(&bench, "[latency]\nmin_queries = 662", "none");
    assert_eq!(row(&enough, "predict-single", "latency_p99_bound_s").note, "VALID: 0 of 662 queries are higher");
    assert_eq!(value(&enough, "predict-single", "latency_p99_bound_s"), 0.006);
}

#[test]
fn the_warm_up_ends_when_the_times_have_settled_and_its_readings_are_kept() {
    let bench = Bench::new();
    let rows = rows(&bench, "", "starts-slowly");
    assert_eq!(row(&rows, "predict-single", "queries").note, "after 80 predictions to warm up");
    assert_eq!(value(&rows, "predict-single", "latency_p99_s"), 0.006, "the slow ones are not among the timed");
    let warm_up: Vec<f64> =
        readings(&bench).iter().filter(|reading| reading.metric == "warm_up_s").map(|reading| reading.value).collect();
    assert_eq!((warm_up.len(), warm_up[0], warm_up[79]), (80, 0.051, 0.006));
}

#[test]
fn outliers_are_counted_and_stay_among_the_readings_and_in_the_percentiles() {
    let bench = Bench::new();
    let rows = rows(&bench, "[latency]\nmin_queries = 700", "hiccups");
    // The warm-up has the predictions 2 to 41, after the first of the process. Of the 700 after it, every 50th takes 50 milliseconds in place of 5.
    assert_eq!(row(&rows, "predict-single", "queries").note, "after 40 predictions to warm up");
    assert_eq!(value(&rows, "predict-single", "latency_outliers"), 14.0);
    assert_eq!(row(&rows, "predict-single", "latency_outliers").note, "above 6.000e-3 s; the longest is 5.100e-2 s");
    assert_eq!(value(&rows, "predict-single", "latency_p99_s"), 0.051);
    let slow =
        readings(&bench).iter().filter(|reading| reading.metric == "latency_s" && reading.value == 0.051).count();
    assert_eq!(slow, 14);
}

const SERVER: &str = "[latency]\nscenarios = [\"single-stream\", \"server\"]\nbound_ms = 30";

#[test]
fn the_server_finds_a_rate_below_its_capacity_and_stores_every_query() {
    let bench = Bench::new();
    let rows = rows(&bench, SERVER, "none");
    let highest = value(&rows, "server", "max_rate_per_s");
    let capacity = value(&rows, "server", "capacity_per_s");
    // Five milliseconds of work and two readings of the clock.
    assert!((capacity - 1000.0 / 7.0).abs() < 1.0, "{capacity}");
    assert!(highest > 0.3 * capacity && highest < capacity, "{highest} of {capacity}");
    says(&row(&rows, "server", "max_rate_per_s").note, &["of 2010 queries are late, at most 10 may be", "rates tried"]);
    assert!(value(&rows, "server", "late_queries") <= 10.0);
    assert_eq!(value(&rows, "server", "declared_bound_s"), 0.03);
    assert!(value(&rows, "server", "latency_p99_s") <= 0.03);
    assert_eq!(value(&rows, "server", "service_p50_s"), 0.006);
    // Every rate has rows of its own, and every query a reading.
    let condition = format!("bound_ms=30 rate_per_s={highest} workers=1");
    let p99 = rows.iter().find(|row| row.conditions == condition && row.metric == "latency_p99_s").unwrap();
    assert_eq!(p99.value, Some(value(&rows, "server", "latency_p99_s")));
    let readings = readings(&bench);
    let of = |metric: &str| -> Vec<f64> {
        let name = format!("{metric} rate_per_s={highest}");
        readings.iter().filter(|reading| reading.metric == name).map(|reading| reading.value).collect()
    };
    let (queueing, service) = (of("queueing_s"), of("service_s"));
    let mut latencies: Vec<f64> = queueing.iter().zip(&service).map(|(queueing, service)| queueing + service).collect();
    latencies.sort_by(f64::total_cmp);
    assert_eq!(latencies.len(), 2010);
    assert!((quantile(&latencies, 0.99) - value(&rows, "server", "latency_p99_s")).abs() < 1e-12);
    assert!(rows.iter().any(|row| row.note.starts_with("ended early: ")), "a rate was too high");
}

#[test]
fn the_arrivals_are_the_same_in_every_run_and_for_every_model() {
    let bench = Bench::new();
    let first = rows(&bench, SERVER, "none");
    exits(&bench.run(&["run", "suite.toml", "--out", "again"]), 0);
    let again = of_under_load(&bench.path("again"));
    let of_server = |rows: &[Record]| -> Vec<(String, String, Option<f64>)> {
        let rows = rows.iter().filter(|row| row.phase == "server");
        rows.map(|row| (row.metric.clone(), row.conditions.clone(), row.value)).collect()
    };
    assert_eq!(of_server(&first), of_server(&again));
}

#[test]
fn declared_rates_are_measured_in_place_of_a_search() {
    let bench = Bench::new();
    let rows = rows(&bench, &format!("{SERVER}\nrates_per_s = [40, 20, 400]"), "none");
    assert_eq!(value(&rows, "server", "max_rate_per_s"), 40.0);
    says(&row(&rows, "server", "max_rate_per_s").note, &["3 rates tried"]);
    let conditions: BTreeSet<&str> =
        rows.iter().map(|row| row.conditions.as_str()).filter(|conditions| !conditions.is_empty()).collect();
    let expected = [20, 40, 400].map(|rate| format!("bound_ms=30 rate_per_s={rate} workers=1"));
    assert_eq!(conditions, expected.iter().map(String::as_str).collect::<BTreeSet<&str>>());
}

#[test]
fn several_workers_are_instances_of_the_saved_model() {
    let bench = Bench::new();
    let rows = rows(&bench, &format!("{SERVER}\nworkers = 2\nrates_per_s = [20]"), "none");
    // Which worker takes a query is up to the threads, so that no time is exact.
    let queries = rows.iter().find(|row| row.metric == "queries" && row.conditions.contains("workers=2")).unwrap();
    assert!(queries.value.unwrap() > 0.0);
    assert!(value(&rows, "server", "capacity_per_s") > 0.0);
}

#[test]
fn a_worker_that_panics_fails_its_case_with_the_message() {
    let bench = Bench::new();
    suite(&bench, &format!("{}\nworkers = 2", SERVER.replace("\"single-stream\", ", "")), "panics");
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    let endings = endings(&bench.path("out"));
    says(&endings[0].2, &["the model panicked: this model panics under load"]);
    assert_eq!(endings[1].1, "ok");
}

#[test]
fn a_bound_that_no_rate_meets_is_one_row_with_its_reason() {
    let bench = Bench::new();
    let rows = rows(&bench, &SERVER.replace("30", "3"), "none");
    let highest = row(&rows, "server", "max_rate_per_s");
    assert_eq!(highest.value, None);
    says(
        &highest.note,
        &["no rate holds the bound of 3 ms: 2010 of 2010 predictions take longer by themselves, the median 6.000 ms"],
    );
    assert!(rows.iter().all(|row| row.metric != "late_queries"), "nothing was searched");
}

#[test]
fn a_model_that_sleeps_under_load_holds_no_bound_and_is_too_slow_for_the_percentile() {
    let bench = Bench::new();
    let rows = rows(&bench, SERVER, "sleeps");
    says(&row(&rows, "server", "max_rate_per_s").note, &["no rate holds the bound of 30 ms"]);
    assert_eq!(value(&rows, "predict-single", "latency_p50_s"), 1.006, "it is slow, which is a result");
}

#[test]
fn a_model_that_is_too_slow_for_the_queries_of_a_percentile_says_so() {
    let bench = Bench::new();
    let rows = rows(&bench, &SERVER.replace("30", "5000"), "sleeps");
    let highest = row(&rows, "server", "max_rate_per_s");
    assert_eq!(highest.value, None);
    says(&highest.note, &["fewer than the 459 queries that the 99th percentile needs in max_duration_s = 60"]);
}

#[test]
fn a_search_ends_before_the_time_out_of_its_case() {
    let bench = Bench::new();
    // The capacity takes 15 of the 60 seconds, and a rate as long again or longer.
    let rows = rows(&bench, &format!("timeout_s = 60\n{SERVER}"), "none");
    let note = &row(&rows, "server", "max_rate_per_s").note;
    says(note, &["timeout_s leaves no time for another: raise it"]);
}

/// The reason in the one row of a metric that a fault leaves empty.
#[track_caller]
fn reason(latency: &str, fault: &str, phase: &str, metric: &str) -> String {
    let bench = Bench::new();
    let rows = rows(&bench, latency, fault);
    let row = row(&rows, phase, metric);
    assert_eq!(row.value, None, "{row:?}");
    row.note.clone()
}

/// How the case of a fault ends that fails it.
#[track_caller]
fn ending(latency: &str, fault: &str) -> (String, String) {
    let bench = Bench::new();
    suite(&bench, latency, fault);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    let endings = endings(&bench.path("out"));
    assert_eq!(endings[1].1, "ok", "the next case is not touched: {endings:?}");
    let note = endings[0].2.strip_prefix("the saved model could not be served: ").unwrap();
    (endings[0].1.clone(), note.to_owned())
}

#[test]
fn answers_in_another_order_under_load_are_no_measurement() {
    for (phase, metric) in [("predict-single", "latency_p50_s"), ("server", "max_rate_per_s")] {
        says(
            &reason(SERVER, "stale", phase, metric),
            &["timed answers are not those of the scoring pass, first that to test row"],
        );
    }
}

#[test]
fn a_model_that_gives_no_answer_under_load_fails_its_case() {
    let (status, note) = ending("[latency]\nmin_queries = 100", "drops");
    assert_eq!((status.as_str(), note.as_str()), ("failed", "0 answers to 1 examples in a timed prediction"));
}

#[test]
fn a_model_that_panics_under_load_fails_its_case() {
    let (status, note) = ending("[latency]\nmin_queries = 100", "panics");
    assert_eq!(status, "failed");
    says(&note, &["the model panicked: this model panics under load"]);
}

#[test]
fn a_clock_that_stops_fails_its_case() {
    for latency in ["[latency]\nmin_queries = 200", "[latency]\nscenarios = [\"server\"]\nbound_ms = 30"] {
        let (status, note) = ending(latency, "stops-clock");
        assert_eq!(
            (status.as_str(), note.as_str()),
            ("failed", "the machine's clock stands still, so no time can be measured")
        );
    }
}

#[test]
fn a_machine_that_was_suspended_leaves_the_scenario_without_numbers() {
    let latency = "[latency]\nmin_queries = 100";
    says(
        &reason(latency, "suspends", "predict-single", "latency_p99_s"),
        &["the machine was suspended for 3600.0 s meanwhile"],
    );
}

#[test]
fn the_server_is_measured_a_second_time_after_a_machine_was_suspended() {
    let bench = Bench::new();
    let rows = rows(&bench, "[latency]\nscenarios = [\"server\"]\nbound_ms = 30", "suspends");
    assert!(value(&rows, "server", "max_rate_per_s") > 0.0);
    let remark = "the scenario server was measured a second time: the machine was suspended for 3600.0 s meanwhile";
    says(&endings(&bench.path("out"))[0].2, &[remark]);
    let mut names: Vec<String> = readings(&bench)
        .iter()
        .map(|reading| format!("{} {} {}", reading.phase, reading.metric, reading.index))
        .collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "no reading of the first time is left");
}

#[test]
fn a_process_that_did_not_run_for_a_while_in_both_measurements_leaves_the_server_without_numbers() {
    let server = "[latency]\nscenarios = [\"server\"]\nbound_ms = 30";
    says(&reason(server, "oversleeps", "server", "max_rate_per_s"), &["the process did not run for 3"]);
}

#[test]
fn an_audit_catches_a_model_that_keeps_its_answers() {
    let bench = Bench::new();
    suite(&bench, "", "caches");
    let output = bench.run(&["run", "suite.toml", "--out", "out", "--audit"]);
    exits(&output, 0);
    let rows = of_under_load(&bench.path("out"));
    let speedup = row(&rows, "audit", "repeat_speedup");
    assert_eq!(speedup.value, Some(6.0), "six milliseconds, and one for an answer that it knows");
    says(&speedup.note, &["TEST04 failed: an example that comes again is predicted 6.000 times as fast as a new one"]);
    let endings = endings(&bench.path("out"));
    says(&endings[0].2, &["audit: TEST04 failed"]);
    let report = std::fs::read_to_string(bench.path("out/report.md")).unwrap();
    says(&report, &["TEST04 failed"]);
}

#[test]
fn an_audit_catches_answers_that_are_not_the_scored_ones() {
    let bench = Bench::new();
    let rows = rows(&bench, "[latency]\naudit = true", "stale");
    says(&row(&rows, "audit", "differing_answers").note, &["TEST01 failed"]);
}

#[test]
fn a_sound_model_passes_the_audit() {
    let bench = Bench::new();
    let rows = rows(&bench, "[latency]\naudit = true", "none");
    assert_eq!(value(&rows, "audit", "differing_answers"), 0.0);
    assert_eq!(value(&rows, "audit", "repeat_speedup"), 1.0);
    // Three passes over 30 rows, and 30 single predictions.
    assert_eq!(row(&rows, "audit", "differing_answers").note, "TEST01 passed: 120 timed answers were compared");
    says(&row(&rows, "audit", "repeat_speedup").note, &["TEST04 passed"]);
    assert!(endings(&bench.path("out"))[0].2.is_empty());
}

#[test]
fn list_and_check_say_what_will_be_measured() {
    let bench = Bench::new();
    suite(&bench, &format!("latency_examples = 7\n{SERVER}\nmin_duration_s = 10"), "none");
    let measured = "each case measures single-stream (at least 7 queries and 10 s), server (99 % within 30 ms: the highest rate, 1 worker)";
    let output = bench.run(&["run", "suite.toml", "--list"]);
    exits(&output, 0);
    says(&stderr(&output), &[measured, "their scenarios take at least 60 s"]);
    assert_eq!(stdout(&output).lines().count(), 2, "a line for each case");
    let output = bench.run(&["check", "suite.toml"]);
    exits(&output, 0);
    says(&stdout(&output), &[measured]);
}

#[test]
fn a_resumed_run_measures_what_its_suite_says() {
    let bench = Bench::new();
    suite(&bench, &format!("{SERVER}\nrates_per_s = [20, 25.5]"), "none");
    exits(&bench.run(&["run", "suite.toml", "--out", "out", "--audit"]), 0);
    std::fs::remove_file(RunDir::new(bench.path("out")).readings_path(CASE)).unwrap();
    exits(&bench.run(&["resume", "out"]), 0);
    let rows = of_under_load(&bench.path("out"));
    assert_eq!(value(&rows, "server", "max_rate_per_s"), 25.5);
    assert_eq!(value(&rows, "audit", "repeat_speedup"), 1.0);
}
