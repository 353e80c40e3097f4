//! Scores that are no mean over examples get an interval and a paired test as accuracy does, and cut inputs are told.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use bakeoff_reports::{
    PredictionRow, Record, Results, RunDir, RunInfo, Standing, Status, Tally, matthews, pearson, spearman,
};
use common::{Plan, SMALL, write_run};

const PLAN: Plan = Plan { models: 3, examples: 300, faults: false, ..SMALL };

/// The score of a predictions file.
fn score(metric: &str, classes: &[String], rows: &[PredictionRow]) -> f64 {
    if classes.is_empty() {
        let pairs: Vec<(f64, f64)> =
            rows.iter().map(|row| (row.target.parse().unwrap(), row.prediction.parse().unwrap())).collect();
        return if metric == "pearson" { pearson(&pairs) } else { spearman(&pairs) }.unwrap();
    }
    let count = |hit: &dyn Fn(&PredictionRow) -> bool| rows.iter().filter(|row| hit(row)).count() as u32;
    let tallies: Vec<Tally> = classes
        .iter()
        .map(|class| Tally {
            targets: count(&|row| row.target == *class),
            predictions: count(&|row| row.prediction == *class),
            hits: count(&|row| row.target == *class && row.prediction == *class),
        })
        .collect();
    if metric == "matthews" { matthews(&tallies) } else { tallies[1].f1() }
}

/// A made-up run whose three tasks have these primary metrics.
fn run(folder: &std::path::Path, primaries: [&str; 3], edit: impl Fn(&mut Vec<Record>)) -> (RunDir, RunInfo) {
    let dir = write_run(folder, &PLAN);
    let mut info = dir.info().unwrap();
    let mut records = dir.records().unwrap().rows;
    for (task, primary) in info.tasks.iter_mut().zip(primaries) {
        task.primary = primary.to_owned();
    }
    for case in &info.cases {
        let task = info.tasks.iter().find(|task| task.name == case.task).unwrap();
        let predictions = dir.predictions(&case.case).unwrap().unwrap().rows;
        let at = records.iter().position(|row| row.case == case.case && row.phase == "score").unwrap();
        let value = Some(score(&task.primary, &task.classes, &predictions));
        records.insert(at, Record { metric: task.primary.clone(), value, ..records[at].clone() });
    }
    edit(&mut records);
    std::fs::remove_file(folder.join("run.json")).unwrap();
    dir.write_info(&info).unwrap();
    std::fs::remove_file(dir.records_path()).unwrap();
    dir.write_rows(&dir.records_path(), &records).unwrap();
    (dir, info)
}

#[test]
fn every_score_that_predictions_give_has_an_interval_around_it_and_a_paired_test() {
    for primaries in [["matthews", "f1_positive", "pearson"], ["matthews", "matthews", "spearman"]] {
        let folder = tempfile::tempdir().unwrap();
        let (dir, _) = run(folder.path(), primaries, |_| {});
        let results = Results::load(&dir).unwrap();
        for table in &results.tables {
            let primary = &results.setting(table.setting).task.primary;
            assert_eq!(table.remarks, Vec::<String>::new(), "{primary}");
            for line in &table.lines {
                let (mean, interval) = (line.primary.unwrap().mean, line.interval.unwrap());
                assert!(interval.low < mean && mean < interval.high, "{primary}: {mean} {interval:?}");
                assert!(interval.high - interval.low < 0.4, "{primary}: {interval:?}");
                assert!(!matches!(line.standing, Standing::Untested), "{primary}: {line:?}");
            }
            let (best, worst) = (table.lines.first().unwrap(), table.lines.last().unwrap());
            let apart = best.interval.unwrap().low > worst.interval.unwrap().high;
            assert!(!apart || matches!(worst.standing, Standing::Behind { .. }), "{primary}: {worst:?}");
        }
        let built = bakeoff_reports::build(&dir).unwrap();
        assert!(!built.terminal_table.is_empty());
        let summary = std::fs::read_to_string(folder.path().join("summary.csv")).unwrap();
        let rows: Vec<Vec<&str>> = summary.lines().skip(1).map(|line| line.split(',').collect()).collect();
        assert!(rows.iter().all(|row| !row[9].is_empty() && !row[10].is_empty()), "an interval is missing:\n{summary}");
    }
}

#[test]
fn models_with_the_same_answers_are_tied() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, info) = run(folder.path(), ["matthews", "f1_positive", "pearson"], |_| {});
    for setting in info.cases.chunks(PLAN.models) {
        let first = dir.predictions_path(&setting[0].case);
        std::fs::copy(first, dir.predictions_path(&setting[1].case)).unwrap();
    }
    let results = Results::load(&dir).unwrap();
    let same = |case: usize| results.answers[&info.cases[case].case].clone();
    assert_eq!(same(0), same(1));
    for table in &results.tables {
        let of = |label: usize| table.lines.iter().find(|line| line.label == label).unwrap();
        assert_eq!(of(0).interval, of(1).interval);
        if of(0).standing == Standing::Best {
            assert!(matches!(of(1).standing, Standing::Tied { p } if p == 1.0), "{:?}", of(1));
        }
    }
}

#[test]
fn the_second_official_metric_of_a_task_stands_beside_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, info) = run(folder.path(), ["matthews", "f1_positive", "pearson"], |records| {
        let score = |row: &Record| row.phase == "score" && row.metric == "pearson";
        let at: Vec<usize> = records.iter().enumerate().filter(|(_, row)| score(row)).map(|(at, _)| at).collect();
        for (index, at) in at.into_iter().enumerate().rev() {
            let value = Some(0.25 + 0.125 * index as f64);
            records.insert(at, Record { metric: "spearman".to_owned(), value, ..records[at].clone() });
        }
    });
    bakeoff_reports::build(&dir).unwrap();
    let label = &info.cases.iter().find(|case| case.task == info.tasks[2].name).unwrap().label;
    for file in ["report.md", "report.html"] {
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        let line = text.lines().find(|line| line.contains("Beside it, Spearman")).unwrap();
        assert!(line.contains(&format!("{label} 0.250")), "{line}");
    }
}

#[test]
fn how_many_inputs_were_cut_stands_in_the_report_and_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, info) = run(folder.path(), ["matthews", "f1_positive", "pearson"], |records| {
        for (phase, metric, value) in [("fit", "truncated_examples", 12.0), ("score", "truncated_examples", 3.0)] {
            let at = records.iter().position(|row| row.task == "sst2" && row.phase == phase).unwrap();
            let (metric, value) = (metric.to_owned(), Some(value));
            records.insert(at, Record { metric, value, unit: String::new(), ..records[at].clone() });
        }
    });
    let label = &info.cases.iter().find(|case| case.task == "sst2").unwrap().label;
    bakeoff_reports::build(&dir).unwrap();
    let expected = format!(
        "{label} on sst2: 12 of 2000 training and 3 of 300 test examples are longer than the model reads and lost their ends."
    );
    for file in ["report.md", "report.html"] {
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(text.contains(&expected), "{file} lacks: {expected}");
        assert_eq!(text.matches("lost their ends").count(), 1);
    }
    let summary = std::fs::read_to_string(folder.path().join("summary.csv")).unwrap();
    assert!(summary.lines().next().unwrap().contains("train_truncated,test_truncated"));
    let results = Results::load(&dir).unwrap();
    assert!(results.grid.trials().all(|(_, _, trial)| trial.status == Status::Ok));
}
