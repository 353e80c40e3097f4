//! Models that are programs of the user's: one that does everything right, and every fault that such a program can have.

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};

use crate::common::{Bench, stderr, stdout};

/// The program, whose argument says what it does wrong.
const PROGRAM: &str = include_str!("external/program.py");

/// A suite of the program alone, with further lines of settings and of its model.
fn suite(bench: &Bench, settings: &str, way: &str, model: &str) -> PathBuf {
    bench.write("program.py", PROGRAM);
    let command = if way.is_empty() { String::new() } else { format!(", \"{way}\"") };
    bench.write(
        "suite.toml",
        &format!(
            "name = \"test\"\n{settings}\n[[task]]\nname = \"parity\"\n[[model]]\nname = \"odd\"\n\
             command = [\"python3\", \"program.py\"{command}]\n{model}\n"
        ),
    )
}

/// Runs the suite of a program that does this.
fn run(bench: &Bench, settings: &str, way: &str, model: &str) -> Output {
    suite(bench, settings, way, model);
    bench.run(&["run", "suite.toml", "--out", "out"])
}

/// The reason in the only closing row of the run.
fn reason(bench: &Bench, status: &str) -> String {
    let records = fs::read_to_string(bench.path("out/records.csv")).unwrap();
    let closing: Vec<&str> = records.lines().filter(|line| line.contains(&format!(",{status},"))).collect();
    assert!(!closing.is_empty(), "no row is {status}:\n{records}");
    closing.join("\n")
}

/// A run of such a program ends soon, with one row of this status whose reason contains this.
#[track_caller]
fn fails(way: &str, status: &str, expected: &str) {
    fails_in(&Bench::new(), way, status, expected);
}

#[track_caller]
fn fails_in(bench: &Bench, way: &str, status: &str, expected: &str) {
    let begun = Instant::now();
    let output = run(bench, "timeout_s = 10", way, "");
    assert_eq!(output.status.code(), Some(3), "{way}: {}", stderr(&output));
    let reason = reason(bench, status);
    assert!(reason.contains(expected), "{way}: {reason}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{way} took {:?}", begun.elapsed());
}

/// Such a program is refused before any case runs, with its place in the suite and this message.
#[track_caller]
fn refused(way: &str, expected: &str) {
    let bench = Bench::new();
    // A busy machine takes seconds to start Python.
    let start_s = if way.contains("hang") { 2 } else { 30 };
    let output = run(&bench, "", way, &format!("start_s = {start_s}"));
    assert_eq!(output.status.code(), Some(2), "{way}: {}", stderr(&output));
    let message = stderr(&output);
    assert!(message.contains("suite.toml:7:11: ") && message.contains(expected), "{way}: {message}");
    assert!(!bench.path("out").exists(), "{way}: the run began");
}

#[test]
fn a_program_is_measured_as_every_model_is() {
    let bench = Bench::new();
    let output = run(&bench, "", "epochs", "params = { leaves = 31, kind = \"gbdt\" }");
    assert!(output.status.success(), "{}", stderr(&output));
    let records = fs::read_to_string(bench.path("out/records.csv")).unwrap();
    for expected in [
        ",accuracy,,1.0,",
        ",latency_p50_s,s,",
        ",transport_s,s,",
        ",load_cold_s,s,",
        ",model_bytes,B,",
        ",epochs,,3.0,",
    ] {
        assert!(records.contains(expected), "no {expected} in\n{records}");
    }
    assert!(records.contains("kind=gbdt leaves=31"), "{records}");
    let run = fs::read_to_string(bench.path("out/run.json")).unwrap();
    assert!(run.contains("4.6 (files "), "{run}");
    let curves = fs::read_to_string(bench.path("out/curves.csv")).unwrap();
    assert_eq!(curves.lines().count(), 4, "{curves}");
}

#[test]
fn a_program_and_a_built_in_model_get_the_same_rows() {
    let bench = Bench::new();
    suite(&bench, "", "", "");
    let text = fs::read_to_string(bench.path("suite.toml")).unwrap();
    bench.write("suite.toml", &format!("{text}[[model]]\nname = \"nearly\"\n"));
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let targets = |label: &str| {
        let path = bench.path(&format!("out/predictions/parity.{label}.n60.s1.cpu.csv"));
        let rows = fs::read_to_string(path).unwrap();
        rows.lines().map(|row| row.split(',').take(2).collect::<Vec<_>>().join(",")).collect::<Vec<_>>()
    };
    assert_eq!(targets("odd"), targets("nearly"));
}

#[test]
fn labels_without_probabilities_are_enough() {
    let bench = Bench::new();
    let output = run(&bench, "", "labels-only", "");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_version_in_the_suite_replaces_that_of_the_program() {
    let bench = Bench::new();
    assert!(run(&bench, "", "", "version = \"2.0\"").status.success());
    assert!(fs::read_to_string(bench.path("out/run.json")).unwrap().contains("2.0 (files "));
}

#[test]
fn a_run_of_a_program_goes_on_with_the_same_files_only() {
    let bench = Bench::new();
    let output = run(&bench, "seeds = [1, 2]", "changes-its-file", "");
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let reason = reason(&bench, "failed");
    assert!(
        reason.contains("program.py, a file of the program of model 'odd', has changed since the run began"),
        "{reason}"
    );
    let output = bench.run(&["resume", "out"]);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    assert!(stderr(&output).contains("model 'odd' was version 4.6 (files "), "{}", stderr(&output));
}

#[test]
fn a_program_that_cannot_be_asked_is_refused_before_any_case_runs() {
    refused("exits", "the program of model 'odd' ended (exit status: 7); its last words: no module named 'lightgbm'");
    refused("prints", "it printed 'Loading the model ...': standard output is for messages of the protocol");
    refused("floods", "it printed a line of more than 1048576 bytes");
    refused("hangs-in-hello", "did not answer to hello within 2 s");
    refused("leaves-a-hanging-hello", "did not answer to hello within 2 s");
    refused("protocol-2", "speaks version 2 of the protocol, and this bakeoff speaks version 1");
    refused("speaks-first", "answered 'ready' to 'hello', expected 'hello'");
    refused("unknown-inputs", "unknown word 'sounds' (known: images, texts, pairs, table)");
}

#[test]
fn a_program_that_is_not_there_or_not_executable_is_refused_with_what_to_do() {
    let bench = Bench::new();
    let refused = |command: &str, expected: &str| {
        let model = format!("[[model]]\nname = \"odd\"\ncommand = {command}\n");
        bench.write("suite.toml", &format!("name = \"test\"\n[[task]]\nname = \"parity\"\n{model}"));
        let output = bench.run(&["run", "suite.toml", "--out", "out"]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    };
    refused("[\"no-such-program\"]", "there is no program 'no-such-program' in PATH; install it, or give its path");
    refused("[\"./no-such-file\"]", "there is no file ./no-such-file");
    bench.write("plain.txt", "text");
    refused("[\"./plain.txt\"]", "./plain.txt is not executable; make it so with `chmod +x ./plain.txt`");
    refused("[]", "command is an empty list");
    refused("[\"python3\"]\nfiles = [\"missing.py\"]", "failed to read");
    refused("[\"python3\"]\nfolder = \"nowhere\"", "there is no folder");
    bench.write("program.py", PROGRAM);
    let params = "[\"python3\", \"program.py\"]\n[model.params]\nnote = \"two words\"";
    refused(params, "expected true or false, a finite number, or a word without blanks");
}

#[test]
fn settings_of_a_program_are_refused_for_a_built_in_model_and_its_name_must_be_free() {
    let bench = Bench::new();
    let refused = |model: &str, expected: &str| {
        bench.write("suite.toml", &format!("name = \"test\"\n[[task]]\nname = \"parity\"\n[[model]]\n{model}\n"));
        let output = bench.run(&["run", "suite.toml", "--out", "out"]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    };
    refused(
        "name = \"nearly\"\nversion = \"1\"",
        "version is only for a model that is a program, and this one has no command",
    );
    refused("name = \"nearly\"\ncommand = [\"x\"]", "model 'nearly' is built in: give your program another name");
    refused("name = \"My Model\"\ncommand = [\"x\"]", "a model's name is part of a file's name");
}

#[test]
fn answers_that_cannot_be_predictions_fail_their_case() {
    fails("too-few", "failed", "gave labels (u16 29)");
    fails("too-many", "failed", "gave labels (u16 31)");
    fails("label-9", "failed", "the model predicted class 9, but the task has classes 0..=1");
    fails("nan", "diverged", "a probability is NaN");
    fails("sums-to-two", "failed", "are not probabilities");
    fails("nan-loss", "failed", "is not JSON, which has neither NaN nor Infinity");
    fails("null-loss", "diverged", "the training loss is not a finite number");
    fails("skips-an-epoch", "failed", "reported epoch 3 of 3 after epoch 1");
    fails("wrong-answer", "failed", "answered 'saved' to 'fit'");
    fails("says-error", "failed", "the program of model 'odd' says: ValueError: I need more rows");
    fails("prints-in-fit", "failed", "it printed 'epoch 1 of 3 is done'");
}

#[test]
fn predictions_in_another_order_are_found_in_a_run() {
    fails("sorts", "failed", "alone has another prediction than among others");
}

#[test]
fn a_program_that_ends_is_explained_by_its_last_words() {
    fails(
        "dies-in-fit",
        "failed",
        "ended (exit status: 3); its last words: Traceback: something / MemoryError: no room",
    );
    fails("is-killed", "failed", "ended (killed by signal 9)");
    fails("unsupported", "failed", "it wants at least 1");
}

#[test]
fn a_program_that_hangs_is_ended_with_all_that_it_has_started() {
    fails("hangs-in-fit", "timed-out", "did not end within 10 s");
    fails("hangs-in-predict", "timed-out", "did not end within 10 s");
    fails("forks-and-exits", "timed-out", "did not end within 10 s");
    assert!(!is_running("sleep 1002"), "a process that the program has left behind runs on");
}

#[test]
fn processes_that_a_program_leaves_behind_are_ended_after_its_case() {
    let bench = Bench::new();
    let output = run(&bench, "", "leaves-others", "");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!is_running("sleep 1003"));
}

#[test]
fn memory_of_a_process_that_a_program_has_started_counts() {
    let bench = Bench::new();
    let output = run(&bench, "memory_limit_gib = 0.6", "child-eats-memory", "");
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(reason(&bench, "out-of-memory").contains("over the limit of 0.6"));
}

#[test]
fn a_program_that_does_not_end_by_itself_is_ended() {
    let bench = Bench::new();
    let output = run(&bench, "", "stays", "");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_model_that_cannot_be_saved_is_scored_and_not_served() {
    let bench = Bench::new();
    let output = run(&bench, "", "cannot-save", "");
    assert!(output.status.success(), "{}", stderr(&output));
    let records = fs::read_to_string(bench.path("out/records.csv")).unwrap();
    assert!(records.contains("the model was not served: the model could not be saved"), "{records}");
}

#[test]
fn a_task_that_a_program_does_not_read_is_unsupported_in_the_plan() {
    let bench = Bench::new();
    suite(&bench, "", "images-only", "");
    let output = bench.run(&["check", "suite.toml"]);
    assert!(stdout(&output).contains("unsupported: its program reads images, not texts"), "{}", stdout(&output));
}

#[test]
fn check_says_which_promises_a_program_breaks() {
    let said = |way: &str| {
        let bench = Bench::new();
        suite(&bench, "", way, "");
        let output = bench.run(&["check", "suite.toml"]);
        (output.status.code(), stdout(&output))
    };
    let (code, text) = said("");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("odd on parity: keeps what a model promises"), "{text}");
    for (way, promise) in [
        ("random-fit", "two fits with the same seed give other predictions"),
        ("more-after-more-fits", "a fit goes on from the fit before it: begin each fit afresh"),
        ("counts-nothing", "it counts no learned numbers"),
        ("cannot-save", "it could not be saved, so that it cannot be served"),
    ] {
        let (code, text) = said(way);
        assert_eq!(code, Some(3), "{way}: {text}");
        assert!(
            text.contains("odd on parity: breaks what a model promises:\n") && text.contains(promise),
            "{way}: {text}"
        );
    }
}

#[test]
fn check_says_which_promises_a_built_in_model_breaks_only_if_asked() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    let plain = bench.run(&["check", "suite.toml"]);
    assert!(plain.status.success() && !stdout(&plain).contains("promises"), "{}", stdout(&plain));
    let asked = bench.run(&["check", "suite.toml", "--conformance"]);
    assert_eq!(asked.status.code(), Some(3), "{}", stdout(&asked));
    assert!(
        stdout(&asked).contains("  it predicts before it was fitted: answer with an error\n"),
        "{}",
        stdout(&asked)
    );
}

/// Whether a process with this command line runs.
fn is_running(command: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).any(|line| line.trim() == command)
}
