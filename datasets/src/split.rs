//! Which rows a case learns from, and which of those it sets aside for validation.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::example::{Split, Targets};

/// Chooses `size` rows of `targets` by `seed`, the same ones on every machine.
///
/// For classes, the number of rows of each class is within one of its share of `size`. For one seed, a smaller size gives a prefix
/// of what a larger size gives, so that sizes can be compared.
///
/// # Panics
/// If there are fewer than `size` rows.
pub fn train_rows(targets: &Targets, size: usize, seed: u64) -> Vec<usize> {
    assert!(size <= targets.len(), "{size} rows asked for of {}", targets.len());
    let shuffled = shuffled(targets.len(), seed);
    match targets {
        Targets::Values(_) => shuffled[..size].to_vec(),
        Targets::Classes { labels, names } => {
            let mut by_class = vec![Vec::new(); names.len()];
            for row in shuffled {
                by_class[usize::from(labels[row])].push(row);
            }
            interleaved(&by_class, size)
        }
    }
}

/// Chooses `count` of the rows `0..rows` that are not among `taken`, by `seed`, the same ones on every machine. It is given no
/// targets, so the choice cannot depend on them.
///
/// For one seed and the same `taken`, a smaller count gives a prefix of what a larger count gives.
///
/// # Panics
/// If fewer than `count` rows are not taken.
pub fn other_rows(rows: usize, taken: &[usize], count: usize, seed: u64) -> Vec<usize> {
    let mut is_taken = vec![false; rows];
    taken.iter().for_each(|&row| is_taken[row] = true);
    let mut others = shuffled(rows, seed);
    others.retain(|&row| !is_taken[row]);
    assert!(count <= others.len(), "{count} rows asked for of {} that are left", others.len());
    others.truncate(count);
    others
}

/// Sets `count` rows of `split` aside for validation: the rows left to train on, and the validation rows.
///
/// # Panics
/// If `split` has fewer than `count` rows.
pub fn carve_validation(split: &Split, count: usize, seed: u64) -> (Split, Split) {
    let (kept, validation) = set_aside(&split.targets, count, seed);
    (split.select(&kept), split.select(&validation))
}

/// Chooses `count` rows by `seed`, stratified as in [`train_rows`]: the rows that are left, and those set aside, both in
/// ascending order.
///
/// # Panics
/// If there are fewer than `count` rows.
pub(crate) fn set_aside(targets: &Targets, count: usize, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut aside = train_rows(targets, count, seed);
    aside.sort_unstable();
    let kept = (0..targets.len()).filter(|row| aside.binary_search(row).is_err()).collect();
    (kept, aside)
}

/// Divides the rows of `targets` into `count` folds by `seed`, the same ones on every machine: the fold of each row, from 0.
///
/// Two folds differ by at most one row, and by at most one row of each class.
///
/// # Panics
/// If `count` is 0.
pub fn folds(targets: &Targets, count: usize, seed: u64) -> Vec<usize> {
    let mut order = shuffled(targets.len(), seed);
    if let Targets::Classes { labels, .. } = targets {
        // A stable sort: the rows of a class stand together, in the order chosen by the seed.
        order.sort_by_key(|&row| labels[row]);
    }
    let mut folds = vec![0; order.len()];
    for (place, row) in order.into_iter().enumerate() {
        folds[row] = place % count;
    }
    folds
}

/// The rows `0..count` in an order chosen by `seed`: sorted by the numbers of ChaCha8, which do not depend on a library's version.
pub(crate) fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut keyed: Vec<(u64, usize)> = (0..count).map(|row| (random.next_u64(), row)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// The first `size` rows of a sequence in which every prefix holds each class within one of its share.
///
/// Earliest deadline first: among the classes that can take another row without exceeding their share by one, the one that would
/// be the first to fall short by one takes it. Such a sequence always exists (Steiner and Yeomans, *Level Schedules
/// for Mixed-Model, Just-in-Time Processes*, Management Science 39, 1993).
fn interleaved(by_class: &[Vec<usize>], size: usize) -> Vec<usize> {
    let total: usize = by_class.iter().map(Vec::len).sum();
    let mut taken = vec![0; by_class.len()];
    (1..=size)
        .map(|length| {
            let class = (0..by_class.len())
                .filter(|&class| taken[class] * total < length * by_class[class].len())
                .min_by_key(|&class| ((taken[class] + 1) * total).div_ceil(by_class[class].len()))
                .expect("the shares of a prefix sum to its length, so one class is below its share");
            taken[class] += 1;
            by_class[class][taken[class] - 1]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::example::{Inputs, Text};

    fn classes(labels: Vec<u16>, count: usize) -> Targets {
        let names: Arc<[String]> = (0..count).map(|class| class.to_string()).collect();
        Targets::Classes { labels, names }
    }

    /// Texts that name their row, so that a partition can be checked.
    fn split_of(targets: Targets) -> Split {
        let texts = (0..targets.len()).map(|row| Text { first: row.to_string(), second: None }).collect();
        Split { inputs: Inputs::Texts(texts), targets }
    }

    fn rows_of(split: &Split) -> Vec<usize> {
        let Inputs::Texts(texts) = &split.inputs else { panic!("not texts") };
        texts.iter().filter_map(|text| text.first.parse().ok()).collect()
    }

    /// Whether each class has within one of its share of `rows`.
    fn is_stratified(targets: &Targets, rows: &[usize]) -> bool {
        let Targets::Classes { labels, names } = targets else { panic!("not classes") };
        (0..names.len() as u16).all(|class| {
            let all = labels.iter().filter(|&&label| label == class).count();
            let chosen = rows.iter().filter(|&&row| labels[row] == class).count();
            (chosen * labels.len()).abs_diff(rows.len() * all) < labels.len()
        })
    }

    fn labelled() -> impl Strategy<Value = Targets> {
        (1_u16..12).prop_flat_map(|count| {
            // Squaring makes some classes rare and some absent.
            prop::collection::vec((0.0..1.0_f64).prop_map(move |x| (x * x * f64::from(count)) as u16), 1..200)
                .prop_map(move |labels| classes(labels, usize::from(count)))
        })
    }

    proptest! {
        #[test]
        fn every_size_is_stratified_within_one_and_a_prefix_of_the_next(targets in labelled(), seed: u64) {
            let all = train_rows(&targets, targets.len(), seed);
            for size in 0..=targets.len() {
                let rows = train_rows(&targets, size, seed);
                prop_assert_eq!(&rows[..], &all[..size]);
                prop_assert!(is_stratified(&targets, &rows), "{:?} of {:?}", rows, targets);
            }
        }

        #[test]
        fn all_rows_are_each_row_once(targets in labelled(), seed: u64) {
            let mut rows = train_rows(&targets, targets.len(), seed);
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..targets.len()).collect::<Vec<_>>());
        }

        #[test]
        fn other_rows_are_none_that_are_taken_each_once_and_fewer_are_a_prefix(
            targets in labelled(), seed: u64, other: u64, share in 0.0..=1.0_f64, less in 0.0..=1.0_f64,
        ) {
            let rows = targets.len();
            let taken = train_rows(&targets, (share * rows as f64) as usize, seed);
            let all = other_rows(rows, &taken, rows - taken.len(), other);
            let fewer = (less * all.len() as f64) as usize;
            prop_assert_eq!(&other_rows(rows, &taken, fewer, other)[..], &all[..fewer]);
            let mut each = [taken, all].concat();
            each.sort_unstable();
            prop_assert_eq!(each, (0..rows).collect::<Vec<_>>());
        }

        #[test]
        fn validation_and_training_are_a_partition(targets in labelled(), share in 0.0..1.0_f64, seed: u64) {
            let count = (share * targets.len() as f64) as usize;
            let split = split_of(targets);
            let (train, validation) = carve_validation(&split, count, seed);
            prop_assert_eq!(validation.len(), count);
            prop_assert!(rows_of(&train).is_sorted());
            prop_assert!(is_stratified(&split.targets, &rows_of(&validation)));
            prop_assert_eq!(&train, &split.select(&rows_of(&train)), "inputs and targets stay together");
            let mut rows = [rows_of(&train), rows_of(&validation)].concat();
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..split.len()).collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn folds_differ_by_at_most_one_row_and_one_row_of_each_class(targets in labelled(), count in 2_usize..12, seed: u64) {
            let folds = folds(&targets, count, seed);
            let Targets::Classes { labels, names } = &targets else { panic!("not classes") };
            let spread = |is_counted: &dyn Fn(usize) -> bool| {
                let sizes = (0..count).map(|fold| (0..folds.len()).filter(|&row| folds[row] == fold && is_counted(row)).count());
                let sizes: Vec<usize> = sizes.collect();
                sizes.iter().max().expect("folds") - sizes.iter().min().expect("folds")
            };
            prop_assert!(spread(&|_| true) <= 1);
            for class in 0..names.len() as u16 {
                prop_assert!(spread(&|row| labels[row] == class) <= 1, "class {}", class);
            }
        }
    }

    #[test]
    fn the_folds_of_a_seed_never_change() {
        let targets = classes((0..12).map(|row| row % 3).collect(), 3);
        assert_eq!(folds(&targets, 4, 0), [2, 0, 1, 0, 1, 0, 3, 3, 3, 1, 2, 2]);
        assert_ne!(folds(&targets, 4, 1), [2, 0, 1, 0, 1, 0, 3, 3, 3, 1, 2, 2]);
    }

    #[test]
    fn the_same_seed_gives_the_same_rows_and_another_seed_others() {
        let targets = Targets::Values((0..100).map(|value| value as f32).collect());
        assert_eq!(train_rows(&targets, 10, 3), train_rows(&targets, 10, 3));
        assert_ne!(train_rows(&targets, 10, 3), train_rows(&targets, 10, 4));
        assert_eq!(train_rows(&targets, 10, 3), train_rows(&targets, 50, 3)[..10]);
    }

    #[test]
    fn the_rows_of_a_seed_never_change() {
        let targets = classes((0..30).map(|row| row % 3).collect(), 3);
        assert_eq!(train_rows(&targets, 9, 0), [3, 16, 17, 9, 13, 5, 27, 1, 29]);
        assert_eq!(other_rows(12, &[0, 1, 2, 9, 10], 5, 0), [3, 5, 11, 8, 6]);
    }
}
