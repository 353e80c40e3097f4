//! Published numbers beside those of a run.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use bakeoff_reports::{
    Anchor, Inference, Met, Reproduction, Results, RunDir, Status, anchors, anchors_text, build, meet, metric, wilson,
};
use common::{Plan, SMALL, write_run};

/// Three seeds of three models.
const PLAN: Plan = Plan { tasks: 3, models: 3, seeds: 3, examples: 200, faults: false, ..SMALL };

fn anchor(task: &str, metric: &str) -> Anchor {
    Anchor {
        id: "P99".to_owned(),
        what: "A number".to_owned(),
        task: task.to_owned(),
        suite: String::new(),
        model: "resnet".to_owned(),
        params: BTreeMap::from([("depth".to_owned(), "8".to_owned())]),
        rows: 2000,
        metric: metric.to_owned(),
        value: 0.5,
        n: 1_000_000,
        tolerance: Some(0.1),
        source: "A book".to_owned(),
    }
}

fn results(folder: &Path, plan: &Plan) -> Results {
    Results::load(&write_run(folder, plan)).unwrap()
}

/// What a run says of a number `above` our own score.
fn met(results: &Results, anchor: &Anchor, above: f64) -> Met {
    let ours = meet(std::slice::from_ref(anchor), &[results])[0].score.unwrap();
    meet(&[Anchor { value: ours + above, ..anchor.clone() }], &[results]).remove(0)
}

#[test]
fn a_number_is_reproduced_if_the_difference_surely_lies_within_the_tolerance() {
    let folder = tempfile::tempdir().unwrap();
    let results = results(folder.path(), &PLAN);
    let wide = Anchor { tolerance: Some(0.3), ..anchor("cifar10", "accuracy") };
    let found = met(&results, &wide, 0.01);
    assert_eq!((found.reproduction, found.remedy.as_str()), (Reproduction::Reproduced, ""), "{found:?}");
    let narrow = Anchor { tolerance: None, ..wide };
    let found = met(&results, &narrow, 0.01);
    assert_eq!((found.reproduction, found.tolerance), (Reproduction::CannotTell, Some(0.01)), "{found:?}");
    assert_eq!(found.remedy, "more seeds");
    let found = met(&results, &Anchor { n: 100, ..narrow }, 0.01);
    assert!(found.remedy.starts_with("no run: 100 published test rows are too few"), "{}", found.remedy);
}

#[test]
fn a_number_far_off_is_not_reproduced_and_one_far_better_is_suspicious() {
    let folder = tempfile::tempdir().unwrap();
    let results = results(folder.path(), &PLAN);
    let accuracy = Anchor { tolerance: Some(0.02), ..anchor("cifar10", "accuracy") };
    let mse = Anchor { tolerance: Some(1.0), ..anchor("cifar10-rotation", "mse") };
    for (anchor, above, is_suspicious) in
        [(&accuracy, 0.25, false), (&accuracy, -0.25, true), (&mse, 5e4, true), (&mse, -5e4, false)]
    {
        let found = met(&results, anchor, above);
        let expected = (Reproduction::NotReproduced, is_suspicious);
        assert_eq!((found.reproduction, found.is_suspiciously_good), expected, "{above}: {found:?}");
        let text = anchors_text(&[found]);
        assert_eq!(text.contains("not reproduced, suspiciously good"), is_suspicious, "{text}");
    }
}

#[test]
fn the_interval_has_the_error_of_both_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let results = results(folder.path(), &PLAN);
    let anchor = Anchor { n: 300, ..anchor("cifar10", "accuracy") };
    let found = met(&results, &anchor, 0.05);
    let label = results.grid.labels.iter().position(|label| label == "resnet").unwrap();
    let model = results.rankings[0].models.iter().find(|model| model.label == label).unwrap();
    let ours = model.uncertainty.unwrap().inference.unwrap();
    let published = wilson(found.anchor.value, 300.0).unwrap();
    let error = (published.high - published.low) / 2.0 / 1.959_963_984_540_054;
    let theirs = Inference::new(found.anchor.value, error, 299.0).unwrap();
    let quantile = |number: &Inference| (number.interval().high - number.value) / number.error;
    let variance = ours.error.powi(2) + theirs.error.powi(2);
    let quantile = (quantile(&ours) * ours.error.powi(2) + quantile(&theirs) * theirs.error.powi(2)) / variance;
    let (half, interval) = (quantile * variance.sqrt(), found.interval.unwrap());
    assert!((found.difference.unwrap() + 0.05).abs() < 1e-12);
    assert!((interval.low - (-0.05 - half)).abs() < 1e-9 && (interval.high - (-0.05 + half)).abs() < 1e-9, "{half}");
}

#[test]
fn one_seed_or_two_reproduce_nothing_as_they_decide_no_claim() {
    for seeds in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let results = results(folder.path(), &Plan { seeds, examples: 5000, ..PLAN });
        for above in [0.0, 0.6] {
            let found = met(&results, &Anchor { tolerance: Some(0.3), ..anchor("cifar10", "accuracy") }, above);
            assert_eq!((found.reproduction, found.remedy.as_str()), (Reproduction::CannotTell, "three seeds or more"));
            assert!(found.interval.is_some());
        }
    }
}

#[test]
fn the_number_of_rows_is_that_of_the_number_and_of_the_case_and_no_other() {
    let of = |examples: usize, n: u32| {
        let folder = tempfile::tempdir().unwrap();
        let results = results(folder.path(), &Plan { examples, ..PLAN });
        let found = met(&results, &Anchor { n, ..anchor("cifar10-rotation", "mse") }, 0.0);
        let interval = found.interval.unwrap();
        (found.rows, interval.high - interval.low)
    };
    let (rows, wide) = of(200, 5);
    assert_eq!(rows, 200);
    assert!(of(200, 1_000_000).1 < wide, "a number that was scored on more rows has a smaller error");
    let (rows, narrow) = of(800, 5);
    assert_eq!(rows, 800);
    assert!(narrow < wide, "a case with more rows has a smaller error");
}

#[test]
fn what_a_number_lacks_that_cannot_be_told_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &PLAN);
    let lacks = |anchor: &Anchor| met(&Results::load(&dir).unwrap(), anchor, 0.0).remedy;
    let without = Anchor { tolerance: None, ..anchor("cifar10-rotation", "mse") };
    let mut records = dir.records().unwrap().rows;
    records.retain(|row| row.metric != "floor");
    dir.write_rows(&dir.records_path(), &records).unwrap();
    assert!(lacks(&without).starts_with("a tolerance beside the published number"), "{}", lacks(&without));
    fs::remove_file(dir.predictions_path("cifar10.resnet.n2000.s2.cpu")).unwrap();
    assert_eq!(lacks(&anchor("cifar10", "accuracy")), "predictions of every seed");
}

#[test]
fn only_the_task_model_parameters_and_rows_of_a_number_meet_it() {
    let folder = tempfile::tempdir().unwrap();
    let results = results(folder.path(), &Plan { axes: true, ..PLAN });
    let meets = |anchor: Anchor| meet(&[anchor], &[&results]).len();
    let right = anchor("cifar10", "accuracy");
    // The settings with wrong labels do not count.
    assert_eq!(meets(right.clone()), 1);
    assert_eq!(meets(Anchor { rows: 1000, ..right.clone() }), 1);
    assert_eq!(meets(Anchor { suite: "quick".to_owned(), ..right.clone() }), 1);
    assert_eq!(meets(Anchor { rows: 1500, ..right.clone() }), 0);
    assert_eq!(meets(Anchor { suite: "other".to_owned(), ..right.clone() }), 0);
    assert_eq!(meets(Anchor { task: "sst2-full".to_owned(), ..right.clone() }), 0);
    assert_eq!(meets(Anchor { model: "svm".to_owned(), ..right.clone() }), 0);
    for (name, value) in [("depth", "80"), ("epth", "8"), ("width", "8")] {
        let params = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert_eq!(meets(Anchor { params, ..right.clone() }), 0, "{name}={value}");
    }
}

#[test]
fn a_model_of_which_a_seed_failed_tells_nothing_and_the_reason_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &PLAN);
    let mut records = dir.records().unwrap().rows;
    for row in records.iter_mut().filter(|row| row.case == "cifar10.resnet.n2000.s2.cpu") {
        row.status = Status::Failed;
    }
    records.retain(|row| row.status == Status::Ok || row.phase == "case");
    fs::remove_file(dir.records_path()).unwrap();
    dir.write_rows(&dir.records_path(), &records).unwrap();
    let found = meet(&[anchor("cifar10", "accuracy")], &[&Results::load(&dir).unwrap()]).remove(0);
    assert_eq!((found.reproduction, found.score), (Reproduction::CannotTell, None));
    assert_eq!(found.remedy, "it did not end well on every seed (failed)");
    assert!(anchors_text(&[found]).contains("it did not end well on every seed"));
}

/// A made-up run of the ResNet-20 whose error was published.
fn run_of_resnet_20(folder: &Path) -> RunDir {
    let dir = write_run(folder, &Plan { tasks: 1, examples: 1000, ..PLAN });
    let changed = |text: &str| {
        text.replace("cifar10", "cifar10-full")
            .replace("n2000", "n50000")
            .replace(",2000,", ",50000,")
            .replace("\"train_size\": 2000", "\"train_size\": 50000")
            .replace("depth=8 rate=0.1", "depth=20 epochs=182")
    };
    for name in ["run.json", "records.csv", "curves.csv"] {
        let path = folder.join(name);
        fs::write(&path, changed(&fs::read_to_string(&path).unwrap())).unwrap();
    }
    for entry in fs::read_dir(folder.join("predictions")).unwrap() {
        let path = entry.unwrap().path();
        let name = changed(&path.file_name().unwrap().to_string_lossy());
        fs::rename(&path, path.with_file_name(name)).unwrap();
    }
    dir
}

#[test]
fn a_report_shows_the_published_numbers_that_its_run_meets() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run_of_resnet_20(folder.path());
    build(&dir).unwrap();
    let markdown = fs::read_to_string(folder.path().join("report.md")).unwrap();
    let (numbers, tables) = (markdown.find("## Published numbers").unwrap(), markdown.find("## cifar10-full").unwrap());
    assert!(numbers < tables, "published numbers come before the tables");
    assert!(markdown.contains("| P01 |") && !markdown.contains("| P02 |"), "{markdown}");
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("id=\"anchors\"") && page.contains("He, Zhang, Ren and Sun 2015"));
    let results = Results::load(&dir).unwrap();
    insta::assert_snapshot!("anchors", anchors_text(&meet(&anchors(), &[&results])));
    let other = tempfile::tempdir().unwrap();
    build(&write_run(other.path(), &PLAN)).unwrap();
    let markdown = fs::read_to_string(other.path().join("report.md")).unwrap();
    assert!(!markdown.contains("Published numbers"), "a run that meets none has no such part");
}

#[test]
fn every_published_number_is_a_score_of_its_range_with_a_source() {
    let anchors = anchors();
    let ids: HashSet<&str> = anchors.iter().map(|anchor| anchor.id.as_str()).collect();
    assert_eq!(ids.len(), anchors.len());
    for anchor in &anchors {
        let score = metric(&anchor.metric).unwrap().score.as_ref().unwrap();
        assert!((score.range.0..=score.range.1).contains(&anchor.value), "{}", anchor.id);
        assert!(anchor.n > 1 && anchor.rows > 0 && anchor.tolerance.is_none_or(|tolerance| tolerance > 0.0));
        assert!(!anchor.source.is_empty() && !anchor.what.is_empty(), "{}", anchor.id);
    }
}
