//! The floors that a user sets.

use std::fs;

use bakeoff_reports::{Floors, Rules};

use crate::said;

fn read(text: &str) -> (tempfile::TempDir, Result<Rules, bakeoff_reports::ReportError>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.toml"), text).unwrap();
    let rules = Rules::read(folder.path());
    (folder, rules)
}

#[test]
fn without_a_file_the_floors_are_those_of_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let rules = Rules::read(folder.path()).unwrap();
    for unit in ["s", "J", "B", "1/s", ""] {
        assert_eq!(rules.floors(unit), Floors::of_unit(unit));
    }
    assert_eq!((rules.floors("s").history, rules.floors("s").tonight), (0.03, 0.05));
}

#[test]
fn a_floor_that_is_set_replaces_its_own_alone() {
    let rules = read("[floors]\ntonight = 0.1\n\n[floors.absolute]\ns = 0.001\n").1.unwrap();
    assert_eq!(rules.floors("s"), Floors { history: 0.03, tonight: 0.1, absolute: 0.001 });
    assert_eq!(rules.floors("J"), Floors { tonight: 0.1, ..Floors::of_unit("J") });
}

#[test]
fn what_is_no_rule_is_refused_with_its_line() {
    let mut messages = Vec::new();
    for text in [
        "[floors]\ntonight = 5\n",
        "[floors]\nhistory = 0\n",
        "[floors]\ntonight = nan\n",
        "[floors]\ntonigth = 0.05\n",
        "[flaws]\ntonight = 0.05\n",
        "[floors.absolute]\nms = 1\n",
        "[floors.absolute]\ns = -1.0\n",
        "[floors\n",
        "floors = 3\n",
        "[floors]\nhistory = 0.5\ntonight = 0.01\n",
        "[floors]\ntonight = \"5 %\"\n",
    ] {
        let (folder, rules) = read(text);
        messages.push(format!("{text:?}\n  {}", said(rules, folder.path())));
    }
    insta::assert_snapshot!(messages.join("\n"));
}
