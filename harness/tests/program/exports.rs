//! `history export`, `history show --html` and `scripts/nightly`: what a job hands to other programs.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::common::{Bench, exits, fakes, stderr, stdout};
use crate::nightly::{history, night, quiet_nights, suite};

#[test]
fn a_format_of_one_file_goes_to_standard_output_and_one_of_several_into_a_folder() {
    let bench = Bench::new();
    suite(&bench);
    exits(&night(&bench, &[], &[]), 0);
    let xml = bench.run(&["history", "export", "perf", "--format", "junit"]);
    exits(&xml, 0);
    assert!(stdout(&xml).starts_with("<?xml") && stdout(&xml).contains("the series begins with this night"));
    exits(&bench.run(&["history", "export", "perf", "--format", "junit", "--out", "reports/junit"]), 0);
    assert_eq!(fs::read_to_string(bench.path("reports/junit/junit.xml")).unwrap(), stdout(&xml));
    let refused = bench.run(&["history", "export", "perf", "--format", "otava"]);
    exits(&refused, 2);
    assert!(
        stderr(&refused)
            .contains("otava has 2 files, which standard output cannot hold: name a folder for them with --out")
    );
    let several = bench.run(&["history", "export", "perf", "--format", "otava", "--out", "reports"]);
    exits(&several, 0);
    assert_eq!(stdout(&several), "wrote 2 files to reports\n");
    assert!(bench.path("reports/otava.yaml").exists());
}

#[test]
fn an_export_of_an_earlier_night_says_what_that_night_said() {
    let bench = Bench::new();
    suite(&bench);
    exits(&night(&bench, &[], &[]), 0);
    let first = history(&bench).runs[0].run.clone();
    let before = stdout(&bench.run(&["history", "export", "perf", "--format", "bmf"]));
    exits(&night(&bench, &[], &[("FAKE_SLOWER", "1.5")]), 0);
    let after = stdout(&bench.run(&["history", "export", "perf", "--format", "bmf"]));
    assert_ne!(after, before);
    assert_eq!(stdout(&bench.run(&["history", "export", "perf", "--format", "bmf", "--at", &first])), before);
}

#[test]
fn what_is_mistyped_is_answered_and_nothing_is_written() {
    let bench = Bench::new();
    suite(&bench);
    exits(&night(&bench, &[], &[]), 0);
    fs::write(bench.path("file"), "").unwrap();
    for (arguments, said) in [
        (&["export", "perf", "--format", "junti"][..], "did you mean 'junit'?"),
        (&["export", "perf"], "--format <FORMAT>"),
        (&["export", "pref", "--format", "junit"], "pref has no history.jsonl, so it is no history"),
        (&["export", "perf", "--format", "junit", "--at", "nowhere"], "unknown run 'nowhere'"),
        (&["export", "perf", "--format", "otava", "--out", "file"], "it is a file, and not a folder"),
        (&["show", "perf", "--html", "file"], "it is a file, and not a folder"),
        (&["show", "perf", "--html", "pages", "-t", "partiy"], "did you mean 'parity'?"),
    ] {
        let output = bench.run(&[&["history"], arguments].concat());
        exits(&output, 2);
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
    }
    assert!(!bench.path("pages").exists());
    assert_eq!(fs::read(bench.path("file")).unwrap(), b"");
}

#[test]
fn pages_of_a_history_are_an_index_and_one_for_each_task() {
    let bench = Bench::new();
    bench.suite("", &["parity", "number"], &["nearly"]);
    exits(&night(&bench, &[], &[]), 0);
    let output = bench.run(&["history", "show", "perf", "--html", "pages"]);
    exits(&output, 0);
    assert_eq!(stdout(&output), "wrote 3 files to pages\n");
    for page in ["index.html", "parity.html", "number.html"] {
        assert!(fs::read_to_string(bench.path("pages").join(page)).unwrap().contains("</html>"), "{page}");
    }
}

/// Runs `scripts/nightly` on the suite of the tests.
fn script(bench: &Bench, environment: &[(&str, &str)]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/nightly");
    let mut command = Command::new("bash");
    command.arg(script).arg("suite.toml").current_dir(bench.path("")).env("BAKEOFF", fakes().get_program());
    command.env_remove("GITHUB_ACTIONS").envs(environment.iter().copied()).output().unwrap()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"]);
    let output = command.arg("-C").arg(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

#[test]
fn the_script_of_a_night_writes_every_output_and_ends_as_the_night_did() {
    let bench = Bench::new();
    quiet_nights(&bench);
    let summary = bench.path("summary.md");
    let on_github = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
    let output = script(&bench, &[&on_github[..], &[("FAKE_SLOWER", "1.5")]].concat());
    exits(&output, 4);
    for file in [
        "junit.xml",
        "night.md",
        "bmf.json",
        "benchmark-action-smaller.json",
        "benchmark-action-bigger.json",
        "otava/otava.yaml",
        "pages/index.html",
        "pages/parity.html",
    ] {
        assert!(bench.path("nightly").join(file).exists(), "{file}");
    }
    assert!(fs::read_to_string(summary).unwrap().contains("regression"));
    assert!(stdout(&output).contains("::error title=regression confirmed::"), "{}", stdout(&output));
    let good = script(&bench, &[]);
    exits(&good, 0);
    assert!(!stdout(&good).contains("::"), "only GitHub reads annotations");
}

#[test]
fn the_script_says_what_is_missing_before_it_measures_anything() {
    let bench = Bench::new();
    suite(&bench);
    let absent = script(&bench, &[("BAKEOFF", "no-such-program")]);
    exits(&absent, 2);
    assert!(
        stderr(&absent).contains("there is no program 'no-such-program'; name it in BAKEOFF"),
        "{}",
        stderr(&absent)
    );
    let nowhere = script(&bench, &[("BAKEOFF_PUSH", "1")]);
    exits(&nowhere, 2);
    assert!(stderr(&nowhere).contains("perf is no git work tree of its own"), "{}", stderr(&nowhere));
    assert!(!bench.path("runs").exists());
}

#[test]
fn two_machines_push_their_nights_to_one_history_and_no_line_is_lost() {
    let bench = Bench::new();
    suite(&bench);
    let of = |name: &str| bench.path(name);
    git(&of(""), &["init", "--quiet", "--bare", "shared.git"]);
    git(&of(""), &["clone", "--quiet", "shared.git", "one"]);
    let push = |folder: &str, out: &str| {
        for (key, value) in [("user.name", "Ada"), ("user.email", "ada@example.com")] {
            git(&of(folder), &["config", key, value]);
        }
        let environment = [("BAKEOFF_HISTORY", folder), ("BAKEOFF_OUT", out), ("BAKEOFF_PUSH", "1")];
        script(&bench, &environment)
    };
    fs::write(of("one/README"), "the history").unwrap();
    git(&of("one"), &["add", "README"]);
    git(&of("one"), &["commit", "--quiet", "-m", "begin"]);
    git(&of("one"), &["push", "--quiet", "--set-upstream", "origin", "HEAD"]);
    exits(&push("one", "out"), 0);
    git(&of(""), &["clone", "--quiet", "shared.git", "two"]);
    // The other machine adds its night while this one knows nothing of it.
    exits(&push("one", "out"), 0);
    let run = "nightly suite.toml --history two";
    exits(&bench.run(&run.split(' ').collect::<Vec<_>>()), 0);
    git(&of("two"), &["add", "--all"]);
    git(&of("two"), &["commit", "--quiet", "-m", "a night"]);
    exits(&push("two", "out"), 0);
    let found = bakeoff_reports::History::read(&of("two")).unwrap();
    assert_eq!((found.runs.len(), &found.remarks[..]), (4, &[][..] as &[String]));
    git(&of("one"), &["pull", "--quiet"]);
    assert_eq!(fs::read(of("one/history.jsonl")).unwrap(), fs::read(of("two/history.jsonl")).unwrap());
}
