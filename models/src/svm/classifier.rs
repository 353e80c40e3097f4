//! Several classes from functions of two: one for each pair of classes, solved in parallel, and a vote.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1};
use rayon::ThreadPool;

use super::machine::Machine;
use super::solve::{Method, Settings, Solver};
use crate::encode::features::Features;
use crate::model::{ModelError, Watch};
use crate::parallel;

/// A fitted one-versus-one classifier.
#[derive(Debug, Clone)]
pub struct Classifier {
    /// One function per pair of classes.
    pub(super) machine: Machine,
    /// Those with a training row, ascending.
    classes: Vec<u16>,
}

impl Classifier {
    /// Learns from rows and their labels; `watch` is told of each pair solved.
    ///
    /// # Errors
    /// If a solver fails or needs too much memory.
    pub fn fit(
        features: &Features,
        labels: &[u16],
        settings: &Settings,
        method: Method,
        pool: &ThreadPool,
        watch: &mut dyn Watch,
    ) -> Result<Classifier, ModelError> {
        let (order, classes) = by_class(labels);
        let features = features.select(&order);
        let problems: Vec<(&Range<usize>, &Range<usize>)> =
            pairs(classes.len()).map(|(first, second)| (&classes[first].1, &classes[second].1)).collect();
        let largest = problems.iter().map(|(first, second)| first.len() + second.len()).max().unwrap_or(0);
        let at_once = problems.len().min(pool.current_num_threads());
        let solver = pool.install(|| Solver::new(method, &features, settings.kernel, largest, at_once))?;
        let solutions = parallel::map(pool, problems.len(), watch, |index| {
            let (first, second) = problems[index];
            solver.classify(first, second, settings)
        });
        let mut coefficients = Array2::zeros((features.len(), problems.len()));
        let mut bias = Array1::zeros(problems.len());
        for (index, (solution, (first, second))) in solutions.into_iter().zip(&problems).enumerate() {
            let solution = solution?;
            let rows = first.start..first.end;
            for (row, coefficient) in rows.chain(second.start..second.end).zip(solution.coefficients) {
                coefficients[[row, index]] = coefficient;
            }
            bias[index] = solution.bias;
        }
        let machine = Machine::new(settings.kernel, &features, &coefficients, bias);
        Ok(Classifier { machine, classes: classes.into_iter().map(|(class, _)| class).collect() })
    }

    /// The class of each row.
    pub fn predict(&self, features: &Features) -> Vec<u16> {
        self.machine.values(features).rows().into_iter().map(|values| vote(values, &self.classes)).collect()
    }
}

/// The rows in the order of their classes, and the range of each class that has a row.
fn by_class(labels: &[u16]) -> (Vec<usize>, Vec<(u16, Range<usize>)>) {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by_key(|&row| labels[row]);
    let mut classes: Vec<(u16, Range<usize>)> = Vec::new();
    for (place, &row) in order.iter().enumerate() {
        match classes.last_mut() {
            Some((class, range)) if *class == labels[row] => range.end = place + 1,
            _ => classes.push((labels[row], place..place + 1)),
        }
    }
    (order, classes)
}

/// The class with most votes among `classes`, the first of equals, as in LIBSVM. `values` holds one value per pair of
/// classes in the order (0, 1), (0, 2), …, (1, 2), …; a positive one is a vote for the first of the pair.
fn vote(values: ArrayView1<'_, f32>, classes: &[u16]) -> u16 {
    let mut votes = vec![0_usize; classes.len()];
    for ((first, second), &value) in pairs(classes.len()).zip(values) {
        votes[if value > 0.0 { first } else { second }] += 1;
    }
    let mut winner = 0;
    for candidate in 1..classes.len() {
        if votes[candidate] > votes[winner] {
            winner = candidate;
        }
    }
    classes[winner]
}

/// Every pair of `count` things once: (0, 1), (0, 2), …, (1, 2), ….
fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |first| (first + 1..count).map(move |second| (first, second)))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::{by_class, pairs, vote};

    #[test]
    fn pairs_are_in_order_and_complete() {
        assert_eq!(pairs(3).collect::<Vec<_>>(), [(0, 1), (0, 2), (1, 2)]);
        assert_eq!(pairs(1).count(), 0);
    }

    #[test]
    fn rows_are_grouped_by_class_and_keep_their_order() {
        let (order, classes) = by_class(&[4, 1, 4, 1]);
        assert_eq!(order, [1, 3, 0, 2]);
        assert_eq!(classes, [(1, 0..2), (4, 2..4)]);
    }

    #[test]
    fn most_votes_win_and_the_first_of_equals() {
        // Class 7 beats both others.
        assert_eq!(vote(array![1.0, -1.0, -1.0].view(), &[3, 5, 7]), 7);
        // A cycle: one vote each.
        assert_eq!(vote(array![1.0, -1.0, 1.0].view(), &[3, 5, 7]), 3);
        assert_eq!(vote(array![].view(), &[4]), 4);
    }
}
