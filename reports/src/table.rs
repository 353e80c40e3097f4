//! The headline table of a setting: the models ranked by the primary metric, with what chance allows.

use std::collections::HashMap;

use crate::answers::{Answers, mean_scores};
use crate::format::{p_value, score, si, significant};
use crate::grid::{Cell, Grid, Mean, Setting};
use crate::metric::{Better, Metric, metric};
use crate::record::Status;
use crate::resampled;
use crate::statistics::{Interval, bootstrap_mean, holm, mcnemar_p, paired_bootstrap_p, wilson};

/// Below this, a difference is called one.
pub(crate) const ALPHA: f64 = 0.05;

/// A model's place relative to the best one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing {
    /// First by the primary metric.
    Best,
    /// The paired test cannot tell it from the best: the adjusted p is not below 0.05.
    Tied {
        /// Adjusted by Holm's method over the models of the setting.
        p: f64,
    },
    /// Worse than the best by the paired test.
    Behind {
        /// As in [`Standing::Tied`].
        p: f64,
    },
    /// Ranked, but no paired test was possible.
    Untested,
    /// Not `ok`, so not ranked.
    Unranked,
}

/// One model of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The index of its label in the grid.
    pub label: usize,
    /// From 1; `None` if not ranked.
    pub rank: Option<usize>,
    /// Its place relative to the best.
    pub standing: Standing,
    /// How it ended.
    pub status: Status,
    /// Its primary metric; `None` if it was not measured.
    pub primary: Option<Mean>,
    /// The primary metric's 95 % interval: Wilson's for accuracy, the bootstrap's for what can be computed from the
    /// predictions, `None` for others.
    pub interval: Option<Interval>,
}

/// The models of a setting: the ranked ones first, best first, then the others in the order of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The index of the setting in the grid.
    pub setting: usize,
    /// The primary metric of a constant answer.
    pub floor: Option<f64>,
    /// One per model that has a finished case.
    pub lines: Vec<Line>,
    /// What a reader must know of this table.
    pub remarks: Vec<String>,
}

impl Table {
    /// Ranks and tests the models of a setting.
    pub fn new(grid: &Grid, setting: usize, answers: &HashMap<String, Answers>) -> Table {
        let place = &grid.settings[setting];
        let metric = place.primary();
        let mut lines: Vec<Line> = grid.row(setting).map(|(label, cell)| line(place, label, cell, answers)).collect();
        lines.sort_by(|a, b| order(metric.better, a).total_cmp(&order(metric.better, b)));
        for (index, line) in lines.iter_mut().enumerate().filter(|(_, line)| line.status == Status::Ok) {
            line.rank = line.primary.map(|_| index + 1);
        }
        let floor = grid.row(setting).find_map(|(_, cell)| cell.mean("score", "floor")).map(|floor| floor.mean);
        let mut table = Table { setting, floor, lines, remarks: Vec::new() };
        table.test_against_best(grid, answers);
        table
    }

    /// The ranked lines.
    pub fn ranked(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.rank.is_some())
    }

    fn test_against_best(&mut self, grid: &Grid, answers: &HashMap<String, Answers>) {
        let ranked = self.ranked().count();
        let Some((best, others)) = self.lines[..ranked].split_first_mut() else {
            return;
        };
        best.standing = Standing::Best;
        let place = &grid.settings[self.setting];
        let primary = place.task.primary.as_str();
        if !matches!(primary, "accuracy" | "mse") && !resampled::applies(primary) {
            let remark = format!(
                "{}: there is no paired test for {}, so ties are not marked.",
                place.title,
                place.primary().title
            );
            self.remarks.extend((!others.is_empty()).then_some(remark));
            return;
        }
        let scores = |line: &Line| grid.cell(self.setting, line.label).and_then(|cell| cell_scores(cell, answers));
        let best_scores = scores(best);
        let tested: Vec<(&mut Line, f64)> = others
            .iter_mut()
            .filter_map(|line| {
                let p = paired_p(place, best_scores.as_ref()?, &scores(line)?)?;
                Some((line, p))
            })
            .collect();
        let adjusted = holm(&tested.iter().map(|(_, p)| *p).collect::<Vec<_>>());
        for ((line, _), p) in tested.into_iter().zip(adjusted) {
            line.standing = if p < ALPHA { Standing::Behind { p } } else { Standing::Tied { p } };
        }
    }
}

/// Ranked first, best first; the rest keep their order.
fn order(better: Better, line: &Line) -> f64 {
    match (line.status, line.primary, better) {
        (Status::Ok, Some(primary), Better::Higher) => -primary.mean,
        (Status::Ok, Some(primary), Better::Lower) => primary.mean,
        _ => f64::INFINITY,
    }
}

fn line(place: &Setting, label: usize, cell: &Cell, answers: &HashMap<String, Answers>) -> Line {
    let primary = cell.mean("score", &place.task.primary);
    let interval = match (place.task.primary.as_str(), primary) {
        ("accuracy", Some(mean)) => cell.mean("score", "examples").and_then(|n| wilson(mean.mean, n.mean)),
        ("mse", Some(_)) => cell_scores(cell, answers).and_then(|scores| bootstrap_mean(&scores.mean)),
        (primary, Some(_)) if resampled::applies(primary) => {
            cell_scores(cell, answers).and_then(|scores| resampled::interval(primary, &scores.trials))
        }
        _ => None,
    };
    let status = cell.status();
    let standing = if status == Status::Ok { Standing::Untested } else { Standing::Unranked };
    Line { label, rank: None, standing, status, primary, interval }
}

/// A model's score of each example, over its seeds.
struct Scores<'a> {
    mean: Vec<f64>,
    trials: Vec<&'a Answers>,
    targets: u64,
}

fn cell_scores<'a>(cell: &Cell, answers: &'a HashMap<String, Answers>) -> Option<Scores<'a>> {
    let trials: Vec<&Answers> = cell.trials.iter().filter_map(|trial| answers.get(&trial.case)).collect();
    let mean = mean_scores(&trials)?;
    Some(Scores { mean, targets: trials.first()?.targets, trials })
}

/// For accuracy McNemar's exact test if there is one seed, else the paired bootstrap over examples; `None` if the models
/// did not answer the same examples.
fn paired_p(place: &Setting, best: &Scores<'_>, other: &Scores<'_>) -> Option<f64> {
    if best.targets != other.targets || best.mean.len() != other.mean.len() {
        return None;
    }
    if resampled::applies(&place.task.primary) {
        return resampled::paired_p(&place.task.primary, &best.trials, &other.trials);
    }
    let pairs = best.mean.iter().zip(&other.mean);
    if place.is_classes() && (best.trials.len(), other.trials.len()) == (1, 1) {
        let only_best = pairs.clone().filter(|(best, other)| best > other).count() as u64;
        let only_other = pairs.filter(|(best, other)| best < other).count() as u64;
        return Some(mcnemar_p(only_best, only_other));
    }
    Some(paired_bootstrap_p(&pairs.map(|(best, other)| best - other).collect::<Vec<_>>()))
}

/// The column titles of [`cells`]. Joules say where they come from.
pub(crate) fn header(grid: &Grid, table: &Table) -> Vec<String> {
    let setting = &grid.settings[table.setting];
    let joules = |what: &str, phase: &str| {
        let mut sources: Vec<&str> =
            grid.row(table.setting).filter_map(|(_, cell)| cell.source(phase, "energy_j")).collect();
        sources.sort_unstable();
        sources.dedup();
        if sources.is_empty() { what.to_owned() } else { format!("{what} ({})", sources.join(", ")) }
    };
    let primary = format!("{}{} [95 %]", setting.primary().short_title(), setting.primary_unit());
    let mut titles = ["#", "model", &primary, "fit", "p50", "p99", "predictions/s"].map(str::to_owned).to_vec();
    titles.extend([joules("J/prediction", "predict-batch"), joules("J to fit", "fit")]);
    titles.extend(["memory", "model size", "status"].map(str::to_owned));
    titles
}

/// A line as text, without the model's name quoted or escaped.
pub(crate) fn cells(grid: &Grid, table: &Table, line: &Line) -> Vec<String> {
    let Some(cell) = grid.cell(table.setting, line.label) else {
        return Vec::new();
    };
    let number = |phase: &str, metric: &str, unit: &str| {
        cell.mean(phase, metric).map_or(String::new(), |mean| si(mean.mean, unit))
    };
    let mut status = line.status.to_string();
    let measured = line.primary.map_or(0, |primary| primary.n);
    if cell.trials.len() > 1 {
        status += &format!(", {measured} of {} seeds", cell.trials.len());
    }
    vec![
        rank(line),
        grid.labels[line.label].clone(),
        primary(grid.settings[table.setting].primary(), line),
        number("fit", "fit_s", "s"),
        number("predict-single", "latency_p50_s", "s"),
        number("predict-single", "latency_p99_s", "s"),
        cell.mean("predict-batch", "throughput").map_or(String::new(), |mean| significant(mean.mean, 3)),
        number("predict-batch", "energy_j", "J"),
        number("fit", "energy_j", "J"),
        number("case", "peak_memory_bytes", "B"),
        number("case", "model_bytes", "B"),
        status,
    ]
}

/// Metrics that GLUE states beside the primary one (Wang et al. 2018, table 1).
const BESIDE: &[(&str, &str)] =
    &[("accuracy", "accuracy_mismatched"), ("f1_positive", "accuracy"), ("pearson", "spearman")];

/// What the models score on the metric that belongs beside the primary one: `Accuracy: svm 0.760; lstm 0.699.`
pub(crate) fn beside(grid: &Grid, table: &Table) -> Option<String> {
    let primary = grid.settings[table.setting].primary().name;
    let (_, other) = BESIDE.iter().find(|(first, _)| *first == primary)?;
    let other = metric(other)?;
    let scores = table.ranked().filter_map(|line| {
        let mean = grid.cell(table.setting, line.label)?.mean("score", other.name)?;
        Some(format!("{} {}", grid.labels[line.label], score(other, mean.mean)))
    });
    let scores: Vec<String> = scores.collect();
    (!scores.is_empty()).then(|| format!("Beside it, {}: {}.", other.title, scores.join("; ")))
}

/// `2 ≈` is second, but not distinguishable from the first.
pub(crate) fn rank(line: &Line) -> String {
    match (line.rank, line.standing) {
        (Some(rank), Standing::Tied { .. }) => format!("{rank} ≈"),
        (Some(rank), Standing::Untested) => format!("{rank} ?"),
        (Some(rank), _) => rank.to_string(),
        (None, _) => "–".to_owned(),
    }
}

/// `0.512 [0.481, 0.543]`, with the standard deviation if there are several seeds.
pub(crate) fn primary(metric: &Metric, line: &Line) -> String {
    let Some(mean) = line.primary else {
        return String::new();
    };
    let score = |x| score(metric, x);
    let sd = mean.sd.map_or(String::new(), |sd| format!(" ± {}", score(sd)));
    let interval =
        line.interval.map_or(String::new(), |interval| format!(" [{}, {}]", score(interval.low), score(interval.high)));
    format!("{}{sd}{interval}", score(mean.mean))
}

/// What the paired test says of a line, for a column.
pub(crate) fn test_result(line: &Line) -> String {
    match line.standing {
        Standing::Best => "best".to_owned(),
        Standing::Tied { p } => format!("≈ {}", p_value(p)),
        Standing::Behind { p } => p_value(p),
        Standing::Untested => "none".to_owned(),
        Standing::Unranked => String::new(),
    }
}

/// What the paired test says of a line, in words.
pub(crate) fn verdict(line: &Line) -> String {
    match line.standing {
        Standing::Best => "best".to_owned(),
        Standing::Tied { p } => format!("not distinguishable from the best ({})", p_value(p)),
        Standing::Behind { p } => format!("worse than the best ({})", p_value(p)),
        Standing::Untested => "no paired test with the best".to_owned(),
        Standing::Unranked => format!("not ranked: {}", line.status),
    }
}
