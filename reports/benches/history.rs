//! How long it takes to read a history of a year of `standard` (11 tasks, 5 models, every night) and to judge its last night. Both together must stay
//! below two seconds.
#![expect(clippy::unwrap_used, reason = "a broken benchmark should stop")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use bakeoff_reports::{DEFAULT_PROJECT, History, NewRun, Origin, Results, Rules, add_runs};
use common::{Plan, SMALL, write_run};
use criterion::{Criterion, criterion_group, criterion_main};

/// Nights with numbers of their own; the year repeats them.
const NIGHTS: usize = 30;

fn history(criterion: &mut Criterion) {
    let plan = Plan { tasks: 11, models: 5, seeds: 1, examples: 0, faults: false, ..SMALL };
    let folder = tempfile::tempdir().unwrap();
    let nights: Vec<Results> = (0..NIGHTS)
        .map(|night| {
            let dir = write_run(&folder.path().join(format!("{night}")), &plan);
            let mut rows = dir.records().unwrap().rows;
            // Steps around the golden ratio, which follow no trend.
            let noise = 1.0 + 0.01 * ((night as f64 * 0.618_033_988_75).fract() - 0.5);
            for row in rows.iter_mut().filter(|row| !row.unit.is_empty()) {
                row.value = row.value.map(|value| value * noise);
            }
            dir.write_rows(&dir.records_path(), &rows).unwrap();
            Results::load(&dir).unwrap()
        })
        .collect();
    let runs: Vec<NewRun> = (0..365)
        .map(|night| {
            let mut results = nights[night % NIGHTS].clone();
            results.info.run = format!("night-{night}");
            NewRun::of(&results, Origin::night(), None)
        })
        .collect();
    let perf = folder.path().join("perf");
    add_runs(&perf, DEFAULT_PROJECT, &runs).unwrap();
    let read = History::read(&perf).unwrap();
    let bytes = std::fs::metadata(perf.join("history.jsonl")).unwrap().len();
    let mut group = criterion.benchmark_group("history");
    group.sample_size(10);
    let name = format!("{} series of 365 nights ({} MB)", read.series.len(), bytes / 1_000_000);
    group.bench_function(format!("reading {name}"), |bencher| {
        bencher.iter(|| black_box(History::read(&perf).unwrap()));
    });
    group.bench_function(format!("judging {name}"), |bencher| {
        bencher.iter(|| black_box(read.judge(364, &Rules::default())));
    });
    let (mut night, mut results) = (365, nights[0].clone());
    group.bench_function(format!("adding a night to {name}"), |bencher| {
        bencher.iter(|| {
            night += 1;
            results.info.run = format!("night-{night}");
            add_runs(&perf, DEFAULT_PROJECT, &[NewRun::of(&results, Origin::night(), None)]).unwrap();
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    // Criterion's own plots want a font of the system, which our choice of plotters' features leaves out.
    config = Criterion::default().without_plots();
    targets = history
}
criterion_main!(benches);
