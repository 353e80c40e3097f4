//! `history`: what a person at the terminal asks of it, and mistypes.

use std::fs;

use crate::common::{Bench, exits, fakes, stderr, stdout};
use crate::nightly::{history, night, quiet_nights, runs, suite};

#[test]
fn show_lists_the_series_of_a_model_a_task_or_a_metric() {
    let bench = Bench::new();
    bench.suite("", &["parity", "number"], &["nearly"]);
    exits(&night(&bench, &[], &[]), 0);
    let all = stdout(&bench.run(&["history", "show", "perf"]));
    assert!(
        all.contains("bakeoff: 1 run, ") && all.contains("nearly on parity") && all.contains("nearly on number"),
        "{all}"
    );
    let some =
        stdout(&bench.run(&["history", "show", "perf/", "-t", "parity", "--metric", "latency_p50_s,throughput"]));
    assert!(some.contains("bakeoff: 1 run, 2 of "), "{some}");
    assert!(!some.contains("nearly on number"), "{some}");
}

#[test]
fn a_name_that_the_history_does_not_have_is_answered_with_one_that_it_has() {
    let bench = Bench::new();
    suite(&bench);
    exits(&night(&bench, &[], &[]), 0);
    let run = history(&bench).runs[0].run.clone();
    let mistyped = format!("{}x", &run[..run.len() - 1]);
    for (arguments, said) in [
        (
            &["show", "perf", "-t", "partiy"][..],
            "the history has no such series: unknown task 'partiy', did you mean 'parity'? (known: parity)",
        ),
        (&["show", "perf", "-m", "underload"], "did you mean 'under-load'?"),
        (&["show", "perf", "--metric", "latency"], "did you mean 'latency_p"),
        (&["show", "pref"], "pref has no history.jsonl, so it is no history"),
        (&["judge", "perf", "--at", &mistyped], &format!("did you mean '{run}'?")),
        (
            &["accept", "perf", "zzzzzzzz", "--why", "x"],
            "there is no series 'zzzzzzzz': `bakeoff history show` prints the ids",
        ),
        (&["accept", "perf", "", "--why", "x"], "a series is empty"),
        (&["accept", "perf", "--confirmed", "--why", " "], "it is empty: write it as words"),
        (&["accept", "perf", "--confirmed", "--why", "\u{1b}[31mred"], "it has the control character \\u{1b}"),
        (&["add", "perf", "runs", "--project", ""], "it is empty: write it as words"),
        (&["accept", "perf", "--confirmed", "--why", "x"], "confirmed no change of a cost: name the series to accept"),
        (&["add", "perf", "runs"], "runs is no run directory"),
        (&["reference", "perf", "nowhere"], "nowhere is no run directory"),
        (&["judge", "suite.toml"], "suite.toml has no history.jsonl"),
    ] {
        let output = bench.run(&[&["history"], arguments].concat());
        exits(&output, 2);
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
    }
    assert!(!bench.path("pref").exists(), "nothing is made of a folder that was mistyped");
    let path = format!("runs/{run}/");
    exits(&bench.run(&["history", "judge", "perf", "--at", &path]), 0);
}

#[test]
fn a_run_is_added_once() {
    let bench = Bench::new();
    suite(&bench);
    exits(&night(&bench, &[], &[]), 0);
    let before = fs::read(bench.path("perf/history.jsonl")).unwrap();
    let run = runs(&bench)[0].display().to_string();
    let output = bench.run(&["history", "add", "perf", &run]);
    exits(&output, 2);
    assert!(stderr(&output).contains("is in the history already: nothing was added"), "{}", stderr(&output));
    assert_eq!(fs::read(bench.path("perf/history.jsonl")).unwrap(), before);
    let output = bench.run(&["history", "add", "other", &run, "--project", "mine"]);
    exits(&output, 0);
    assert_eq!(stdout(&output), "added 1 run to other\n");
}

#[test]
fn an_accepted_change_begins_a_new_epoch_and_stays_in_the_file() {
    let bench = Bench::new();
    quiet_nights(&bench);
    exits(&night(&bench, &["--again", "1"], &[("FAKE_SLOWER", "1.5")]), 4);
    let found = history(&bench);
    let last = found.runs[found.last_night().unwrap()].run.clone();
    let output = bench.run(&["history", "accept", "perf", "--confirmed", "--why", "safer, and slower"]);
    exits(&output, 0);
    assert!(stdout(&output).contains(&format!("starts anew with run {last}")), "{}", stdout(&output));
    let text = fs::read_to_string(bench.path("perf/history.jsonl")).unwrap();
    assert!(text.lines().last().unwrap().contains("\"why\":\"safer, and slower\""), "{text}");
    let judged = bench.run(&["history", "judge", "perf"]);
    exits(&judged, 0);
    assert!(
        stdout(&judged).contains("a known change begins with this night: safer, and slower"),
        "{}",
        stdout(&judged)
    );
    let shown = stdout(&bench.run(&["history", "show", "perf"]));
    assert!(shown.contains("safer, and slower"), "{shown}");
    exits(&bench.run(&["history", "judge", "perf", "--require-baseline"]), 6);
}

#[test]
fn a_series_is_accepted_by_the_first_digits_of_its_id_and_a_score_is_not() {
    let bench = Bench::new();
    suite(&bench);
    exits(&night(&bench, &[], &[]), 0);
    let found = history(&bench);
    let id = |is_it: &dyn Fn(&bakeoff_reports::Series) -> bool| {
        found.series.iter().find(|one| is_it(one)).unwrap().id.to_string()
    };
    let cost = id(&|series| series.key.quantity.metric == "latency_p50_s");
    let score = id(&|series| series.key.quantity.is_quality());
    exits(&bench.run(&["history", "accept", "perf", &cost[..7], "--why", "known"]), 0);
    let output = bench.run(&["history", "accept", "perf", &score, "--why", "known"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("bakeoff history reference perf <folder of the run>"), "{}", stderr(&output));
}

#[test]
fn another_reference_takes_the_place_of_the_former_one() {
    let bench = Bench::new();
    suite(&bench);
    exits(&night(&bench, &[], &[]), 0);
    exits(&night(&bench, &[], &[("FAKE_UTC", "2026-01-03T03:04:05Z")]), 0);
    let second = runs(&bench)[1].display().to_string();
    exits(&bench.run(&["history", "reference", "perf", &second]), 0);
    let kept = fs::read_to_string(bench.path("perf/reference/test/run.json")).unwrap();
    assert!(kept.contains("20260103T030405Z"), "{kept}");
    let left: Vec<_> =
        fs::read_dir(bench.path("perf/reference")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["test"], "no half copy is left");
}

#[test]
fn a_reference_that_is_not_as_it_was_kept_is_refused_before_anything_is_measured() {
    let bench = Bench::new();
    suite(&bench);
    exits(&night(&bench, &[], &[]), 0);
    let predictions = "predictions/parity.under-load.n60.s1.cpu.csv";
    for (file, said) in [
        ("records.csv", "perf/reference/test/records.csv was changed or cut short"),
        (predictions, "was changed or cut short: it is not the file that was kept"),
        ("run.json", "perf/reference/test/run.json was changed or cut short"),
        ("SHA256SUMS", "perf/reference/test/SHA256SUMS"),
    ] {
        let path = format!("perf/reference/test/{file}");
        let whole = fs::read(bench.path(&path)).unwrap();
        // Cut in the middle of its first line.
        fs::write(bench.path(&path), &whole[..20]).unwrap();
        let output = night(&bench, &[], &[]);
        exits(&output, 2);
        assert!(
            stderr(&output).contains("the reference run of test cannot be used: ") && stderr(&output).contains(said),
            "{}",
            stderr(&output)
        );
        assert!(stderr(&output).contains("bakeoff history reference perf <folder of the run>"), "{}", stderr(&output));
        fs::remove_file(bench.path(&path)).unwrap();
        exits(&night(&bench, &[], &[]), 2);
        fs::write(bench.path(&path), &whole).unwrap();
    }
    assert_eq!(runs(&bench).len(), 1, "nothing was measured");
    exits(&night(&bench, &[], &[]), 0);
}

#[test]
fn a_reference_that_was_lost_is_asked_for_and_is_not_replaced_by_the_night() {
    let bench = Bench::new();
    suite(&bench);
    exits(&night(&bench, &[], &[]), 0);
    exits(&night(&bench, &[], &[("FAKE_UTC", "2026-01-03T03:04:05Z")]), 0);
    let first = history(&bench).runs[0].run.clone();
    fs::remove_dir_all(bench.path("perf/reference")).unwrap();
    let output = night(&bench, &[], &[("FAKE_UTC", "2026-01-04T03:04:05Z")]);
    exits(&output, 2);
    assert!(
        stderr(&output).contains(&format!("scores of test were tested against run {first}, which is not in")),
        "{}",
        stderr(&output)
    );
    exits(&bench.run(&["history", "reference", "perf", &format!("runs/{first}")]), 0);
    exits(&night(&bench, &[], &[("FAKE_UTC", "2026-01-04T03:04:05Z")]), 0);
    // A name of a suite that would lead out of the history.
    let run = runs(&bench)[0].clone();
    let info = fs::read_to_string(run.join("run.json")).unwrap();
    fs::write(run.join("run.json"), info.replacen("\"suite\": \"test\"", "\"suite\": \"../../victim\"", 1)).unwrap();
    fs::create_dir(bench.path("victim")).unwrap();
    bench.write("victim/file", "");
    let output = bench.run(&["history", "reference", "perf", &run.display().to_string()]);
    exits(&output, 2);
    assert!(stderr(&output).contains("'../../victim' is no name of a suite"), "{}", stderr(&output));
    assert!(bench.path("victim/file").exists());
}

#[test]
fn what_another_suite_has_confirmed_is_found_and_can_be_accepted() {
    let bench = Bench::new();
    quiet_nights(&bench);
    exits(&night(&bench, &["--again", "1"], &[("FAKE_SLOWER", "1.5"), ("FAKE_UTC", "2026-03-01T03:04:05Z")]), 4);
    let found = history(&bench);
    let bad = found.runs[found.last_night().unwrap()].run.clone();
    bench.write("other.toml", "name = \"other\"\n[[task]]\nname = \"parity\"\n[[model]]\nname = \"nearly\"\n");
    let other = bench
        .command(&["nightly", "other.toml", "--history", "perf"])
        .env("FAKE_UTC", "2026-03-01T04:04:05Z")
        .output()
        .unwrap();
    exits(&other, 0);
    let output = bench.run(&["history", "accept", "perf", "--confirmed", "--why", "known"]);
    exits(&output, 2);
    assert!(
        stderr(&output).contains(&format!("the latest night that did is {bad}: --confirmed --at {bad}")),
        "{}",
        stderr(&output)
    );
    exits(&bench.run(&["history", "accept", "perf", "--confirmed", "--at", &bad, "--why", "known"]), 0);
    exits(&bench.run(&["history", "judge", "perf", "--at", &bad]), 0);
}

#[test]
fn files_of_git_that_are_there_get_the_lines_that_they_lack() {
    let bench = Bench::new();
    suite(&bench);
    fs::create_dir(bench.path("perf")).unwrap();
    bench.write("perf/.gitattributes", "*.png binary");
    bench.write("perf/.gitignore", "/.lock\n");
    exits(&night(&bench, &[], &[]), 0);
    let read = |name: &str| fs::read_to_string(bench.path("perf").join(name)).unwrap();
    assert_eq!(read(".gitattributes"), "*.png binary\n/history.jsonl -text\n/reference/** -text\n");
    assert_eq!(read(".gitignore"), "/.lock\n/.*.tmp\n/reference/.*.tmp\n");
}

#[test]
fn advice_is_quoted_for_a_shell_and_names_the_project() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["panics"]);
    let arguments = ["nightly", "suite.toml", "--history", "my perf", "--project", "a b"];
    let output = bench.run(&arguments);
    exits(&output, 3);
    assert!(stderr(&output).contains("bakeoff history reference 'my perf' runs/"), "{}", stderr(&output));
    let other = bench.run(&["nightly", "suite.toml", "--history", "my perf"]);
    exits(&other, 2);
    assert!(stderr(&other).contains("this is the history of project 'a b'"), "{}", stderr(&other));
}

#[cfg(target_os = "linux")]
#[test]
fn without_space_the_history_stays_as_it_was_and_the_run_can_be_added_later() {
    let bench = Bench::new();
    suite(&bench);
    exits(&night(&bench, &[], &[]), 0);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let before = fs::read(bench.path("perf/history.jsonl")).unwrap();
    let program = fakes().get_program().to_owned();
    let limited = |limit: &str| {
        let mut command = std::process::Command::new("sh");
        command.arg("-c").arg(format!("ulimit -f {limit}; exec \"$0\" history add perf out")).arg(&program);
        command.current_dir(bench.path("")).output().unwrap()
    };
    let output = limited("1");
    exits(&output, 1);
    assert!(stderr(&output).contains("cannot write perf/history.jsonl"), "{}", stderr(&output));
    assert_eq!(fs::read(bench.path("perf/history.jsonl")).unwrap(), before);
    let left: Vec<String> = fs::read_dir(bench.path("perf"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(!left.iter().any(|name| name.ends_with(".tmp")), "{left:?}");
    exits(&limited("unlimited"), 0);
    assert_eq!(history(&bench).runs.len(), 2);
}
