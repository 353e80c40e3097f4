//! A night and a history in the formats that other programs read.

use std::collections::BTreeMap;

use bakeoff_reports::{EXPORT_FORMATS, EpochLine, History, MadeFile, Night, Record, Rules, Status, add_epochs};
use resvg::usvg::roxmltree::{Document, Node};
use serde_json::Value;

use crate::{Bench, name, quiet, scaled, series};

/// Fifteen nights. On the last, the fits of `resnet` are slower, as is what was measured again of them, and `transformer` has failed.
fn nights() -> Bench {
    let bench = Bench::new();
    (1..=14).for_each(|n| bench.add(n, quiet(n)));
    let slower = |n: usize| {
        move |record: &mut Record| {
            quiet(n)(record);
            if record.label == "resnet" {
                scaled("fit_s", 1.2)(record);
            }
            if record.label == "transformer" && n == 15 {
                record.status = Status::TimedOut;
                "stopped after 60 s".clone_into(&mut record.note);
            }
        }
    };
    bench.add(15, slower(15));
    (1..=3).for_each(|round| bench.add_again(15, round, slower(20 + round)));
    bench
}

/// The files of a format for the last night.
pub(crate) fn files(history: &History, format: &str) -> Vec<MadeFile> {
    let night = last(history);
    EXPORT_FORMATS.iter().find(|known| known.name == format).unwrap().files(history, &night)
}

fn last(history: &History) -> Night {
    history.judge(history.last_night().unwrap(), &Rules::default())
}

fn text(file: &MadeFile) -> String {
    String::from_utf8(file.bytes.clone()).unwrap()
}

fn only(history: &History, format: &str) -> String {
    let files = files(history, format);
    assert_eq!(files.len(), 1, "{format}");
    text(&files[0])
}

#[test]
fn junit_has_confirmed_regressions_as_failures_and_what_is_not_judged_as_skipped() {
    let history = nights().read();
    let xml = only(&history, "junit");
    insta::assert_snapshot!("junit", xml);
    let document = Document::parse(&xml).unwrap();
    let all = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
    let counted = |node: Node<'_, '_>, name: &str| node.attribute(name).unwrap().parse::<usize>().unwrap();
    let root = document.root_element();
    let suite = root.first_element_child().unwrap();
    for node in [root, suite] {
        for (attribute, element) in [("tests", "testcase"), ("failures", "failure"), ("errors", "error")] {
            assert_eq!(counted(node, attribute), all(element), "{attribute}");
        }
    }
    assert_eq!(counted(suite, "skipped"), all("skipped"));
    assert_eq!((all("failure"), all("error")), (1, 1), "fits of resnet are slower, and transformer timed out");
    let failed = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert!(
        failed
            .parent()
            .unwrap()
            .attribute("name")
            .unwrap()
            .contains("resnet on cifar10, n = 2000: fit/fit_s@stopwatch")
    );
    assert!(failed.attribute("message").unwrap().contains("measured again: "));
    let night = last(&history);
    let series = night.verdicts.iter().filter(|one| !one.key.quantity.is_estimate()).count();
    assert_eq!(all("testcase"), series + 1, "a test for each series, and one for the cell that failed");
}

#[test]
fn bencher_gets_each_number_that_was_measured_under_a_name_of_its_own() {
    let history = nights().read();
    let json = only(&history, "bmf");
    insta::assert_snapshot!("bmf", json);
    let benchmarks: BTreeMap<String, BTreeMap<String, BTreeMap<String, f64>>> = serde_json::from_str(&json).unwrap();
    let found: usize = benchmarks.values().map(BTreeMap::len).sum();
    let run = history.last_night().unwrap();
    let measured =
        last(&history).verdicts.iter().filter(|one| !one.key.quantity.is_estimate() && one.numbers.is_some()).count();
    assert_eq!(found, measured);
    let fit = series(&history, "fit_s");
    let expected = fit.points[fit.at(run).unwrap()].value;
    let numbers = benchmarks.values().next().unwrap();
    assert_eq!(numbers["fit/fit_s@stopwatch"], BTreeMap::from([("value".to_owned(), expected)]));
    assert!(!json.contains("@estimate"), "an estimate alarms nobody");
}

#[test]
fn a_night_of_another_version_of_a_task_has_other_names_at_bencher() {
    let bench = Bench::new();
    bench.add(1, quiet(1));
    let names = |history: &History| -> Vec<String> {
        let json: BTreeMap<String, Value> = serde_json::from_str(&only(history, "bmf")).unwrap();
        json.into_keys().collect()
    };
    let before = names(&bench.read());
    bench.add(2, quiet(2));
    assert_eq!(names(&bench.read()), before, "the next night has the same");
    bench.add(3, |record| record.params = "depth=9".to_owned());
    let changed = names(&bench.read());
    assert!(changed.iter().all(|name| !before.contains(name)), "{changed:?}");
}

#[test]
fn github_action_benchmark_gets_a_file_of_each_direction() {
    let history = nights().read();
    let files = files(&history, "benchmark-action");
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["benchmark-action-smaller.json", "benchmark-action-bigger.json"]);
    insta::assert_snapshot!("benchmark_action_smaller", text(&files[0]));
    insta::assert_snapshot!("benchmark_action_bigger", text(&files[1]));
    let all: Vec<Value> =
        files.iter().flat_map(|file| serde_json::from_slice::<Vec<Value>>(&file.bytes).unwrap()).collect();
    let measured =
        last(&history).verdicts.iter().filter(|one| !one.key.quantity.is_estimate() && one.numbers.is_some()).count();
    assert_eq!(all.len(), measured, "no number is in both files or in none");
}

#[test]
fn markdown_begins_with_what_changed_and_folds_what_is_not_judged() {
    let history = nights().read();
    let comment = only(&history, "markdown");
    assert_eq!(comment, only(&history, "github-summary"), "both have room for all of a small night");
    insta::assert_snapshot!("markdown", comment);
}

#[test]
fn annotations_are_an_error_for_a_confirmed_regression_and_a_warning_for_what_is_not_judged() {
    let history = nights().read();
    insta::assert_snapshot!("annotations", only(&history, "github-annotations"));
}

#[test]
fn a_quiet_night_is_said_in_every_format() {
    let bench = Bench::new();
    bench.add(1, quiet(1));
    let first = bench.read();
    assert!(only(&first, "markdown").starts_with("### Nothing was judged\n"), "a missing baseline is no pass");
    (2..=12).for_each(|n| bench.add(n, quiet(n)));
    let history = bench.read();
    let title = "### Nothing changed in what was judged; 2 series without a baseline\n";
    assert!(only(&history, "markdown").starts_with(title), "{}", only(&history, "markdown"));
    assert!(only(&history, "junit").contains("failures=\"0\" errors=\"0\""));
    assert!(!only(&history, "github-annotations").contains("::error"));
}

#[test]
fn otava_gets_whole_tables_of_the_present_epochs_and_a_configuration() {
    let bench = nights();
    (16..=20).for_each(|n| bench.add(n, quiet(n)));
    let found = series(&bench.read(), "fit_s").clone();
    let epoch = EpochLine {
        series: found.id.clone(),
        named: found.key.to_string(),
        from: name(16),
        why: "a faster machine".to_owned(),
        accepted: "2026-01-25T09:00:00Z".to_owned(),
    };
    add_epochs(&bench.history(), &[epoch]).unwrap();
    let history = bench.read();
    let files = files(&history, "otava");
    insta::assert_snapshot!("otava", text(&files[0]));
    assert_eq!(files[0].name, "otava.yaml");
    let rows = |file: &MadeFile| -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&file.bytes[..]);
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    };
    let mut columns = Vec::new();
    for file in &files[1..] {
        let rows = rows(file);
        assert_eq!(rows[0][..3], ["time", "run", "commit"]);
        for (column, id) in rows[0].iter().enumerate().skip(3) {
            columns.push(id.clone());
            let series = history.series.iter().find(|series| series.id.0 == *id).unwrap();
            let last = series.points.len() - 1;
            let present = &series.points[series.epoch_of(last).first..];
            let expected: Vec<f64> = present.iter().map(|point| point.value).collect();
            let written: Vec<f64> = rows[1..].iter().map(|row| row[column].parse().unwrap()).collect();
            assert_eq!(written, expected, "{}", series.key);
            let runs: Vec<&str> = present.iter().map(|point| history.runs[point.run].run.as_str()).collect();
            assert_eq!(rows[1..].iter().map(|row| row[1].as_str()).collect::<Vec<_>>(), runs);
        }
    }
    let judged = history.series.iter().filter(|one| !one.key.quantity.is_estimate() && !one.key.quantity.is_quality());
    let mut expected: Vec<String> = judged.map(|one| one.id.0.clone()).collect();
    columns.sort_unstable();
    expected.sort_unstable();
    assert_eq!(columns, expected, "each series is in one file");
    let of_fit = files[1..].iter().find(|file| rows(file)[0].contains(&found.id.0)).unwrap();
    assert_eq!(rows(of_fit).len(), 1 + 5, "the epoch has five nights");
}
