//! Every score that can rank has an interval and a paired test by its metric's estimator.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use bakeoff_reports::{
    Answered, Floor, METRICS, Metric, PredictionRow, Record, Results, RunDir, RunInfo, TargetUnit, metric,
};
use common::{Plan, SMALL, write_run};

const PLAN: Plan = Plan { models: 3, examples: 300, faults: false, ..SMALL };

/// The score of a predictions file, computed from its text.
fn score(name: &str, classes: &[String], rows: &[PredictionRow]) -> f64 {
    let rules = metric(name).unwrap();
    if classes.is_empty() {
        let pairs: Vec<(f64, f64)> =
            rows.iter().map(|row| (row.target.parse().unwrap(), row.prediction.parse().unwrap())).collect();
        return rules.score_of(Answered::Values(&pairs)).unwrap();
    }
    let class = |name: &str| classes.iter().position(|class| class == name).unwrap() as u16;
    let pairs: Vec<(u16, u16)> = rows.iter().map(|row| (class(&row.target), class(&row.prediction))).collect();
    rules.score_of(Answered::Classes { pairs: &pairs, classes: classes.len(), probabilities: None }).unwrap()
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
        records.retain(|row| row.case != case.case || row.phase != "score" || row.metric != task.primary);
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
    // The three tasks of the made-up run have ten classes, two classes and numbers.
    let able_to_rank = [10, 2, 0].map(|classes| {
        let fits = |metric: &&Metric| {
            metric.score.is_some_and(|rules| rules.targets.applies(classes) && rules.floor != Floor::None)
        };
        METRICS.iter().filter(fits).map(|metric| metric.name).collect::<Vec<_>>()
    });
    // As many runs as the longest list has names; the shorter lists start again.
    let runs = able_to_rank.iter().map(Vec::len).max().unwrap();
    let primaries: Vec<[&str; 3]> =
        (0..runs).map(|run| able_to_rank.each_ref().map(|names| names[run % names.len()])).collect();
    assert!(
        primaries.contains(&["accuracy", "accuracy", "mse"]) && primaries.iter().any(|names| names[1] == "f1_positive")
    );
    for primaries in primaries {
        let folder = tempfile::tempdir().unwrap();
        let (dir, _) = run(folder.path(), primaries, |_| {});
        let results = Results::load(&dir).unwrap();
        for ranking in &results.rankings {
            let primary = &results.setting(ranking.setting).task.primary;
            for model in &ranking.models {
                let (mean, interval) = (model.primary.unwrap().mean, model.interval().unwrap());
                assert!(interval.low < mean && mean < interval.high, "{primary}: {mean} {interval:?}");
                let is_error = metric(primary).unwrap().score.unwrap().target_unit != TargetUnit::None;
                let wide = if is_error { mean } else { 0.4 };
                assert!(interval.high - interval.low < wide, "{primary}: {interval:?}");
                assert!(ranking.comparisons.iter().all(|pair| pair.p.is_some()), "{primary}: {model:?}");
            }
            let (best, worst) = (ranking.models.first().unwrap(), ranking.models.last().unwrap());
            let (first, last) = (best.interval().unwrap(), worst.interval().unwrap());
            let apart = first.low > last.high || last.low > first.high;
            assert!(!apart || !worst.ranks.unwrap().is_tied_with_best(), "{primary}: {worst:?}");
            let pair = ranking.comparison(worst.label, best.label).unwrap();
            let interval = pair.uncertainty.interval.unwrap();
            assert_eq!((pair.better, pair.worse), (best.label, worst.label));
            assert!(pair.effect > 0.0 && interval.low < pair.effect && pair.effect < interval.high, "{pair:?}");
        }
        if !primaries.contains(&"pearson") {
            continue;
        }
        bakeoff_reports::build(&dir).unwrap();
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
    let before = dir.records().unwrap().rows;
    let mut records = before.clone();
    for setting in info.cases.chunks(PLAN.models) {
        for row in records.iter_mut().filter(|row| row.case == setting[1].case && row.phase == "score") {
            row.value = before.iter().find(|o| o.case == setting[0].case && o.metric == row.metric).unwrap().value;
        }
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    let results = Results::load(&dir).unwrap();
    let same = |case: usize| results.answers[&info.cases[case].case].clone();
    assert_eq!(same(0), same(1));
    for ranking in &results.rankings {
        let of = |label: usize| ranking.models.iter().find(|model| model.label == label).unwrap();
        assert_eq!(of(0).interval(), of(1).interval());
        let pair = ranking.comparison(0, 1).unwrap();
        assert_eq!(pair.p, Some(1.0), "{pair:?}");
        // These scores are no shares, so that nothing is known of an error that does not show.
        assert_eq!(pair.uncertainty.interval, None, "{pair:?}");
    }
}

/// No row tells the two apart, so that only the number of rows bounds their difference.
#[test]
fn models_that_are_right_on_the_same_rows_differ_by_less_than_a_share_of_none() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, info) = run(folder.path(), ["accuracy", "accuracy", "mse"], |_| {});
    let before = dir.records().unwrap().rows;
    let mut records = before.clone();
    let pair = &info.cases[..2];
    std::fs::copy(dir.predictions_path(&pair[0].case), dir.predictions_path(&pair[1].case)).unwrap();
    for row in records.iter_mut().filter(|row| row.case == pair[1].case && row.phase == "score") {
        row.value = before.iter().find(|o| o.case == pair[0].case && o.metric == row.metric).unwrap().value;
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    let results = Results::load(&dir).unwrap();
    let found = results.rankings[0].comparison(0, 1).unwrap();
    let rows = found.uncertainty.rows as f64;
    let most = bakeoff_reports::wilson(0.0, rows).unwrap().high;
    let interval = found.uncertainty.interval.unwrap();
    assert_eq!((found.effect, found.p, interval.low, interval.high), (0.0, Some(1.0), -most, most), "{found:?}");
    assert!(most > 3.0 / rows, "{most}");
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
        let line = text.lines().find(|line| line.contains("Second metric, Spearman")).unwrap();
        assert!(line.contains(&format!("{label} 0.250")), "{line}");
    }
}
