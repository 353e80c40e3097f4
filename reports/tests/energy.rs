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

/// Makes the joules of a model's cases those of a meter: 360 J a fit, and 2 mJ a prediction.
fn measure(records: &mut Vec<Record>, model: &str, source: &str) {
    for record in records.iter_mut().filter(|record| record.model == model && record.source == "estimate") {
        record.source = source.to_owned();
        record.value = Some(if record.phase == "fit" { 360.0 } else { 0.002 });
    }
    let of_model = |record: &&Record| record.model == model && record.metric == "energy_j";
    let measured: Vec<Record> = records.iter().filter(of_model).cloned().collect();
    for row in measured {
        let further: &[(&str, &str, f64)] = match row.phase.as_str() {
            "fit" => &[("energy_above_idle_j", "J", 240.0), ("steady_w", "W", 31.0), ("idle_w", "W", 12.0)],
            _ => &[("energy_above_idle_j", "J", 0.0015)],
        };
        let at = records.iter().position(|record| *record == row).unwrap();
        for (metric, unit, value) in further {
            let (metric, unit) = ((*metric).to_owned(), (*unit).to_owned());
            records.insert(at, Record { metric, unit, value: Some(*value), ..row.clone() });
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
        assert!(svg.contains("estimate ± 40 %"), "{picture}");
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
    let value = |metric: &str| {
        let mut rows = dir.records().unwrap().rows.into_iter();
        let found = rows.find(|row| row.model == "resnet" && row.phase == "score" && row.metric == metric);
        found.unwrap().value.unwrap()
    };
    let points = 100.0 * (value("accuracy") - value("floor"));
    let per_point = 360.0 / points;
    assert!((1.0..100.0).contains(&per_point), "{per_point}");
    let per_point = format!("{per_point:.0$} J", if per_point < 10.0 { 2 } else { 1 });
    let energy = table(&text, "Energy").unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.split('|').map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect()
    };
    let lines: Vec<Vec<String>> = energy.lines().map(cells).collect();
    assert_eq!(
        lines[0],
        [
            "setting",
            "model",
            "meter",
            "J to fit",
            "J to fit, above idle",
            "steady power",
            "J/1,000 predictions",
            "J/1,000 predictions, above idle",
            "J/point",
            "CO2e of the fit",
            "CO2e/1,000 predictions"
        ]
    );
    // 360 J at 360 g/kWh are 36 mg, and 2 J are 0.2 mg.
    let expected =
        ["resnet", "rapl", "360 J", "240 J", "31.0 W", "2.00 J", "1.50 J", per_point.as_str(), "36.0 mg", "200 µg"];
    assert_eq!(lines[2][1..], expected);
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
fn a_declared_grid_without_joules_is_answered_with_the_reason() {
    let remarks = |meter: &str, has_joules: bool| {
        let (_folder, dir) = run(&PLAN, |records| records.retain(|row| has_joules || row.metric != "energy_j"));
        let mut info = dir.info().unwrap();
        info.energy = meter.to_owned();
        info.suite_toml = "name = \"x\"\n[energy]\ngrams_per_kwh = 360.0\ngrid = \"Utopia 2025\"\n".to_owned();
        dir.write_info(&info).unwrap();
        build(&dir).unwrap().remarks.into_iter().filter(|remark| remark.contains("CO2e")).collect::<Vec<_>>()
    };
    let expected = "There are no grams of CO2e, although the suite has grams_per_kwh: no joules were measured or estimated (no RAPL; the \
                    estimate is switched off).";
    assert_eq!(remarks("none: no RAPL; the estimate is switched off", false), [expected]);
    assert!(remarks("estimate", true).is_empty());
}

#[test]
fn a_damaged_idle_file_is_named_with_its_line() {
    let (_folder, dir) = run(&PLAN, |_| {});
    fs::write(dir.idle_path(), "at,when,source,joules,seconds,note\nx,before,rapl,1,0,\n").unwrap();
    let error = build(&dir).unwrap_err().to_string();
    assert!(error.contains("idle.csv") && error.contains("0 is no length of a window"), "{error}");
}
