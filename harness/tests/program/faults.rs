//! A fault costs one case and becomes one row; a stop costs what was under way and nothing else.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Bench, endings, exits, records, stderr, stdout};
use bakeoff_reports::Record;

/// Runs `model` on a task between two sound cases, and gives how it ended.
#[track_caller]
fn ending(settings: &str, model: &str) -> (String, String) {
    let bench = Bench::new();
    bench.suite(settings, &["number"], &["nearly", model, "constant"]);
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 3);
    let endings = endings(&bench.path("out"));
    let statuses: Vec<&str> = endings.iter().map(|(_, status, _)| status.as_str()).collect();
    assert_eq!((statuses[0], statuses[2]), ("ok", "below-floor"), "the neighbours are not touched: {endings:?}");
    assert!(stdout(&output).contains("bakeoff resume out"), "{}", stdout(&output));
    assert!(fs::read_to_string(bench.path("out/report.html")).unwrap().contains(&format!("number.{model}")));
    let (_, status, note) = endings[1].clone();
    (status, note)
}

#[track_caller]
fn ends(settings: &str, model: &str, status: &str, note_part: &str) {
    let (found, note) = ending(settings, model);
    assert_eq!(found, status, "{note}");
    assert!(note.contains(note_part), "'{note_part}' is not in: {note}");
}

#[test]
fn a_model_that_panics_is_a_failed_row_with_its_message() {
    ends("", "panics", "failed", "this model panics on purpose");
}

#[test]
fn a_model_that_never_ends_is_a_timed_out_row() {
    ends("timeout_s = 1.0", "never-ends", "timed-out", "did not end within 1 s");
}

#[test]
fn a_model_that_takes_more_memory_than_the_limit_is_an_out_of_memory_row() {
    ends("memory_limit_gib = 0.25", "eats-memory", "out-of-memory", "over the limit of 0.25");
}

#[test]
fn a_model_that_asks_for_memory_that_is_not_there_is_an_out_of_memory_row() {
    ends("", "wants-memory", "out-of-memory", "memory allocation of");
}

#[test]
fn a_loss_that_becomes_nan_is_a_diverged_row() {
    ends("", "nan-loss", "diverged", "in epoch 2: the training loss");
}

#[test]
fn a_prediction_that_is_nan_is_a_diverged_row() {
    ends("", "nan-answer", "diverged", "in epoch 1: a validation prediction");
}

#[test]
fn a_model_that_forgets_a_prediction_is_a_failed_row() {
    ends("", "too-few", "failed", "predict must return one prediction per example");
}

#[test]
fn a_child_that_is_killed_is_a_failed_row() {
    ends("", "is-killed", "failed", "signal 9");
}

#[test]
fn a_child_that_exits_is_a_failed_row_with_its_last_words() {
    ends("", "exits", "failed", "goodbye");
}

#[test]
fn an_unsupported_case_is_a_row_with_its_reason_and_no_failure() {
    let bench = Bench::new();
    bench.suite("", &["number"], &["classes-only", "nearly"]);
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    let (_, status, note) = endings(&bench.path("out")).remove(0);
    assert_eq!((status.as_str(), note.as_str()), ("unsupported", "does no regression"));
}

/// What must not differ between two runs: everything but times, joules and the run's name.
pub(crate) fn without_times(run: &Path) -> Vec<Record> {
    let measured = ["s", "J", "1/s"];
    let mut rows = records(run);
    for row in &mut rows {
        row.run.clear();
        if measured.contains(&row.unit.as_str()) {
            row.value = row.value.map(|_| 0.0);
        }
    }
    rows
}

pub(crate) fn curves(run: &Path) -> Vec<(String, usize, Option<f64>)> {
    let rows = bakeoff_reports::RunDir::new(run).curves().unwrap().unwrap().rows;
    rows.into_iter().map(|c| (c.case, c.epoch, c.validation)).collect()
}

/// A run of eight cases, of which each takes a while.
fn slow_suite(bench: &Bench) {
    let text = "name = \"slow\"\nseeds = [1, 2, 3, 4]\n[[task]]\nname = \"parity\"\n[[task]]\nname = \"number\"\n\
                [[model]]\nname = \"nearly\"\nparams = { epochs = 2, pause_s = 0.1 }\n";
    bench.write("suite.toml", text);
}

pub(crate) fn wait_until(what: &str, mut ready: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !ready() {
        assert!(Instant::now() < deadline, "waited a minute for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn start_slow_run(bench: &Bench) -> Child {
    slow_suite(bench);
    let mut command = bench.command(&["run", "suite.toml", "--out", "out"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let out = bench.path("out");
    wait_until("two cases to be stored", || out.join("run.json").exists() && endings(&out).len() >= 2);
    child
}

pub(crate) fn undisturbed(bench: &Bench) {
    slow_suite(bench);
    exits(&bench.run(&["run", "suite.toml", "--out", "whole"]), 0);
}

pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[cfg(unix)]
#[test]
fn a_run_whose_parent_is_killed_resumes_to_the_rows_of_an_undisturbed_run() {
    let bench = Bench::new();
    undisturbed(&bench);
    let mut child = start_slow_run(&bench);
    signal(&child, "-KILL");
    child.wait().unwrap();
    let before = endings(&bench.path("out")).len();
    assert!(before < 8, "the run was to be killed before its end");
    // What a kill in the middle of a write leaves behind.
    let torn = bench.path("out/records.csv");
    let mut text = fs::read_to_string(&torn).unwrap();
    text.push_str("1,out,abc,def,number.nearly.n60.s4.cpu,numb");
    fs::write(&torn, text).unwrap();
    let output = bench.run(&["resume", "out"]);
    exits(&output, 0);
    assert!(
        stderr(&output).contains(&format!("{before} cases are done, {} are left", 8 - before)),
        "{}",
        stderr(&output)
    );
    assert_eq!(without_times(&bench.path("out")), without_times(&bench.path("whole")));
    assert_eq!(curves(&bench.path("out")), curves(&bench.path("whole")));
    let predictions = |run: &str| fs::read_dir(bench.path(run).join("predictions")).unwrap().count();
    assert_eq!(predictions("out"), predictions("whole"));
    exits(&bench.run(&["resume", "out"]), 5);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_cleanly_and_says_how_to_resume() {
    let bench = Bench::new();
    undisturbed(&bench);
    let child = start_slow_run(&bench);
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    exits(&output, 130);
    assert!(stdout(&output).contains("bakeoff resume out"), "{}", stdout(&output));
    let before = endings(&bench.path("out"));
    assert!(before.len() < 8);
    assert!(before.iter().all(|(_, status, _)| status == "ok"), "an interrupted case is no row: {before:?}");
    assert!(bench.path("out/report.html").exists(), "what is there is reported");
    exits(&bench.run(&["resume", "out"]), 0);
    assert_eq!(without_times(&bench.path("out")), without_times(&bench.path("whole")));
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_parent_leaves_no_child_behind() {
    let bench = Bench::new();
    bench.suite("", &["number"], &["never-ends"]);
    let mut parent = bench.command(&["run", "suite.toml", "--out", "out"]).stderr(Stdio::null()).spawn().unwrap();
    let mut worker = String::new();
    wait_until("the worker", || {
        // Threads of the parent start the worker, so look at all of them.
        let tasks = fs::read_dir(format!("/proc/{}/task", parent.id())).unwrap();
        worker = tasks
            .filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok())
            .collect::<String>()
            .trim()
            .to_owned();
        !worker.is_empty()
    });
    signal(&parent, "-KILL");
    parent.wait().unwrap();
    wait_until("the worker's end", || !Path::new("/proc").join(&worker).exists());
}

#[test]
fn a_failed_case_is_tried_again_on_resume_and_replaced() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly", "needs-file"]);
    let file = bench.path("file").display().to_string();
    let run = |arguments: &[&str]| bench.command(arguments).env("FAKE_FILE", &file).output().unwrap();
    exits(&run(&["run", "suite.toml", "--out", "out"]), 3);
    exits(&run(&["resume", "out"]), 3);
    bench.write("file", "");
    exits(&run(&["resume", "out"]), 0);
    let endings = endings(&bench.path("out"));
    let statuses: Vec<_> = endings.iter().map(|(case, status, _)| (case.as_str(), status.as_str())).collect();
    assert_eq!(statuses, [("parity.nearly.n60.s1.cpu", "ok"), ("parity.needs-file.n60.s1.cpu", "ok")]);
    exits(&run(&["resume", "out"]), 5);
}

#[test]
fn a_case_whose_predictions_are_gone_or_cut_is_run_again_on_resume() {
    let bench = Bench::new();
    bench.suite("", &["parity", "number"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let file = |task: &str| bench.path("out/predictions").join(format!("{task}.nearly.n60.s1.cpu.csv"));
    let before = fs::read(file("number")).unwrap();
    fs::remove_file(file("parity")).unwrap();
    fs::write(file("number"), &before[..before.len() / 2]).unwrap();
    exits(&bench.run(&["resume", "out"]), 0);
    assert!(file("parity").exists());
    assert_eq!(fs::read(file("number")).unwrap(), before);
    exits(&bench.run(&["resume", "out"]), 5);
}

#[test]
fn a_second_process_on_a_run_is_refused() {
    let bench = Bench::new();
    let mut child = start_slow_run(&bench);
    let output = bench.run(&["resume", "out"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("another bakeoff works on the folder out"), "{}", stderr(&output));
    assert!(child.wait().unwrap().success());
    assert_eq!(endings(&bench.path("out")).len(), 8);
}

#[cfg(unix)]
#[test]
fn a_full_disk_stops_the_run_keeps_whole_cases_and_resume_finishes_it() {
    let bench = Bench::new();
    undisturbed(&bench);
    // A limit on the size of files stands for a full disk. The records of three cases fit.
    let program = crate::common::fakes().get_program().to_string_lossy().into_owned();
    let case_bytes = fs::metadata(bench.path("whole/records.csv")).unwrap().len() / 8;
    let blocks = (case_bytes * 7 / 2).div_ceil(512);
    let script = format!("ulimit -f {blocks}; exec {program} run suite.toml --out out");
    let output = Command::new("sh").args(["-c", &script]).current_dir(bench.path("")).output().unwrap();
    exits(&output, 1);
    let said = stderr(&output);
    assert!(said.contains("records.csv") && said.contains("bakeoff resume out"), "{said}");
    let stored = endings(&bench.path("out"));
    assert!(!stored.is_empty() && stored.len() < 8, "{stored:?}");
    assert!(stored.iter().all(|(_, status, _)| status == "ok"), "{stored:?}");
    assert!(fs::read_to_string(bench.path("out/records.csv")).unwrap().ends_with('\n'), "nothing half-written stays");
    exits(&bench.run(&["resume", "out"]), 0);
    assert_eq!(without_times(&bench.path("out")), without_times(&bench.path("whole")));
}

#[test]
fn a_run_of_another_machine_task_model_or_parameter_is_not_resumed() {
    let bench = Bench::new();
    let text = "name = \"x\"\n[[task]]\nname = \"parity\"\n[[model]]\nname = \"nearly\"\nparams = { epochs = 2 }\n\
                [[model]]\nname = \"panics\"\n";
    bench.write("suite.toml", text);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    let info = fs::read_to_string(bench.path("out/run.json")).unwrap();
    for (from, to, says) in [
        ("\"fingerprint\": \"", "\"fingerprint\": \"0", "machine"),
        ("\"version\": 1", "\"version\": 2", "task 'parity' was version 2, is 1 now"),
        ("epochs = 2", "epochs = 3", "was measured with"),
        ("1 (fake)", "0 (fake)", "model 'nearly' was version 0 (fake), is 1 (fake) now"),
    ] {
        assert!(info.contains(from), "{info}");
        fs::write(bench.path("out/run.json"), info.replace(from, to)).unwrap();
        let output = bench.run(&["resume", "out"]);
        exits(&output, 2);
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
}

#[test]
fn a_run_that_cannot_be_resumed_is_named_by_the_folder_that_was_given() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let info = fs::read_to_string(bench.path("out/run.json")).unwrap();
    fs::write(bench.path("out/run.json"), info.replace("\"version\": 1", "\"version\": 2")).unwrap();
    fs::rename(bench.path("out"), bench.path("moved")).unwrap();
    let output = bench.run(&["resume", "./moved"]);
    exits(&output, 2);
    let said = stderr(&output);
    assert!(said.contains("cannot resume ./moved: task 'parity' was version 2, is 1 now"), "{said}");
}

#[test]
fn a_row_carries_the_machine_that_measured_it() {
    let bench = Bench::new();
    bench.suite("", &["number"], &["nearly", "classes-only"]);
    let mut command = bench.command(&["run", "suite.toml", "--out", "out"]);
    exits(&command.env("FAKE_WORKER_CPU", "Other 1").output().unwrap(), 0);
    let begun = bakeoff_reports::RunDir::new(bench.path("out")).info().unwrap().machine.fingerprint;
    let records = records(&bench.path("out"));
    let machine = |model: &str| records.iter().find(|record| record.model == model).unwrap().machine.clone();
    assert_ne!(machine("nearly"), begun);
    assert_eq!(machine("classes-only"), begun, "no process measured it");
}
