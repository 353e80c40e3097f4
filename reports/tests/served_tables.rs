//! The tables of models as they are served: how they were served, their latency, and the noise meanwhile.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use bakeoff_reports::{Record, RunDir, build};
use common::{Plan, SMALL, write_run};
use tempfile::TempDir;

const PLAN: Plan = Plan { tasks: 1, models: 2, seeds: 2, faults: false, ..SMALL };

/// A number to be added to a case: phase, metric, and the number or why there is none.
type Added<'a> = (&'a str, &'a str, Result<f64, &'a str>);

/// A run in which every case has these numbers too.
fn run<'a>(numbers: impl Fn(&Record) -> Vec<Added<'a>>) -> (TempDir, RunDir) {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &PLAN);
    let mut records = Vec::new();
    for record in dir.records().unwrap().rows {
        if record.phase == "fit" && record.metric == "fit_s" {
            for (phase, metric, number) in numbers(&record) {
                records.push(Record {
                    phase: phase.to_owned(),
                    metric: metric.to_owned(),
                    unit: bakeoff_reports::metric(metric).unwrap().unit.to_owned(),
                    value: number.ok(),
                    note: number.err().unwrap_or_default().to_owned(),
                    source: "kernel".to_owned(),
                    ..record.clone()
                });
            }
        }
        records.push(record);
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    (folder, dir)
}

/// What is below a heading of the report, in Markdown and without escapes.
fn part(folder: &Path, dir: &RunDir, heading: &str) -> Option<String> {
    build(dir).unwrap();
    let text = fs::read_to_string(folder.join("report.md")).unwrap();
    let (_, rest) = text.split_once(&format!("\n## {heading}\n\n"))?;
    Some(rest.split("\n## ").next().unwrap().replace('\\', ""))
}

/// The cells of the rows of a table.
fn rows(part: &str) -> Vec<Vec<String>> {
    let rows = part.lines().filter(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

const INLINE: &str = "the case ran inside the program's own process, whose memory includes the fit";

#[test]
fn the_rule_of_served_models_says_what_served_them_and_what_that_read() {
    let served = |is_inline: fn(&Record) -> bool, is_audited: bool| {
        let (folder, dir) = run(|record| {
            let memory = if is_inline(record) { Err(INLINE) } else { Ok(1e8) };
            let mut numbers = vec![("serve", "load_s", Ok(0.002)), ("serve", "peak_memory_bytes", memory)];
            numbers.extend(is_audited.then_some(("audit", "repeat_speedup", Ok(1.02))));
            numbers
        });
        part(folder.path(), &dir, "As served").unwrap()
    };
    let (fresh, own) = ("a fresh process loads it", "the program's own process, which has fitted");
    let text = served(|_| false, false);
    assert!(
        text.contains(fresh) && !text.contains(own) && text.contains("the inputs of the test rows. Every load"),
        "{text}"
    );
    let text = served(|_| true, false);
    assert!(!text.contains(fresh) && text.contains(own) && !text.contains("reads no data"), "{text}");
    let text = served(|record| record.model == "resnet", true);
    assert!(text.contains(fresh) && text.contains(own), "{text}");
    assert!(
        text.contains("the inputs of the test rows and, for the audit, those of training rows. Every load"),
        "{text}"
    );
}

#[test]
fn queries_and_outliers_are_counts_over_all_seeds() {
    let (folder, dir) = run(|record| {
        let outliers = if record.seed == 1 { 18.0 } else { 33.0 };
        vec![
            ("predict-single", "queries", Ok(1005.0)),
            ("predict-single", "latency_outliers", Ok(outliers)),
            ("predict-single", "latency_p50_bound_s", Ok(0.001)),
        ]
    });
    let table = part(folder.path(), &dir, "Latency of single predictions").unwrap();
    let rows = rows(&table);
    let at = |title: &str| rows[0].iter().position(|heading| heading == title).unwrap();
    assert_eq!((rows[2][at("queries")].as_str(), rows[2][at("outliers")].as_str()), ("2010", "51"), "{table}");
}

#[test]
fn a_highest_rate_that_does_not_exist_is_none_and_one_that_was_not_found_is_not_measured() {
    let shown = |first: Result<f64, &'static str>, second: Result<f64, &'static str>| {
        let (folder, dir) = run(|record| {
            let rate = if record.seed == 1 { first } else { second };
            vec![("server", "declared_bound_s", Ok(0.05)), ("server", "max_rate_per_s", rate)]
        });
        let table = part(folder.path(), &dir, "Latency under load").unwrap();
        let rows = rows(&table);
        let at = rows[0].iter().position(|heading| heading == "highest rate").unwrap();
        for reason in [first, second].into_iter().filter_map(Result::err) {
            assert!(table.contains(&format!(": {reason}.")), "the reason is below: {table}");
        }
        rows[2][at].clone()
    };
    let none = Err("no rate from 7.65 per second on holds the bound of 50 ms; 9 rates tried");
    let none_declared = Err("no declared rate holds the bound of 50 ms; 2 rates tried");
    let suspended = Err("the machine was suspended while it was measured");
    let cut = Err(
        "no rate from 7.65 per second on holds the bound of 50 ms; 1 rates tried, and timeout_s leaves no time for another: raise it",
    );
    assert_eq!(shown(none, none), "none");
    assert_eq!(shown(none_declared, Ok(100.0)), "none");
    assert_eq!(shown(suspended, suspended), "not measured");
    assert_eq!(shown(cut, cut), "not measured");
    assert_eq!(shown(suspended, Ok(100.0)), "100 /s");
    assert_eq!(shown(Ok(100.0), Ok(200.0)), "150 /s");
}

#[test]
fn noise_is_shown_without_limits_too_and_only_what_the_system_shows() {
    let numbers = |record: &Record| -> Vec<Added<'static>> {
        let (load, heat) = if record.seed == 1 { (0.1, 51.0) } else { (0.3, 64.0) };
        vec![
            ("fit", "steal_share", Ok(0.0125)),
            ("fit", "load", Ok(load)),
            ("fit", "frequency_hz", Err("no processor has a file cpufreq/scaling_cur_freq")),
            ("serve", "steal_share", Ok(0.0)),
            ("serve", "involuntary_per_s", Ok(12.5)),
            ("serve", "temperature_c", Ok(heat)),
        ]
    };
    let (folder, dir) = run(numbers);
    insta::assert_snapshot!("noise", part(folder.path(), &dir, "Noise").unwrap());
    let (folder, dir) = run(|record| {
        let mut numbers = numbers(record);
        numbers.push(("serve", "noise_over_limits", Ok(0.0)));
        numbers
    });
    let text = part(folder.path(), &dir, "Noise").unwrap();
    assert!(text.contains("The suite has limits in [noise]") && !text.contains("no limits"), "{text}");
    assert!(fs::read_to_string(dir.report_path()).unwrap().contains("id=\"noise\""), "it is in the page too");
}

#[test]
fn a_run_without_numbers_of_noise_has_no_table_of_it() {
    let (folder, dir) = run(|_| vec![("fit", "steal_share", Err("/proc/stat cannot be read"))]);
    assert_eq!(part(folder.path(), &dir, "Noise"), None);
}
