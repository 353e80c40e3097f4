//! The models of a setting in the order of their scores, and which places the tests leave to each.

use std::collections::{BTreeSet, HashMap};

use crate::answers::Answers;
use crate::cell::{Cell, Mean};
use crate::comparison::Comparison;
use crate::estimate::{Scored, TrialKey, Uncertainty};
use crate::grid::Grid;
use crate::record::Status;
use crate::statistics::Interval;

/// The places that a model may have, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranks {
    /// One more than the number of models that are significantly better.
    pub best: usize,
    /// The number of models, less those that are significantly worse.
    pub worst: usize,
}

impl Ranks {
    /// Whether no model is significantly better.
    pub fn is_tied_with_best(self) -> bool {
        self.best == 1
    }
}

/// What stands in for the scores of a model's seeds that failed or are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Impute {
    /// Nothing: the model is not ranked.
    #[default]
    Nothing,
    /// The floor. A model without any score is still not ranked.
    Floor,
}

/// One model of a ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedModel {
    /// The index of its label in [`Grid::labels`].
    pub label: usize,
    /// The places that it may have; `None` if it is not ranked, because its status is not `ok` or a trial or its score is missing.
    pub ranks: Option<Ranks>,
    /// As in [`Cell::status`].
    pub status: Status,
    /// Its primary score, if there is one.
    pub primary: Option<Mean>,
    /// How this score might have come out otherwise.
    pub uncertainty: Option<Uncertainty>,
    /// How many of its scores are imputed.
    pub imputed: usize,
}

impl RankedModel {
    /// The 95 % interval of its score.
    pub fn interval(&self) -> Option<Interval> {
        self.uncertainty.and_then(|uncertainty| uncertainty.interval)
    }
}

/// The models of one setting. The ranked ones come first, from the best mean score to the worst; the others follow in the order of
/// the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// The index of the setting in [`Grid::settings`].
    pub setting: usize,
    /// The floor: the primary metric of a constant answer.
    pub floor: Option<f64>,
    /// Each model that has a finished case.
    pub models: Vec<RankedModel>,
    /// All pairs of ranked models.
    pub comparisons: Vec<Comparison>,
}

impl Ranking {
    /// Ranks and tests the models of a setting.
    ///
    /// All pairs are tested, so that the best is not chosen first and then tested against. The places of a model follow from the
    /// tests that found a difference. Because Holm's method keeps the chance of any false one below 5 %, all of them hold together
    /// in at least 95 % of experiments (Al Mohamad, Goeman and van Zwet 2022, "Simultaneous confidence intervals for ranks with
    /// application to ranking institutions", Biometrics 78).
    pub fn new(grid: &Grid, setting: usize, answers: &HashMap<String, Answers>, impute: Impute) -> Ranking {
        let compared = &grid.settings[setting];
        let better = compared.primary().better;
        let floor = grid.row(setting).find_map(|(_, cell)| cell.mean("score", "floor")).map(|floor| floor.mean);
        let of_cells: Vec<(usize, &Cell, Scored<'_>)> =
            grid.row(setting).map(|(label, cell)| (label, cell, Scored::of(compared, cell, answers))).collect();
        let keys: BTreeSet<TrialKey> = of_cells.iter().flat_map(|(.., scores)| scores.keys()).collect();
        let mut scored: Vec<(usize, Scored<'_>)> = Vec::new();
        let mut models: Vec<RankedModel> = Vec::new();
        for (label, cell, scores) in of_cells {
            let measured = scores.keys().len();
            let (is_ranked, scores) = match (impute, floor) {
                (Impute::Floor, Some(floor)) if measured > 0 => {
                    // What did no better than a constant answer has no place, whatever else is missing.
                    let is_above = cell.trials.iter().all(|trial| trial.status != Status::BelowFloor);
                    (is_above, scores.imputed(&keys, floor))
                }
                _ => (is_ranked(cell, measured), scores),
            };
            let mut primary = cell.mean("score", &compared.task.primary);
            if let (Impute::Floor, Some(primary), Some(mean)) = (impute, &mut primary, scores.mean()) {
                primary.mean = mean;
            }
            models.push(RankedModel {
                label,
                ranks: None,
                status: cell.status,
                primary,
                uncertainty: scores.uncertainty(),
                imputed: scores.keys().len() - measured,
            });
            if is_ranked && primary.is_some() {
                scored.push((label, scores));
            }
        }
        let mut comparisons = Comparison::all_pairs(compared.primary(), floor, &scored);
        for model in models.iter_mut().filter(|model| scored.iter().any(|(label, _)| *label == model.label)) {
            let count = |of: fn(&Comparison) -> usize| {
                comparisons.iter().filter(|pair| pair.differs() && of(pair) == model.label).count()
            };
            let (losses, wins) = (count(|pair| pair.worse), count(|pair| pair.better));
            model.ranks = Some(Ranks { best: 1 + losses, worst: scored.len() - wins });
        }
        let key = |model: &RankedModel| match (model.ranks, model.primary) {
            (Some(_), Some(primary)) => -better.goodness(primary.mean),
            _ => f64::INFINITY,
        };
        models.sort_by(|a, b| key(a).total_cmp(&key(b)));
        let place = |label: usize| models.iter().position(|model| model.label == label);
        comparisons.sort_by_key(|pair| (place(pair.better), place(pair.worse)));
        Ranking { setting, floor, models, comparisons }
    }

    /// The models that have a place.
    pub fn ranked(&self) -> impl Iterator<Item = &RankedModel> {
        self.models.iter().filter(|model| model.ranks.is_some())
    }

    /// The comparison of two models, in whichever order.
    pub fn comparison(&self, one: usize, other: usize) -> Option<&Comparison> {
        let is_it = |pair: &&Comparison| [(one, other), (other, one)].contains(&(pair.better, pair.worse));
        self.comparisons.iter().find(is_it)
    }
}

/// Whether the model, of which so many trials have a score, has a place: every planned trial is there and well and scored. The mean over
/// some of them is that of another experiment.
fn is_ranked(cell: &Cell, scored: usize) -> bool {
    cell.status == Status::Ok && cell.trials.len() == cell.planned && scored == cell.planned
}
