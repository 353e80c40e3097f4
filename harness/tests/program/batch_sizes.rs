//! Calls of several batch sizes, where a suite asks for them.

use bakeoff_reports::{Record, RunDir, quantile};

use crate::common::{Bench, exits, records, stderr};

const CASE: &str = "number.nearly.n60.s1.cpu";

fn of_curve(bench: &Bench, run: &str) -> Vec<Record> {
    records(&bench.path(run)).into_iter().filter(|row| row.phase == "batch-size").collect()
}

#[test]
fn no_batch_size_is_measured_unless_a_suite_or_an_option_asks_for_it() {
    let bench = Bench::new();
    bench.suite("", &["number"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    assert!(of_curve(&bench, "out").is_empty());
    exits(&bench.run(&["run", "suite.toml", "--out", "asked", "--batch-sizes", "4,1"]), 0);
    let conditions: Vec<String> = of_curve(&bench, "asked").into_iter().map(|row| row.conditions).collect();
    assert_eq!(conditions, [["batch=1"; 3], ["batch=4"; 3]].concat());
}

#[test]
fn each_batch_size_has_throughput_latency_and_joules_that_follow_from_its_readings() {
    let bench = Bench::new();
    bench.suite("[latency]\nbatch_sizes = [1, 8, 64]", &["number"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let rows = of_curve(&bench, "out");
    let readings = RunDir::new(bench.path("out")).readings(CASE).unwrap().unwrap();
    for size in [1.0, 8.0, 64.0] {
        let row = |metric: &str| {
            let of = |row: &&Record| row.conditions == format!("batch={size}") && row.metric == metric;
            rows.iter().find(of).unwrap()
        };
        let of = |name: String| -> Vec<f64> {
            let of = readings.iter().filter(|reading| reading.phase == "batch-size" && reading.metric == name);
            of.map(|reading| reading.value).collect()
        };
        let (mut calls, joules) = (of(format!("batch_{size}_s")), of(format!("batch_{size}_j")));
        calls.sort_by(f64::total_cmp);
        let median = quantile(&calls, 0.5);
        assert!(calls.len() >= 5, "{calls:?}");
        assert_eq!(row("latency_p50_s").value, Some(median));
        assert_eq!(row("throughput").value, Some(size / median));
        let per_prediction = (joules[1] - joules[0]) / (calls.len() as f64 * size);
        assert_eq!((row("energy_j").value, row("energy_j").source.as_str()), (Some(per_prediction), "estimate"));
        let repeats = if size > 30.0 { " of 30 distinct examples" } else { "" };
        assert_eq!(row("throughput").note, format!("{} calls{repeats}", calls.len()));
    }
    assert!(bench.path("out/figures/batch-size.svg").exists());
    // Its numbers are no columns of other phases.
    let single: Vec<_> = records(&bench.path("out"))
        .into_iter()
        .filter(|row| row.phase == "predict-batch" && row.metric == "throughput")
        .map(|row| row.conditions)
        .collect();
    assert_eq!(single, [""]);
}

#[test]
fn a_resumed_run_measures_the_batch_sizes_of_the_run() {
    let bench = Bench::new();
    bench.suite("", &["number"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out", "--batch-sizes", "2"]), 0);
    std::fs::remove_file(RunDir::new(bench.path("out")).predictions_path(CASE)).unwrap();
    exits(&bench.run(&["resume", "out"]), 0);
    assert_eq!(of_curve(&bench, "out").len(), 3);
}

#[test]
fn batch_sizes_that_are_none_are_refused_with_their_place() {
    let bench = Bench::new();
    for (sizes, expected) in [
        ("[1, 0]", "suite.toml:3:19: batch_sizes is 0, expected whole numbers in 1..=65536"),
        ("[1, 2, 100000]", "suite.toml:3:22: batch_sizes is 100000, expected whole numbers in 1..=65536"),
        ("[4, 2, 4]", "suite.toml:3:22: batch size 4 is given twice"),
    ] {
        bench.suite(&format!("[latency]\nbatch_sizes = {sizes}"), &["number"], &["nearly"]);
        let output = bench.run(&["run", "suite.toml", "--out", "out"]);
        exits(&output, 2);
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    bench.suite("", &["number"], &["nearly"]);
    for (sizes, expected) in
        [("0", "--batch-sizes: 0 is not a whole number in 1..=65536"), ("2,2", "--batch-sizes: 2 is given twice")]
    {
        let output = bench.run(&["run", "suite.toml", "--out", "out", "--batch-sizes", sizes]);
        exits(&output, 2);
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}
