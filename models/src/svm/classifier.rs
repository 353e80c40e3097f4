//! A classifier of several classes, made of functions that each separate two classes. There is one function for each pair
//! of classes. They are fitted in parallel, and they vote.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1};
use rayon::ThreadPool;

use super::kernel::Kernel;
use super::machine::{FittedMachine, MachineForm};
use super::solve::{Method, ProblemSettings, Solver};
use crate::artefact::{ArraysIn, ArraysOut};
use crate::encode::features::Features;
use crate::model::{ModelError, Support, Watch};
use crate::parallel;

/// The largest size in bytes of a table that has a column for each pair of classes.
const MOST_TABLE_BYTES: u64 = 1 << 30;
/// How many numbers such a table may hold during prediction.
const MOST_VALUES: usize = 1 << 26;

/// Whether memory suffices for a table of `count` rows with a column for each pair of `classes`. `what` names what the
/// rows of the table stand for, and `fix` says how to have fewer of them.
pub(super) fn fits_in_memory(count: usize, (what, fix): (&str, &str), classes: usize) -> Support {
    let pairs = classes as u64 * (classes as u64).saturating_sub(1) / 2;
    let column = pairs * size_of::<f32>() as u64;
    let bytes = column.saturating_mul(count as u64);
    if bytes <= MOST_TABLE_BYTES {
        return Support::Yes;
    }
    let most = MOST_TABLE_BYTES / column;
    Support::No {
        reason: format!(
            "a number for each of {count} {what} and of the {pairs} pairs of {classes} classes takes {bytes} bytes, more \
             than {MOST_TABLE_BYTES}; at most {most} {what} fit: {fix}"
        ),
    }
}

/// A fitted one-versus-one classifier.
#[derive(Debug, Clone)]
pub struct Classifier {
    /// The functions, one for each pair of classes.
    pub(super) machine: FittedMachine,
    /// The classes that have a training row, in ascending order.
    classes: Vec<u16>,
}

impl Classifier {
    /// Learns from rows and their labels. Reports each solved pair of classes to `watch`.
    ///
    /// # Errors
    /// If a solver fails or needs too much memory.
    pub fn fit(
        features: &Features,
        labels: &[u16],
        settings: &ProblemSettings,
        method: Method,
        pool: &ThreadPool,
        watch: &mut dyn Watch,
    ) -> Result<Classifier, ModelError> {
        let (order, classes) = by_class(labels);
        if settings.kernel == Kernel::Linear
            && let Support::No { reason } =
                fits_in_memory(features.width(), ("features", "set terms, or kernel = \"rbf\""), classes.len())
        {
            return Err(ModelError::Unsupported(reason));
        }
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
        if solutions.len() < problems.len() {
            let (done, all) = (solutions.len(), problems.len());
            let message = format!("the budget was used up after {done} of {all} pairs of classes: raise the budget");
            return Err(ModelError::OverBudget(message));
        }
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
        let machine = FittedMachine::new(settings.kernel, &features, &coefficients, bias);
        Ok(Classifier { machine, classes: classes.into_iter().map(|(class, _)| class).collect() })
    }

    /// Adds all learned arrays.
    pub(super) fn save(&self, arrays: &mut ArraysOut) {
        arrays.add("classes", &[self.classes.len()], self.classes.iter().copied());
        self.machine.save(arrays);
    }

    /// Takes the arrays that [`Classifier::save`] added. The classifier may have at most `most` classes.
    ///
    /// # Errors
    /// If the arrays are not those of such a classifier.
    pub(super) fn load(form: MachineForm, most: usize, arrays: &mut ArraysIn) -> Result<Classifier, ModelError> {
        let classes: Vec<u16> = arrays.take_list("classes")?;
        let ascending = classes.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || classes.last().is_none_or(|&class| usize::from(class) >= most) {
            return Err(arrays.refused(format!("'classes' is not an ascending list of some of {most} classes")));
        }
        let functions = classes.len() * (classes.len() - 1) / 2;
        Ok(Classifier { machine: FittedMachine::load(form, functions, arrays)?, classes })
    }

    /// Predicts the class of each row.
    pub fn predict(&self, features: &Features) -> Vec<u16> {
        // The values of all pairs of classes for thousands of rows would fill the memory.
        self.predict_some(features, (MOST_VALUES / pairs(self.classes.len()).count().max(1)).max(1))
    }

    /// Predicts the class of each row, `at_once` rows at a time.
    fn predict_some(&self, features: &Features, at_once: usize) -> Vec<u16> {
        let votes = |part: &Features| -> Vec<u16> {
            self.machine.values(part).rows().into_iter().map(|values| vote(values, &self.classes)).collect()
        };
        if features.len() <= at_once {
            return votes(features);
        }
        let all: Vec<usize> = (0..features.len()).collect();
        all.chunks(at_once).flat_map(|part| votes(&features.select(part))).collect()
    }
}

/// The rows sorted by class, and the range of each class that has a row.
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

/// The class with the most votes among `classes`. If several have equally many, the first of them, as in LIBSVM.
/// `values` holds one value for each pair of classes in the order (0, 1), (0, 2), …, (1, 2), …. A positive value is a
/// vote for the first class of the pair, any other for the second.
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

/// Every pair of indices below `count`, once: (0, 1), (0, 2), …, (1, 2), ….
fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |first| (first + 1..count).map(move |second| (first, second)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::svm::tests::Unwatched;

    #[test]
    fn many_rows_are_judged_some_at_a_time_with_the_same_votes() {
        // Four classes at the corners of a square, and more rows than are predicted at once.
        let corner = |row: usize| [(row % 2) as f32, (row / 2 % 2) as f32];
        let rows = |count: usize| Features::Dense(Array2::from_shape_fn((count, 2), |(row, axis)| corner(row)[axis]));
        let labels: Vec<u16> = (0..40).map(|row| row % 4).collect();
        let settings = ProblemSettings { kernel: Kernel::Linear, c: 10.0, epsilon: 0.0, tolerance: 1e-3 };
        let pool = parallel::pool(1).unwrap();
        let fitted = Classifier::fit(&rows(40), &labels, &settings, Method::Smo, &pool, &mut Unwatched).unwrap();
        let found = fitted.predict_some(&rows(11), 3);
        assert_eq!(found, (0..11).map(|row| row % 4).collect::<Vec<u16>>());
    }

    #[test]
    fn weights_of_too_many_pairs_are_refused_in_words() {
        let Support::No { reason } = fits_in_memory(200_000, ("features", "set terms"), 100) else {
            panic!("takes 4 GB")
        };
        assert!(reason.ends_with("more than 1073741824; at most 54229 features fit: set terms"), "{reason}");
        assert_eq!(fits_in_memory(1 << 28, ("features", ""), 2), Support::Yes);
        assert_eq!(fits_in_memory(1 << 40, ("features", ""), 1), Support::Yes, "a class alone has no pair");
    }

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
        // Class 7 wins against both others.
        assert_eq!(vote(array![1.0, -1.0, -1.0].view(), &[3, 5, 7]), 7);
        // A cycle: each class has one vote.
        assert_eq!(vote(array![1.0, -1.0, 1.0].view(), &[3, 5, 7]), 3);
        assert_eq!(vote(array![].view(), &[4]), 4);
    }
}
