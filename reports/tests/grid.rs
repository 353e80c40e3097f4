//! Rows that cannot stand in one table are refused, with the case and what does not fit.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;

use bakeoff_reports::{Grid, Impute, Ranking, Record, ReportError, RunInfo, Status};
use common::{Plan, SMALL, info, write_run};

fn made(plan: &Plan) -> (RunInfo, Vec<Record>) {
    let folder = tempfile::tempdir().unwrap();
    let records = write_run(folder.path(), plan).records().unwrap().rows;
    (info(plan), records)
}

fn refusal(info: &RunInfo, records: &[Record]) -> String {
    match Grid::new(info, records, Path::new("records.csv")) {
        Err(error @ ReportError::Incomparable { .. }) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_row_that_is_there_twice_is_refused() {
    let (info, mut records) = made(&SMALL);
    records.push(records[3].clone());
    let message = refusal(&info, &records);
    assert!(message.contains("records.csv: case 'cifar10.resnet.n2000.s1.cpu'"), "{message}");
    assert!(message.contains("f1_macro of phase score by scorer is in the file twice: remove one"), "{message}");
}

#[test]
fn a_case_that_was_not_planned_is_refused() {
    let (info, mut records) = made(&SMALL);
    records[0].case = "cifar10.other.n2000.s1.cpu".to_owned();
    assert!(refusal(&info, &records).contains("not in the plan"));
}

#[test]
fn cases_of_two_machines_are_shown_apart_and_never_compared() {
    let (info, mut records) = made(&Plan { tasks: 1, models: 2, ..SMALL });
    for record in records.iter_mut().filter(|record| record.model == "transformer") {
        record.machine = "ffff".to_owned();
    }
    let grid = Grid::new(&info, &records, Path::new("records.csv")).unwrap();
    let titles: Vec<&str> = grid.settings.iter().map(|setting| setting.title.as_str()).collect();
    assert_eq!(titles, ["cifar10, machine a1b2c3d4", "cifar10, machine ffff"]);
    assert_eq!([0, 1].map(|setting| grid.row(setting).map(|(label, _)| label).collect::<Vec<_>>()), [[0], [1]]);
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &Plan { tasks: 1, models: 2, ..SMALL });
    dir.write_rows(&dir.records_path(), &records).unwrap();
    let remarks = bakeoff_reports::build(&dir).unwrap().remarks;
    let expected = "The cases on cpu were measured on 2 machines: a1b2c3d4 (2 x Example CPU <3 GHz> & co, 8 GiB), ffff. Models are compared within each \
         machine only.";
    assert!(remarks.iter().any(|remark| remark == expected), "{remarks:?}");
}

#[test]
fn a_case_of_two_machines_is_refused() {
    let (info, mut records) = made(&SMALL);
    records[1].machine = "ffff".to_owned();
    assert!(refusal(&info, &records).contains("its rows have machine 'a1b2c3d4' and 'ffff'"));
}

#[test]
fn a_case_that_never_began_stands_with_those_of_the_runs_machine() {
    let (info, mut records) = made(&SMALL);
    for record in records.iter_mut().filter(|record| record.status == Status::Unsupported) {
        record.machine.clear();
    }
    let grid = Grid::new(&info, &records, Path::new("records.csv")).unwrap();
    assert_eq!(grid.settings.len(), 3);
}

/// The joules of a fit: by RAPL where it can be read, and by the estimate.
fn with_two_sources(records: &mut Vec<Record>, rapl_j: impl Fn(&Record) -> Option<f64>) {
    let at: Vec<usize> =
        (0..records.len()).filter(|&at| records[at].phase == "fit" && records[at].metric == "energy_j").collect();
    for at in at.into_iter().rev() {
        let note = "the register went backwards".to_owned();
        let row = Record { source: "rapl".to_owned(), value: rapl_j(&records[at]), note, ..records[at].clone() };
        records.insert(at + 1, row);
    }
}

#[test]
fn numbers_of_two_sources_are_kept_apart_and_what_was_measured_comes_first() {
    let (info, mut records) = made(&Plan { tasks: 1, models: 2, seeds: 2, ..SMALL });
    with_two_sources(&mut records, |record| (record.seed == 1 || record.model == "transformer").then_some(7.0));
    let grid = Grid::new(&info, &records, Path::new("records.csv")).unwrap();
    assert_eq!(grid.sources(0, "fit", "energy_j"), ["rapl", "estimate"]);
    assert_eq!(grid.sources(0, "predict-batch", "energy_j"), ["estimate"]);
    let cell = grid.cell(0, 0).unwrap();
    let mean = cell.mean("fit", "energy_j").unwrap();
    assert_eq!((mean.mean, mean.n), (7.0, 1), "no estimate is averaged into what was measured");
    assert_eq!(cell.mean_from("fit", "energy_j", "estimate").unwrap().n, 2);
    assert_eq!(cell.trials[0].get("fit", "energy_j").unwrap().source, "rapl");
    assert_eq!(cell.trials[1].get("fit", "energy_j").unwrap().source, "estimate");
    let gap = &cell.trials[1].gaps[0];
    assert_eq!((gap.source.as_str(), gap.reason.as_str()), ("rapl", "the register went backwards"));
}

#[test]
fn a_row_under_further_conditions_is_another_number() {
    let (info, mut records) = made(&SMALL);
    let batch = Record { conditions: "batch=64".to_owned(), value: Some(1.0), ..records[3].clone() };
    let (phase, metric, usual) = (batch.phase.clone(), batch.metric.clone(), records[3].value.unwrap());
    records.insert(3, batch.clone());
    let grid = Grid::new(&info, &records, Path::new("records.csv")).unwrap();
    let trial = &grid.cell(0, 0).unwrap().trials[0];
    assert_eq!(trial.get(&phase, &metric).unwrap().value, usual);
    assert!(trial.values.iter().any(|value| value.conditions == "batch=64" && value.value == 1.0));
    records.insert(3, batch);
    assert!(refusal(&info, &records).contains("is in the file twice"));
}

#[test]
fn a_row_of_another_label_than_planned_is_refused() {
    let (info, mut records) = made(&SMALL);
    records[0].label = "other".to_owned();
    assert!(refusal(&info, &records).contains("its row has the label 'other', run.json has 'resnet'"));
}

#[test]
fn another_version_of_a_task_is_refused() {
    let (info, mut records) = made(&SMALL);
    let case = records[0].case.clone();
    for record in records.iter_mut().filter(|record| record.case == case) {
        record.task_version = 2;
    }
    assert!(refusal(&info, &records).contains("task_version 2 is not the run's 1"));
}

#[test]
fn one_case_of_two_seeds_or_models_is_refused() {
    let (info, records) = made(&SMALL);
    let mut mixed = records.clone();
    mixed[1].seed = 9;
    assert!(refusal(&info, &mixed).contains("its row has seed '9', run.json has '1'"));
    let mut mixed = records;
    mixed[1].model = "svm".to_owned();
    assert!(refusal(&info, &mixed).contains("its row says svm on cifar10, run.json says resnet on cifar10"));
}

#[test]
fn seeds_of_one_cell_must_share_the_model_version() {
    let (info, mut records) = made(&Plan { seeds: 2, ..SMALL });
    for record in records.iter_mut().filter(|record| record.seed == 2) {
        record.model_version = "2".to_owned();
    }
    assert!(refusal(&info, &records).contains("model_version is '2', but '1 (burn 0.22.1)' in case"));
}

#[test]
fn a_case_without_its_closing_row_is_unfinished_and_its_numbers_are_not_used() {
    let (info, mut records) = made(&SMALL);
    let case = records[0].case.clone();
    records.retain(|record| record.case != case || record.phase != "case" || record.metric != "wall_s");
    let grid = Grid::new(&info, &records, Path::new("records.csv")).unwrap();
    assert_eq!(grid.unfinished, [case]);
    assert!(grid.cell(0, 0).is_none());
}

#[test]
fn sizes_of_one_task_are_told_apart() {
    let (mut info, mut records) = made(&Plan { tasks: 1, models: 2, ..SMALL });
    info.cases[1].case = "cifar10.transformer.n500.s1.cpu".to_owned();
    info.cases[1].train_size = 500;
    for record in records.iter_mut().filter(|record| record.model == "transformer") {
        record.case.clone_from(&info.cases[1].case);
        record.train_size = 500;
    }
    let grid = Grid::new(&info, &records, Path::new("records.csv")).unwrap();
    let titles: Vec<&str> = grid.settings.iter().map(|setting| setting.title.as_str()).collect();
    assert_eq!(titles, ["cifar10, n = 2000", "cifar10, n = 500"]);
}

#[test]
fn a_model_that_is_not_ok_is_shown_but_never_ranked() {
    let (info, records) = made(&SMALL);
    let grid = Grid::new(&info, &records, Path::new("records.csv")).unwrap();
    for setting in 0..grid.settings.len() {
        let ranking = Ranking::new(&grid, setting, &std::collections::HashMap::new(), Impute::Nothing);
        assert_eq!(ranking.models.len(), 8);
        for model in &ranking.models {
            assert_eq!(model.ranks.is_some(), model.status == Status::Ok, "{model:?}");
        }
        let ranked: Vec<f64> = ranking.ranked().map(|model| model.primary.unwrap().mean).collect();
        let better_first = |pair: &[f64]| if setting == 2 { pair[0] <= pair[1] } else { pair[0] >= pair[1] };
        assert!(ranked.windows(2).all(better_first), "{ranked:?}");
    }
}

#[test]
fn a_mean_is_over_the_seeds() {
    let (info, records) =
        made(&Plan { tasks: 1, models: 1, seeds: 3, examples: 100, faults: false, trials: 0, axes: false });
    let grid = Grid::new(&info, &records, Path::new("records.csv")).unwrap();
    let values: Vec<f64> =
        records.iter().filter(|record| record.metric == "accuracy").map(|record| record.value.unwrap()).collect();
    let mean = values.iter().sum::<f64>() / 3.0;
    let found = grid.cell(0, 0).unwrap().mean("score", "accuracy").unwrap();
    assert!((found.mean - mean).abs() < 1e-12);
    assert_eq!(found.n, 3);
}

#[test]
fn search_trials_belong_to_their_case_and_make_no_setting_and_no_rank() {
    let plan = Plan { tasks: 1, models: 2, seeds: 2, examples: 50, faults: false, trials: 3, axes: false };
    let (info, mut records) = made(&plan);
    let grid = Grid::new(&info, &records, Path::new("records.csv")).unwrap();
    assert_eq!((grid.settings.len(), grid.labels.len(), grid.trials().count()), (1, 2, 4));
    for (_, _, trial) in grid.trials() {
        let scores: Vec<bool> = trial.search.iter().map(|search| search.score.is_some()).collect();
        assert_eq!(scores, [true, false, true], "{}", trial.case);
    }
    let ranking = Ranking::new(&grid, 0, &std::collections::HashMap::new(), Impute::Nothing);
    assert_eq!(ranking.ranked().count(), 2, "a failed search trial does not cost the rank");

    // Each seed chooses its own parameters.
    for record in records.iter_mut().filter(|record| record.trial.is_none() && record.seed == 2) {
        record.params = "depth=8 rate=0.3".to_owned();
    }
    Grid::new(&info, &records, Path::new("records.csv")).unwrap();
    records.retain(|record| record.trial != Some(3) || record.seed == 1);
    let grid = Grid::new(&info, &records, Path::new("records.csv")).unwrap();
    assert_eq!(grid.unfinished.len(), 2);
}
