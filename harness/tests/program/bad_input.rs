//! Bad input is refused before anything runs: exit code 2, the place, what was expected, and the fix.

mod command_lines;
mod files;
mod places;
mod suites;

use crate::common::{Bench, exits, stderr};

/// Runs a suite of this text and gives what the program says of it.
#[track_caller]
fn refused(text: &str) -> String {
    let bench = Bench::new();
    bench.write("suite.toml", text);
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 2);
    assert!(!bench.path("out").exists(), "nothing is written for a suite that is refused");
    stderr(&output)
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
}

const TASK: &str = "[[task]]\nname = \"parity\"\n";
const MODEL: &str = "[[model]]\nname = \"nearly\"\n";
