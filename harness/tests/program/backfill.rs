//! `history backfill`: past commits of a program, each built in its own files and added at its own date.
#![cfg(unix)]

use std::fs;
use std::process::{Command, Output};

use crate::common::{Bench, exits, fakes, stderr, stdout};
use crate::nightly::history;

/// Runs git in the folder of a test, as nobody in particular.
fn git(bench: &Bench, arguments: &[&str], date: &str) -> Output {
    let mut command = Command::new("git");
    command.current_dir(bench.path("")).args([
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.org",
        "-c",
        "commit.gpgsign=false",
    ]);
    command.env("GIT_COMMITTER_DATE", date).env("GIT_AUTHOR_DATE", date);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", stderr(&output));
    output
}

/// A repository with five commits of a program, of which the third does not build. `build.sh` makes the program.
fn repository() -> Bench {
    let bench = Bench::new();
    git(&bench, &["init", "--quiet", "--initial-branch=main"], "");
    let program = fakes().get_program().to_string_lossy().into_owned();
    for n in 1..=5 {
        let build = if n == 3 { "exit 1\n".to_owned() } else { format!("cp '{program}' program\n") };
        bench.write("build.sh", &format!("# {n}\necho built >> \"$BUILDS\"\n{build}"));
        git(&bench, &["add", "build.sh"], "");
        git(&bench, &["commit", "--quiet", "-m", &format!("commit {n}")], &format!("2026-01-0{n}T12:00:00+02:00"));
    }
    bench.suite("", &["parity"], &["under-load"]);
    bench
}

fn backfill(bench: &Bench, range: &str) -> Output {
    let arguments = [
        "history",
        "backfill",
        "perf",
        "--commits",
        range,
        "--suite",
        "suite.toml",
        "--build",
        "sh build.sh",
        "--program",
        "program",
    ];
    bench.command(&arguments).env("BUILDS", bench.path("builds")).output().unwrap()
}

/// How many builds were begun.
fn builds(bench: &Bench) -> usize {
    fs::read_to_string(bench.path("builds")).unwrap_or_default().lines().count()
}

fn commit(bench: &Bench, name: &str) -> String {
    stdout(&git(bench, &["rev-parse", "--short=12", name], "")).trim().to_owned()
}

#[test]
fn past_commits_are_added_at_their_dates_and_one_that_does_not_build_is_skipped_and_said() {
    let bench = repository();
    let output = backfill(&bench, "main~4..main");
    exits(&output, 3);
    let third = commit(&bench, "main~2");
    assert!(
        stderr(&output).contains(&format!("skipped {third}: it does not build (sh build.sh: exit status: 1)")),
        "{}",
        stderr(&output)
    );
    assert!(stdout(&output).contains("added 3 of 4 commits to perf"), "{}", stdout(&output));
    let found = history(&bench);
    let runs: Vec<(&str, &str)> = found.runs.iter().map(|run| (run.commit.as_str(), run.at())).collect();
    let (second, fourth, fifth) = (commit(&bench, "main~3"), commit(&bench, "main~1"), commit(&bench, "main"));
    assert_eq!(
        runs,
        [
            (second.as_str(), "2026-01-02T10:00:00Z"),
            (fourth.as_str(), "2026-01-04T10:00:00Z"),
            (fifth.as_str(), "2026-01-05T10:00:00Z")
        ]
    );
    assert!(found.series.iter().all(|series| series.points.len() == 3));
    assert_eq!(builds(&bench), 4);
}

#[test]
fn the_same_command_goes_on_with_what_is_left() {
    let bench = repository();
    exits(&backfill(&bench, "main~1..main"), 0);
    assert_eq!(builds(&bench), 1);
    let output = backfill(&bench, "main~1..main");
    exits(&output, 5);
    assert!(
        stdout(&output).contains("nothing to do: every commit of main~1..main is in the history"),
        "{}",
        stdout(&output)
    );
    exits(&backfill(&bench, "main~4..main"), 3);
    assert_eq!(builds(&bench), 4, "the last commit is not built again");
    assert_eq!(history(&bench).runs.len(), 3);
    // A run that was measured and not added, as when the disk was full, is not measured again.
    fs::remove_file(bench.path("perf/history.jsonl")).unwrap();
    exits(&backfill(&bench, "main~1..main"), 0);
    assert_eq!(history(&bench).runs.len(), 1);
}

#[test]
fn the_files_of_the_user_stay_as_they_are() {
    let bench = repository();
    bench.write("build.sh", "what the user is writing\n");
    exits(&backfill(&bench, "main~1..main"), 0);
    assert_eq!(fs::read_to_string(bench.path("build.sh")).unwrap(), "what the user is writing\n");
    assert_eq!(stdout(&git(&bench, &["branch", "--show-current"], "")).trim(), "main");
}

#[test]
fn what_is_no_range_no_repository_and_no_work_tree_is_refused() {
    let bench = repository();
    for (range, said) in [
        ("main", "--commits main is no range: write A..B"),
        ("..main", "is no range"),
        ("a...b", "is no range"),
        ("main..nowhere", "--commits main..nowhere: fatal: bad revision"),
        ("main..main~2", "has no commit: the older one comes first"),
        ("--all..main", "is no range"),
    ] {
        let range = format!("--commits={range}");
        let output = bench.run(&["history", "backfill", "perf", &range, "--suite", "suite.toml"]);
        exits(&output, 2);
        assert!(stderr(&output).contains(said), "{range}: {}", stderr(&output));
    }
    fs::create_dir(bench.path("mine")).unwrap();
    for worktree in [".", "mine"] {
        let output = bench.run(&[
            "history",
            "backfill",
            "perf",
            "--commits",
            "main~1..main",
            "--suite",
            "suite.toml",
            "--worktree",
            worktree,
        ]);
        exits(&output, 2);
        assert!(
            stderr(&output).contains("is no work tree of this repository of its own"),
            "{worktree}: {}",
            stderr(&output)
        );
    }
    let output = bench.run(&["history", "backfill", "perf", "--commits", "main~1..main"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("the history has no run yet, so say which suite"), "{}", stderr(&output));
    let elsewhere = Bench::new();
    let output = elsewhere.run(&["history", "backfill", "perf", "--commits", "a..b"]);
    exits(&output, 2);
    assert!(
        stderr(&output).contains("backfill reads the commits of the repository in which it is started"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_program_that_is_not_made_or_does_not_run_the_suite_is_skipped() {
    let bench = repository();
    let run = |more: &[&str]| {
        let arguments =
            [&["history", "backfill", "perf", "--commits", "main~1..main", "--suite", "suite.toml"], more].concat();
        bench.run(&arguments)
    };
    let output = run(&["--build", "true", "--program", "nothing"]);
    exits(&output, 3);
    assert!(stderr(&output).contains("the build made no "), "{}", stderr(&output));
    let output = run(&["--build", "true", "--program", "build.sh"]);
    exits(&output, 3);
    assert!(stderr(&output).contains("what it builds cannot be started"), "{}", stderr(&output));
    let output = run(&["--build", "printf '#!/bin/sh\\nexit 2\\n' > p; chmod +x p", "--program", "p"]);
    exits(&output, 3);
    assert!(stderr(&output).contains("failed (exit code 2)"), "{}", stderr(&output));
}
