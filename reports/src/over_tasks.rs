//! Models over several tasks: mean ranks, Friedman's test, and pairs by Wilcoxon's signed ranks.

use std::cmp::Ordering;

use crate::cell::Cell;
use crate::metric::Better;
use crate::ranking::Ranking;
use crate::results::Results;
use crate::setting::Setting;
use crate::statistics::{Friedman, cliques, critical_difference, friedman, holm, ranks, signed_rank_p};

/// With fewer tasks, tests over tasks rarely say anything.
pub const FEW_TASKS: usize = 10;

/// How models compare over the tasks on which all of them are ranked.
#[derive(Debug, Clone, PartialEq)]
pub struct OverTasks {
    /// The labels of the models, by mean rank from the best.
    pub labels: Vec<usize>,
    /// The settings, one a task.
    pub settings: Vec<usize>,
    /// The mean rank of each model, in the order of `labels`; 1 is the best.
    pub mean_ranks: Vec<f64>,
    /// Friedman's test of "all models are the same".
    pub friedman: Friedman,
    /// Nemenyi's critical difference of mean ranks at 5 %.
    pub critical_difference: f64,
    /// Groups of models that Nemenyi's test does not tell apart, as places in `labels`.
    pub cliques: Vec<Vec<usize>>,
    /// All pairs: places in `labels` of the better and of the worse mean rank, and the p of Wilcoxon's signed ranks, by Holm's method.
    pub pairs: Vec<(usize, usize, f64)>,
}

impl OverTasks {
    /// Compares models over the tasks of a run; `None` for fewer than two models or tasks. Settings of one task share its test rows, so
    /// they are no independent tasks: of each task, the setting with the least label noise counts, and of those the one with the most
    /// training rows. A task that a ranked model saw in pretraining is left out. A model that is ranked on fewer tasks than others is left out; the tasks are those on which all that are left are
    /// ranked.
    pub fn new(results: &Results) -> Option<OverTasks> {
        let ranked: Vec<(usize, Vec<(usize, f64)>)> = results
            .rankings
            .iter()
            .filter(|ranking| stands_for_its_task(results, ranking.setting) && !is_seen(results, ranking))
            .map(|ranking| {
                let better = results.setting(ranking.setting).primary().better;
                let goodness =
                    |model: &crate::ranking::RankedModel| Some((model.label, better.goodness(model.primary?.mean)));
                (ranking.setting, ranking.ranked().filter_map(goodness).collect())
            })
            .collect();
        let most = (0..results.grid.labels.len()).map(|label| settings_of(&ranked, label)).max()?;
        let labels: Vec<usize> =
            (0..results.grid.labels.len()).filter(|label| settings_of(&ranked, *label) == most).collect();
        let mut settings = Vec::new();
        let mut scores: Vec<Vec<f64>> = Vec::new();
        for (setting, models) in &ranked {
            let of = |label: &usize| models.iter().find(|(other, _)| other == label).map(|(_, score)| *score);
            if let Some(all) = labels.iter().map(of).collect::<Option<Vec<f64>>>() {
                settings.push(*setting);
                scores.push(all);
            }
        }
        let by_task: Vec<Vec<f64>> = scores.iter().map(|task| ranks(task, Better::Higher)).collect();
        let friedman = friedman(&by_task)?;
        let (k, n) = (u32::try_from(labels.len()).ok()?, u32::try_from(settings.len()).ok()?);
        let critical_difference = critical_difference(0.05, k, n)?;
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by(|&a, &b| friedman.mean_ranks[a].total_cmp(&friedman.mean_ranks[b]));
        let mean_ranks: Vec<f64> = order.iter().map(|&model| friedman.mean_ranks[model]).collect();
        let mut pairs = Vec::new();
        for better in 0..order.len() {
            for worse in better + 1..order.len() {
                let differences: Vec<f64> =
                    scores.iter().map(|task| task[order[better]] - task[order[worse]]).collect();
                pairs.push((better, worse, signed_rank_p(&differences)));
            }
        }
        let adjusted = holm(&pairs.iter().map(|(.., p)| *p).collect::<Vec<_>>());
        for (pair, p) in pairs.iter_mut().zip(adjusted) {
            pair.2 = p;
        }
        Some(OverTasks {
            cliques: cliques(&mean_ranks, critical_difference),
            labels: order.iter().map(|&model| labels[model]).collect(),
            settings,
            mean_ranks,
            friedman,
            critical_difference,
            pairs,
        })
    }
}

/// Whether a setting is the one that stands for its task.
fn stands_for_its_task(results: &Results, setting: usize) -> bool {
    let key = |at: usize| {
        let Setting { label_noise, train_size, .. } = results.setting(at);
        (*label_noise, usize::MAX - train_size)
    };
    let is_of_task = |at: &usize| results.setting(*at).task.name == results.setting(setting).task.name;
    let of_task = (0..results.grid.settings.len()).filter(is_of_task);
    of_task.min_by(|a, b| key(*a).partial_cmp(&key(*b)).unwrap_or(Ordering::Equal)) == Some(setting)
}

/// Whether a model that is ranked there saw the task in pretraining.
fn is_seen(results: &Results, ranking: &Ranking) -> bool {
    let mut cells = ranking.ranked().filter_map(|model| results.grid.cell(ranking.setting, model.label));
    cells.any(Cell::is_seen_in_pretraining)
}

/// In how many settings a model is ranked.
fn settings_of(ranked: &[(usize, Vec<(usize, f64)>)], label: usize) -> usize {
    ranked.iter().filter(|(_, models)| models.iter().any(|(other, _)| *other == label)).count()
}
