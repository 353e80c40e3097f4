//! Runs that lack cases or are of odd ones: what is missing is stated, and what cannot be compared is not.

use std::path::Path;

use bakeoff_reports::{Results, RunDir, Status, claims, judge};

use crate::common::Plan;
use crate::{PLAN, change_records, folder, made, says, texts};

#[test]
fn a_seed_that_is_missing_leaves_its_model_unranked_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change_records(&dir, |records| records.retain(|row| row.case != "sst2.transformer.n2000.s2.cpu"));
    let texts = texts(&dir);
    let named = "1 case of 27 planned has no result yet: sst2.transformer.n2000.s2.cpu. Run it with";
    for text in [&texts.report, &texts.rank, &texts.claims, &texts.compare] {
        says(text, &[named]);
    }
    says(&texts.rank, &["A model with a failed or missing seed is not ranked"]);
    says(&texts.imputed, &["3, 1 imputed", "1 score missing: the floor stands in for each"]);
    says(&texts.claims, &["transformer on sst2 has 2 of 3 planned cases"]);
}

#[test]
fn models_of_unequal_seeds_are_compared_on_the_seeds_that_both_have() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    let mut info = dir.info().unwrap();
    info.cases.retain(|case| !case.case.starts_with("sst2.transformer") || case.seed < 3);
    dir.write_info(&info).unwrap();
    change_records(&dir, |records| {
        records.retain(|row| !row.case.starts_with("sst2.transformer") || row.seed < 3);
    });
    let results = Results::load(&dir).unwrap();
    let setting = (0..3).find(|&at| results.setting(at).task.name == "sst2").unwrap();
    let label = |name: &str| results.grid.labels.iter().position(|label| label == name).unwrap();
    let pair = results.rankings[setting].comparison(label("transformer"), label("resnet")).unwrap();
    let accuracy = |model: &str| {
        let cell = results.grid.cell(setting, label(model)).unwrap();
        let scores =
            cell.trials.iter().filter(|trial| trial.seed < 3).map(|t| t.get("score", "accuracy").unwrap().value);
        scores.sum::<f64>() / 2.0
    };
    assert_eq!(pair.uncertainty.seeds, 2);
    assert!((pair.effect - (accuracy("transformer") - accuracy("resnet")).abs()).abs() < 1e-12);
    texts(&dir);
}

#[test]
fn a_run_of_schema_1_is_ranked_judged_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/run-v1");
    folder::copy(&golden, folder.path());
    let texts = texts(&RunDir::new(folder.path()));
    says(&texts.rank, &["small-lstm", "There is one seed"]);
    says(&texts.claims, &["which judges none of these claims"]);
    says(&texts.compare, &["same"]);
}

#[test]
fn a_run_of_one_model_or_of_one_task_has_no_comparison_of_more() {
    for (tasks, models) in [(1, 1), (3, 1), (1, 3)] {
        let folder = tempfile::tempdir().unwrap();
        let texts = texts(&made(folder.path(), &Plan { tasks, models, ..PLAN }));
        assert!(!texts.rank.contains("Friedman"), "{}", texts.rank);
        assert_eq!(texts.report.contains("### All pairs of models"), models > 1);
    }
}

#[test]
fn a_run_whose_cases_all_failed_ranks_and_judges_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change_records(&dir, |records| {
        records.retain(|row| row.phase == "case" && row.metric == "wall_s");
        for row in records.iter_mut() {
            row.status = Status::Failed;
            row.note = "exit code 101".to_owned();
        }
    });
    let texts = texts(&dir);
    says(&texts.rank, &["failed"]);
    says(&texts.compare, &["9 models with no seed that both runs scored", "resnet on cifar10 (failed and failed)"]);
    let judged = judge(&claims(), &[&Results::load(&dir).unwrap()]);
    assert!(judged.iter().all(|judged| judged.findings.iter().all(|finding| finding.effect.is_none())));
}

/// Gives the cases of a model another machine.
fn move_model(dir: &RunDir, model: &str) {
    change_records(dir, |records| {
        for row in records.iter_mut().filter(|row| row.model == model) {
            "other".clone_into(&mut row.machine);
        }
    });
}

#[test]
fn costs_of_two_machines_are_never_compared() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    move_model(&dir, "transformer");
    let texts = texts(&dir);
    says(&texts.claims, &["cases of two devices or machines are not compared", "were measured on 2 machines"]);
    says(&texts.rank, &["Models are compared within each machine only"]);
    let judged = judge(&claims(), &[&Results::load(&dir).unwrap()]);
    let costs = judged.iter().find(|judged| judged.claim.id == "C07").unwrap();
    assert!(costs.findings.iter().all(|finding| finding.effect.is_none()), "{costs:?}");
}

#[test]
fn a_run_on_two_machines_compared_with_itself_pairs_each_machine_with_itself() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change_records(&dir, |records| {
        for row in records.iter_mut().filter(|row| row.seed == 3) {
            "other".clone_into(&mut row.machine);
        }
    });
    let texts = texts(&dir);
    assert_eq!(texts.compare.matches(" same\n").count(), 18, "{}", texts.compare);
    assert!(!texts.compare.contains("only in the"), "{}", texts.compare);
}

#[test]
fn a_size_that_is_still_to_come_is_not_replaced_by_a_smaller_one() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &Plan { axes: true, ..PLAN });
    change_records(&dir, |records| records.retain(|row| !row.case.starts_with("sst2.transformer.n2000.s")));
    let judged = judge(&claims(), &[&Results::load(&dir).unwrap()]);
    let finding = &judged.iter().find(|judged| judged.claim.id == "C06").unwrap().findings[0];
    assert_eq!(finding.effect, None, "{finding:?}");
    says(&finding.remedy, &["it has no finished case of transformer on sst2 with 2000 rows"]);
}

#[test]
fn costs_from_two_instruments_are_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change_records(&dir, |records| {
        for row in records.iter_mut().filter(|row| row.metric == "fit_s" && row.model == "resnet") {
            "wristwatch".clone_into(&mut row.source);
        }
    });
    let judged = judge(&claims(), &[&Results::load(&dir).unwrap()]);
    let finding = &judged.iter().find(|judged| judged.claim.id == "C07").unwrap().findings[0];
    assert_eq!(finding.effect, None);
    says(&finding.remedy, &["fit_s is from stopwatch and wristwatch, which are not compared"]);
}
