//! Which models differ over tasks, by their mean ranks.

use std::f64::consts::SQRT_2;

use super::studentised_range::studentised_range_quantile;

/// The critical difference of Nemenyi's test: two of `models` models differ at the level `alpha` over `tasks` tasks, if
/// their mean ranks differ by more. It is a number of ranks: `q / √2 · √(k(k+1) / (6 n))`, where `q` is the `1 - alpha`
/// quantile of the studentised range of `k` groups with infinite degrees of freedom (Nemenyi 1963; Demšar 2006, section
/// 3.2.2, whose table 5 lists `q / √2`).
///
/// All pairs are tested at once, so that `alpha` is the chance of even one difference found among equal models. With
/// few tasks the critical difference is larger than the difference of most ranks: of five models over five tasks, only
/// ranks more than 2.7 apart differ.
///
/// `None` for fewer than two models, without a task, and unless `alpha` is between 1e-12 and 1.
pub fn critical_difference(alpha: f64, models: u32, tasks: u32) -> Option<f64> {
    if tasks == 0 {
        return None;
    }
    let q = studentised_range_quantile(1.0 - alpha, models, f64::INFINITY)?;
    let (k, n) = (f64::from(models), f64::from(tasks));
    Some(q / SQRT_2 * (k * (k + 1.0) / (6.0 * n)).sqrt())
}

/// The groups of models whose mean ranks all lie within `critical_difference` of each other. They are the bars of a
/// critical difference diagram (Demšar 2006, figure 1). Each group lists the indices of its models from the best rank
/// to the worst. It has at least two models, and none that another group contains. The groups are in the order of their
/// best model. A model in no group differs from all others.
///
/// That two models share a group does not mean that they are equal: it means that the tasks do not tell them apart.
pub fn cliques(mean_ranks: &[f64], critical_difference: f64) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..mean_ranks.len()).collect();
    order.sort_by(|&a, &b| mean_ranks[a].total_cmp(&mean_ranks[b]));
    let mut groups = Vec::new();
    let mut covered = 0;
    for first in 0..order.len() {
        let reach = |index: &usize| mean_ranks[*index] - mean_ranks[order[first]] <= critical_difference;
        let end = first + order[first..].iter().take_while(|index| reach(index)).count();
        if end > covered && end - first >= 2 {
            groups.push(order[first..end].to_vec());
            covered = end;
        }
    }
    groups
}
