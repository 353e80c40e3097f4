//! A fitted model is saved, and a process that did not fit it serves it.

use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::process::Stdio;

use bakeoff_reports::{Record, RunDir};

use crate::common::{Bench, endings, exits, records, stderr};
#[cfg(unix)]
use crate::faults::{signal, wait_until, without_times};

const CASE: &str = "number.nearly.n60.s1.cpu";

/// The only row of a metric in a phase.
#[track_caller]
fn row(run: &Path, phase: &str, metric: &str) -> Record {
    let mut rows: Vec<Record> =
        records(run).into_iter().filter(|row| (&*row.phase, &*row.metric) == (phase, metric)).collect();
    assert_eq!(rows.len(), 1, "{phase} {metric}");
    rows.remove(0)
}

#[test]
fn a_case_has_the_time_to_load_and_to_answer_first_and_the_memory_of_serving() {
    let bench = Bench::new();
    bench.suite("", &["number"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let out = bench.path("out");
    // Every reading of the clock takes a millisecond.
    for metric in ["load_s", "load_cold_s", "first_prediction_s"] {
        let row = row(&out, "serve", metric);
        assert_eq!((row.value, row.source.as_str(), row.unit.as_str()), (Some(0.001), "stopwatch", "s"), "{metric}");
    }
    let memory = row(&out, "serve", "peak_memory_bytes");
    assert_eq!((memory.value, memory.source.as_str()), (Some(f64::from(123 << 20)), "kernel"));
    let readings = RunDir::new(&out).readings(CASE).unwrap().unwrap();
    for metric in ["load_s", "load_cold_s", "first_prediction_s", "peak_memory_bytes"] {
        let of = readings.iter().filter(|reading| reading.phase == "serve" && reading.metric == metric);
        let of: Vec<_> = of.map(|reading| (reading.index, reading.value)).collect();
        assert_eq!(of, [(0, row(&out, "serve", metric).value.unwrap())], "{metric}");
    }
    let report = fs::read_to_string(bench.path("out/report.md")).unwrap();
    assert!(report.contains("As served"), "{report}");
}

#[test]
fn files_that_did_not_come_from_the_disk_give_no_number_and_the_reason() {
    for (cache, reason) in [
        ("stays", "the files could not be made cold: fewer bytes came from the disk"),
        ("none", "the fake machine drops no files"),
    ] {
        let bench = Bench::new();
        bench.suite("", &["number"], &["nearly"]);
        let output = bench.command(&["run", "suite.toml", "--out", "out"]).env("FAKE_CACHE", cache).output().unwrap();
        exits(&output, 0);
        let cold = row(&bench.path("out"), "serve", "load_cold_s");
        assert_eq!(cold.value, None);
        assert!(cold.note.contains(reason), "{}", cold.note);
        assert!(row(&bench.path("out"), "serve", "load_s").value.is_some());
    }
}

#[test]
fn nothing_that_was_served_stays_in_the_run_or_among_temporary_files() {
    let bench = Bench::new();
    let temporary = bench.path("temporary");
    fs::create_dir(&temporary).unwrap();
    bench.suite("", &["number", "parity"], &["nearly", "saves-half", "served-dies"]);
    let output = bench.command(&["run", "suite.toml", "--out", "out"]).env("TMPDIR", &temporary).output().unwrap();
    exits(&output, 3);
    exits(&bench.command(&["check", "suite.toml", "-m", "nearly"]).env("TMPDIR", &temporary).output().unwrap(), 0);
    assert!(!bench.path("out/serving").exists() && !bench.path("out/models").exists());
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
}

#[test]
fn a_search_trial_is_not_served() {
    let bench = Bench::new();
    let text = "name = \"test\"\n[search]\ntrials = 2\n[[task]]\nname = \"number\"\n[[model]]\nname = \"tunable\"\n";
    bench.write("suite.toml", text);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let served: Vec<Option<usize>> = records(&bench.path("out"))
        .into_iter()
        .filter(|row| row.phase == "serve" && row.metric == "load_s")
        .map(|row| row.trial)
        .collect();
    assert_eq!(served, [None]);
}

#[test]
fn inside_the_process_the_memory_of_serving_is_not_known_and_says_so() {
    let bench = Bench::new();
    bench.suite("", &["number"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out", "--inline"]), 0);
    let memory = row(&bench.path("out"), "serve", "peak_memory_bytes");
    assert_eq!(memory.value, None);
    assert!(memory.note.contains("inside the program's own process"), "{}", memory.note);
    assert!(row(&bench.path("out"), "serve", "load_s").value.is_some());
    assert!(row(&bench.path("out"), "predict-single", "latency_p50_s").value.is_some());
}

/// A run whose model answers only after a while when it is served.
#[cfg(unix)]
fn slow_to_serve(bench: &Bench) -> std::process::Child {
    bench.suite("", &["number"], &["served-hangs"]);
    let mut command = bench.command(&["run", "suite.toml", "--out", "out"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let inputs = bench.path("out/serving/number.served-hangs.n60.s1.cpu/inputs");
    wait_until("the model to be served", || inputs.exists());
    // The fit's process ends now, and those that serve begin.
    std::thread::sleep(std::time::Duration::from_millis(200));
    child
}

#[cfg(unix)]
#[test]
fn a_kill_between_the_fit_and_the_end_of_serving_loses_that_case_only_and_leaves_nothing_behind() {
    let bench = Bench::new();
    let mut child = slow_to_serve(&bench);
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(bench.path("out/serving").exists() && endings(&bench.path("out")).is_empty());
    // The same case with a model that answers.
    let hanging = |name: &str| fs::read_to_string(bench.path("out").join(name)).unwrap();
    fs::write(bench.path("out/run.json"), hanging("run.json").replace("served-hangs", "nearly")).unwrap();
    exits(&bench.run(&["resume", "out"]), 0);
    assert!(!bench.path("out/serving").exists());
    bench.suite("", &["number"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "whole"]), 0);
    assert_eq!(without_times(&bench.path("out")), without_times(&bench.path("whole")));
}

#[cfg(unix)]
#[test]
fn an_interrupted_case_that_was_being_served_is_no_row() {
    let bench = Bench::new();
    let mut child = slow_to_serve(&bench);
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(endings(&bench.path("out")).is_empty());
    assert!(!bench.path("out/serving").exists());
}

#[test]
fn a_kept_model_is_the_one_that_was_served() {
    let bench = Bench::new();
    bench.suite("keep_models = true", &["number"], &["nearly", "saves-half"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    assert!(bench.path("out/models").join(CASE).join("fake.json").exists());
    let (_, _, note) = endings(&bench.path("out")).remove(1);
    assert!(note.contains("models/number.saves-half.n60.s1.cpu/fake.json"), "{note}");
    assert!(
        bench.path("out/models/number.saves-half.n60.s1.cpu").exists(),
        "what could not be loaded can be looked at"
    );
    assert!(!bench.path("out/serving").exists());
}

#[test]
fn the_real_models_serve_what_they_predicted_with_ensembles_and_pairs() {
    let bench = Bench::new();
    let suite = "name = \"served\"\nthreads = 2\nlatency_examples = 2\n\
                 [[task]]\nname = \"sst2\"\ntrain_size = 200\n[[task]]\nname = \"cifar10\"\ntrain_size = 100\n\
                 [[model]]\nname = \"svm\"\n[[model]]\nname = \"random-forest\"\nparams = { trees = 5, ensemble = 2 }\n\
                 [[model]]\nname = \"lstm\"\nparams = { epochs = 1, hidden = 16, embedding = 16 }\n";
    bench.write("suite.toml", suite);
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_bakeoff"));
    let output = program.args(["run", "suite.toml", "--out", "out"]).current_dir(bench.path("")).output().unwrap();
    exits(&output, 0);
    let rows = records(&bench.path("out"));
    for case in RunDir::new(bench.path("out")).info().unwrap().cases {
        let value = |phase: &str, metric: &str| {
            let mut of_case = rows.iter().filter(|row| row.case == case.case && row.phase == phase);
            of_case.find(|row| row.metric == metric).unwrap().value
        };
        assert!(value("serve", "load_s").is_some_and(|seconds| seconds > 0.0), "{}", stderr(&output));
        assert!(value("predict-single", "latency_p50_s").is_some() && value("predict-batch", "throughput").is_some());
    }
}
