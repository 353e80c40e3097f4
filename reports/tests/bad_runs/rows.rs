//! Test rows that are others, too few or answered all alike: never paired, and no interval out of nothing.

use bakeoff_reports::{PredictionRow, Record, Results, RunDir, Verdict};

use crate::{PLAN, better, change_answers, change_records, made, says, texts};

/// Gives every case of these tasks the same answers and scores.
fn all_alike(dir: &RunDir, answer: impl Fn(&mut PredictionRow), score: f64) {
    let cases: Vec<String> = dir.info().unwrap().cases.into_iter().map(|case| case.case).collect();
    for case in cases.iter().filter(|case| !case.starts_with("cifar10-rotation")) {
        change_answers(dir, case, |rows| rows.iter_mut().for_each(&answer));
    }
    change_records(dir, |records| {
        for row in records.iter_mut().filter(|row| row.metric == "accuracy") {
            row.value = Some(score);
        }
    });
}

#[test]
fn models_that_all_score_alike_share_every_place() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    all_alike(&dir, |row| row.prediction.clone_from(&row.target), 1.0);
    let texts = texts(&dir);
    let results = Results::load(&dir).unwrap();
    for ranking in results.rankings.iter().filter(|ranking| results.setting(ranking.setting).task.primary == "accuracy")
    {
        for model in ranking.ranked() {
            let ranks = model.ranks.unwrap();
            assert_eq!((ranks.best, ranks.worst), (1, 3));
            assert!(model.interval().is_some_and(|interval| interval.low > 0.9 && interval.high > 0.999), "{model:?}");
        }
        assert!(ranking.comparisons.iter().all(|pair| pair.p == Some(1.0) && pair.effect == 0.0));
    }
    says(&texts.compare, &["same"]);
}

#[test]
fn a_difference_that_never_varies_is_not_tested() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    all_alike(&dir, |row| row.prediction.clone_from(&row.target), 1.0);
    for seed in 1..=3 {
        change_answers(&dir, &format!("sst2.resnet.n2000.s{seed}.cpu"), |rows| {
            for row in rows.iter_mut() {
                let other = if row.target == "negative" { "positive" } else { "negative" };
                other.clone_into(&mut row.prediction);
            }
        });
    }
    change_records(&dir, |records| {
        for row in records.iter_mut().filter(|row| row.case.starts_with("sst2.resnet") && row.metric == "accuracy") {
            row.value = Some(0.0);
        }
    });
    let texts = texts(&dir);
    says(&texts.claims, &["numbers that vary: these are all the same, so their error is unknown"]);
}

#[test]
fn costs_that_never_vary_decide_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change_records(&dir, |records| {
        for row in records.iter_mut().filter(|row| row.metric == "fit_s") {
            row.value = Some(if row.model == "transformer" { 2.0 } else { 3.0 });
        }
    });
    let texts = texts(&dir);
    says(&texts.claims, &["× 0.667", "numbers that vary: these are all the same"]);
    says(&texts.compare, &["× 1.00"]);
}

#[test]
fn answers_of_other_test_rows_are_never_paired() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    for cases in
        [&["sst2.transformer.n2000.s1.cpu"][..], &["sst2.transformer.n2000.s2.cpu", "sst2.transformer.n2000.s3.cpu"]]
    {
        for case in cases {
            change_answers(&dir, case, |rows| {
                let first = rows.remove(0);
                rows.push(first);
                rows.iter_mut().enumerate().for_each(|(at, row)| row.example = at);
            });
        }
        let results = Results::load(&dir).unwrap();
        let label = |name: &str| results.grid.labels.iter().position(|label| label == name).unwrap();
        let setting = (0..3).find(|&at| results.setting(at).task.name == "sst2").unwrap();
        let pair = |one: &str, other: &str| results.rankings[setting].comparison(label(one), label(other)).unwrap();
        assert_eq!(pair("transformer", "resnet").p, None);
        assert_eq!(pair("transformer", "lstm").uncertainty.interval, None);
        assert!(pair("resnet", "lstm").p.is_some(), "the others are tested");
        for (one, other) in [("transformer", "lstm"), ("resnet", "transformer")] {
            let found = better(&results, one, other);
            assert_eq!((found.p, found.interval, found.rows), (None, None, 0), "they share no row: {found:?}");
            assert_eq!(found.remedy, "both sides on the same test rows: run them again on the same data");
        }
        assert_eq!(better(&results, "resnet", "lstm").rows, 60);
        let texts = texts(&dir);
        for text in [&texts.rank, &texts.report, &texts.claims, &texts.compare] {
            says(text, &["On sst2, cases of one seed answered other test rows: sst2.transformer"]);
        }
    }
}

#[test]
fn seeds_that_each_have_test_rows_of_their_own_state_these_rows_and_ask_for_more_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    for case in dir.info().unwrap().cases.iter().filter(|case| case.task == "sst2") {
        change_answers(&dir, &case.case, |rows| {
            rows.rotate_left(case.seed as usize % 2);
            rows.iter_mut().enumerate().for_each(|(at, row)| row.example = at);
        });
    }
    // What two divisions share depends on how many rows each model learned from.
    change_records(&dir, |records| {
        let learned = records.iter().filter(|row| row.metric == "fit_s").cloned().map(|row| Record {
            metric: "train_examples".to_owned(),
            unit: String::new(),
            value: Some(30.0),
            source: "harness".to_owned(),
            ..row
        });
        let learned: Vec<Record> = learned.collect();
        records.splice(0..0, learned);
    });
    let results = Results::load(&dir).unwrap();
    let pairs = [("transformer", "lstm"), ("lstm", "transformer"), ("resnet", "lstm"), ("lstm", "resnet")];
    let undecided = pairs.map(|(one, other)| better(&results, one, other));
    let found = undecided.iter().find(|found| found.verdict == Verdict::Undecided).unwrap();
    assert_eq!((found.seeds, found.rows), (3, 60), "{found:?}");
    assert_eq!(found.remedy, "more seeds and more test rows", "{found:?}");
}

#[test]
fn answers_that_lack_rows_are_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    let case = "sst2.transformer.n2000.s1.cpu";
    change_answers(&dir, case, |rows| rows.truncate(50));
    let texts = texts(&dir);
    says(&texts.rank, &["1 case left no complete predictions file", case]);
}
