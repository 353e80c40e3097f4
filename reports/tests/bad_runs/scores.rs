//! Scores that are not known, or not those of the predictions: left out, and said so.

use bakeoff_reports::{Finding, Record, Results, RunDir, Verdict, claims, judge};

use crate::common::Plan;
use crate::{PLAN, better, change, change_answers, change_records, made, refusal, says, texts};

#[test]
fn a_metric_that_the_program_does_not_know_is_kept_out_and_cannot_rank() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change_records(&dir, |records| {
        for row in records.iter_mut().filter(|row| row.metric == "recall_macro") {
            "recall_of_my_own".clone_into(&mut row.metric);
        }
    });
    let found = texts(&dir);
    for text in [&found.rank, &found.claims, &found.compare] {
        says(text, &["has rows of 1 metric that this program does not know: 'recall_of_my_own'"]);
    }
    change(&folder.path().join("run.json"), |text| {
        text.replace("\"primary\": \"accuracy\"", "\"primary\": \"accuracie\"")
    });
    says(&refusal(&dir), &["case 'cifar10.resnet.n2000.s1.cpu'", "the primary metric 'accuracie'"]);
}

#[test]
fn a_score_that_the_predictions_do_not_give_is_named_and_decides_nothing() {
    let case = "sst2.transformer.n2000.s2.cpu";
    let score = |dir: &RunDir, metric: &str, changed: f64| {
        change_records(dir, |records| {
            let is_it = |row: &&mut Record| row.case == case && row.metric == metric;
            records.iter_mut().filter(is_it).for_each(|row| row.value = row.value.map(|value| value + changed));
        });
    };
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    // No more than rounding.
    score(&dir, "accuracy", 1e-12);
    assert!(!texts(&dir).report.contains("another score"));
    score(&dir, "accuracy", 1e-6);
    let recorded = dir
        .records()
        .unwrap()
        .rows
        .iter()
        .find(|row| row.case == case && row.metric == "accuracy")
        .unwrap()
        .value
        .unwrap();
    let texts = texts(&dir);
    let numbers = format!("{case} (accuracy is {recorded} in records.csv, and ");
    for text in [&texts.report, &texts.rank, &texts.claims, &texts.compare] {
        says(text, &["1 case has another score in records.csv than its predictions give", &numbers, "bakeoff resume"]);
    }
    let results = Results::load(&dir).unwrap();
    let setting = (0..3).find(|&at| results.setting(at).task.name == "sst2").unwrap();
    let label = results.grid.labels.iter().position(|label| label == "transformer").unwrap();
    let ranking = &results.rankings[setting];
    assert!(!ranking.ranked().any(|model| model.label == label), "it has no place");
    assert!(ranking.comparisons.iter().all(|pair| pair.better != label && pair.worse != label));
    assert_eq!(ranking.ranked().count(), 2, "the others have");
    let found = better(&results, "transformer", "lstm");
    assert_eq!((found.verdict, found.effect), (Verdict::NotMeasured, None));
    says(&found.remedy, &["transformer on sst2 has accuracy for 2 of 3 seeds"]);
    says(&texts.imputed, &["3, 1 imputed"]);
}

#[test]
fn predictions_that_were_changed_after_the_run_are_not_used() {
    for (case, answer) in [("sst2.transformer.n2000.s1.cpu", "negative"), ("cifar10-rotation.lstm.n2000.s3.cpu", "7.5")]
    {
        let folder = tempfile::tempdir().unwrap();
        let dir = made(folder.path(), &PLAN);
        change_answers(&dir, case, |rows| rows.iter_mut().for_each(|row| answer.clone_into(&mut row.prediction)));
        says(&texts(&dir).rank, &["1 case has another score in records.csv than its predictions give", case]);
        assert!(!Results::load(&dir).unwrap().answers.contains_key(case));
    }
}

#[test]
fn a_gap_between_training_and_test_scores_needs_scores_that_the_predictions_give() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &Plan { axes: true, ..PLAN });
    let gaps = |dir: &RunDir| {
        let judged = judge(&claims(), &[&Results::load(dir).unwrap()]);
        let is_gap = |found: &Finding| found.what.contains("gap: transformer") && found.what.contains("resnet");
        judged.into_iter().flat_map(|judged| judged.findings).filter(is_gap).collect::<Vec<_>>()
    };
    assert!(gaps(&dir).iter().any(|found| found.what.starts_with("sst2") && found.effect.is_some()));
    change_answers(&dir, "sst2.transformer.n500.s1.cpu", |rows| {
        rows.iter_mut().for_each(|row| row.prediction.clone_from(&row.target));
    });
    let found = gaps(&dir).into_iter().find(|found| found.what.starts_with("sst2")).unwrap();
    assert_eq!(found.effect, None);
    says(&found.remedy, &["transformer on sst2 has a gap for 2 of 3 seeds"]);
}
