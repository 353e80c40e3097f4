//! What a report says of energy: each number with its source, and estimates apart from what was measured.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use bakeoff_reports::{IdleRow, Record, RunDir, build};
use common::{Plan, SMALL, write_run};
use tempfile::TempDir;

const PLAN: Plan = Plan { tasks: 1, models: 3, faults: false, ..SMALL };

/// A run whose records are changed before it is reported.
fn run(plan: &Plan, change: impl Fn(&mut Vec<Record>)) -> (TempDir, RunDir) {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), plan);
    let mut records = dir.records().unwrap().rows;
    change(&mut records);
    dir.write_rows(&dir.records_path(), &records).unwrap();
    (folder, dir)
}

/// Makes the joules of a model's cases those of a meter.
fn measure(records: &mut Vec<Record>, model: &str, source: &str) {
    let of_model = |record: &&mut Record| record.model == model && record.source == "estimate";
    records.iter_mut().filter(of_model).for_each(|record| record.source = source.to_owned());
    let fits: Vec<Record> =
        records.iter().filter(|r| r.model == model && r.phase == "fit" && r.metric == "energy_j").cloned().collect();
    for fit in fits {
        for (metric, unit, value) in [("energy_above_idle_j", "J", 9.0), ("steady_w", "W", 31.0), ("idle_w", "W", 12.0)]
        {
            let row = Record { metric: metric.to_owned(), unit: unit.to_owned(), value: Some(value), ..fit.clone() };
            let at = records.iter().position(|record| record == &fit).unwrap();
            records.insert(at, row);
        }
    }
}

fn report(folder: &Path) -> String {
    fs::read_to_string(folder.join("report.md")).unwrap()
}

/// The table below a heading.
fn table<'a>(text: &'a str, heading: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("\n## {heading}\n\n"))?;
    rest.split("\n\n").next()
}

#[test]
fn no_column_and_no_table_of_energy_has_estimated_and_measured_joules() {
    let (folder, dir) = run(&PLAN, |records| measure(records, "resnet", "rapl"));
    build(&dir).unwrap();
    let text = report(folder.path());
    let measured = table(&text, "Energy").unwrap();
    assert!(measured.contains("resnet") && !measured.contains("lstm") && !measured.contains("40 %"), "{measured}");
    let estimated = table(&text, "Estimated energy, ± 40 %").unwrap();
    assert!(estimated.contains("lstm") && !estimated.contains("resnet"), "{estimated}");
    let headings = estimated.lines().next().unwrap();
    assert_eq!(headings.matches("(estimate ± 40 %)").count(), 3, "each column of numbers says it: {headings}");
    let results = text.split_once("## cifar10").unwrap().1;
    let heading = results.lines().find(|line| line.starts_with("| # |")).unwrap();
    assert!(heading.contains("J/prediction (rapl)") && heading.contains("J to fit (rapl)"), "{heading}");
    assert!(!heading.contains("estimate"), "{heading}");
}

#[test]
fn an_estimate_has_its_error_wherever_its_joules_are_shown() {
    let (folder, dir) = run(&Plan { trials: 2, axes: true, ..PLAN }, |_| {});
    let built = build(&dir).unwrap();
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    let text = report(folder.path());
    for shown in [&built.terminal_table, &text, &page] {
        for (at, _) in shown.match_indices("(estimate") {
            assert!(shown[at..].starts_with("(estimate ± 40 %)"), "{}", &shown[at..at + 40]);
        }
    }
    for heading in ["J to fit (", "search energy (", "median energy (", "J/prediction ("] {
        assert!(text.contains(&format!("{heading}estimate ± 40 %)")), "{heading}");
    }
    for picture in ["accuracy-energy", "anytime-energy"] {
        let svg = fs::read_to_string(folder.path().join(format!("figures/{picture}.svg"))).unwrap();
        assert!(svg.contains("estimated, ± 40 %"), "{picture}");
    }
}

#[test]
fn the_table_of_energy_follows_from_the_records() {
    let (folder, dir) = run(&PLAN, |records| measure(records, "resnet", "rapl"));
    let mut info = dir.info().unwrap();
    info.suite_toml = "name = \"x\"\n[energy]\ngrams_per_kwh = 360.0\ngrid = \"Utopia 2025, made up\"\n".to_owned();
    dir.write_info(&info).unwrap();
    let idle = |when: &str, joules| IdleRow {
        at: "2026-11-22T06:00:00Z".to_owned(),
        when: when.to_owned(),
        source: "rapl".to_owned(),
        joules: Some(joules),
        seconds: Some(1.0),
        note: String::new(),
    };
    dir.write_rows(&dir.idle_path(), &[idle("before", 12.0), idle("after", 15.0)]).unwrap();
    let built = build(&dir).unwrap();
    let text = report(folder.path());
    insta::assert_snapshot!(table(&text, "Energy").unwrap());
    let value = |phase: &str, metric: &str| {
        let rows = dir.records().unwrap().rows;
        rows.into_iter().find(|r| r.model == "resnet" && r.phase == phase && r.metric == metric).unwrap().value.unwrap()
    };
    let points = 100.0 * (value("score", "accuracy") - value("score", "floor"));
    let per_point = format!("{:.3}", value("fit", "energy_j") / points);
    assert!(table(&text, "Energy").unwrap().contains(per_point.trim_end_matches('0')), "{per_point}");
    assert!(text.contains("12.0 W before the first case and 15.0 W after the last one (+25.0 %)"), "{text}");
    assert!(text.contains("at 360 g/kWh (Utopia 2025, made up)"), "{text}");
    assert!(
        built.remarks.iter().any(|remark| remark.contains("power of the idle machine changed")),
        "{:?}",
        built.remarks
    );
}

#[test]
fn without_a_declared_grid_or_its_source_there_are_no_grams() {
    for energy in ["", "[energy]\ngrams_per_kwh = 360.0\n", "[energy]\ngrams_per_kwh = 360.0\ngrid = \" \"\n"] {
        let (folder, dir) = run(&PLAN, |_| {});
        let mut info = dir.info().unwrap();
        info.suite_toml = format!("name = \"x\"\n{energy}");
        dir.write_info(&info).unwrap();
        build(&dir).unwrap();
        assert!(!report(folder.path()).contains("CO2e"), "{energy}");
    }
}

#[test]
fn a_damaged_idle_file_is_named_with_its_line() {
    let (_folder, dir) = run(&PLAN, |_| {});
    fs::write(dir.idle_path(), "at,when,source,joules,seconds,note\nx,before,rapl,1,0,\n").unwrap();
    let error = build(&dir).unwrap_err().to_string();
    assert!(error.contains("idle.csv") && error.contains("0 is no length of a window"), "{error}");
}
