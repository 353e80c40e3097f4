//! Whether a case came out as published.

use crate::cell::Cell;
use crate::estimate::{Scored, Uncertainty};
use crate::format::count;
use crate::metric::{Estimator, Metric, metric};
use crate::record::Status;
use crate::remedy::{self, FEWEST_SEEDS};
use crate::results::Results;
use crate::setting::Setting;
use crate::statistics::{Inference, Interval, equivalence, wilson_error};

use super::registry::Anchor;

/// With this probability a difference must lie within the tolerance.
const ENOUGH: f64 = 0.95;

/// What the numbers say of an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reproduction {
    /// The difference is too small to matter.
    Reproduced,
    /// The difference matters.
    NotReproduced,
    /// The interval of the difference is too wide.
    CannotTell,
}

impl Reproduction {
    /// The words in reports.
    pub fn name(self) -> &'static str {
        match self {
            Reproduction::Reproduced => "reproduced",
            Reproduction::NotReproduced => "not reproduced",
            Reproduction::CannotTell => "cannot tell at this n",
        }
    }
}

/// An anchor with the model of a run that should come out alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Met {
    /// The published number.
    pub anchor: Anchor,
    /// The title of the setting.
    pub setting: String,
    /// The model's label.
    pub label: String,
    /// The run.
    pub run: String,
    /// Whether it was reproduced.
    pub reproduction: Reproduction,
    /// Whether our score is better than the published one by more than the tolerance, with 95 % confidence. Test rows among the
    /// training rows are a common cause.
    pub is_suspiciously_good: bool,
    /// Our score, a mean over seeds; `None` if some seed has none.
    pub score: Option<f64>,
    /// Our score less the published one, in the unit of the metric.
    pub difference: Option<f64>,
    /// Its 95 % interval, over our seeds, our test rows and the published test rows.
    pub interval: Option<Interval>,
    /// The largest difference that does not matter; `None` if the metric has none without a floor, and the case has no floor.
    pub tolerance: Option<f64>,
    /// How many seeds our score is a mean over.
    pub seeds: usize,
    /// How many test rows each seed answered.
    pub rows: usize,
    /// Why nothing can be told, or what would decide; empty if it is decided.
    pub remedy: String,
}

/// The anchors that runs meet, in the order of the anchors. The first run that has a model for an anchor counts, with all of its models
/// that meet the anchor.
///
/// The difference of our score and the published one has the error of both: ours is that over seeds and test rows. Of the published one,
/// only the error over its test rows is known: for a share of rows it follows from the share, and for another score a row varies as much
/// as in our own answers. The test rows count as others than ours even if they are the same, because without the published predictions
/// rows cannot be paired; the interval is then too wide rather than too narrow.
///
/// A number is reproduced if its difference lies within the tolerance with a probability above 95 %, or if the whole 95 % interval does.
/// It is not reproduced if the 95 % interval has no point in common with the tolerance. Fewer than three seeds decide nothing, as for a
/// claim.
pub fn meet(anchors: &[Anchor], runs: &[&Results]) -> Vec<Met> {
    let of_first = |anchor| runs.iter().map(|run| of_run(anchor, run)).find(|met| !met.is_empty());
    anchors.iter().filter_map(of_first).flatten().collect()
}

fn of_run(anchor: &Anchor, run: &Results) -> Vec<Met> {
    let mut met = Vec::new();
    if !anchor.suite.is_empty() && anchor.suite != run.info.suite {
        return met;
    }
    let is_same = |setting: &Setting| {
        setting.task.name == anchor.task
            && setting.train_size == anchor.rows
            && setting.label_noise == 0.0
            && setting.folds.is_none()
    };
    for (index, setting) in run.grid.settings.iter().enumerate().filter(|(_, setting)| is_same(setting)) {
        for (label, cell) in run.grid.row(index).filter(|(_, cell)| anchor.is_of(cell)) {
            met.push(judge(anchor, run, setting, &run.grid.labels[label], cell));
        }
    }
    met
}

impl Anchor {
    /// Whether every seed has its model and parameters.
    fn is_of(&self, cell: &Cell) -> bool {
        let has = |params: &str, name: &str, value: &str| {
            params.split(' ').filter_map(|param| param.split_once('=')).any(|param| param == (name, value))
        };
        cell.trials.iter().all(|trial| {
            trial.model == self.model && self.params.iter().all(|(name, value)| has(&trial.params, name, value))
        })
    }
}

fn judge(anchor: &Anchor, run: &Results, setting: &Setting, label: &str, cell: &Cell) -> Met {
    let met = Met {
        anchor: anchor.clone(),
        setting: setting.title.clone(),
        label: label.to_owned(),
        run: run.info.run.clone(),
        reproduction: Reproduction::CannotTell,
        is_suspiciously_good: false,
        score: None,
        difference: None,
        interval: None,
        tolerance: anchor.tolerance,
        seeds: 0,
        rows: 0,
        remedy: String::new(),
    };
    if !matches!(cell.status, Status::Ok | Status::BelowFloor) || cell.trials.len() < cell.planned {
        return Met { remedy: format!("it did not end well on every seed ({})", cell.status), ..met };
    }
    let found = metric(&anchor.metric).and_then(|metric| metric.score.as_ref().map(|score| (metric, score)));
    let (metric, score) = found.expect("a test looks up the metric of every anchor");
    let scored = Scored::by(metric.name, score, setting, cell, &run.answers);
    if scored.keys().len() < cell.trials.len() {
        let (scored, trials) = (scored.keys().len(), count(cell.trials.len(), "seed"));
        return Met {
            remedy: format!("{} of every seed: the run has it for {scored} of {trials}", metric.name),
            ..met
        };
    }
    let (Some(value), Some(found)) = (scored.mean(), scored.uncertainty()) else {
        return Met { remedy: format!("the run has no {}", metric.name), ..met };
    };
    let floor = cell.mean("score", "floor").filter(|_| metric.name == setting.task.primary).map(|floor| floor.mean);
    let tolerance = anchor.tolerance.or_else(|| score.region.half_width(floor));
    let met = Met {
        score: Some(value),
        difference: Some(value - anchor.value),
        tolerance,
        seeds: found.seeds,
        rows: found.rows,
        ..met
    };
    let ours = error_of_ours(metric, value, &found);
    let theirs = ours.and_then(|ours| error_of_theirs(anchor, metric, &ours, &found));
    let (Some(ours), Some(theirs), Some(tolerance)) = (ours, theirs, tolerance) else {
        let remedy = if met.seeds < FEWEST_SEEDS {
            remedy::SEEDS
        } else if scored.answers().is_none() {
            remedy::PREDICTIONS
        } else if tolerance.is_none() {
            remedy::TOLERANCE
        } else {
            remedy::VARIATION
        };
        return Met { remedy: remedy.to_owned(), ..met };
    };
    decide(met, metric, &ours, &theirs, tolerance)
}

/// Our score with its error. A share that is the same on every seed and row, because all answers are right or all are wrong, has that
/// of its rows.
fn error_of_ours(metric: &Metric, value: f64, found: &Uncertainty) -> Option<Inference> {
    let of_rows = || {
        found.interval?;
        Inference::new(value, wilson_error(value, found.rows as f64)?, found.rows as f64 - 1.0)
    };
    found.inference.or_else(|| if is_share(metric) { of_rows() } else { None })
}

/// The published score with its error over test rows.
fn error_of_theirs(anchor: &Anchor, metric: &Metric, ours: &Inference, found: &Uncertainty) -> Option<Inference> {
    let n = f64::from(anchor.n);
    let of_one_row = || found.variances.map_or(ours.error.powi(2) * found.rows as f64, |(_, of_rows)| of_rows);
    let error = if is_share(metric) { wilson_error(anchor.value, n)? } else { (of_one_row() / n).sqrt() };
    Inference::new(anchor.value, error, n - 1.0)
}

fn is_share(metric: &Metric) -> bool {
    metric.score.as_ref().is_some_and(|score| matches!(score.estimator, Estimator::Proportion(_)))
}

fn decide(met: Met, metric: &Metric, ours: &Inference, theirs: &Inference, tolerance: f64) -> Met {
    let Some(difference) = ours.less(theirs) else {
        return Met { remedy: remedy::VARIATION.to_owned(), ..met };
    };
    let interval = difference.interval();
    let is_within = -tolerance <= interval.low && interval.high <= tolerance;
    let probably = equivalence(difference.value, difference.error, difference.df, tolerance);
    let is_better = if metric.better.prefers(1.0, 0.0) { interval.low > tolerance } else { interval.high < -tolerance };
    let reproduction = if met.seeds < FEWEST_SEEDS {
        Reproduction::CannotTell
    } else if is_within || probably.is_some_and(|found| found.within > ENOUGH) {
        Reproduction::Reproduced
    } else if interval.low > tolerance || interval.high < -tolerance {
        Reproduction::NotReproduced
    } else {
        Reproduction::CannotTell
    };
    let remedy = match reproduction {
        Reproduction::CannotTell if met.seeds < FEWEST_SEEDS => remedy::SEEDS.to_owned(),
        Reproduction::CannotTell if theirs.interval().high - theirs.value >= tolerance => {
            format!("no run: {} published test rows are too few to be within {tolerance}", met.anchor.n)
        }
        Reproduction::CannotTell => "more seeds".to_owned(),
        _ => String::new(),
    };
    Met { reproduction, is_suspiciously_good: is_better, interval: Some(interval), remedy, ..met }
}
