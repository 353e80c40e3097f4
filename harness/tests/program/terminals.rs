//! What a user sees on a terminal, through a real pseudo-terminal that `script` of util-linux opens.

use std::process::Command;

use crate::common::{Bench, fakes};

/// What a run of two cases writes to its terminal, where `TERM` is `term`; its standard output goes elsewhere.
fn seen_on_a_terminal(term: Option<&str>) -> String {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly", "constant"]);
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--return", "--command", "\"$FAKES\" run suite.toml --out out > printed", "terminal.log"])
        .current_dir(bench.path(""))
        .env("FAKES", fakes().get_program())
        .env("SHELL", "/bin/sh")
        .env_remove("TERM");
    if let Some(term) = term {
        command.env("TERM", term);
    }
    let output = command.output().expect("script, of util-linux, opens the terminal");
    let seen = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{seen}");
    assert!(bench.path("out/report.html").is_file(), "{seen}");
    seen
}

#[test]
fn a_terminal_that_cannot_draw_shows_plain_lines() {
    for term in [Some("dumb"), None] {
        let seen = seen_on_a_terminal(term);
        assert!(seen.contains("        parity.nearly.n60.s1.cpu …"), "TERM={term:?}: {seen:?}");
        assert!(seen.contains("[ 1/2] parity.nearly.n60.s1.cpu: ok, accuracy"), "TERM={term:?}: {seen:?}");
        assert!(seen.contains("[ 2/2] parity.constant.n60.s1.cpu: below-floor"), "TERM={term:?}: {seen:?}");
        assert!(!seen.contains('\u{1b}'), "no escape codes, TERM={term:?}: {seen:?}");
    }
}

#[test]
fn a_terminal_that_can_draw_shows_bars() {
    let seen = seen_on_a_terminal(Some("xterm-256color"));
    assert!(seen.contains("\u{1b}["), "{seen:?}");
    assert!(seen.contains("2/2 cases") || seen.contains("1/2 cases"), "{seen:?}");
    assert!(!seen.contains("[ 1/2]"), "{seen:?}");
}
