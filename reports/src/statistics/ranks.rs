//! Ranks of numbers.

use crate::metric::Better;

/// The ranks of the scores of several models on one task, in their order. Rank 1 is the best score in the direction
/// `better`. Equal scores share the mean of their ranks (Demšar 2006, *Statistical comparisons of classifiers over
/// multiple data sets*, section 3.2.2).
pub fn ranks(scores: &[f64], better: Better) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| better.goodness(scores[b]).total_cmp(&better.goodness(scores[a])));
    let mut ranks = vec![0.0; scores.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let shared = before as f64 + (equal.len() + 1) as f64 / 2.0;
        equal.iter().for_each(|&index| ranks[index] = shared);
        before += equal.len();
    }
    ranks
}
