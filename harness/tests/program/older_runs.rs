//! A run that an older bakeoff stored: read and reported, and not gone on with.

use std::fs;
use std::path::Path;

#[path = "../../../reports/tests/common/folder.rs"]
pub(crate) mod folder;

use crate::common::{Bench, exits, stderr, stdout};

/// A copy of the run that a bakeoff of schema 1 wrote.
fn run_of_schema_1(bench: &Bench) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/tests/golden/run-v1");
    folder::copy(&golden, &bench.path("out"));
}

#[test]
fn a_run_of_schema_1_is_reported() {
    let bench = Bench::new();
    run_of_schema_1(&bench);
    let output = bench.run(&["report", "out"]);
    exits(&output, 0);
    assert!(stdout(&output).contains("small-lstm") && stdout(&output).contains("0.500"), "{}", stdout(&output));
}

#[test]
fn a_run_of_schema_1_is_not_resumed_and_stays_as_it_is() {
    let bench = Bench::new();
    run_of_schema_1(&bench);
    let files = ["run.json", "records.csv", "curves.csv"];
    let read = || files.map(|name| fs::read(bench.path("out").join(name)).unwrap());
    let before = read();
    let output = bench.run(&["resume", "out"]);
    exits(&output, 2);
    let expected = "cannot resume out: bakeoff 0.1.0 began it with schema 1, and this one writes 3; resume it with \
                    that bakeoff, or start a new run (bakeoff report still reads this one)";
    assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    assert!(read() == before);
}

#[test]
fn a_run_of_schema_1_is_exported_for_the_leaderboard() {
    let bench = Bench::new();
    run_of_schema_1(&bench);
    for name in ["out/run.json", "out/records.csv"] {
        let text = fs::read_to_string(bench.path(name)).unwrap();
        bench.write(name, &text.replace("reviews", "wnli"));
    }
    let rows: String = (0..146).map(|example| format!("{example},,good,\n")).collect();
    let predictions = format!("example,target,prediction,probability\n{rows}");
    bench.write("out/predictions/wnli.svm.n60.s1.cpu.test.csv", &predictions);
    let output = bench.run(&["data", "export-glue", "out", "glue.zip", "--model", "svm", "--seed", "1"]);
    exits(&output, 0);
    assert!(stdout(&output).starts_with("glue.zip: WNLI.tsv of svm\n"), "{}", stdout(&output));
    let output = bench.run(&["data", "export-glue", "out", "other.zip", "--model", "svm", "--seed", "2"]);
    exits(&output, 2);
}

#[test]
fn a_run_of_a_newer_schema_is_refused_by_every_command_with_the_way_out() {
    let bench = Bench::new();
    run_of_schema_1(&bench);
    let info = fs::read_to_string(bench.path("out/run.json")).unwrap();
    let newer = info.replace("\"schema\": 1", "\"schema\": 4").replace("\"tasks\"", "\"scenarios\": [],\n  \"tasks\"");
    bench.write("out/run.json", &newer);
    for command in [&["report", "out"][..], &["resume", "out"], &["data", "export-glue", "out", "glue.zip"]] {
        let output = bench.run(command);
        exits(&output, 2);
        let expected = "run.json: written by a newer bakeoff (schema 4, this one reads up to 3): update";
        assert!(stderr(&output).contains(expected), "{command:?}: {}", stderr(&output));
    }
}
