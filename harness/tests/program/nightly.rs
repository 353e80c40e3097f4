//! `nightly`: a run, its place in the history, its verdicts, and the exit code that a job sees.

use std::fs;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use bakeoff_reports::{DEFAULT_PROJECT, History, NewRun, Origin, Results, RunDir, RunKind, add_runs};

use crate::common::{Bench, exits, stderr, stdout};
use crate::faults::wait_until;

/// A suite whose latencies are exact, because its model takes virtual time.
pub(crate) fn suite(bench: &Bench) {
    bench.suite("", &["parity"], &["under-load"]);
}

/// Runs a night with these variables of the environment.
pub(crate) fn night(bench: &Bench, more: &[&str], environment: &[(&str, &str)]) -> Output {
    let arguments = [&["nightly", "suite.toml", "--history", "perf"], more].concat();
    bench.command(&arguments).envs(environment.iter().copied()).output().unwrap()
}

/// The directories of runs, without those of suspects.
pub(crate) fn runs(bench: &Bench) -> Vec<PathBuf> {
    let folders = fs::read_dir(bench.path("runs")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = folders.filter(|path| !path.to_string_lossy().contains("-again")).collect();
    folders.sort();
    folders
}

pub(crate) fn history(bench: &Bench) -> History {
    History::read(&bench.path("perf")).unwrap()
}

/// A first night, and twelve more that are like it.
pub(crate) fn quiet_nights(bench: &Bench) {
    suite(bench);
    exits(&night(bench, &[], &[]), 0);
    let results = Results::load(&RunDir::new(&runs(bench)[0])).unwrap();
    let reference = Results::load(&RunDir::new(bench.path("perf/reference/test"))).unwrap();
    let copies: Vec<NewRun> = (1..=12)
        .map(|n| {
            let mut copy = results.clone();
            copy.info.run = format!("night-{n:02}");
            NewRun::of(&copy, Origin::night(), Some(&reference))
        })
        .collect();
    add_runs(&bench.path("perf"), DEFAULT_PROJECT, &copies).unwrap();
}

#[test]
fn the_first_night_begins_the_history_keeps_its_reference_and_has_no_baseline() {
    let bench = Bench::new();
    suite(&bench);
    let output = night(&bench, &["--require-baseline"], &[]);
    exits(&output, 6);
    assert!(
        stderr(&output)
            .contains("scores of later nights are tested against this run, which is kept in perf/reference/test")
    );
    assert!(stdout(&output).contains("the series begins with this night"), "{}", stdout(&output));
    let found = history(&bench);
    assert_eq!((found.project.as_str(), found.runs.len()), ("bakeoff", 1));
    let run = &runs(&bench)[0];
    let text = fs::read_to_string(run.join("night.txt")).unwrap();
    assert!(stdout(&output).contains(&text), "what is on the terminal lies beside the run");
    for file in ["run.json", "records.csv", "predictions/parity.under-load.n60.s1.cpu.csv"] {
        assert!(bench.path("perf/reference/test").join(file).exists(), "{file}");
    }
    exits(&night(&bench, &[], &[]), 0);
    assert_eq!(history(&bench).runs.len(), 2, "without --require-baseline, the second night passes too");
}

#[test]
fn a_quiet_night_is_unchanged_and_nothing_is_measured_again() {
    let bench = Bench::new();
    quiet_nights(&bench);
    let output = night(&bench, &["--require-baseline"], &[]);
    exits(&output, 0);
    assert!(stdout(&output).contains(" unchanged"), "{}", stdout(&output));
    assert!(!stdout(&output).contains("suspected"), "{}", stdout(&output));
    assert_eq!(history(&bench).runs.iter().filter(|run| run.kind == RunKind::Again).count(), 0);
}

#[test]
fn a_regression_is_measured_again_at_once_is_confirmed_and_fails_the_job() {
    let bench = Bench::new();
    quiet_nights(&bench);
    let output = night(&bench, &["--again", "2"], &[("FAKE_SLOWER", "1.5")]);
    exits(&output, 4);
    assert!(stderr(&output).contains("1 case is suspected and is measured again, 2 times"), "{}", stderr(&output));
    assert!(stdout(&output).contains("regression confirmed"), "{}", stdout(&output));
    let found = history(&bench);
    let again: Vec<_> = found.runs.iter().filter(|run| run.kind == RunKind::Again).collect();
    assert_eq!(again.len(), 2);
    for run in again {
        assert!(bench.path("runs").join(&run.run).join("records.csv").exists(), "each has a directory of its own");
    }
    // The same verdicts follow from the file alone.
    let judged = bench.run(&["history", "judge", "perf"]);
    exits(&judged, 4);
    assert!(stdout(&output).contains(&stdout(&judged)), "{}\n{}", stdout(&output), stdout(&judged));
}

#[test]
fn an_improvement_is_confirmed_too_and_the_job_passes() {
    let bench = Bench::new();
    quiet_nights(&bench);
    let output = night(&bench, &["--again", "1"], &[("FAKE_SLOWER", "0.6")]);
    exits(&output, 0);
    assert!(stdout(&output).contains("improvement confirmed"), "{}", stdout(&output));
}

#[test]
fn without_another_measurement_a_suspect_stays_one_and_the_job_passes() {
    let bench = Bench::new();
    quiet_nights(&bench);
    let output = night(&bench, &["--again", "0"], &[("FAKE_SLOWER", "1.5")]);
    exits(&output, 0);
    assert!(stdout(&output).contains("regression suspected"), "{}", stdout(&output));
}

#[test]
fn a_case_that_fails_is_in_the_history_as_such_and_the_job_fails() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly", "panics"]);
    let output = night(&bench, &[], &[]);
    exits(&output, 3);
    assert!(
        stdout(&output).contains("1 cell without numbers: panics on parity, n = 60 (failed"),
        "{}",
        stdout(&output)
    );
    let found = history(&bench);
    assert!(found.series.iter().all(|series| series.key.cell.label == "nearly"));
    assert_eq!(found.runs[0].cells.len(), 2);
}

#[test]
fn what_is_wrong_with_a_history_is_found_before_anything_is_measured() {
    let bench = Bench::new();
    suite(&bench);
    fs::create_dir(bench.path("perf")).unwrap();
    for (what, text, said) in [
        ("newer", "{\"history\":2}\n", "written by a newer bakeoff (schema 2, this one reads up to 1): update"),
        ("other project", "{\"history\":1,\"project\":\"other\"}\n", "this is the history of project 'other'"),
        ("edited", "{\"history\":1,\"project\":\"bakeoff\"}\n{\"run\":1}\n", "perf/history.jsonl:2:"),
    ] {
        bench.write("perf/history.jsonl", text);
        let output = night(&bench, &[], &[]);
        exits(&output, 2);
        assert!(stderr(&output).contains(said), "{what}: {}", stderr(&output));
        assert!(!bench.path("runs").exists(), "{what}: nothing was run");
        assert_eq!(fs::read_to_string(bench.path("perf/history.jsonl")).unwrap(), text, "{what}");
    }
    bench.write("perf/history.jsonl", "{\"history\":1,\"project\":\"other\"}\n");
    bench.write("perf/rules.toml", "[floors]\ntonigth = 0.05\n");
    let output = night(&bench, &["--project", "other"], &[]);
    exits(&output, 2);
    assert!(stderr(&output).contains("perf/rules.toml:2:"), "{}", stderr(&output));
    fs::remove_file(bench.path("perf/rules.toml")).unwrap();
    exits(&night(&bench, &["--project", "other"], &[]), 0);
    exits(&bench.run(&["nightly", "suite.toml"]), 2);
}

#[test]
fn a_second_night_at_the_same_time_is_refused() {
    let bench = Bench::new();
    let text = "name = \"test\"\n[[task]]\nname = \"parity\"\n[[model]]\nname = \"nearly\"\nparams = { epochs = 4, pause_s = 0.5 }\n";
    bench.write("suite.toml", text);
    let mut first = bench.command(&["nightly", "suite.toml", "--history", "perf"]);
    let first = first.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the first night", || bench.path("runs").exists());
    let second = night(&bench, &[], &[]);
    exits(&second, 2);
    assert!(stderr(&second).contains("another bakeoff works on the folder perf"), "{}", stderr(&second));
    let first = first.wait_with_output().unwrap();
    exits(&first, 0);
    assert_eq!(history(&bench).runs.len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_night_that_was_stopped_is_not_in_the_history_and_can_be_added_when_it_is_resumed() {
    let bench = Bench::new();
    let text = "name = \"test\"\n[[task]]\nname = \"parity\"\n[[model]]\nname = \"nearly\"\nparams = { epochs = 20, pause_s = 0.2 }\n";
    bench.write("suite.toml", text);
    let mut command = bench.command(&["nightly", "suite.toml", "--history", "perf"]);
    let stopped = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the run", || {
        bench.path("runs").exists() && runs(&bench).iter().any(|run| run.join("run.json").exists())
    });
    let id = stopped.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = stopped.wait_with_output().unwrap();
    exits(&output, 130);
    let run = runs(&bench)[0].strip_prefix(bench.path("")).unwrap().display().to_string();
    let said = format!("when it is resumed: bakeoff history add perf {run}");
    assert!(stderr(&output).contains(&said), "{}", stderr(&output));
    assert!(!bench.path("perf/history.jsonl").exists());
    let early = bench.run(&["history", "add", "perf", &run]);
    exits(&early, 2);
    assert!(stderr(&early).contains("is not complete"), "{}", stderr(&early));
    exits(&bench.run(&["resume", &run]), 0);
    exits(&bench.run(&["history", "add", "perf", &run]), 0);
    assert_eq!(history(&bench).runs.len(), 1);
}

#[test]
fn a_night_with_failed_cases_is_no_reference_and_takes_its_own_place_when_it_is_repaired() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly", "needs-file"]);
    let file = bench.path("there").display().to_string();
    let with_file = [("FAKE_FILE", file.as_str())];
    let output = night(&bench, &[], &with_file);
    exits(&output, 3);
    assert!(
        stderr(&output).contains("cases failed, so this run is not the reference of scores"),
        "{}",
        stderr(&output)
    );
    assert!(!bench.path("perf/reference/test").exists());
    exits(&bench.run(&["history", "judge", "perf"]), 3);
    let run = runs(&bench)[0].strip_prefix(bench.path("")).unwrap().display().to_string();
    bench.write("there", "");
    let resumed = bench.command(&["resume", &run]).envs(with_file).output().unwrap();
    exits(&resumed, 0);
    exits(&bench.run(&["history", "add", "perf", &run]), 0);
    let found = history(&bench);
    assert_eq!((found.runs.len(), &found.remarks[..]), (1, &[][..]));
    assert!(found.series.iter().any(|series| series.key.cell.label == "needs-file"));
    exits(&bench.run(&["history", "judge", "perf"]), 0);
    exits(&bench.run(&["history", "add", "perf", &run]), 2);
    // The next night without a fault is the reference.
    exits(&bench.command(&["nightly", "suite.toml", "--history", "perf"]).envs(with_file).output().unwrap(), 0);
    assert!(bench.path("perf/reference/test/records.csv").exists());
}

#[test]
fn what_was_measured_again_is_added_as_such_and_never_as_a_night() {
    let bench = Bench::new();
    quiet_nights(&bench);
    exits(&night(&bench, &["--again", "1"], &[("FAKE_SLOWER", "1.5")]), 4);
    let last = history(&bench).runs.iter().find(|run| run.kind == RunKind::Again).unwrap().clone();
    // As if it had not been added: the lines of the run that was measured again are the last ones.
    let text = fs::read_to_string(bench.path("perf/history.jsonl")).unwrap();
    let at = text.find(&format!("{{\"run\":{{\"run\":\"{}\"", last.run)).unwrap();
    bench.write("perf/history.jsonl", &text[..at]);
    exits(&bench.run(&["history", "judge", "perf"]), 0);
    exits(&bench.run(&["history", "add", "perf", &format!("runs/{}", last.run)]), 0);
    assert_eq!(fs::read_to_string(bench.path("perf/history.jsonl")).unwrap(), text);
    exits(&bench.run(&["history", "judge", "perf"]), 4);
    let night = last.of.unwrap();
    let alone = bench.run(&["history", "add", "other", &format!("runs/{}", last.run)]);
    exits(&alone, 2);
    assert!(stderr(&alone).contains(&format!("add {night} first")), "{}", stderr(&alone));
}

#[cfg(target_os = "linux")]
#[test]
fn a_night_that_is_stopped_while_suspects_are_measured_again_still_has_its_verdicts() {
    let bench = Bench::new();
    quiet_nights(&bench);
    // Long enough to be stopped in the second of a hundred measurements.
    let mut command = bench.command(&["nightly", "suite.toml", "--history", "perf", "--again", "100"]);
    let stopped = command.env("FAKE_SLOWER", "1.5").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the second measurement", || {
        fs::read_dir(bench.path("runs"))
            .unwrap()
            .any(|entry| entry.unwrap().file_name().to_string_lossy().ends_with("-again2"))
    });
    let id = stopped.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = stopped.wait_with_output().unwrap();
    exits(&output, 130);
    assert!(stderr(&output).contains("stopped before all suspects were measured again"), "{}", stderr(&output));
    assert!(stderr(&output).contains("then: bakeoff history add perf runs/"), "{}", stderr(&output));
    assert!(stdout(&output).contains("regression confirmed"), "{}", stdout(&output));
    let last = runs(&bench).into_iter().rfind(|run| run.join("night.txt").exists());
    assert!(last.is_some(), "the verdicts lie beside the run");
    exits(&bench.run(&["history", "judge", "perf"]), 4);
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_takes_nothing_keeps_no_night_out_of_the_history() {
    let bench = Bench::new();
    suite(&bench);
    let mut command = bench.command(&["nightly", "suite.toml", "--history", "perf"]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).output().unwrap();
    exits(&output, 1);
    assert_eq!(history(&bench).runs.len(), 1, "{}", stderr(&output));
}

#[cfg(target_os = "linux")]
#[test]
fn a_history_that_lost_its_lines_while_a_night_was_measured_is_not_begun_anew() {
    let bench = Bench::new();
    let text = "name = \"test\"\n[[task]]\nname = \"parity\"\n[[model]]\nname = \"nearly\"\nparams = { epochs = 4, pause_s = 0.5 }\n";
    bench.write("suite.toml", text);
    exits(&night(&bench, &[], &[]), 0);
    let mut command = bench.command(&["nightly", "suite.toml", "--history", "perf"]);
    let command = command.env("FAKE_UTC", "2026-01-03T03:04:05Z").stdout(Stdio::piped()).stderr(Stdio::piped());
    let second = command.spawn().unwrap();
    wait_until("the second night", || runs(&bench).len() == 2);
    fs::remove_file(bench.path("perf/history.jsonl")).unwrap();
    let output = second.wait_with_output().unwrap();
    exits(&output, 1);
    let said = "perf had 1 runs and known changes before the night, and has 0 now";
    assert!(
        stderr(&output).contains(said) && stderr(&output).contains("bakeoff history add perf runs/"),
        "{}",
        stderr(&output)
    );
    assert!(!bench.path("perf/history.jsonl").exists());
}
