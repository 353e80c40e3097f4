//! The models of a setting, ranked by its primary metric, with intervals and paired tests.

use std::collections::HashMap;

use crate::answers::Answers;
use crate::cell::{Cell, Mean};
use crate::estimate::{fold_scores, interval, paired_fold_p, paired_p};
use crate::grid::Grid;
use crate::metric::Better;
use crate::record::Status;
use crate::setting::Setting;
use crate::statistics::{Interval, corrected_t_interval, holm};

/// Two models differ if the adjusted p-value is below this.
pub(crate) const ALPHA: f64 = 0.05;

/// How a model compares with the best one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing {
    /// The first by the primary metric.
    Best,
    /// The paired test finds no difference to the best model: the adjusted p-value is not below 0.05.
    Tied {
        /// The p-value, adjusted by Holm's method over the models of the setting.
        p: f64,
    },
    /// Worse than the best by the paired test.
    Behind {
        /// The p-value, as in [`Standing::Tied`].
        p: f64,
    },
    /// Ranked, but no paired test was possible.
    Untested,
    /// The status is not `ok`, so the model is not ranked.
    Unranked,
}

/// One model of a ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedModel {
    /// The index of the model's label in the grid.
    pub label: usize,
    /// The rank, from 1. `None` if the model is not ranked.
    pub rank: Option<usize>,
    /// How the model compares with the best one.
    pub standing: Standing,
    /// How the model's case ended.
    pub status: Status,
    /// The primary metric. `None` if it was not measured.
    pub primary: Option<Mean>,
    /// The 95 % interval of the primary metric, by the metric's estimator. `None` if the estimator needs predictions
    /// and there are none.
    pub interval: Option<Interval>,
}

/// The models of a setting. The ranked ones come first, with the best at the top. The others follow in the order of the
/// plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// The index of the setting in the grid.
    pub setting: usize,
    /// The floor: the primary metric of a constant answer.
    pub floor: Option<f64>,
    /// Each model that has a finished case.
    pub models: Vec<RankedModel>,
}

impl Ranking {
    /// Ranks and tests the models of a setting.
    pub fn new(grid: &Grid, setting: usize, answers: &HashMap<String, Answers>) -> Ranking {
        let compared = &grid.settings[setting];
        let mut models: Vec<RankedModel> =
            grid.row(setting).map(|(label, cell)| model(compared, label, cell, answers)).collect();
        let better = compared.primary().better;
        models.sort_by(|a, b| sort_key(better, a).total_cmp(&sort_key(better, b)));
        for (index, model) in models.iter_mut().enumerate().filter(|(_, model)| model.standing != Standing::Unranked) {
            model.rank = model.primary.map(|_| index + 1);
        }
        let floor = grid.row(setting).find_map(|(_, cell)| cell.mean("score", "floor")).map(|floor| floor.mean);
        let mut ranking = Ranking { setting, floor, models };
        ranking.test_against_best(grid, answers);
        ranking
    }

    /// The models that have a rank.
    pub fn ranked(&self) -> impl Iterator<Item = &RankedModel> {
        self.models.iter().filter(|model| model.rank.is_some())
    }

    fn test_against_best(&mut self, grid: &Grid, answers: &HashMap<String, Answers>) {
        let ranked = self.ranked().count();
        let Some((best, others)) = self.models[..ranked].split_first_mut() else {
            return;
        };
        best.standing = Standing::Best;
        let setting = &grid.settings[self.setting];
        let (score, metric) = (setting.score(), &setting.task.primary);
        let fold_scores = |model: &RankedModel| {
            grid.cell(self.setting, model.label).map(|cell| fold_scores(cell, metric)).unwrap_or_default()
        };
        let trials = |model: &RankedModel| {
            grid.cell(self.setting, model.label).map_or(Vec::new(), |cell| answered_trials(cell, answers))
        };
        let (best_trials, best_folds) = (trials(best), fold_scores(best));
        let tested: Vec<(&mut RankedModel, f64)> = others
            .iter_mut()
            .filter_map(|model| {
                let p = match setting.folds {
                    Some(folds) => paired_fold_p(&best_folds, &fold_scores(model), folds),
                    None => paired_p(score, &best_trials, &trials(model)),
                }?;
                Some((model, p))
            })
            .collect();
        let adjusted = holm(&tested.iter().map(|(_, p)| *p).collect::<Vec<_>>());
        for ((model, _), p) in tested.into_iter().zip(adjusted) {
            model.standing = if p < ALPHA { Standing::Behind { p } } else { Standing::Tied { p } };
        }
    }
}

/// The key by which models are sorted, smallest first. Ranked models come first, with the best at the top. The others
/// have equal keys and keep their order.
fn sort_key(better: Better, model: &RankedModel) -> f64 {
    match model.primary {
        Some(primary) if model.standing != Standing::Unranked => -better.goodness(primary.mean),
        _ => f64::INFINITY,
    }
}

fn model(setting: &Setting, label: usize, cell: &Cell, answers: &HashMap<String, Answers>) -> RankedModel {
    let primary = cell.mean("score", &setting.task.primary);
    let interval = primary.and_then(|primary| {
        if let Some(folds) = setting.folds {
            let scores: Vec<f64> = fold_scores(cell, &setting.task.primary).into_values().collect();
            return corrected_t_interval(&scores, folds).map(|interval| interval.within(setting.score().range));
        }
        let examples = cell.mean("score", "examples").map(|examples| examples.mean);
        interval(setting.score(), primary.mean, examples, &answered_trials(cell, answers))
    });
    let status = cell.status;
    // The mean over some of the folds is no score of the whole.
    let is_complete = setting.folds.is_none() || cell.trials.len() == cell.planned;
    let standing = if status == Status::Ok && is_complete { Standing::Untested } else { Standing::Unranked };
    RankedModel { label, rank: None, standing, status, primary, interval }
}

/// The answers of those trials of the cell that have any.
fn answered_trials<'a>(cell: &Cell, answers: &'a HashMap<String, Answers>) -> Vec<&'a Answers> {
    cell.trials.iter().filter_map(|trial| answers.get(&trial.case)).collect()
}
