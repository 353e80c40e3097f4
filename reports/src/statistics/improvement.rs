//! How probable it is that a run of one model beats a run of another.

use crate::metric::Better;

/// The scores of two models on one task, one for each seed. The models may have different numbers of seeds, and nothing
/// pairs them.
#[derive(Debug, Clone, Copy)]
pub struct TaskScores<'a> {
    /// The scores of the first model.
    pub first: &'a [f64],
    /// The scores of the second model.
    pub second: &'a [f64],
    /// Which direction of the task's metric is better.
    pub better: Better,
}

/// The probability that a run of the first model beats one of the second, averaged over tasks: on each task the share
/// of pairs of seeds in which the first is better, plus half the share of pairs with equal scores (Agarwal et al. 2021,
/// *Deep reinforcement learning at the edge of the statistical precipice*, section 4; rliable's
/// `probability_of_improvement`; on one task it is Mann and Whitney's U divided by the number of pairs). 0.5 means that
/// neither is better.
///
/// It says how often and not by how much, so the metrics of the tasks may have different units. It is an estimate
/// without an interval. `None` without a task, and if a task lacks a score of a model.
pub fn probability_of_improvement(tasks: &[TaskScores<'_>]) -> Option<f64> {
    let shares = tasks.iter().map(of_task).collect::<Option<Vec<f64>>>()?;
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}

fn of_task(task: &TaskScores<'_>) -> Option<f64> {
    let pairs = task.first.len() * task.second.len();
    let won = |first: f64, second: f64| {
        if task.better.prefers(first, second) {
            1.0
        } else if first == second {
            0.5
        } else {
            0.0
        }
    };
    let wins: f64 =
        task.first.iter().flat_map(|&first| task.second.iter().map(move |&second| won(first, second))).sum();
    (pairs > 0).then(|| wins / pairs as f64)
}
