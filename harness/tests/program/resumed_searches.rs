//! Which search trials `resume` runs again, and what becomes of the cases that they choose for.

use std::fs;
use std::process::Stdio;

use bakeoff_reports::{Record, RunDir, Status};

use crate::checkpoints::forged;
use crate::common::{Bench, endings, exits, records, stderr};
use crate::faults::{curves, wait_until, without_times};
use crate::resumed::SLOW_SEARCH;

/// Changes what is recorded of a search trial.
fn change_trial(bench: &Bench, trial: usize, change: impl Fn(&mut Record)) {
    let dir = RunDir::new(bench.path("out"));
    let mut rows = records(dir.path());
    rows.iter_mut().filter(|row| row.trial == Some(trial)).for_each(change);
    dir.write_rows(&dir.records_path(), &rows).unwrap();
}

fn failed(row: &mut Record) {
    row.status = Status::Failed;
    if row.metric == "wall_s" {
        row.note = "the model panicked: on purpose".to_owned();
    }
}

fn was_killed(row: &mut Record) {
    row.status = Status::Failed;
    if row.metric == "wall_s" {
        row.note = "the case's process ended without a result: killed by signal 9".to_owned();
    }
}

#[test]
fn a_search_trial_that_failed_is_a_result_and_its_case_is_not_run_again() {
    let bench = Bench::new();
    bench.write("suite.toml", &SLOW_SEARCH.replace("pause_s = 0.1", "pause_s = 0.0"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    change_trial(&bench, 2, failed);
    let before = records(&bench.path("out"));
    exits(&bench.run(&["resume", "out"]), 5);
    assert_eq!(records(&bench.path("out")), before);
}

#[test]
fn a_finished_case_whose_search_trial_is_run_again_is_named_and_run_again_once() {
    let bench = Bench::new();
    bench.write("suite.toml", &SLOW_SEARCH.replace("pause_s = 0.1", "pause_s = 0.0"));
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let before = without_times(&bench.path("out"));
    change_trial(&bench, 2, was_killed);
    let output = bench.run(&["resume", "out"]);
    exits(&output, 0);
    let said = "note: 1 case is run again, because the parameters follow from search trials that are run again: \
                number.tunable.n60.s1.cpu\n";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
    assert_eq!(without_times(&bench.path("out")), before);
    exits(&bench.run(&["resume", "out"]), 5);
}

/// Begins a slow search and kills it when `case` has a checkpoint, which this gives.
fn killed_with_checkpoint(bench: &Bench, case: &str) -> std::path::PathBuf {
    bench.write("suite.toml", &SLOW_SEARCH.replacen('\n', "\ncheckpoint_s = 0\n", 1));
    let mut command = bench.command(&["run", "suite.toml", "--out", "out"]);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let checkpoint = bench.path("out/checkpoints").join(case);
    wait_until("a checkpoint", || checkpoint.exists());
    run.kill().unwrap();
    run.wait().unwrap();
    checkpoint
}

/// The note of the seconds of a case's fit.
fn note_of_fit(bench: &Bench, case: &str) -> String {
    let rows = records(&bench.path("out"));
    rows.into_iter().find(|row| row.case == case && row.phase == "fit" && row.metric == "fit_s").unwrap().note
}

const SEARCHED: &str = "number.tunable.n60.s1.cpu";

#[test]
fn a_search_trial_that_is_run_again_costs_no_checkpoint_if_the_case_chooses_the_same_parameters() {
    let bench = Bench::new();
    killed_with_checkpoint(&bench, SEARCHED);
    change_trial(&bench, 2, was_killed);
    exits(&bench.run(&["resume", "out"]), 0);
    let note = note_of_fit(&bench, SEARCHED);
    assert!(note.starts_with("in 2 parts, the last after epoch "), "{note}");
}

#[test]
fn a_checkpoint_of_parameters_that_the_search_does_not_choose_any_more_is_dropped_with_a_line() {
    let bench = Bench::new();
    let checkpoint = killed_with_checkpoint(&bench, SEARCHED);
    let sound = fs::read_to_string(&checkpoint).unwrap();
    let (_, state) = sound.split_once('\n').unwrap();
    let other = |header: &str| header.replacen("pause_s=0.1", "pause_s=0.2", 1);
    fs::write(&checkpoint, forged(&sound, other, state)).unwrap();
    let output = bench.run(&["resume", "out"]);
    exits(&output, 0);
    let note = endings(&bench.path("out")).pop().unwrap().2;
    assert!(note.starts_with("the fit began again: the search chose 'epochs=5 pause_s=0.1 rate="), "{note}");
    assert!(note.contains("', and its checkpoint was of 'epochs=5 pause_s=0.2 rate="), "{note}");
    assert!(stderr(&output).contains(&note), "{}", stderr(&output));
    assert_eq!(note_of_fit(&bench, SEARCHED), "");
}

#[test]
fn a_search_trial_begins_again_if_its_checkpoint_holds_no_state_of_its_fit() {
    let bench = Bench::new();
    let trial = "number.tunable.n60.s1.t1.cpu";
    let checkpoint = killed_with_checkpoint(&bench, trial);
    let sound = fs::read_to_string(&checkpoint).unwrap();
    fs::write(&checkpoint, forged(&sound, str::to_owned, "x")).unwrap();
    exits(&bench.run(&["resume", "out"]), 0);
    let (_, status, note) = endings(&bench.path("out")).into_iter().find(|(case, ..)| case == trial).unwrap();
    assert_eq!(status, "ok");
    assert!(note.starts_with("the fit began again: out/checkpoints/number.tunable.n60.s1.t1.cpu: "), "{note}");
    assert_eq!(note_of_fit(&bench, trial), "");
    let epochs: Vec<usize> =
        curves(&bench.path("out")).into_iter().filter(|(case, ..)| case == trial).map(|(_, epoch, _)| epoch).collect();
    assert_eq!(epochs, [1, 2, 3, 4, 5]);
}
