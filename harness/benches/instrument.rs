//! What the instrument itself costs: the stopwatch, which every latency contains, the queries of the scenarios, the reads of an energy
//! meter, and the judging of predictions. A query should add less than a microsecond to a prediction of 100.

use std::convert::Infallible;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bakeoff::load::{ClockFault, Limits, Load, Worker, one_after_another, serve_all};
use bakeoff::machine::{Machine, Peak, ThisMachine};
use bakeoff::meters::{EnergyConfig, open};
use bakeoff::scoring::score;
use bakeoff::stopwatch::Stopwatch;
use bakeoff_datasets::Targets;
use bakeoff_models::{Matrix, Predictions};
use bakeoff_reports::MachineInfo;
use criterion::{Criterion, criterion_group, criterion_main};
use tempfile::TempDir;

fn stopwatch(criterion: &mut Criterion) {
    criterion.bench_function("stopwatch: start", |bencher| bencher.iter(|| Stopwatch::start(&ThisMachine)));
    let running = Stopwatch::start(&ThisMachine);
    criterion.bench_function("stopwatch: read", |bencher| bencher.iter(|| running.seconds()));
}

/// A worker that predicts nothing, so that all of its time is the instrument's.
struct Idle;

impl Worker for Idle {
    type Answer = ();
    type Fault = Infallible;

    fn now(&mut self) -> Duration {
        ThisMachine.now()
    }

    fn wait_until(&mut self, _time: Duration) -> Result<Duration, Infallible> {
        Ok(ThisMachine.now())
    }

    fn serve(&mut self, query: usize) -> Result<(), Infallible> {
        black_box(query);
        Ok(())
    }
}

fn queries(criterion: &mut Criterion) {
    const QUERIES: usize = 1000;
    let limits =
        Limits { min_queries: QUERIES, max_queries: QUERIES, min_duration_s: 0.0, max_duration_s: f64::INFINITY };
    criterion.bench_function("single-stream: 1,000 queries without predictions", |bencher| {
        bencher.iter(|| {
            let predict = |example| Ok::<_, ClockFault>(black_box(example));
            one_after_another(&ThisMachine, 200, limits, predict, |_, answer| {
                black_box(answer);
                Ok(())
            })
        });
    });
    let arrivals = vec![Duration::ZERO; QUERIES];
    criterion.bench_function("server: 1,000 queries without predictions", |bencher| {
        bencher.iter(|| {
            let load = Load::new(Duration::ZERO, &arrivals, Duration::MAX, usize::MAX);
            let mut served = Vec::new();
            serve_all(&load, &mut Idle, |query, ()| {
                served.push(query);
                Ok(())
            })
            .map(|()| served)
        });
    });
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

/// This machine with made-up registers of one package and its memory, as Linux shows them.
struct Metered {
    powercap: TempDir,
}

const DOMAINS: [(&str, &str); 2] = [("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "dram")];

impl Metered {
    fn new() -> Metered {
        let powercap = tempfile::tempdir().expect("a folder for registers");
        for (domain, name) in DOMAINS {
            let domain = powercap.path().join(domain);
            std::fs::create_dir(&domain).expect("a folder for a register");
            std::fs::write(domain.join("name"), name).expect("a name");
            std::fs::write(domain.join("max_energy_range_uj"), "262143328850\n").expect("a range");
        }
        Metered { powercap }
    }

    fn show(&self, microjoules: u64) {
        for (domain, _) in DOMAINS {
            let register = self.powercap.path().join(domain).join("energy_uj");
            std::fs::write(register, format!("{microjoules}\n")).expect("a register");
        }
    }
}

impl Machine for Metered {
    fn now(&self) -> Duration {
        ThisMachine.now()
    }
    fn cpu_time(&self) -> Option<Duration> {
        ThisMachine.cpu_time()
    }
    fn peak_memory_bytes(&self) -> Option<u64> {
        ThisMachine.peak_memory_bytes()
    }
    fn utc(&self) -> String {
        ThisMachine.utc()
    }
    fn powercap(&self) -> PathBuf {
        self.powercap.path().to_owned()
    }
    fn suspended(&self) -> Option<Duration> {
        ThisMachine.suspended()
    }
    fn evict(&self, folder: &Path) -> Result<(), String> {
        ThisMachine.evict(folder)
    }
    fn fetched_bytes(&self) -> Option<u64> {
        ThisMachine.fetched_bytes()
    }
    fn system_root(&self) -> PathBuf {
        ThisMachine.system_root()
    }
    fn peak(&self, _: usize) -> Option<Peak> {
        None
    }
    fn is_virtual(&self) -> bool {
        false
    }
    fn describe(&self) -> MachineInfo {
        ThisMachine.describe()
    }
}

/// One read of a package and its memory. A sampler makes a hundred of them a second.
fn sampler(criterion: &mut Criterion) {
    let machine = Metered::new();
    machine.show(1_000_000);
    let opened = std::thread::scope(|scope| {
        // A register that does not move while it is opened is no meter.
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            machine.show(2_000_000);
        });
        open(&EnergyConfig::default(), &machine, None)
    });
    let mut counter = opened.expect("the registers are readable");
    criterion.bench_function("sampler: read a package and its memory", |bencher| {
        bencher.iter(|| black_box(counter.read_j(machine.moment().monotonic)));
    });
}

criterion_group!(benches, stopwatch, queries, sampler, scoring);
criterion_main!(benches);
