//! Every raw number that a metric of cost was made of is kept.

use std::fs;

use bakeoff_reports::{Reading, RunDir, quantile};

use crate::common::{Bench, exits, records};

const CASE: &str = "number.nearly.n60.s1.cpu";

/// The readings of a phase and metric, which are in the order in which they were taken.
#[track_caller]
fn of<'a>(readings: &'a [Reading], phase: &str, metric: &str) -> Vec<&'a Reading> {
    let found: Vec<_> =
        readings.iter().filter(|reading| (&*reading.phase, &*reading.metric) == (phase, metric)).collect();
    assert!(!found.is_empty(), "{phase} {metric}");
    assert!(found.iter().enumerate().all(|(index, reading)| reading.index == index), "{found:?}");
    found
}

fn sorted(readings: &[&Reading]) -> Vec<f64> {
    let mut values: Vec<f64> = readings.iter().map(|reading| reading.value).collect();
    values.sort_by(f64::total_cmp);
    values
}

#[test]
fn the_numbers_of_a_case_follow_from_its_readings() {
    let bench = Bench::new();
    bench.suite("latency_examples = 7", &["number", "parity"], &["nearly", "classes-only"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let dir = RunDir::new(bench.path("out"));
    let readings = dir.readings(CASE).unwrap().unwrap();
    let records = records(&bench.path("out"));
    let number = |phase: &str, metric: &str| {
        let row = records.iter().find(|row| row.case == CASE && row.phase == phase && row.metric == metric).unwrap();
        row.value.unwrap()
    };

    let latencies = of(&readings, "predict-single", "latency_s");
    let rows: Vec<_> = latencies.iter().map(|reading| reading.example).collect();
    assert_eq!(rows, (0..7).map(Some).collect::<Vec<_>>(), "each with its test row");
    for (metric, share) in [("latency_p50_s", 0.5), ("latency_p90_s", 0.9), ("latency_p99_s", 0.99)] {
        assert_eq!(number("predict-single", metric), quantile(&sorted(&latencies), share), "{metric}");
    }

    let passes = of(&readings, "predict-batch", "pass_s");
    let examples = number("score", "examples");
    assert_eq!(passes.len(), 3);
    assert_eq!(number("predict-batch", "throughput"), examples / quantile(&sorted(&passes), 0.5));

    assert_eq!(of(&readings, "fit", "fit_s")[0].value, number("fit", "fit_s"));

    for (phase, predictions, reads) in
        [("fit", 1.0, 4), ("predict-batch", 3.0 * examples, 2), ("predict-single", 7.0, 2)]
    {
        let joules = of(&readings, phase, "energy_j");
        // Before and after, and in a fit after each of its two epochs.
        assert_eq!(joules.len(), reads, "{phase}");
        let spent = joules[reads - 1].value - joules[0].value;
        assert_eq!(number(phase, "energy_j"), spent / predictions, "{phase}");
    }
    assert_eq!(of(&readings, "case", "peak_memory_bytes")[0].value, number("case", "peak_memory_bytes"));
    let first = of(&readings, "fit", "energy_j")[0].value;
    let curves: Vec<f64> = dir
        .curves()
        .unwrap()
        .unwrap()
        .rows
        .iter()
        .filter(|row| row.case == CASE)
        .filter_map(|row| row.energy_j)
        .collect();
    let epochs: Vec<f64> = of(&readings, "fit", "energy_j")[1..3].iter().map(|reading| reading.value - first).collect();
    assert_eq!(curves, epochs);

    let of_one = ["latency_s", "warm_up_s", "first_prediction_s"];
    assert!(readings.iter().all(|reading| reading.example.is_some() == of_one.contains(&reading.metric.as_str())));
    for reading in &readings {
        let expected = match reading.metric.as_str() {
            "energy_j" => ("J", "estimate"),
            "peak_memory_bytes" => ("B", "kernel"),
            _ => ("s", "stopwatch"),
        };
        assert_eq!((reading.unit.as_str(), reading.source.as_str()), expected, "{}", reading.metric);
    }
    assert_eq!(dir.readings("number.classes-only.n60.s1.cpu").unwrap(), None, "nothing was measured");
}

#[test]
fn a_case_whose_readings_are_gone_or_cut_is_run_again_and_a_report_does_not_need_them() {
    let bench = Bench::new();
    bench.suite("", &["number", "parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let dir = RunDir::new(bench.path("out"));
    let (gone, cut) = (dir.readings_path(CASE), dir.readings_path("parity.nearly.n60.s1.cpu"));
    let whole = fs::read(&cut).unwrap();
    fs::remove_file(&gone).unwrap();
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    exits(&bench.run(&["report", "out"]), 0);
    exits(&bench.run(&["resume", "out"]), 0);
    assert!(dir.readings(CASE).unwrap().is_some());
    assert!(dir.readings("parity.nearly.n60.s1.cpu").unwrap().is_some());
    exits(&bench.run(&["resume", "out"]), 5);
}
