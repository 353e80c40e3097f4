//! A suite whose memory limit is above what the machine has: stated before anything runs, and in the report.

use std::fs;

use crate::common::{Bench, exits, stderr, stdout};

/// The fake machine has 8 GiB.
const REMARK: &str = "memory_limit_gib is 16, more than the 8.0 GiB that this machine or its container has";

#[test]
fn a_limit_above_the_machines_memory_is_stated_by_run_check_and_report() {
    let bench = Bench::new();
    bench.suite("memory_limit_gib = 16", &["parity"], &["nearly"]);
    let checked = bench.run(&["check", "suite.toml"]);
    exits(&checked, 0);
    assert!(stderr(&checked).contains(REMARK), "{}", stderr(&checked));
    let run = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&run, 0);
    assert!(stderr(&run).contains(REMARK), "{}", stderr(&run));
    assert!(stdout(&run).contains(REMARK), "{}", stdout(&run));
    for report in ["report.md", "report.html"] {
        let text = fs::read_to_string(bench.path("out").join(report)).unwrap().replace("\\_", "_");
        assert!(text.contains(REMARK), "{report}: {text}");
    }
}

#[test]
fn cases_at_a_time_count_together() {
    let bench = Bench::new();
    bench.suite("memory_limit_gib = 3\njobs = 3", &["parity"], &["nearly", "constant", "classes-only"]);
    let output = bench.run(&["check", "suite.toml"]);
    let remark = "memory_limit_gib is 3 for each of 3 cases at a time, more than the 8.0 GiB";
    assert!(stderr(&output).contains(remark), "{}", stderr(&output));
}

#[test]
fn a_limit_within_the_machines_memory_is_not_remarked() {
    let bench = Bench::new();
    bench.suite("memory_limit_gib = 8", &["parity"], &["nearly"]);
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    assert!(!(stderr(&output) + &stdout(&output)).contains("memory_limit_gib"), "{}", stderr(&output));
}
