//! Scores are tested on the same rows and seeds against a reference run.

use bakeoff_reports::{
    Change, History, NewRun, NightVerdict, NotJudged, Origin, PredictionRow, Results, Rules, RunDir, RunKind, add_runs,
};

use crate::{Bench, PROJECT, name, quiet};

/// Predictions of a case of `resnet` as `change` leaves them, and the scores that follow from them.
fn answered(bench: &Bench, n: usize, change: impl Fn(&mut PredictionRow)) -> RunDir {
    let dir = bench.night(n, quiet(n));
    for seed in 1..=bench.plan.seeds {
        let case = format!("cifar10.resnet.n2000.s{seed}.cpu");
        let mut rows = dir.predictions(&case).unwrap().unwrap().rows;
        rows.iter_mut().for_each(&change);
        dir.write_rows(&dir.predictions_path(&case), &rows).unwrap();
        let right = rows.iter().filter(|row| row.target == row.prediction).count() as f64 / rows.len() as f64;
        crate::change_records(&dir, |record| {
            if record.case == case && record.phase == "score" && matches!(record.metric.as_str(), "accuracy") {
                record.value = Some(right);
            }
        });
    }
    dir
}

/// Every third answer is wrong that was right.
fn worse(row: &mut PredictionRow) {
    if row.example.is_multiple_of(3) && row.target == row.prediction {
        row.prediction = if row.target == "cat" { "dog".to_owned() } else { "cat".to_owned() };
    }
}

fn better(row: &mut PredictionRow) {
    if row.example.is_multiple_of(3) {
        row.prediction.clone_from(&row.target);
    }
}

/// What is said of the accuracy of `resnet` in a night that is tested against a reference.
fn verdict(bench: &Bench, night: &RunDir, reference: Option<&RunDir>) -> NightVerdict {
    let reference = reference.map(|dir| Results::load(dir).unwrap());
    let new = NewRun::of(&Results::load(night).unwrap(), Origin::night(), reference.as_ref());
    let _ = std::fs::remove_file(bench.file());
    add_runs(&bench.history(), PROJECT, &[new]).unwrap();
    of_last(&bench.read())
}

fn of_last(history: &History) -> NightVerdict {
    let night = history.judge(history.last_night().unwrap(), &Rules::default());
    let is_it = |one: &&bakeoff_reports::SeriesVerdict| one.key.cell.label == "resnet" && one.key.quantity.is_quality();
    let found: Vec<_> = night.verdicts.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1);
    found[0].verdict.clone()
}

#[test]
fn a_score_is_judged_by_its_answers_from_the_first_night_on() {
    let bench = Bench::of(crate::common::Plan { examples: 400, seeds: 1, ..crate::SMALL });
    let reference = answered(&bench, 1, |_| {});
    for (what, change, expected) in [
        ("the same answers", (|_| {}) as fn(&mut PredictionRow), NightVerdict::Unchanged),
        ("worse answers", worse, NightVerdict::Suspected(Change::Regression)),
        ("better answers", better, NightVerdict::Suspected(Change::Improvement)),
    ] {
        let night = answered(&bench, 2, change);
        assert_eq!(verdict(&bench, &night, Some(&reference)), expected, "{what}");
    }
}

#[test]
fn a_change_that_does_not_matter_in_practice_is_no_change() {
    let bench = Bench::of(crate::common::Plan { examples: 3000, seeds: 1, ..crate::SMALL });
    let reference = answered(&bench, 1, |_| {});
    // All changed answers are worse, so the test is sure; but they are fewer than one in a hundred.
    let night = answered(&bench, 2, |row| {
        if row.example % 200 < 3 && row.target == row.prediction {
            row.prediction = if row.target == "cat" { "dog".to_owned() } else { "cat".to_owned() };
        }
    });
    assert_eq!(verdict(&bench, &night, Some(&reference)), NightVerdict::Unchanged);
    let history = bench.read();
    let found = history.runs[0].cells[0].quality.clone().unwrap();
    assert!(found.p.unwrap() < 0.01 && found.change.unwrap() < 0.0, "{found:?}");
}

#[test]
fn without_a_reference_that_can_be_paired_a_score_is_not_judged() {
    let bench = Bench::new();
    let night = answered(&bench, 1, |_| {});
    let said = |verdict: NightVerdict| match verdict {
        NightVerdict::NotJudged(NotJudged::NoReference(what)) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(said(verdict(&bench, &night, None)), "the history has no reference run of this suite");
    let other_rows = answered(&bench, 2, |row| row.target = "cat".to_owned());
    assert_eq!(
        said(verdict(&bench, &night, Some(&other_rows))),
        "the reference run night-2 has predictions of other test rows"
    );
    let other_seeds = Bench::of(crate::common::Plan { seeds: 3, ..crate::SMALL });
    let other_seeds = answered(&other_seeds, 3, |_| {});
    assert_eq!(said(verdict(&bench, &night, Some(&other_seeds))), "the reference run night-3 has other seeds or folds");
    let gone = answered(&bench, 4, |_| {});
    std::fs::remove_file(gone.predictions_path("cifar10.resnet.n2000.s2.cpu")).unwrap();
    assert_eq!(said(verdict(&bench, &night, Some(&gone))), "predictions are missing, of this run or of the reference");
    let other_version = answered(&bench, 5, |_| {});
    let mut info = other_version.info().unwrap();
    info.tasks[0].version = 2;
    other_version.write_info(&info).unwrap();
    crate::change_records(&other_version, |record| record.task_version = 2);
    assert_eq!(
        said(verdict(&bench, &night, Some(&other_version))),
        "the reference run night-5 has version 2 of the task, and this is version 1"
    );
}

#[test]
fn a_score_that_is_as_bad_when_it_is_measured_again_is_confirmed() {
    for (again, expected) in [
        (worse as fn(&mut PredictionRow), NightVerdict::Confirmed(Change::Regression)),
        (|_| {}, NightVerdict::Cleared(Change::Regression)),
    ] {
        let bench = Bench::of(crate::common::Plan { examples: 400, seeds: 1, ..crate::SMALL });
        let reference = answered(&bench, 1, |_| {});
        let night = answered(&bench, 2, worse);
        verdict(&bench, &night, Some(&reference));
        let dir = answered(&bench, 3, again);
        crate::rename(&dir, "night-2-again1", "2026-01-03T03:00:00Z");
        let reference = Results::load(&reference).unwrap();
        let origin = Origin { kind: RunKind::Again, of: Some(name(2)), ..Origin::night() };
        let new = NewRun::of(&Results::load(&dir).unwrap(), origin, Some(&reference));
        add_runs(&bench.history(), PROJECT, &[new]).unwrap();
        assert_eq!(of_last(&bench.read()), expected);
    }
}
