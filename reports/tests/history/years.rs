//! A year of the suite `standard`, every night: 11 tasks, 5 models, one seed.

use std::fs;

use bakeoff_reports::{NewRun, Origin, Record, Results, RunDir};

use crate::Bench;
use crate::common::Plan;

/// As long as the parameters of the Transformer are, the longest of the five models'.
const PARAMS: &str = "augmentation=none batch=64 depth=4 dropout=0.1 early_stopping=5 ensemble=1 epochs=20 feedforward=4 heads=4 \
    label_smoothing=0 learning_rate=0.001 max_length=64 optimiser=adamw pool=mean schedule=cosine tokens=words vocabulary=20000 \
    warm_up=0.1 weight_decay=0.01 width=128";

#[test]
fn a_year_of_standard_stays_below_50_mb() {
    let bench = Bench::of(Plan { tasks: 11, models: 5, seeds: 1, examples: 0, faults: false, trials: 0, axes: false });
    let dir = bench.night(1, |record| record.params = PARAMS.to_owned());
    add_costs(&dir);
    let new = NewRun::of(&Results::load(&dir).unwrap(), Origin::night(), None);
    bakeoff_reports::add_runs(&bench.history(), crate::PROJECT, &[new]).unwrap();
    let cells = crate::cells(&bench.file());
    assert_eq!(cells.len(), 55);
    assert!(cells.iter().all(|cell| cell.numbers.len() >= 18), "every cost that `standard` measures is there");
    let night = fs::metadata(bench.file()).unwrap().len();
    assert!(night * 365 < 50_000_000, "{night} bytes a night are {} a year", night * 365);
}

/// The costs that a made-up run lacks, with as many digits as measured ones.
fn add_costs(dir: &RunDir) {
    let mut rows = dir.records().unwrap().rows;
    let closing: Vec<Record> = rows.iter().filter(|row| row.metric == "wall_s").cloned().collect();
    for row in closing {
        for (phase, metric, unit, source) in [
            ("fit", "energy_j", "J", "rapl"),
            ("serve", "load_s", "s", "stopwatch"),
            ("serve", "load_cold_s", "s", "stopwatch"),
            ("serve", "first_prediction_s", "s", "stopwatch"),
            ("serve", "peak_memory_bytes", "B", "kernel"),
            ("predict-single", "energy_j", "J", "rapl"),
            ("predict-single", "energy_j", "J", "estimate"),
            ("predict-batch", "energy_j", "J", "rapl"),
        ] {
            let value = Some(std::f64::consts::PI / 1000.0);
            let text = str::to_owned;
            let at = rows.iter().position(|other| other.case == row.case).unwrap();
            rows.insert(
                at,
                Record {
                    phase: text(phase),
                    metric: text(metric),
                    unit: text(unit),
                    source: text(source),
                    value,
                    ..row.clone()
                },
            );
        }
    }
    dir.write_rows(&dir.records_path(), &rows).unwrap();
}
