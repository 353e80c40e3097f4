//! What the stopwatch itself costs, which every latency contains.

use bakeoff::machine::ThisMachine;
use bakeoff::stopwatch::Stopwatch;
use criterion::{Criterion, criterion_group, criterion_main};

fn stopwatch(criterion: &mut Criterion) {
    criterion.bench_function("stopwatch: start", |bencher| bencher.iter(|| Stopwatch::start(&ThisMachine)));
    let running = Stopwatch::start(&ThisMachine);
    criterion.bench_function("stopwatch: read", |bencher| bencher.iter(|| running.seconds()));
}

criterion_group!(benches, stopwatch);
criterion_main!(benches);
