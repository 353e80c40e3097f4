//! The table of what compression made smaller.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;

use bakeoff_reports::{RunDir, build};
use common::{Plan, SMALL, write_run};

const PLAN: Plan = Plan { tasks: 1, models: 3, seeds: 3, examples: 100, faults: false, trials: 0, ..SMALL };
const OF: &str = "of=transformer(depth=2,rate=1)";

/// Makes the first label a Transformer, and the second what was made of it: its bytes and its latency are `share` of the whole's.
/// `of` is the value by which it names what it was made of.
fn make_compressed(dir: &RunDir, of: &str, share: f64) {
    let mut info = dir.info().unwrap();
    let mut labels: Vec<String> = info.cases.iter().map(|case| case.label.clone()).collect();
    labels.dedup();
    let smaller = format!("by=magnitude ensemble=1 fine_tune=2 fine_tune_rate=0.1 method=prune {of} share=0.5");
    let new = |label: &str| match labels.iter().position(|other| other == label) {
        Some(0) => Some(("transformer", "depth=2 rate=1".to_owned())),
        Some(1) => Some(("compress", smaller.clone())),
        _ => None,
    };
    for case in &mut info.cases {
        if let Some((model, _)) = new(&case.label) {
            case.model = model.to_owned();
        }
    }
    dir.write_info(&info).unwrap();
    let mut records = dir.records().unwrap().rows;
    for record in &mut records {
        let Some((model, params)) = new(&record.label) else { continue };
        (record.model, record.params) = (model.to_owned(), params);
        if ["model_bytes", "latency_p50_s"].contains(&record.metric.as_str()) && record.phase != "predict-batch" {
            // A little of each seed, so that there is a spread.
            let whole = 1000.0 + record.seed as f64;
            record.value = Some(if model == "compress" { share * (whole + 1.0) } else { whole });
        }
        if record.metric == "peak_memory_bytes" {
            record.value = Some(1e8);
        }
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
}

/// The lines of the report about compression.
fn table(of: &str, share: f64) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &PLAN);
    make_compressed(&dir, of, share);
    build(&dir).unwrap();
    let report = fs::read_to_string(folder.path().join("report.md")).unwrap();
    let part = report.split("## Compression").nth(1).unwrap_or_default();
    part.split("\n## ")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_fell_is_told_from_what_did_not() {
    let fell = table(OF, 0.5);
    assert_eq!(fell.len(), 3, "a head, its line and one pair: {fell:?}");
    assert_eq!(fell[2].matches(": fell").count(), 2, "{}", fell[2]);
    let grew = table(OF, 2.0);
    assert_eq!(grew[2].matches(": did not fall").count(), 2, "{}", grew[2]);
    assert!(!grew[2].contains(": fell"), "{}", grew[2]);
}

#[test]
fn a_network_that_was_made_of_another_one_is_not_compared() {
    assert_eq!(table("of=transformer(depth=3,rate=1)", 0.5), Vec::<String>::new());
}
