//! A fit that is cut off goes on from its last checkpoint, and ends as one that was not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use bakeoff_reports::RunDir;
use sha2::{Digest, Sha256};

use crate::common::{Bench, endings, exits, records, stderr};
use crate::faults::{curves, without_times};

const CASE: &str = "number.nearly.n60.s1.cpu";

/// One fit of eight epochs, which takes two seconds.
fn slow(bench: &Bench, settings: &str) {
    let text = format!(
        "name = \"slow\"\n{settings}\n[[task]]\nname = \"number\"\n\
         [[model]]\nname = \"nearly\"\nparams = {{ epochs = 8, pause_s = 0.25 }}\n"
    );
    bench.write("suite.toml", &text);
}

fn checkpoint(bench: &Bench) -> PathBuf {
    bench.path("out").join("checkpoints").join(CASE)
}

/// Begins a run and kills it after `epochs` epochs or more.
fn killed_after(bench: &Bench, epochs: usize) {
    let mut run = bench
        .command(&["run", "suite.toml", "--out", "out"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while epochs_in(&checkpoint(bench)) < epochs {
        assert!(begun.elapsed() < Duration::from_secs(60) && run.try_wait().unwrap().is_none(), "no checkpoint came");
        std::thread::sleep(Duration::from_millis(5));
    }
    run.kill().unwrap();
    run.wait().unwrap();
}

/// The state of a fake is the number of its epochs. A file is there whole or not at all.
fn epochs_in(path: &Path) -> usize {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.rsplit('\n').next().and_then(|state| state.parse().ok()).unwrap_or(0)
}

#[test]
fn a_fit_that_was_killed_goes_on_in_its_case_and_ends_as_an_undisturbed_one() {
    let bench = Bench::new();
    slow(&bench, "checkpoint_s = 0");
    killed_after(&bench, 3);
    // What a process leaves that is killed while it writes a checkpoint.
    fs::write(bench.path("out/checkpoints/.half"), "half").unwrap();
    exits(&bench.run(&["resume", "out"]), 0);
    exits(&bench.run(&["run", "suite.toml", "--out", "undisturbed"]), 0);
    let [resumed, undisturbed] = ["out", "undisturbed"].map(|run| {
        let mut rows = without_times(&bench.path(run));
        rows.iter_mut().filter(|row| row.metric == "fit_s").for_each(|row| row.note.clear());
        (rows, curves(&bench.path(run)))
    });
    assert_eq!(resumed, undisturbed);
    assert!(!bench.path("out/checkpoints").exists(), "nothing is left of a checkpoint that nobody needs");

    let rows = records(&bench.path("out"));
    let fit = rows.iter().find(|row| row.metric == "fit_s").unwrap();
    assert!(fit.note.starts_with("in 2 parts, the last after epoch "), "{}", fit.note);
    let readings = RunDir::new(bench.path("out")).readings(CASE).unwrap().unwrap();
    let parts: Vec<f64> = readings.iter().filter(|r| r.metric == "fit_s").map(|r| r.value).collect();
    assert_eq!((parts.len(), Some(parts.iter().sum())), (2, fit.value), "the parts add up to the fit");
    let joules: Vec<f64> =
        readings.iter().filter(|r| r.phase == "fit" && r.metric == "energy_j").map(|r| r.value).collect();
    let energy = rows.iter().find(|row| row.phase == "fit" && row.metric == "energy_j").unwrap();
    assert_eq!(energy.value, Some(joules.last().unwrap() - joules[0]));
    assert!(joules.is_sorted(), "{joules:?}");
    let elapsed: Vec<f64> =
        RunDir::new(bench.path("out")).curves().unwrap().unwrap().rows.iter().map(|row| row.elapsed_s).collect();
    assert!(elapsed.is_sorted() && elapsed.len() == 8, "{elapsed:?}");
}

#[test]
fn a_fit_that_timed_out_goes_on_where_it_was() {
    let bench = Bench::new();
    slow(&bench, "checkpoint_s = 0\ntimeout_s = 1.3");
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    assert_eq!(endings(&bench.path("out"))[0].1, "timed-out");
    let first = epochs_in(&checkpoint(&bench));
    assert!((1..8).contains(&first), "{first}");
    exits(&bench.run(&["report", "out"]), 0);
    let mut rounds = 0;
    while endings(&bench.path("out"))[0].1 != "ok" {
        rounds += 1;
        assert!(rounds < 8, "the fit does not come to an end");
        bench.run(&["resume", "out"]);
    }
    let epochs: Vec<usize> = curves(&bench.path("out")).iter().map(|(_, epoch, _)| *epoch).collect();
    assert_eq!(epochs, (1..=8).collect::<Vec<_>>());
}

#[test]
fn a_short_fit_writes_no_checkpoint() {
    let bench = Bench::new();
    bench.suite("", &["number"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    assert!(!bench.path("out/checkpoints").exists());
}

#[test]
fn a_checkpoint_that_cannot_be_used_says_why_and_what_to_do_and_stays() {
    let bench = Bench::new();
    slow(&bench, "checkpoint_s = 0");
    killed_after(&bench, 2);
    let path = checkpoint(&bench);
    let sound = fs::read_to_string(&path).unwrap();
    let other = [
        (sound.replacen("\"format\":2", "\"format\":1", 1), "a checkpoint of format 1, this bakeoff reads format 2"),
        (format!("{sound}5"), "the checkpoint is damaged"),
        (sound.replacen("\"epoch\":1,", "\"epoch\":4,", 1), "the checkpoint is damaged: its checksum does not match"),
        ("{\"format\":2}\n".to_owned(), "not a checkpoint: missing field"),
        (String::new(), "not a checkpoint"),
        (
            sound.replacen("pause_s=0.25", "pause_s=0.5", 1),
            "a checkpoint of parameters 'epochs=8 mood=calm pause_s=0.5', expected 'epochs=8 mood=calm pause_s=0.25'",
        ),
        (
            sound.replacen("\"case\":\"number.", "\"case\":\"parity.", 1),
            "a checkpoint of case 'parity.nearly.n60.s1.cpu', expected 'number.nearly.n60.s1.cpu'",
        ),
        (
            sound.replacen("\"model_version\":\"1 ", "\"model_version\":\"0 ", 1),
            "a checkpoint of model version '0 (fake)', expected '1 (fake)'",
        ),
        (
            sound.replacen("\"task_version\":1", "\"task_version\":7", 1),
            "a checkpoint of task version '7', expected '1'",
        ),
        (forged(&sound, str::to_owned, "x"), "the state of the fit: 'x' is no number of epochs"),
    ];
    for (text, says) in other {
        assert_ne!(text, sound);
        fs::write(&path, &text).unwrap();
        exits(&bench.run(&["resume", "out"]), 3);
        let (_, status, note) = endings(&bench.path("out")).remove(0);
        assert_eq!(status, "failed");
        assert!(note.contains(says) && note.contains("to begin the fit again, remove the file"), "{note}");
        assert!(note.contains("out/checkpoints/number.nearly.n60.s1.cpu: "), "{note}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "the user decides what becomes of it");
    }
    fs::remove_file(&path).unwrap();
    exits(&bench.run(&["resume", "out"]), 0);
}

/// A checkpoint with a changed header and this state, which is as long as its own, and the checksum that belongs to it.
pub(crate) fn forged(sound: &str, change: impl Fn(&str) -> String, state: &str) -> String {
    let (header, _) = sound.split_once('\n').unwrap();
    let header = change(header);
    let (before, _) = header.rsplit_once("\"sha256\":\"").unwrap();
    let header = |checksum: &str| format!("{before}\"sha256\":\"{checksum}\"}}");
    let digest = Sha256::digest(format!("{}{state}", header("")));
    let checksum: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}\n{state}", header(&checksum))
}

/// Resumes the run with a meter that was not there when it was begun.
fn resumed_with_rapl(bench: &Bench) {
    exits(&bench.run_metered(&["resume", "out"], 50.0, |_| {}), 0);
}

#[test]
fn joules_of_another_meter_than_before_the_interruption_are_a_stated_gap_and_no_sum() {
    let bench = Bench::new();
    slow(&bench, "checkpoint_s = 0");
    killed_after(&bench, 3);
    resumed_with_rapl(&bench);
    let rows = records(&bench.path("out"));
    let energy = |phase: &str| rows.iter().find(|row| row.phase == phase && row.metric == "energy_j").unwrap();
    let fit = energy("fit");
    assert_eq!(fit.value, None);
    let expected = "the joules of the fit are of two sources: estimate before the interruption, rapl after it";
    assert_eq!(fit.note, expected);
    assert_eq!((energy("predict-batch").value.is_some(), energy("predict-batch").source.as_str()), (true, "rapl"));
    let dir = RunDir::new(bench.path("out"));
    let readings = dir.readings(CASE).unwrap().unwrap();
    assert!(!readings.iter().any(|reading| reading.phase == "fit" && reading.metric == "energy_j"), "{readings:?}");
    let epochs = dir.curves().unwrap().unwrap().rows;
    assert_eq!((epochs.len(), epochs.iter().filter(|epoch| epoch.energy_j.is_some()).count()), (8, 0));
}

#[test]
fn a_fit_with_a_budget_in_joules_begins_again_if_another_meter_counts_them() {
    let bench = Bench::new();
    slow(&bench, "checkpoint_s = 0\nbudget = \"1000J\"");
    killed_after(&bench, 3);
    resumed_with_rapl(&bench);
    let (_, status, note) = endings(&bench.path("out")).remove(0);
    let expected = "the fit began again: its budget is in joules, and joules of two sources are not added up (estimate before the \
                    interruption, rapl after it)";
    assert_eq!((status.as_str(), note.as_str()), ("ok", expected));
    let rows = records(&bench.path("out"));
    let fit = |metric: &str| rows.iter().find(|row| row.phase == "fit" && row.metric == metric).unwrap();
    assert_eq!(fit("fit_s").note, "", "it is of one part");
    assert_eq!((fit("energy_j").value.is_some(), fit("energy_j").source.as_str()), (true, "rapl"));
    assert_eq!(curves(&bench.path("out")).len(), 8);
}

#[test]
fn seconds_between_checkpoints_below_zero_are_refused() {
    let bench = Bench::new();
    slow(&bench, "checkpoint_s = -1");
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 2);
    let said = stderr(&output);
    assert!(said.contains("suite.toml:2:16: checkpoint_s is -1, expected a number of seconds in 0..="), "{said}");
}
