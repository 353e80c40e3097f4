//! The modules of the harness depend on each other in the order that ARCHITECTURE.md states, and never in a circle.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The list in ARCHITECTURE.md: each module with the number of its line.
fn stated() -> BTreeMap<String, usize> {
    let text = fs::read_to_string(crate_folder().join("../ARCHITECTURE.md")).unwrap();
    let (_, list) = text.split_once("```modules\n").unwrap();
    let (list, _) = list.split_once("```").unwrap();
    let lines = list.lines().enumerate();
    lines.flat_map(|(at, line)| line.split_whitespace().map(move |word| (word.to_owned(), at))).collect()
}

/// The source files below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The top module that a file belongs to: `plan/own.rs` is part of `plan`.
fn module_of(file: &Path) -> String {
    let inside = file.strip_prefix(crate_folder().join("src")).unwrap();
    inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The top modules that a line of code names as `crate::<module>`.
fn named(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    code.split("crate::").skip(1).map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
}

#[test]
fn every_module_uses_only_modules_above_it() {
    let line_of = stated();
    let mut found = BTreeSet::new();
    for file in sources(&crate_folder().join("src")) {
        let module = module_of(&file);
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let line = line_of.get(&module);
        let line = line.unwrap_or_else(|| panic!("ARCHITECTURE.md does not place the module {module}"));
        let text = fs::read_to_string(&file).unwrap();
        for other in text.lines().flat_map(named).filter(|other| *other != module) {
            // What is in no module, such as `crate::COMMIT`, is the crate's own.
            let Some(above) = line_of.get(other) else {
                assert!(
                    other.chars().all(|c| c.is_ascii_uppercase()),
                    "{}: `crate::{other}` is no module that ARCHITECTURE.md places; write one `use crate::…` a line",
                    file.display()
                );
                continue;
            };
            assert!(above < line, "{}: {module} uses {other}, which does not stand above it", file.display());
        }
        found.insert(module);
    }
    assert_eq!(found, line_of.into_keys().collect(), "ARCHITECTURE.md places modules that are not there");
}
