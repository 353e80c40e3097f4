//! What must not be one series is none: machines, versions, parameters, seeds, and runs whose clock is wrong.

use std::collections::BTreeSet;

use bakeoff_reports::{
    DeviceInfo, MachineClass, MachineInfo, NewRun, Node, Nodes, Origin, Results, RunDir, RunKind, Status, add_runs,
};

use crate::{Bench, PROJECT, name, quiet, rename, series};

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
    let device =
        DeviceInfo { name: text(cpu), memory_bytes, fingerprint: text("a1b2c3d4"), ..DeviceInfo::unknown("cpu") };
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

/// A night whose second seed was measured on another node of a cluster, which is as `change` leaves it.
fn on_two_nodes(bench: &Bench, n: usize, change: impl Fn(&mut MachineInfo)) -> RunDir {
    const OTHER: &str = "0ther000";
    let dir = bench.night(n, |record| {
        quiet(n)(record);
        if record.seed == 2 {
            record.machine = OTHER.to_owned();
        }
    });
    let info = dir.info().unwrap();
    let mut node = Node { machine: info.machine, devices: info.devices, energy: info.energy };
    node.machine.fingerprint = OTHER.to_owned();
    node.devices[0].fingerprint = OTHER.to_owned();
    change(&mut node.machine);
    let mut nodes = Nodes::default();
    nodes.add(&node);
    nodes.write(&dir).unwrap();
    dir
}

#[test]
fn what_nodes_of_one_class_measured_is_one_cell() {
    let bench = Bench::new();
    bench.add(1, quiet(1));
    let undivided = crate::cells(&bench.file());
    let dir = on_two_nodes(&bench, 1, |machine| machine.os = "Linux 7.0".to_owned());
    std::fs::remove_file(bench.file()).unwrap();
    add(&bench, &dir);
    assert_eq!(crate::cells(&bench.file()), undivided);
}

#[test]
fn what_nodes_of_two_classes_measured_is_kept_with_the_class_of_each() {
    let bench = Bench::new();
    let dir = on_two_nodes(&bench, 1, |machine| machine.cpus = 64);
    let results = Results::load(&dir).unwrap();
    let new = NewRun::of(&results, Origin::night(), Some(&results));
    let remark = "These cells were measured on several classes of machines: resnet on cifar10, n = 2000, transformer on cifar10, n = 2000. \
                  Each class has series of its own, over the seeds that it has measured.";
    assert_eq!(new.remarks, [remark]);
    add_runs(&bench.history(), PROJECT, &[new]).unwrap();
    let history = bench.read();
    let of_resnet: BTreeSet<(usize, &str)> = history
        .series
        .iter()
        .filter(|series| series.key.cell.label == "resnet")
        .map(|series| (series.key.cell.machine.cpus, series.key.cell.trials.as_str()))
        .collect();
    assert_eq!(of_resnet, BTreeSet::from([(results.info.machine.cpus, "s1"), (64, "s2")]));
    for cell in crate::cells(&bench.file()) {
        let quality = cell.quality.unwrap();
        assert_eq!(
            (quality.seeds, quality.change),
            (1, Some(0.0)),
            "a score is tested against the same seed of the reference"
        );
    }
}

#[test]
fn a_seed_that_failed_before_any_node_measured_it_takes_the_numbers_of_its_cell_away() {
    let bench = Bench::new();
    let dir = on_two_nodes(&bench, 1, |machine| machine.cpus = 64);
    crate::change_records(&dir, |record| {
        if record.label == "resnet" && record.seed == 1 {
            (record.status, record.note) = (Status::Failed, "cancelled".to_owned());
            record.machine = String::new();
        }
    });
    add(&bench, &dir);
    let of_resnet: Vec<_> = crate::cells(&bench.file()).into_iter().filter(|cell| cell.label == "resnet").collect();
    assert_eq!(of_resnet.len(), 1, "the class that never measured it has no cell");
    assert_eq!((of_resnet[0].trials.as_str(), of_resnet[0].numbers.len()), ("s1 s2", 0));
    assert_eq!(of_resnet[0].note, "cancelled");
}

#[test]
fn a_machine_that_nothing_describes_is_remarked_on() {
    let bench = Bench::new();
    let dir = on_two_nodes(&bench, 1, |_| {});
    Nodes::default().write(&dir).unwrap();
    let new = NewRun::of(&Results::load(&dir).unwrap(), Origin::night(), None);
    assert_eq!(new.remarks.len(), 2);
    assert!(new.remarks[0].contains("which neither run.json nor nodes.json describes"), "{:?}", new.remarks);
    add_runs(&bench.history(), PROJECT, &[new]).unwrap();
    assert!(bench.read().series.iter().all(|series| series.key.cell.trials == "s1"));
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
        [format!(
            "On {}, run night-3 (line 8) began at 2026-01-03T02:00:00Z, before run night-2 (2099-01-01T00:00:00Z), which stands before it in \
             the file, and so did 1 later run: a clock went back, or lines were merged late. The runs keep the order of the file.",
            history.cells[0].machine
        )]
    );
    assert_eq!(series(&history, "fit_s").points.len(), 4);
}

#[test]
fn nights_of_two_machines_that_were_merged_are_in_the_order_of_time_and_no_clock_is_blamed() {
    let bench = Bench::new();
    for n in [1, 3, 5] {
        bench.add(n, quiet(n));
    }
    for n in [2, 4, 6] {
        add(&bench, &changed(&bench, n, |info| info.machine.cpus = 64));
    }
    let history = bench.read();
    assert_eq!(history.remarks, [""; 0]);
    assert_eq!(history.runs.iter().map(|run| run.run.clone()).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6].map(name));
    let text = bakeoff_reports::history_text(&history, &bakeoff_reports::Rules::default(), |_| true);
    assert!(text.contains("these are series of 2 classes of machines, which are never compared"), "{text}");
    assert!(text.lines().any(|line| line.contains("64 x ")), "each series names its machine: {text}");
}

#[test]
fn a_night_that_is_added_late_has_the_place_of_its_clock_and_is_not_the_last_one() {
    let bench = Bench::new();
    for n in [1, 2, 4, 5] {
        bench.add(n, quiet(n));
    }
    let results = Results::load(&bench.night(3, quiet(3))).unwrap();
    bench.add_run(&results, Origin::later(&results.info));
    bench.add(6, quiet(6));
    let history = bench.read();
    assert_eq!(history.remarks, [""; 0]);
    assert_eq!(history.runs.iter().map(|run| run.run.clone()).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6].map(name));
    assert_eq!(history.last_night(), Some(5));
}

#[test]
fn nights_of_two_machines_of_a_class_that_overlap_are_in_the_order_of_time_and_no_clock_is_blamed() {
    let bench = Bench::new();
    // Each pushes its night when it is done, and the one that began first is slower.
    for (n, started) in [(2, "2026-01-01T02:05:00Z"), (1, "2026-01-01T02:00:00Z"), (3, "2026-01-02T02:00:00Z")] {
        let dir = bench.night(n, quiet(n));
        rename(&dir, &name(n), started);
        add(&bench, &dir);
    }
    let history = bench.read();
    assert_eq!(history.remarks, [""; 0]);
    assert_eq!(history.runs.iter().map(|run| run.run.clone()).collect::<Vec<_>>(), [1, 2, 3].map(name));
}

#[test]
fn seeds_in_another_order_are_the_same_series_and_other_settings_are_said() {
    let bench = Bench::new();
    bench.add(1, quiet(1));
    let dir = changed(&bench, 2, |info| info.cases.reverse());
    add(&bench, &dir);
    let dir = changed(&bench, 3, |info| info.suite_toml += "\njobs = 4\n");
    add(&bench, &dir);
    let history = bench.read();
    assert_eq!(series_of_first(&history), 3);
    let said = |run: usize| history.judge(run, &bakeoff_reports::Rules::default()).remarks;
    assert!(!said(1).iter().any(|remark| remark.contains("The suite is not what it was")), "{:?}", said(1));
    assert!(
        said(2).iter().any(|remark| remark.starts_with("The suite is not what it was in run night-2 before")),
        "{:?}",
        said(2)
    );
}

#[test]
fn what_was_measured_again_of_a_night_that_is_not_there_is_not_added() {
    let bench = Bench::new();
    bench.add(1, quiet(1));
    let results = Results::load(&bench.night(2, quiet(2))).unwrap();
    let run = bakeoff_reports::NewRun::of(&results, Origin::again("night-7"), None);
    let said = bakeoff_reports::add_runs(&bench.history(), crate::PROJECT, &[run]).unwrap_err().to_string();
    assert!(
        said.contains("run night-2 measured suspects of night night-7 again") && said.contains("add night-7 first"),
        "{said}"
    );
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
        ..Origin::night()
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
    assert_eq!(night.remarks[0], "1 cell without numbers: resnet on cifar10, n = 2000 (failed: exit code 101).");
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
