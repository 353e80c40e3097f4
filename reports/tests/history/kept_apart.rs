//! What must not be one series is none: machines, versions, parameters, seeds, and runs whose clock is wrong.

use std::collections::BTreeSet;

use bakeoff_reports::{DeviceInfo, MachineClass, MachineInfo, Origin, Results, RunDir, RunKind, Status};

use crate::{Bench, name, quiet, rename, series};

fn machine(cpu: &str, cpus: usize, memory_bytes: u64, os: &str) -> (MachineInfo, DeviceInfo) {
    let text = str::to_owned;
    let machine = MachineInfo {
        fingerprint: text("a1b2c3d4"),
        cpu: text(cpu),
        cpus,
        memory_bytes,
        os: text(os),
        arch: text("x86_64"),
    };
    let device = DeviceInfo { device: text("cpu"), name: text(cpu), memory_bytes, fingerprint: text("a1b2c3d4") };
    (machine, device)
}

#[test]
fn a_class_of_machines_is_its_processor_its_count_and_its_memory_in_powers_of_two() {
    let class = |(machine, device): (MachineInfo, DeviceInfo)| MachineClass::of(&machine, &device).to_string();
    let gib = 1_u64 << 30;
    for (memory, expected) in [
        (0, "2 x Example"),
        (16 * gib, "2 x Example, 16 GiB"),
        (16 * gib - 700_000_000, "2 x Example, 16 GiB"),
        (15 * gib, "2 x Example, 16 GiB"),
        (7 * gib + 1, "2 x Example, 8 GiB"),
        (gib / 2, "2 x Example, 1 GiB"),
    ] {
        assert_eq!(class(machine("Example", 2, memory, "Linux 6.1")), expected, "{memory}");
    }
    assert_eq!(class(machine("Example", 2, gib, "Linux 6.1")), class(machine("Example", 2, gib, "Linux 6.9")));
    assert_ne!(class(machine("Example", 2, gib, "Linux")), class(machine("Example", 4, gib, "Linux")));
    let (with_gpu, mut device) = machine("Example", 2, gib, "Linux");
    device.name = "Example GPU".to_owned();
    assert_eq!(MachineClass::of(&with_gpu, &device).to_string(), "2 x Example, 1 GiB, Example GPU");
}

/// A run of night `n`, whose `run.json` is as `change` leaves it.
fn changed(bench: &Bench, n: usize, change: impl Fn(&mut bakeoff_reports::RunInfo)) -> RunDir {
    let dir = bench.night(n, quiet(n));
    let mut info = dir.info().unwrap();
    change(&mut info);
    dir.write_info(&info).unwrap();
    dir
}

fn add(bench: &Bench, dir: &RunDir) {
    bench.add_run(&Results::load(dir).unwrap(), Origin::night());
}

#[test]
fn numbers_of_two_machines_versions_parameters_and_suites_are_in_different_series() {
    let bench = Bench::new();
    bench.add(1, quiet(1));
    let of_one = bench.read().series.len();
    add(&bench, &changed(&bench, 2, |info| info.machine.cpus = 4));
    add(&bench, &changed(&bench, 3, |info| info.machine.memory_bytes = 64 << 30));
    add(&bench, &changed(&bench, 4, |info| info.suite = "standard".to_owned()));
    bench.add(5, |record| record.params = "depth=9".to_owned());
    bench.add(6, |record| record.threads = Some(1));
    let dir = changed(&bench, 7, |info| info.tasks[0].version = 2);
    crate::change_records(&dir, |record| record.task_version = 2);
    add(&bench, &dir);
    let history = bench.read();
    assert_eq!(history.series.len(), 7 * of_one);
    assert!(history.series.iter().all(|series| series.points.len() == 1));
    let ids: BTreeSet<_> = history.series.iter().map(|series| &series.id).collect();
    assert_eq!(ids.len(), history.series.len());
    // Another version of a model, another commit and another kernel are what a history is to show.
    bench.add(8, |record| record.model_version = "2 (burn 0.23.0)".to_owned());
    add(&bench, &changed(&bench, 9, |info| info.machine.os = "Linux 7.0".to_owned()));
    let history = bench.read();
    assert_eq!(history.series.len(), 7 * of_one);
    assert_eq!(series_of_first(&history), 3);
}

fn series_of_first(history: &bakeoff_reports::History) -> usize {
    history.series[0].points.len()
}

#[test]
fn nights_whose_clock_went_back_keep_the_order_of_the_file_and_are_said() {
    let bench = Bench::new();
    for (n, started) in [
        (1, "2026-01-01T02:00:00Z"),
        (2, "2099-01-01T00:00:00Z"),
        (3, "2026-01-03T02:00:00Z"),
        (4, "2026-01-04T02:00:00Z"),
    ] {
        let dir = bench.night(n, quiet(n));
        rename(&dir, &name(n), started);
        add(&bench, &dir);
    }
    let history = bench.read();
    let order: Vec<&str> = history.runs.iter().map(|run| run.run.as_str()).collect();
    assert_eq!(order, ["night-1", "night-2", "night-3", "night-4"]);
    assert_eq!(
        history.remarks,
        [3, 4].map(|n| format!(
            "Run night-{n} (line {}) began at 2026-01-0{n}T02:00:00Z, before run night-2 (2099-01-01T00:00:00Z), which stands before it: \
             a clock went back. The runs keep the order of the file.",
            2 + 3 * (n - 1)
        ))
    );
    assert_eq!(series(&history, "fit_s").points.len(), 4);
}

#[test]
fn a_backfilled_commit_has_its_place_by_its_date_and_a_repeated_night_by_its_own() {
    let bench = Bench::new();
    bench.add(10, quiet(10));
    bench.add(11, quiet(11));
    bench.add_again(11, 1, quiet(12));
    let dir = bench.night(20, quiet(20));
    let origin = Origin {
        kind: RunKind::Backfill,
        commit: Some("abcdef012345".to_owned()),
        committed: Some("2026-01-05T10:00:00Z".to_owned()),
        of: None,
    };
    bench.add_run(&Results::load(&dir).unwrap(), origin);
    let history = bench.read();
    let order: Vec<&str> = history.runs.iter().map(|run| run.run.as_str()).collect();
    assert_eq!(order, ["night-20", "night-10", "night-11", "night-11-again1"]);
    assert_eq!((history.runs[0].commit.as_str(), history.runs[0].at()), ("abcdef012345", "2026-01-05T10:00:00Z"));
    let found = series(&history, "fit_s");
    assert_eq!(found.points.iter().map(|point| point.run).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(found.again.iter().map(|point| point.run).collect::<Vec<_>>(), [3]);
    assert_eq!(history.last_night(), Some(2));
}

#[test]
fn a_cell_of_which_a_seed_failed_has_no_number_and_says_so() {
    let bench = Bench::new();
    bench.add(1, |record| {
        if record.case.contains("resnet") && record.seed == 2 {
            record.status = Status::Failed;
            record.note = "exit code 101\nbacktrace".to_owned();
        }
    });
    let history = bench.read();
    let cell = &history.runs[0].cells[0];
    assert_eq!((cell.status, cell.note.as_str()), (Status::Failed, "exit code 101"));
    assert!(history.series.iter().all(|series| series.key.cell.label != "resnet"));
    assert!(!history.series.is_empty(), "the other model has its numbers");
    let night = history.judge(0, &bakeoff_reports::Rules::default());
    assert_eq!(night.remarks, ["1 cell without numbers: resnet on cifar10, n = 2000 (failed: exit code 101)."]);
}

#[test]
fn a_number_that_one_seed_lacks_is_no_number_of_the_night() {
    let bench = Bench::new();
    bench.add(1, |record| {
        if record.metric == "throughput" && record.seed == 2 {
            record.value = None;
        }
    });
    let history = bench.read();
    assert!(history.series.iter().all(|series| series.key.quantity.metric != "throughput"));
    assert_eq!(series(&history, "fit_s").points.len(), 1);
}
