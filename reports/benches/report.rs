//! How long `report` takes: the quick suite's size, and 100,000 records, which must stay below five seconds. And how long
//! it takes to write as many records.
#![expect(clippy::unwrap_used, reason = "a broken benchmark should stop")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use bakeoff_reports::{Results, build, encode};
use common::{Plan, SMALL, write_run};
use criterion::{Criterion, criterion_group, criterion_main};

fn report(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("report");
    group.sample_size(10);
    let quick = Plan { models: 5, examples: 1000, ..SMALL };
    let large = Plan { tasks: 120, models: 5, seeds: 10, examples: 0, faults: false, trials: 0, axes: false };
    // The report of the one must stay below ten seconds, and reading and comparing the other below five.
    let many = Plan { tasks: 40, models: 5, seeds: 10, examples: 200, faults: false, trials: 0, axes: false };
    let long = Plan { tasks: 1, models: 5, seeds: 10, examples: 10_000, faults: false, trials: 0, axes: false };
    let answered = Plan { tasks: 12, models: 5, seeds: 2, examples: 1000, faults: false, trials: 0, axes: false };
    for (name, plan) in [
        ("15 cases", quick),
        ("120 cases with predictions", answered),
        ("100,000 records", large),
        ("2,000 cases with predictions", many),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let dir = write_run(folder.path(), &plan);
        let rows = dir.records().unwrap().rows;
        group.bench_function(format!("{name} ({} rows)", rows.len()), |bencher| {
            bencher.iter(|| black_box(build(&dir).unwrap()));
        });
        group.bench_function(format!("{name}: writing {} rows", rows.len()), |bencher| {
            bencher.iter(|| black_box(encode(&rows).unwrap()));
        });
    }
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &long);
    group.bench_function("reading and comparing 5 models, 10 seeds, 10,000 test rows", |bencher| {
        bencher.iter(|| black_box(Results::load(&dir).unwrap()));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    // Criterion's own plots want a font of the system, which our choice of plotters' features leaves out.
    config = Criterion::default().without_plots();
    targets = report
}
criterion_main!(benches);
