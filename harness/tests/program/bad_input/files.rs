//! Folders, data files and pipes that are not as the program needs them.

use std::fs;

use super::says;
use crate::common::{Bench, exits, stderr};

#[test]
fn an_existing_output_directory_is_refused_and_left_as_it_is() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    fs::create_dir(bench.path("out")).unwrap();
    fs::write(bench.path("out/mine.txt"), "mine").unwrap();
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 2);
    says(&stderr(&output), &["out exists already", "give another --out"]);
    assert!(!stderr(&output).contains("resume"), "a folder that is no run cannot be resumed");
    assert_eq!(fs::read_to_string(bench.path("out/mine.txt")).unwrap(), "mine");
    assert_eq!(fs::read_dir(bench.path("out")).unwrap().count(), 1);
}

#[test]
fn an_output_directory_that_cannot_be_made_is_refused() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    bench.write("file", "");
    // A file where a folder should be: refused for every user, root included.
    let output = bench.run(&["run", "suite.toml", "--out", "file/out"]);
    exits(&output, 2);
    says(&stderr(&output), &["file"]);
}

#[test]
fn a_broken_sample_file_is_refused_with_path_and_both_checksums() {
    let bench = Bench::new();
    fs::create_dir(bench.path("samples")).unwrap();
    let real = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/samples");
    for entry in fs::read_dir(&real).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().ends_with(".gz") {
            fs::copy(entry.path(), bench.path("samples").join(entry.file_name())).unwrap();
        }
    }
    let file = bench.path("samples/sst2-dev.tsv.gz");
    let bytes = fs::read(&file).unwrap();
    let run = || {
        std::process::Command::new(env!("CARGO_BIN_EXE_bakeoff"))
            .args(["run", "smoke", "-t", "sst2", "-m", "random-forest", "--samples", "samples", "--out", "out"])
            .current_dir(bench.path(""))
            .output()
            .unwrap()
    };
    for broken in [&bytes[..bytes.len() / 2], b"<html>", b""] {
        fs::write(&file, broken).unwrap();
        let output = run();
        exits(&output, 2);
        says(&stderr(&output), &["sst2-dev.tsv.gz", "sha256"]);
        assert!(!bench.path("out").exists());
    }
    fs::remove_file(&file).unwrap();
    let output = run();
    exits(&output, 2);
    says(&stderr(&output), &["sst2-dev.tsv.gz"]);
}

#[test]
fn commands_on_a_folder_that_is_no_run_say_so() {
    let bench = Bench::new();
    for command in ["report", "resume"] {
        bench.write("file", "");
        for folder in [".", "missing", "file"] {
            let output = bench.run(&[command, folder]);
            exits(&output, 2);
            says(&stderr(&output), &["is no run directory"]);
        }
    }
}

#[test]
fn a_reader_that_leaves_is_no_fault() {
    let bench = Bench::new();
    let mut child = bench.command(&["list"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_run_whose_reader_has_left_still_says_by_its_exit_code_that_cases_failed() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly", "panics"]);
    let mut child =
        bench.command(&["run", "suite.toml", "--out", "out"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
}
