//! What the instrument itself costs: the stopwatch, which every latency contains, and the judging of predictions.

use std::hint::black_box;

use bakeoff::machine::ThisMachine;
use bakeoff::scoring::score;
use bakeoff::stopwatch::Stopwatch;
use bakeoff_datasets::Targets;
use bakeoff_models::{Matrix, Predictions};
use criterion::{Criterion, criterion_group, criterion_main};

fn stopwatch(criterion: &mut Criterion) {
    criterion.bench_function("stopwatch: start", |bencher| bencher.iter(|| Stopwatch::start(&ThisMachine)));
    let running = Stopwatch::start(&ThisMachine);
    criterion.bench_function("stopwatch: read", |bencher| bencher.iter(|| running.seconds()));
}

fn scoring(criterion: &mut Criterion) {
    const ROWS: usize = 10_000;
    const CLASSES: usize = 10;
    let labels = |factor: usize| -> Vec<u16> { (0..ROWS).map(|row| (row * factor % CLASSES) as u16).collect() };
    let names = (0..CLASSES).map(|class| class.to_string()).collect::<Vec<_>>().into();
    let even = Matrix { rows: ROWS, cols: CLASSES, data: vec![1.0 / CLASSES as f32; ROWS * CLASSES] };
    let values = |factor: usize| -> Vec<f32> { (0..ROWS).map(|row| (row * factor % 997) as f32).collect() };
    let cases = [
        (
            "classes",
            Targets::Classes { labels: labels(1), names },
            Predictions::Classes { labels: labels(3), probabilities: Some(even) },
        ),
        ("values", Targets::Values(values(31)), Predictions::Values(values(37))),
    ];
    for (kind, targets, predictions) in cases {
        criterion.bench_function(&format!("score: 10,000 {kind}"), |bencher| {
            bencher.iter(|| black_box(score(&targets, &predictions)));
        });
    }
}

criterion_group!(benches, stopwatch, scoring);
criterion_main!(benches);
